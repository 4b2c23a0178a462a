"""`intercept replay -p NEW [LOG...]`: what would have happened under another policy.

Results go to stdout. Exit code 0: replayed; 1: `--fail-on-change` and a call is decided otherwise; 2: the command line
is wrong or a log cannot be read; 3: the policy cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from ..answers import printable

if TYPE_CHECKING:
    from ..policy import RuleRef
    from ..replay import Change, Replayed, Why

_EPILOG: Final = """examples:
  intercept replay -p new.yaml                         what the proxy recorded, under another policy
  intercept replay -p policy.yaml logs/ --fail-on-change   in CI: does a change of the policy change decisions

The calls are decided with the times, answers and approvals that they had. A call that was refused and would pass has no
answer on record; rules with `after` take it as not answered. The log holds no arguments unless the proxy was started
with `--audit-arguments full` (or `redacted`, for calls in which nothing was left out); what depends on arguments that
are not there cannot be known, and is counted apart. LOG is a file or a directory (default: where the proxy records).

exit codes: 0 replayed, 1 `--fail-on-change` and a decision changed, 2 wrong usage or unreadable log, 3 policy unusable
"""

_Group: TypeAlias = "tuple[str, str, str, tuple[RuleRef, ...]]"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "replay",
        help="what would have happened under another policy",
        description="Decide about recorded calls by another policy, and say which decisions change.",
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
        help="policy file; give several and every one of them has to allow a call",
    )
    parser.add_argument("logs", nargs="*", metavar="LOG", help="file or directory")
    parser.add_argument("--fail-on-change", action="store_true", help="exit code 1 if a call is decided otherwise")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print which decisions change; return the exit code.

    Raises:
        UsageError: a log is not there.
        PolicyError: a policy cannot be used.
    """
    from ..audit.reading import Skipped, files_of, records_of
    from ..policy import load
    from ..replay import replay
    from .log import default_log

    files = files_of(arguments.logs or [default_log()])
    policy = load(arguments.policy)
    skipped = Skipped()
    found = replay(records_of(files, skipped), policy)
    if arguments.format == "json":
        print(json.dumps(_as_json(found), indent=2))
    else:
        for line in _lines(found):
            print(line)
    if skipped.lines:
        print(f"left out {skipped.lines} lines that are no whole record; see `intercept log verify`", file=sys.stderr)
    if found.unread:
        print(f"left out {found.unread} decisions that are of another format", file=sys.stderr)
    return 1 if arguments.fail_on_change and found.changes else 0


def _groups(found: Replayed) -> list[tuple[_Group, list[Change]]]:
    """Changes of the same kind by the same rules for the same tool; the most frequent first."""
    groups: dict[_Group, list[Change]] = {}
    for change in found.changes:
        key = (str(change.before), str(change.after), change.decided.tool, change.rules)
        groups.setdefault(key, []).append(change)
    return sorted(groups.items(), key=lambda group: -len(group[1]))


def _tools(found: Replayed, why: Why) -> list[str]:
    return sorted({one.tool for one, reason in found.unknown if reason is why})


def _lines(found: Replayed) -> Iterator[str]:
    from ..audit.events import stamp
    from ..replay import EXAMPLES

    for (before, after, tool, rules), changes in _groups(found):
        by = ", ".join(
            f"{printable(rule.name)} ({printable(os.path.basename(rule.path))}:{rule.line})" for rule in rules
        )
        yield f"{before} -> {after}  {printable(tool)}  {f'by {by}' if by else 'by no rule'}  {_calls(len(changes))}"
        for change in changes[:EXAMPLES]:
            one = change.decided
            reason = f"  {printable(change.reason)}" if change.reason else ""
            yield f"    {stamp(one.time)}  {printable(one.session)} call {one.call}{reason}"
    for why, number in found.unknown_why.most_common():
        yield f"cannot be known: {_calls(number)} of {', '.join(map(printable, _tools(found, why)))}: {why.value}"
    yield (
        f"{_calls(found.calls)} of {found.sessions} sessions: {found.same} decided as they were, "
        f"{len(found.changes)} otherwise, {len(found.unknown)} cannot be known"
    )


def _rule(rule: RuleRef) -> str:
    return f"{printable(rule.name)} ({printable(os.path.basename(rule.path))}:{rule.line})"


def _calls(number: int) -> str:
    return f"{number} call{'' if number == 1 else 's'}"


def _as_json(found: Replayed) -> dict[str, object]:
    from ..audit.events import rules_json, stamp
    from ..replay import EXAMPLES

    return {
        "sessions": found.sessions,
        "calls": found.calls,
        "same": found.same,
        "changed": [
            {
                "before": before,
                "after": after,
                "tool": tool,
                "rules": rules_json(rules),
                "calls": len(changes),
                "examples": [
                    {
                        "session": change.decided.session,
                        "call": change.decided.call,
                        "time": stamp(change.decided.time),
                        "reason": change.reason,
                    }
                    for change in changes[:EXAMPLES]
                ],
            }
            for (before, after, tool, rules), changes in _groups(found)
        ],
        "unknown": [
            {"why": why.name.lower(), "calls": number, "tools": _tools(found, why)}
            for why, number in found.unknown_why.most_common()
        ],
    }
