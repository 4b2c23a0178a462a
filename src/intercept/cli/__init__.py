"""The command line: which command is meant, and one line and an exit code for whatever goes wrong.

Exit codes: 0 fine, 1 findings, 2 usage, 3 policy unusable, 4 upstream could not be started, otherwise the upstream's.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from .. import __version__
from ..errors import InterceptError, visible
from ..notices import PREFIX

COMMANDS: Final = {
    "lint": "is a policy valid and wise",
    "test": "does a policy decide as its tests say",
    "explain": "what would become of a call, and which line says so",
    "log": "what happened; is the log whole",
    "pin": "record what a server offers, and review what changed",
    "scan": "what tools a server has, how dangerous they are, and a policy to begin with",
    "status": "what each limit has left",
    "replay": "what would have happened under another policy",
    "approvals": "what waits for a person, and the answers",
    "schema": "the JSON Schema of policy files, for editors",
}
"""Beside the proxy itself, which needs no name. Each is a module with `add_parser` and `run`; one with `TAKES_SERVER`
finds what stands behind `--` in `command`."""

_EPILOG: Final = f"""commands (`intercept COMMAND --help` says more):
{"".join(f"  {name:<10}{what}{chr(10)}" for name, what in COMMANDS.items())}
example:
  intercept --policy policies/mcp-ap2.yaml -- npx -y @codespar/mcp-ap2
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line; `--help` has the rest."""

    def error(self, message: str) -> None:  # type: ignore[override]
        self.exit(2, f"{PREFIX}{message}; try `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` (default: the process's arguments) names; return the exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        if arguments and arguments[0] in COMMANDS:
            return _command(arguments)
        return _proxy(arguments)
    except InterceptError as error:
        for line in str(error).split("\n"):
            print(f"{PREFIX}{visible(line)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _command(arguments: list[str]) -> int:
    module = import_module(f".{arguments[0]}", __package__)
    parser = _Parser(prog="intercept")
    module.add_parser(parser.add_subparsers(parser_class=_Parser))
    # argparse would take a server's command for more of the arguments before it.
    ends = "--" in arguments and getattr(module, "TAKES_SERVER", False)
    split = arguments.index("--") if ends else len(arguments)
    options = parser.parse_args(arguments[:split])
    options.command = arguments[split + 1 :]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name of a file need not be text in any encoding
    try:
        code: int = module.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough, and what is still in the buffer goes nowhere either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # what a shell says of SIGPIPE
    return code


def _proxy(arguments: list[str]) -> int:
    parser = _Parser(
        prog="intercept",
        usage="intercept --policy FILE [options] -- COMMAND [ARGUMENT ...]",
        description="Stand between an MCP client and a stdio MCP server and let a policy decide about every tool call.",
        epilog=_EPILOG,
        # Without a width it imports what reads archives, for the size of the terminal.
        formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, width=100),
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"intercept {__version__}")
    parser.add_argument(
        "--policy",
        action="append",
        metavar="FILE",
        help="policy file; give several and every one of them has to allow a call",
    )
    parser.add_argument(
        "--grant",
        metavar="NAME",
        help="whose calls limits of scope `grant` count (default: $INTERCEPT_GRANT, or the policy's path and the user)",
    )
    parser.add_argument(
        "--state",
        metavar="PLACE",
        help="where limits of scope `grant` and `global` are counted: a file, or a URL (default: $INTERCEPT_STATE, or "
        "`intercept/state.sqlite` in the user's directory for state)",
    )
    parser.add_argument(
        "--lock", metavar="FILE", help="lock file of `intercept pin`: what differs from it is withheld until reviewed"
    )
    parser.add_argument(
        "--shadow", action="store_true", help="decide and record, refuse nothing: every policy as with `mode: shadow`"
    )
    parser.add_argument(
        "--no-reload", action="store_true", help="do not load a policy or lock file again when it changes"
    )
    parser.add_argument(
        "--audit",
        metavar="PLACE",
        help="where decisions are recorded: a directory, a file (`NAME.jsonl`), or `off` "
        "(default: `intercept/audit` in the user's directory for state)",
    )
    parser.add_argument(
        "--audit-arguments",
        choices=("none", "keys", "redacted", "full"),
        default="keys",
        help="what is recorded of a call's arguments: nothing, their names and a digest (the default), values without "
        "what looks like a secret, or everything",
    )
    parser.add_argument(
        "--audit-optional", action="store_true", help="let calls pass that cannot be recorded, and count them"
    )
    parser.add_argument(
        "--audit-keep",
        type=int,
        metavar="DAYS",
        help="remove the logs of the directory that are older (default: never)",
    )
    parser.add_argument(
        "--approval-command",
        metavar="COMMAND",
        help="run for each call that waits for an operator, without a shell, with the details on its stdin as JSON and "
        "in INTERCEPT_APPROVAL_* variables",
    )
    parser.add_argument(
        "--approval-webhook", metavar="URL", help="post the details of each such call there, signed with HMAC-SHA256"
    )
    parser.add_argument(
        "--approval-webhook-secret",
        metavar="FILE",
        help="the secret to sign with (default: $INTERCEPT_WEBHOOK_SECRET, which the server gets to see too)",
    )
    parser.add_argument(
        "--approval-key",
        metavar="FILE",
        help="take only approvals of an operator that are signed with the secret half of this public key "
        "(see `intercept approvals keygen`)",
    )
    split = arguments.index("--") if "--" in arguments else len(arguments)
    command = arguments[split + 1 :]
    options, unknown = parser.parse_known_args(arguments[:split])
    if unknown:
        names = ", ".join(f"`{name}`" for name in unknown)
        advice = "the server's command comes after `--`" if split == len(arguments) else "options come before `--`"
        parser.error(f"unknown argument {names}; {advice}")
    if not options.policy:
        parser.error("no policy; give one with `--policy FILE`")
    if not command or not command[0]:
        parser.error("no server; give its command after `--`, as in `-- npx -y @codespar/mcp-ap2`")
    if options.audit_keep is not None and options.audit_keep < 1:
        parser.error("expected a number of days from 1 for `--audit-keep`")
    if options.state == "":
        parser.error("expected a file or a URL for `--state`")
    if options.audit == "":
        parser.error("expected a file, a directory or `off` for `--audit`")
    if options.approval_webhook_secret and not options.approval_webhook:
        parser.error("`--approval-webhook-secret` belongs to `--approval-webhook`")
    from .run import Approving, Auditing, run

    approving = Approving(
        options.approval_command, options.approval_webhook, options.approval_webhook_secret, options.approval_key
    )
    auditing = Auditing(options.audit, options.audit_arguments, options.audit_optional, options.audit_keep)
    return run(
        command,
        options.policy,
        grant=options.grant,
        state=options.state,
        reload=not options.no_reload,
        shadow=options.shadow,
        auditing=auditing,
        lock=options.lock,
        approving=approving,
    )
