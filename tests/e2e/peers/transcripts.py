"""What was said and seen, and whether two runs say and see the same.

Two comparisons, of different strength:

`carried` compares both ends of the proxy in one run: what the server wrote must reach the client byte for
byte and line for line, and what the client wrote must reach the server as equal JSON, in the same order.
Nothing is normalised.

`alike` compares a run through the proxy with a run without it. Between two runs some values differ by
nature (times, random ids, folders), so `settled` replaces exactly those first.

Both return differences as text, none if there are none.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from intercept.values import Json


@dataclass(frozen=True, slots=True)
class Recording:
    """Both directions of one process, as a tap wrote them down, in lines without their newline."""

    to_server: tuple[bytes, ...]
    to_client: tuple[bytes, ...]


def recordings(directory: Path, label: str) -> list[Recording]:
    """Every run of the tap with this label, in the order in which they were started.

    Raises:
        AssertionError: a direction ends in the middle of a line.
    """
    return [
        Recording(_lines(path), _lines(path.with_suffix(".to_client")))
        for path in sorted(directory.glob(f"{label}.*.to_server"))
    ]


def _lines(path: Path) -> tuple[bytes, ...]:
    content = path.read_bytes()
    assert not content or content.endswith(b"\n"), f"{path.name} ends in the middle of a line"
    return tuple(content.split(b"\n")[:-1])


def carried(outer: Sequence[Recording], inner: Sequence[Recording]) -> list[str]:
    """Differences between the client's end of the proxy (`outer`) and the server's (`inner`)."""
    if len(outer) != len(inner):
        return [f"the client started the proxy {len(outer)} times, the proxy its server {len(inner)} times"]
    found: list[str] = []
    for run, (client_end, server_end) in enumerate(zip(outer, inner, strict=True), start=1):
        found += _diff(
            f"run {run}, server to client",
            [repr(line) for line in server_end.to_client],
            [repr(line) for line in client_end.to_client],
        )
        found += _diff(
            f"run {run}, client to server",
            [_canonical(json.loads(line)) for line in client_end.to_server],
            [_canonical(json.loads(line)) for line in server_end.to_server],
        )
    return found


def alike(direct: Sequence[Recording], proxied: Sequence[Recording], folders: Sequence[Path]) -> list[str]:
    """Differences between what a client and its server say without and with the proxy."""
    if len(direct) != len(proxied):
        return [f"the client started {len(direct)} processes without the proxy, {len(proxied)} with it"]
    found: list[str] = []
    for run, (without, through) in enumerate(zip(direct, proxied, strict=True), start=1):
        for name, one, other in (
            ("client to server", without.to_server, through.to_server),
            ("server to client", without.to_client, through.to_client),
        ):
            found += _diff(
                f"run {run}, {name}",
                [_canonical(settled(json.loads(line), folders)) for line in one],
                [_canonical(settled(json.loads(line), folders)) for line in other],
            )
    return found


def seen_alike(direct: Sequence[Json], proxied: Sequence[Json], folders: Sequence[Path]) -> list[str]:
    """Differences between what two applications saw.

    Steps are compared in order, events in order among those of their kind: an SDK hands a notification and a
    response that follow each other to two tasks, and either may run first.
    """
    return _diff("application", _seen(direct, folders), _seen(proxied, folders))


def _seen(lines: Iterable[Json], folders: Sequence[Path]) -> list[str]:
    grouped: dict[str, list[str]] = {}
    for line in lines:
        assert isinstance(line, dict)
        kind = line.get("event", "")
        assert isinstance(kind, str)
        grouped.setdefault(kind, []).append(_canonical(settled(line, folders)))
    return [line for kind in sorted(grouped) for line in grouped[kind]]


def _canonical(value: Json) -> str:
    # Tells 1 from 1.0 and from true, keeps every digit of an integer, and does not care for member order.
    return json.dumps(value, sort_keys=True)


def _diff(where: str, expected: list[str], actual: list[str]) -> list[str]:
    lines = difflib.unified_diff(expected, actual, "without", "with", lineterm="", n=0)
    return [f"{where}: {line[:2000]}" for line in lines if not line.startswith(("---", "+++", "@@"))]


_VOLATILE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| ?[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,2}:\d\d:\d\d( |\u202f)[AP]M\b"), "<time>"),
    (re.compile(r"\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"), "<weekday>"),
    (
        re.compile(r"\b(Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d GMT[+-]\d{4} \([^)]*\)"),
        "<time>",
    ),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
)
_RANDOM_LOG = re.compile(
    r"(Debug|Info|Notice|Warning|Error|Critical)-level message|(Alert|Emergency)[ -]level[ -]message"
)


def settled(value: Json, folders: Sequence[Path]) -> Json:
    """Replace what differs between any two runs: times, random ids and states, the run's own folders."""
    match value:
        case str():
            return _settled_text(value, folders)
        case list():
            return [settled(item, folders) for item in value]
        case dict():
            return {name: _settled_member(name, member, value, folders) for name, member in value.items()}
        case _:
            return value


def _settled_member(name: str, member: Json, siblings: dict[str, Json], folders: Sequence[Path]) -> Json:
    if name == "requestState":
        return "<state>"  # opaque, and sealed with a key of the process
    if name in {"level", "data"} and _RANDOM_LOG.match(str(siblings.get("data"))):
        return "<any>"  # server-everything picks one of eight levels by chance
    return settled(member, folders)


def _settled_text(text: str, folders: Sequence[Path]) -> str:
    decoded = _base64_text(text)
    if decoded is not None:
        return "base64 of " + _settled_text(decoded, folders)
    for folder in folders:
        text = text.replace(str(folder), "<folder>")
    for pattern, name in _VOLATILE:
        text = pattern.sub(name, text)
    return text


def _base64_text(text: str) -> str | None:
    """The sentence that server-everything puts, with the time of day, into a base64 blob."""
    try:
        decoded = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return decoded if decoded.startswith("Resource ") else None
