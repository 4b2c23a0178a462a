"""`intercept log [verify | stats] [LOG...]`: what happened, is the log whole, and how often what happened.

Results go to stdout. Exit code 0: fine; 1: `verify` found a bad line, or a head that is not there; 2: the command line
is wrong or a log cannot be read.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..errors import UsageError
from ..state import audit_directory
from ..values import MalformedError

if TYPE_CHECKING:
    from ..audit.reading import Record, Verification
    from ..audit.selection import Call, Selection, Wanted
    from ..audit.statistics import OfTool, Statistics
    from ..policy import RuleRef

_EPILOG: Final = """examples:
  intercept log                                    every call, the oldest first
  intercept log --decision deny --since 2h         what was refused in the last two hours
  intercept log --follow --tool 'send_*'           calls of these tools as they come
  intercept log --format json --since 2026-03-01   the records, one a line
  intercept log verify                             is the log whole; prints a hash a session to keep elsewhere
  intercept log verify --head HASH                 ... and is what ended with this hash still there
  intercept log stats --since 7d                   calls, denials, top rules, how long things took

LOG is a file or a directory (default: where the proxy records unless `--audit` says otherwise). Times are UTC.

exit codes: 0 fine, 1 `verify` found a bad line or misses a head, 2 wrong usage or unreadable log
"""
_LOOK_EVERY: Final = 0.2
"""Seconds between two looks at what was written, under `--follow`."""
_AGO: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "log",
        help="what happened; is the log whole",
        usage="intercept log [verify | stats] [LOG ...] [options]",
        description="Show the calls that were recorded, verify that the log is whole, or sum it up.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("logs", nargs="*", metavar="LOG", help="file or directory")
    parser.add_argument("--tool", metavar="NAME", help="only calls of this tool; `*` stands for any characters")
    parser.add_argument("--server", metavar="NAME", help="only calls of servers that are called so; `*` likewise")
    parser.add_argument("--decision", choices=("allow", "ask", "deny"), help="only calls that were decided so")
    parser.add_argument("--since", metavar="TIME", help="ISO 8601, or how long ago: `30m`, `2h`, `7d`")
    parser.add_argument("--until", metavar="TIME", help="the same; what happened then is left out")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written from now on")
    parser.add_argument("--head", action="append", default=[], metavar="HASH", help="verify: a hash that was kept")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what was asked for; return the exit code.

    Raises:
        UsageError: an option cannot be read, or a log is not there.
    """
    logs: list[str] = arguments.logs
    what = logs.pop(0) if logs and logs[0] in {"verify", "stats"} else "show"
    if arguments.head and what != "verify":
        raise UsageError("`--head` belongs to `intercept log verify`")
    if arguments.follow and what != "show":
        raise UsageError(f"`--follow` does not belong to `intercept log {what}`")
    paths = logs or [default_log()]
    try:
        if what == "verify":
            return _verify(paths, arguments.head, arguments.format)
        wanted = _wanted(arguments)
        if what == "stats":
            _stats(paths, wanted, arguments.format)
        else:
            _show(paths, wanted, arguments.format, follow=arguments.follow)
    except BrokenPipeError:  # as of `intercept log | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def default_log() -> str:
    """Where the proxy records unless it is told otherwise.

    Raises:
        UsageError: there is nothing.
    """
    place = audit_directory()
    if not os.path.isdir(place):
        raise UsageError(f"nothing was recorded in `{place}` yet; name the place that `--audit` named")
    return place


def _wanted(arguments: argparse.Namespace) -> Wanted:
    from ..audit.selection import Wanted
    from ..policy import Effect
    from ..policy.names import Glob

    try:
        tool, server = (name and Glob.parse(name) for name in (arguments.tool, arguments.server))
    except MalformedError as error:
        raise UsageError(f"{error}; {error.advice}") from None
    effect = None if arguments.decision is None else Effect(arguments.decision)
    return Wanted(tool or None, effect, server or None, _time(arguments.since), _time(arguments.until))


def _time(text: str | None) -> int | None:
    """A time as microseconds since the epoch."""
    from ..limits.windows import microseconds

    if text is None:
        return None
    if ago := _AGO.fullmatch(text):
        moment = datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise UsageError(f"`{printable(text)}` is not a time; write `2026-03-01T22:30`, or `2h` for ago") from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return microseconds(moment.timestamp())


# --- showing --------------------------------------------------------------------------------------------------------


