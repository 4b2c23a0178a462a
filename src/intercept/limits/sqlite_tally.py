"""A tally in the SQLite file, of which a charge writes only a small part however much it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from .windows import MAX_ENTRIES, Tally

CHUNK: Final = 64
"""Entries of a chunk; the row of a tally has less than two of them beside its sum."""

_READ: Final = "SELECT number, older, first, ends, costs, used, decimals FROM tally WHERE counter = ? AND value = ?"
_READ_NUMBERED: Final = "SELECT number, older, first, ends, costs, used, decimals FROM tally WHERE number = ?"
_ADD: Final = """
INSERT INTO tally (ends, costs, used, decimals, last, older, first, counter, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_WRITE: Final = (
    "UPDATE tally SET ends = ?, costs = ?, used = ?, decimals = ?, last = ?, older = ?, first = ? WHERE number = ?"
)
_CHUNKS: Final = "SELECT ends, costs, used, places FROM chunk WHERE tally = ? ORDER BY last"
_OLDEST: Final = f"{_CHUNKS} LIMIT 1"

Written: TypeAlias = tuple[bytearray, bytearray | str, str, int, int, int, int, int | None]
"""What the row of a tally is to hold, as `write` takes it."""


def write(db: sqlite3.Cursor, changed: Sequence[Written]) -> None:
    """Write into rows what `StoredTally.changed` says.

    Raises:
        ValueError: one of them is not there.
    """
    if db.executemany(_WRITE, changed).rowcount != len(changed):
        raise ValueError("a row of a counter is gone")


class StoredTally(Tally):
    """A `Tally` whose newest entries are in one row, with the sum of all; older ones lie in chunks.

    What it inherits looks at the newest entries and the sum; what is named `in_file` at all of them. What has stopped
    to count stays in the file until there is something to write: a chunk until all of it has.
    """

    __slots__ = ("_expired", "_first", "_older", "_oldest", "number", "told")

    def __init__(
        self,
        number: int | None = None,
        older: int = 0,
        first: int = 0,
        ends: bytes = b"",
        costs: bytes | str = b"",
        used: str = "0",
        places: int = 0,
    ) -> None:
        super().__init__(ends, costs, used, places)
        self.number = number
        """Of the row; None if there is none."""
        self.told: Decimal | None = None
        """The `max` that the file tells of its counter, if that is known."""
        self._older = older
        """Entries in chunks."""
        self._oldest: Tally | None = None
        """What counts of the first chunk, once something has stopped to count."""
        self._expired = 0
        """Entries of that chunk that do not."""
        self._first = first
        """When the first of all entries in the file stops to count, where it lies in a chunk."""

    @classmethod
    def read(cls, db: sqlite3.Cursor, where: tuple[bytes, str]) -> StoredTally | None:
        """What is kept of the counter and `per` value `where`; None if nothing is."""
        kept = db.execute(_READ, where).fetchone()
        return None if kept is None else cls(*kept)

    @classmethod
    def read_numbered(cls, db: sqlite3.Cursor, number: int) -> StoredTally:
        """What is kept in the row with this number.

        Raises:
            TypeError: there is none.
        """
        return cls(*db.execute(_READ_NUMBERED, (number,)).fetchone())

    @property
    def entries_in_file(self) -> int:
        """How many there are, in chunks too."""
        return self._older - self._expired + len(self)

    def expire_in_file(self, db: sqlite3.Cursor, now: int) -> None:
        """See `Tally.expire`."""
        if not self._older:
            self.expire(now)
        elif (self._first if self._oldest is None else self._oldest.first) <= now:
            self._expire_chunks(db, now)

    def expire_at_once(self, now: int) -> bool:
        """As `expire_in_file`, if nothing has to be read or written for that; False if not, and nothing is done."""
        if not self._older:
            self.expire(now)
            return True
        oldest = self._oldest
        if (self._first if oldest is None else oldest.first) > now:
            return True
        if oldest is None or oldest.last <= now:
            return False
        self._expired += self.expire_older(oldest, now)
        return True

    def _expire_chunks(self, db: sqlite3.Cursor, now: int) -> None:
        if self.last <= now:
            self._drop_chunks(db)
            self.expire(now)
            write(db, [self._row()])
            return
        dropped = False
        while self._older:
            if self._oldest is None:
                self._oldest = Tally(*db.execute(_OLDEST, (self.number,)).fetchone())
                self._first = self._oldest.first
            last = self._oldest.last
            self._expired += self.expire_older(self._oldest, now)
            if last > now:
                break
            db.execute("DELETE FROM chunk WHERE tally = ? AND last = ?", (self.number, last))
            self.settle()
            self._older -= self._expired
            self._oldest, self._expired = None, 0
            dropped = True
        else:
            self.expire(now)
        if dropped:
            write(db, [self._row()])  # also if nothing is charged now

    def wait_in_file(self, db: sqlite3.Cursor, cost: Decimal, maximum: Decimal, now: int) -> int | None:
        """See `Tally.wait`."""
        if self._older and not self.fits(cost, maximum):
            return self.whole(db).wait(cost, maximum, now)
        return self.wait(cost, maximum, now)

    def give_back_in_file(self, db: sqlite3.Cursor, end: int, cost: Decimal, now: int) -> None:
        """See `Tally.give_back`."""
        self._take_all(db)
        self.give_back(end, cost, now)

    def whole(self, db: sqlite3.Cursor) -> Tally:
        """Everything as one `Tally` of its own."""
        chunks = [Tally(*kept) for kept in db.execute(_CHUNKS, (self.number,))] if self._older else []
        if self._oldest is not None:
            chunks[0] = self._oldest
        return self.after(chunks)

    def add(self, db: sqlite3.Cursor, where: tuple[bytes, str]) -> None:
        """Make a row under `where`, where there is none."""
        self.number = db.execute(_ADD, (*self.written(), self.last, 0, self.first, *where)).lastrowid

    def changed(self, db: sqlite3.Cursor) -> Written:
        """What is to be written into its row, once that has become small enough."""
        entries = len(self._ends)
        if entries >= 2 * CHUNK or self._older - self._expired + entries > MAX_ENTRIES:
            self._shrink(db)
        return self._row()

    def _row(self) -> Written:
        first = self._first if self._older else self.first
        return *self.written(), self.last, self._older, first, self.number

    def _shrink(self, db: sqlite3.Cursor) -> None:
        if self.entries_in_file > MAX_ENTRIES:
            self._take_all(db)
            self.merge()
        while len(self) >= 2 * CHUNK:
            chunk = self.take(CHUNK)
            db.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)", (self.number, chunk.last, *chunk.written()))
            self._first = self._first if self._older else chunk.first
            self._older += CHUNK

    def _take_all(self, db: sqlite3.Cursor) -> None:
        if self._older:
            self.become(self.whole(db))
            self._drop_chunks(db)

    def _drop_chunks(self, db: sqlite3.Cursor) -> None:
        db.execute("DELETE FROM chunk WHERE tally = ?", (self.number,))
        self._older = self._expired = 0
        self._oldest = None
