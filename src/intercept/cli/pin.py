"""`intercept pin`: record what a server offers, so that the proxy withholds what changes afterwards."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Final

from ..errors import UsageError

if TYPE_CHECKING:
    from ..pins.changes import Change
    from ..pins.lock import Lock

TAKES_SERVER: Final = True
LOCK: Final = "intercept.lock.json"

_EPILOG: Final = """examples:
  intercept pin --lock files.lock.json -- npx -y @modelcontextprotocol/server-filesystem /srv/data
  intercept --policy files.yaml --lock files.lock.json -- npx -y @modelcontextprotocol/server-filesystem /srv/data
  intercept pin --review --lock files.lock.json -- npx -y @modelcontextprotocol/server-filesystem /srv/data
"""


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "pin",
        prog="intercept pin",
        usage="intercept pin [--lock FILE] [--check | --review] [--accept] -- COMMAND [ARGUMENT ...]",
        description="Record the definitions of a server's tools and prompts. A lock file that is there already and "
        "differs is only replaced after a review.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--lock", metavar="FILE", default=LOCK, help=f"the lock file (default: {LOCK})")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="write nothing; exit 1 if the server differs, for CI")
    what.add_argument("--review", action="store_true", help="show what changed, and ask if it is to be accepted")
    parser.add_argument("--accept", action="store_true", help="accept what changed without being asked")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="of what is printed (default: text)")


def run(arguments: argparse.Namespace) -> int:
    """Compare the server of `arguments.command` with `arguments.lock`, and write that; return the exit code.

    Raises:
        UsageError: there is no command, or the file cannot be written.
        PolicyError: the lock file cannot be used.
        UpstreamError: the server cannot be started, or does not say what it offers.
    """
    if not arguments.command:
        raise UsageError("no server; give its command after `--`, as in `intercept pin -- npx -y @codespar/mcp-ap2`")
    if arguments.check and arguments.accept:
        raise UsageError("`--check` writes nothing, so there is nothing to accept")
    from ..pins import lock as locks
    from ..pins.changes import compare, remarks

    path: str = arguments.lock
    exists = os.path.lexists(path)
    # Before the server is started: a file that is broken is not worth the wait.
    before = locks.read(path) if exists or arguments.check or arguments.review else None
    after, left_out = _ask(arguments.command)
    changes = compare(before, after) if before is not None else []
    if arguments.format == "json":
        _print_json(changes, [*left_out, *remarks(after)])
    else:
        _print(changes, [*left_out, *remarks(after)])
    if before is not None and not changes:
        _say(f"{path}: the server is what was reviewed")
        return 0
    if arguments.check:
        return 1
    if before is not None and not (arguments.accept or (arguments.review and _is_accepted())):
        advice = "" if arguments.review else "; look at it with `intercept pin --review`"
        _say(f"{path}: not changed{advice}")
        return 1
    locks.write(path, after)
    counts = " and ".join(f"{len(pins)} {locks.MEMBERS[kind]}" for kind, pins in after.pins.items())
    _say(f"{path}: pinned {counts}")
    return 0


def _ask(command: list[str]) -> tuple[Lock, list[str]]:
    from ..catalogue.scan import ask
    from ..pins.lock import Lock, Server, collect
    from ..policy import Kind

    offer = ask(command)
    tools, odd_tools = collect(Kind.TOOL, offer.tools)
    prompts, odd_prompts = collect(Kind.PROMPT, offer.prompts)
    server = Server.of(offer.server, offer.instructions)
    return Lock(server, {Kind.TOOL: tools, Kind.PROMPT: prompts}), [*odd_tools, *odd_prompts]


def _print(changes: list[Change], remarks: list[str]) -> None:
    from ..pins.changes import described

    for remark in remarks:
        print(f"warning: {remark}")
    for change in changes:
        print("\n".join(described(change)))


def _print_json(changes: list[Change], remarks: list[str]) -> None:
    import json

    print(json.dumps({"changes": [change._asdict() for change in changes], "warnings": remarks}, indent=2))


def _is_accepted() -> bool:
    if not sys.stdin.isatty():
        _say("nobody to ask; give `--accept` to accept what was shown")
        return False
    print("Accept all of this? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _say(line: str) -> None:
    from ..errors import visible
    from ..notices import PREFIX

    print(f"{PREFIX}{visible(line)}", file=sys.stderr)