def _show(paths: Sequence[str], wanted: Wanted, form: str, *, follow: bool) -> None:
    from ..audit.reading import Skipped, files_of, records_of
    from ..audit.selection import Selection, calls_of

    selection, skipped = Selection(wanted), Skipped()
    if follow:
        for record in _followed(paths):
            for line in _followed_lines(record, selection, form):
                print(line, flush=True)
        return
    records = records_of(files_of(paths), skipped)
    if form == "json":
        for record in records:
            if selection.take(record) is not None or ("call" not in record.body and selection.takes_time(record)):
                print(json.dumps(record.body, separators=(",", ":")))
    else:
        calls = calls_of(records, selection)
        for line in _table(calls):
            print(line)
        if not calls:
            print("no such call is on record", file=sys.stderr)
    _notes(skipped.lines, selection)


def _notes(skipped: int, selection: Selection) -> None:
    if skipped:
        print(f"left out {skipped} lines that are no whole record; see `intercept log verify`", file=sys.stderr)
    if selection.unread:
        print(f"left out {selection.unread} decisions that are of another format", file=sys.stderr)
    if selection.lost:
        print(f"the log says that {selection.lost} records could not be written", file=sys.stderr)


_HEAD: Final = ("time", "server", "tool", "decision", "outcome", "ms", "by", "reason")


def _table(calls: Iterable[Call]) -> Iterator[str]:
    rows = [_row(call) for call in calls]
    if rows:
        yield from _aligned([_HEAD, *rows])


def _row(call: Call) -> tuple[str, ...]:
    one = call.decided
    return (
        _clock(one.time),
        printable(one.server),
        printable(one.tool),
        str(one.effect) if not one.shadow else f"{one.effect}*",
        call.outcome or "-",
        "-" if call.duration is None else f"{call.duration / 1000:.1f}",
        ", ".join(_rule(rule) for rule in one.rules or one.shadow) or "-",
        printable(one.reason),
    )


def _rule(rule: RuleRef) -> str:
    return f"{printable(rule.name)} ({printable(os.path.basename(rule.path))}:{rule.line})"


def _clock(time: int) -> str:
    from ..audit.events import stamp

    return stamp(time)[:23].replace("T", " ")


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _followed_lines(record: Record, selection: Selection, form: str) -> Iterator[str]:
    from ..audit.events import Type

    call = selection.take(record)
    if form == "json":
        if call is not None or ("call" not in record.body and selection.takes_time(record)):
            yield json.dumps(record.body, separators=(",", ":"))
    elif call is not None and record.type == Type.DECISION:
        yield "  ".join(cell for cell in _row(call) if cell not in {"", "-"})
    elif call is not None and record.type == Type.OUTCOME:
        one = call.decided
        took = "" if call.duration is None else f" after {call.duration / 1000:.1f} ms"
        yield f"{_clock(one.time)}  {printable(one.server)}  {printable(one.tool)}  -> {call.outcome}{took}"


def _followed(paths: Sequence[str]) -> Iterator[Record]:
    """The records that are there, and then those that come, until somebody interrupts."""
    from ..audit.chain import unseal
    from ..audit.reading import Record, files_of

    offsets: dict[str, tuple[int, int, int]] = {}
    while True:
        for path in files_of(paths):
            try:
                with open(path, "rb") as file:
                    inode = os.fstat(file.fileno()).st_ino
                    known, offset, number = offsets.get(path, (inode, 0, 0))
                    if known != inode:
                        offset = number = 0
                    file.seek(offset)
                    while (line := file.readline()).endswith(b"\n"):
                        offset, number = offset + len(line), number + 1
                        sealed = unseal(line[:-1])
                        if not isinstance(sealed, str):
                            yield Record(path, number, sealed.body)
                    offsets[path] = inode, offset, number
            except OSError:
                continue  # removed meanwhile
        time.sleep(_LOOK_EVERY)


# --- verifying ------------------------------------------------------------------------------------------------------


def _verify(paths: Sequence[str], heads: Sequence[str], form: str) -> int:
    from ..audit.reading import verify

    found = verify(paths, heads)
    missing = [head for head in heads if head not in found.heads]
    if form == "json":
        print(json.dumps(_verification(found, missing), indent=2))
    else:
        for line in _verified(found, missing):
            print(line)
    return 1 if found.faults or missing else 0


