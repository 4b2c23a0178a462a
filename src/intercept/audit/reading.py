"""Reads logs back: which files there are, what their records say, and whether they are whole.

A log is whole if every line fits its hash, every session's records follow each other without a gap from its `start`,
and every line that was torn is named by a later record. The last line of a file may be torn, and a session may be open:
both are what the end of a process in the middle leaves, and both are what cutting off the end leaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from ..errors import UsageError, visible
from ..values import Json
from .chain import GENESIS, Sealed, fingerprint, is_torn, unseal
from .events import Type
from .journal import NAME, SUFFIX

_LONGEST: Final = 256 * 1024 * 1024
"""Bytes of a line that are read; a record of the largest call a client can send has a tenth of it."""


class Record(NamedTuple):
    """A record that fits its hash."""

    path: str
    line: int
    """1-based."""
    body: dict[str, Json]

    @property
    def type(self) -> Json:
        """See `Type`; a later version may have others."""
        return self.body.get("type")


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad line of a file."""

    path: str
    line: int
    why: str

    def __str__(self) -> str:
        return f"{visible(self.path)}:{self.line}: {self.why}"


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What is there of one session."""

    session: str
    records: int
    ended: bool
    """Whether its `end` is there; if not it is running, was killed, or the tail of the log was cut off."""
    head: str
    """The hash of its last record. Kept elsewhere, it proves later that nothing up to it was written anew."""
    path: str
    """Where its last record stands."""
    torn: bool
    """Whether a last line is there that was not written to its end."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What is to be said about some files."""

    files: int
    records: int
    sessions: tuple[SessionSummary, ...]
    """In the order of their names, which is that of their beginnings."""
    faults: tuple[Fault, ...]
    """At most one a file, in the order of the files."""
    heads: frozenset[str]
    """Of the hashes that were asked for, those that are there."""


