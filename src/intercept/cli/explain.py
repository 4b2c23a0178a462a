"""`intercept explain -p FILE TOOL [ARGUMENTS]`: what would become of a call, and which line says so.

The answer goes to stdout. Exit code 0: explained, whatever the decision is; 2: the command line is wrong; 3: a policy
cannot be used.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..errors import ProtocolError, UsageError

if TYPE_CHECKING:
    from ..explanation import Situation
    from ..policy.loading import Loaded
    from ..values import Json

_EPILOG: Final = """examples:
  intercept explain -p policy.yaml create_refund '{"amount": 600}'
  intercept explain -p policy.yaml send_text '{"to": "+55"}' --after 30
  intercept explain -p team.yaml -p company.yaml send_mail --answered read_mail --at 2026-03-01T22:30

Arguments are read as strictly as the proxy reads them. Values of the call are shown: the model never reads this.

exit codes: 0 explained, whatever the decision is; 2 wrong usage; 3 policy unusable
"""
_MOST: Final = 100_000


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "explain",
        help="what would become of a call, and which line says so",
        description="Say what would become of a call under a policy, by which rules, and what kept others from it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "-p",
        "--policy",
        action="append",
        required=True,
        metavar="FILE",
        help="policy file; give several and every one of them has to allow the call",
    )
    parser.add_argument("tool", metavar="TOOL", help="its name (the URI of a resource, the name of a prompt)")
    parser.add_argument("arguments", metavar="ARGUMENTS", nargs="?", default="{}", help="JSON object (default: {})")
    parser.add_argument(
        "--kind", choices=("tool", "resource", "prompt"), default="tool", help="what TOOL is (default: tool)"
    )
    parser.add_argument(
        "--annotations", metavar="JSON", help="of the tool, as the server lists them (default: not seen)"
    )
    parser.add_argument(
        "--answered", action="append", default=[], metavar="TOOL", help="a tool that was answered before in the session"
    )
    parser.add_argument("--after", type=int, default=0, metavar="N", help="after N equal calls at the same time")
    parser.add_argument(
        "--at", metavar="TIME", help="ISO 8601; in the policy's timezone if it has no offset (default: now)"
    )
    parser.add_argument(
        "--grant", default="", metavar="NAME", help="what conditions on `grant` find (default: nothing)"
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what would become of the call; return 0.

    Raises:
        UsageError: the proxy would not take this for a call, or an option cannot be read.
        PolicyError: one of the files cannot be used.
    """
    from ..explanation import explain
    from ..explanation.report import as_json, lines
    from ..policy import Kind
    from ..policy.loading import load_with_sources
    from ..rehearsal import request_for

    kind = Kind(arguments.kind)
    if kind is Kind.RESOURCE and arguments.arguments != "{}":
        raise UsageError("a resource takes no arguments")
    try:
        request = request_for(kind, arguments.tool, arguments.arguments)
    except ProtocolError as error:
        raise UsageError(f"the proxy would refuse this unread: {error}") from None
    loaded = load_with_sources(arguments.policy)
    explanation = explain(loaded, request, kind, _situation(arguments, loaded))
    if arguments.format == "json":
        print(json.dumps(as_json(explanation, kind), indent=2))
    else:
        for line in lines(explanation, kind):
            print(line)
    return 0


def _situation(arguments: argparse.Namespace, loaded: Loaded) -> Situation:
    from ..explanation import Situation

    if not 0 <= arguments.after <= _MOST:
        raise UsageError(f"expected a number from 0 to {_MOST:,} for `--after`")
    return Situation(
        now=_time(arguments.at, loaded),
        grant=arguments.grant,
        annotations=None if arguments.annotations is None else _object(arguments.annotations),
        answered=frozenset(arguments.answered),
        after=arguments.after,
    )


def _object(text: str) -> dict[str, Json]:
    from ..policy import Kind
    from ..rehearsal import request_for

    try:
        value = request_for(Kind.TOOL, "", text).params.get("arguments")
    except ProtocolError:
        value = None
    if not isinstance(value, dict):
        raise UsageError('expected a JSON object for `--annotations`, as in `{"readOnlyHint": true}`')
    return value


def _time(text: str | None, loaded: Loaded) -> float:
    if text is None:
        return datetime.now(UTC).timestamp()
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"`{printable(text)}` is not a time; write for example `2026-03-01T22:30`") from None
    if time.tzinfo is None:
        from zoneinfo import ZoneInfo

        zones = {source.file.timezone for source in loaded.sources}
        if len(zones) > 1:
            raise UsageError("the policies differ in `timezone`; give `--at` an offset, as in `2026-03-01T22:30+00:00`")
        zone = zones.pop()
        time = time.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(zone))
    return time.timestamp()