def _verified(found: Verification, missing: Sequence[str]) -> Iterator[str]:
    for session in found.sessions:
        state = "ended" if session.ended else "open (running, killed, or its tail is missing)"
        torn = ", last line torn" if session.torn else ""
        yield f"{printable(session.session)}: {session.records} records, {state}{torn}, head {session.head}"
    for fault in found.faults:
        yield f"{fault}"
    for head in missing:
        yield f"missing: no record has the hash {printable(head)}"
    counted = f"{found.records} records of {len(found.sessions)} sessions in {found.files} files"
    if found.faults or missing:
        yield f"NOT WHOLE: {len(found.faults)} files with a bad line, {len(missing)} heads missing; {counted}"
    else:
        yield f"whole: {counted}"


def _verification(found: Verification, missing: Sequence[str]) -> dict[str, object]:
    return {
        "whole": not found.faults and not missing,
        "files": found.files,
        "records": found.records,
        "sessions": [
            {
                "session": session.session,
                "records": session.records,
                "ended": session.ended,
                "torn": session.torn,
                "head": session.head,
                "path": session.path,
            }
            for session in found.sessions
        ],
        "faults": [{"path": fault.path, "line": fault.line, "why": fault.why} for fault in found.faults],
        "missing_heads": list(missing),
    }


# --- statistics -----------------------------------------------------------------------------------------------------


def _stats(paths: Sequence[str], wanted: Wanted, form: str) -> None:
    from ..audit.reading import Skipped, files_of, records_of
    from ..audit.selection import Selection, calls_of
    from ..audit.statistics import statistics

    selection, skipped = Selection(wanted), Skipped()
    found = statistics(calls_of(records_of(files_of(paths), skipped), selection))
    if form == "json":
        print(json.dumps(_stats_json(found, selection.lost), indent=2))
    else:
        for line in _summed(found):
            print(line)
    _notes(skipped.lines, selection)


def _summed(found: Statistics) -> Iterator[str]:
    calls = sum(found.decisions.values())
    if found.first is None or found.last is None or found.deciding is None:
        yield "no such call is on record"
        return
    yield f"{calls} calls in {found.sessions} sessions, {_clock(found.first)} to {_clock(found.last)}"
    yield ", ".join(f"{name} {number}" for name, number in found.decisions.items())
    outcomes = [f"{name} {number}" for name, number in sorted(found.outcomes.items())]
    if found.unanswered:
        outcomes.append(f"nothing known {found.unanswered}")
    yield f"outcomes: {', '.join(outcomes) or 'none'}"
    yield f"deciding took {found.deciding[0]} µs in the middle, {found.deciding[1]} µs or more one time in a hundred"
    yield ""
    head = ("tool", "calls", "denied", "asked", "errors", "median ms", "95% ms", "longest ms")
    yield from _aligned([head, *map(_tool_row, found.tools)])
    if found.rules:
        yield ""
        rows = [("rule", "denied", "asked")]
        rows += [
            (_rule(one.rule) if one.rule else "(default, hide)", str(one.denied), str(one.asked)) for one in found.rules
        ]
        yield from _aligned(rows)


def _tool_row(one: OfTool) -> tuple[str, ...]:
    counts = (one.calls, one.denied, one.asked, one.failed)
    times = ("-" if took is None else f"{took / 1000:.1f}" for took in (one.median, one.p95, one.longest))
    return (printable(one.tool), *map(str, counts), *times)


def _stats_json(found: Statistics, lost: int) -> dict[str, object]:
    from ..audit.events import stamp

    return {
        "calls": sum(found.decisions.values()),
        "sessions": found.sessions,
        "first": None if found.first is None else stamp(found.first),
        "last": None if found.last is None else stamp(found.last),
        "decisions": found.decisions,
        "outcomes": found.outcomes,
        "unanswered": found.unanswered,
        "lost": lost,
        "deciding_us": None if found.deciding is None else {"median": found.deciding[0], "p99": found.deciding[1]},
        "tools": [
            {
                "tool": one.tool,
                "calls": one.calls,
                "denied": one.denied,
                "asked": one.asked,
                "errors": one.failed,
                "median_us": one.median,
                "p95_us": one.p95,
                "longest_us": one.longest,
            }
            for one in found.tools
        ],
        "rules": [
            {
                "rule": one.rule.name if one.rule else None,
                "path": one.rule.path if one.rule else None,
                "line": one.rule.line if one.rule else None,
                "denied": one.denied,
                "asked": one.asked,
            }
            for one in found.rules
        ],
    }
