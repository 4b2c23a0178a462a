"""What somebody could do to one line of a log."""

from __future__ import annotations

import random
from pathlib import Path

from .logs import Log

KINDS = ("flip", "drop", "swap", "insert")


def sample(place: Path, folder: Path) -> list[bytes]:
    """The lines of a log with everything that may be in one: calls, denials, a reload, torn lines, an end."""
    from intercept.errors import AuditError

    from .logs import room_for

    log = Log(place, folder)
    for n in range(25):
        log.call("send" if n % 4 else "drop", outcome="ok" if n % 4 else None, number=n)
        if n == 8:
            log.recorder.reload(log.policy)
        if n == 12:
            for more in (100, 200):
                try:
                    with room_for(log.path.stat().st_size + more):
                        log.call()
                except AuditError:
                    pass
    log.recorder.end("over", 0)
    return log.path.read_bytes().splitlines(keepends=True)


def manipulated(lines: list[bytes], kind: str, random: random.Random) -> tuple[bytes, int]:
    """The log with one line changed, and the first line (1-based) at which that can be seen."""
    lines = list(lines)
    if kind == "flip":
        at = random.randrange(len(lines))
        line = bytearray(lines[at])
        line[random.randrange(len(line))] ^= 1 << random.randrange(8)
        lines[at] = bytes(line)
        return b"".join(lines), at + 1
    if kind == "drop":
        at = random.randrange(len(lines) - 1)  # the tail is what a killed process leaves out too
        del lines[at]
        return b"".join(lines), at + 1
    if kind == "swap":
        at, other = sorted(random.sample(range(len(lines)), 2))
        lines[at], lines[other] = lines[other], lines[at]
        return b"".join(lines), at + 1
    at = random.randrange(len(lines) + 1)
    new = random.choice([*lines, b"{}\n", b"\n", b"anything\n", lines[0][:50] + b"\n"])
    lines.insert(at, new)
    # The one of two equal neighbours that was there before cannot be told from the other.
    while at + 1 < len(lines) and lines[at + 1] == new:
        at += 1
    return b"".join(lines), at + 1


def places(data: bytes, line: int) -> range:
    """Where what was done at `line` may show: there, or in the torn lines around and the record that names those."""
    lines = data.split(b"\n")
    first = last = line
    while first > 1 and b'"hash"' not in lines[first - 2]:
        first -= 1
    while last < len(lines) and b'"hash"' not in lines[last - 1]:
        last += 1
    return range(first, last + 1)