def files_of(paths: Sequence[str]) -> list[str]:
    """The files that `paths` mean: a directory means the logs in it.

    Raises:
        UsageError: one of them is not there or cannot be read.
    """
    files: list[str] = []
    for path in paths:
        try:
            if os.path.isdir(path):
                names = sorted(os.listdir(path), key=_in_order)
                files += [os.path.join(path, name) for name in names if name.endswith(SUFFIX)]
            else:
                with open(path, "rb"):
                    files.append(path)
        except OSError as error:
            raise UsageError(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from None
    return list(dict.fromkeys(files))


def _in_order(name: str) -> tuple[str, str, int]:
    match = NAME.fullmatch(name)
    return (match["session"], match["day"], int(match["part"] or 0)) if match else (name, "", 0)


def lines_of(path: str) -> Iterator[bytes]:
    """The lines of a file, each with its newline if it has one.

    Raises:
        UsageError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            while line := file.readline(_LONGEST):
                yield line
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from None


class Skipped:
    """Counts lines that `records_of` could not use."""

    def __init__(self) -> None:
        self.lines = 0


def records_of(files: Iterable[str], skipped: Skipped | None = None) -> Iterator[Record]:
    """The records in `files` that fit their hashes, in the order in which they stand there."""
    for path in files:
        for number, line in enumerate(lines_of(path), 1):
            sealed = unseal(line[:-1]) if line.endswith(b"\n") else "it is torn"
            if isinstance(sealed, Sealed):
                yield Record(path, number, sealed.body)
            elif skipped is not None:
                skipped.lines += 1


# --- verifying ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Segment:
    """The records of one session in one file."""

    session: str
    path: str
    first: int
    """Line of the first one."""
    begin: int
    """Its `seq`."""
    before: str
    """Its `prev`."""
    continues: str | None
    keep: int | None
    next: int = 0
    head: str = GENESIS
    ended: bool = False
    torn: bool = False
    whole: bool = True
    """Nothing is wrong with it so far."""


@dataclass(slots=True)
class _File:
    path: str
    records: int = 0
    segments: dict[str, _Segment] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unnamed: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    """Lines that are no records, and what is wrong with them; those that a later record names are taken out."""
    last: _Segment | None = None

    def check(self, wanted: frozenset[str]) -> frozenset[str]:
        """Look at every line; return which of the `wanted` hashes are there."""
        found: set[str] = set()
        for number, line in enumerate(lines_of(self.path), 1):
            if not line.endswith(b"\n"):
                if not is_torn(line):
                    self._fault(number, "it does not end as it was written")
                    continue
                if self.last is not None:
                    self.last.torn = True
                self._forget_torn(number)
                continue
            sealed = unseal(line[:-1])
            if isinstance(sealed, str):
                self.unnamed[number] = (line[:-1], sealed)
                continue
            self.records += 1
            if sealed.hash in wanted:
                found.add(sealed.hash)
            self._record(number, sealed)
        for number, (_, why) in self.unnamed.items():
            self._fault(number, why)
        return frozenset(found)

    def _fault(self, number: int, why: str) -> None:
        self.faults.append(Fault(self.path, number, why))

    def _record(self, number: int, sealed: Sealed) -> None:
        body = sealed.body
        session, seq, prev = body.get("session"), body.get("seq"), body.get("prev")
        if not isinstance(session, str) or not isinstance(seq, int) or not isinstance(prev, str):
            self._fault(number, "it is a record of no session")
            return
        self._name_torn(number, body)
        segment = self.segments.get(session)
        if segment is None:
            segment = self._begin(number, session, seq, prev, body)
        elif segment.whole:
            why = ""
            if segment.ended:
                why = "it stands after the end of its session"
            elif seq > segment.next:
                why = f"{_records(segment.next, seq - 1)} missing before it"
            elif seq < segment.next:
                why = f"record {seq} stands where record {segment.next} belongs"
            elif prev != segment.head:
                why = "the record before it is not the one that was there when it was written"
            if why:
                segment.whole = False
                self._fault(number, why)
        segment.next = seq + 1
        segment.head = sealed.hash
        segment.ended = body.get("type") == Type.END
        self.last = segment

    def _begin(self, number: int, session: str, seq: int, prev: str, body: dict[str, Json]) -> _Segment:
        continues, keep = body.get("continues"), body.get("keep_days")
        segment = self.segments[session] = _Segment(
            session,
            self.path,
            number,
            seq,
            prev,
            continues if isinstance(continues, str) else None,
            keep if isinstance(keep, int) else None,
        )
        name = NAME.fullmatch(os.path.basename(self.path))
        why = ""
        if name is not None and name["session"] != session:
            why = "it is a record of another session"
        elif body.get("type") != Type.START:
            why = "the records before it are missing: a session begins with `start`"
        elif seq == 0 and prev != GENESIS:
            why = "it is the first record of its session and names one before it"
        if why:
            segment.whole = False
            self._fault(number, why)
        return segment

    def _name_torn(self, number: int, body: dict[str, Json]) -> None:
        """Take out the torn lines that the record at line `number` names, in the order in which they stand."""
        torn = body.get("torn")
        names = torn if isinstance(torn, list) else []
        if NAME.fullmatch(os.path.basename(self.path)):
            lines = self._block_before(number)  # nobody else writes to this file
        else:
            lines = [line for line in self.unnamed if fingerprint(self.unnamed[line][0]) in names][: len(names)]
        for line, name in zip(lines, names, strict=False):
            if fingerprint(self.unnamed[line][0]) != name:
                return
            del self.unnamed[line]
        if len(names) > len(lines) and (body.get("type") != Type.START or "continues" not in body):
            # Those that a file's first record names may stand in the file before.
            self._fault(number, "a torn line that it names is not there as it was")

    def _forget_torn(self, number: int) -> None:
        """Pass over the lines before the torn one at the end that were torn too: no record came to name them."""
        block = self._block_before(number)
        if all(is_torn(self.unnamed[line][0]) and not self.unnamed[line][0].endswith(b'"}') for line in block):
            for line in block:
                del self.unnamed[line]

    def _block_before(self, number: int) -> list[int]:
        first = number
        while first - 1 in self.unnamed:
            first -= 1
        return list(range(first, number))


def verify(paths: Sequence[str], heads: Iterable[str] = ()) -> Verification:
    """Whether the logs that `paths` mean are whole, and which of the hashes `heads` they have.

    Raises:
        UsageError: one of them cannot be read.
    """
    wanted, found = frozenset(heads), frozenset[str]()
    segments: dict[str, list[_Segment]] = {}
    files: list[_File] = []
    for path in files_of(paths):
        file = _File(path)
        found |= file.check(wanted)
        files.append(file)
        for session, segment in file.segments.items():
            segments.setdefault(session, []).append(segment)
    last_day = max((name["day"] for file in files if (name := NAME.fullmatch(os.path.basename(file.path)))), default="")
    sessions = []
    joined: list[Fault] = []
    for session, parts in sorted(segments.items()):
        parts.sort(key=lambda part: part.begin)
        joined += _gaps(parts, last_day)
        last = parts[-1]
        records = sum(part.next - part.begin for part in parts)
        torn = any(part.torn for part in parts)
        sessions.append(SessionSummary(session, records, last.ended, last.head, last.path, torn))
    faults: list[Fault] = []
    for file in files:
        of_file = file.faults + [fault for fault in joined if fault.path == file.path]
        faults += sorted(of_file, key=lambda fault: fault.line)[:1]
    return Verification(len(files), sum(file.records for file in files), tuple(sessions), tuple(faults), found)


def _gaps(parts: list[_Segment], last_day: str) -> Iterator[Fault]:
    """What is wrong between the files of one session."""
    first = parts[0]
    if first.begin > 0 and first.whole and not _retired(first, last_day):
        where = f" from `{visible(first.continues)}`" if first.continues else ""
        yield Fault(first.path, first.first, f"{_records(0, first.begin - 1)} missing{where}")
    for before, after in pairwise(parts):
        if not before.whole or not after.whole:
            continue
        if after.begin > before.next:
            why = f"{_records(before.next, after.begin - 1)} missing before it"
        elif after.begin < before.next:
            why = f"record {after.begin} of its session stands in `{visible(before.path)}` too"
        elif after.before != before.head:
            why = "the record before it is not the one that was there when it was written"
        elif before.ended:
            why = "it stands after the end of its session"
        else:
            continue
        yield Fault(after.path, after.first, why)


def _retired(segment: _Segment, last_day: str) -> bool:
    """Whether the file before was so old that it was removed as it was asked for."""
    from datetime import date, timedelta

    name = NAME.fullmatch(segment.continues or "")
    if segment.keep is None or name is None or not last_day:
        return False
    return name["day"] < (date.fromisoformat(last_day) - timedelta(days=segment.keep)).isoformat()


def _records(first: int, last: int) -> str:
    return f"record {first} is" if first == last else f"records {first} to {last} are"
