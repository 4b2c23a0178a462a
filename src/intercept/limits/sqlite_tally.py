"""A tally in the SQLite file, of which a charge writes only a small part however much it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from .windows import MAX_ENTRIES, Tally

CHUNK: Final = 64
"""Entries of a chunk; the row of a tally has less than two of them beside its sum."""

_READ: Final = "SELECT number, older, first, ends, costs, used, places FROM tally WHERE counter = ? AND value = ?"
_ADD: Final = """
INSERT INTO tally (ends, costs, used, places, last, older, first, counter, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_WRITE: Final = (
    "UPDATE tally SET ends = ?, costs = ?, used = ?, places = ?, last = ?, older = ?, first = ? WHERE number = ?"
)
_CHUNKS: Final = "SELECT ends, costs, used, places FROM chunk WHERE tally = ? ORDER BY last"
_OLDEST: Final = f"{_CHUNKS} LIMIT 1"

Written: TypeAlias = tuple[bytes, bytes | str, str, int, int, int, int, int | None]
"""What the row of a tally is to hold, as `write` takes it."""


def write(db: sqlite3.Cursor, changed: Sequence[Written]) -> None:
    """Write into rows what `StoredTally.changed` says.

    Raises:
        ValueError: one of them is not there.
    """
    if db.executemany(_WRITE, changed).rowcount != len(changed):
        raise ValueError("a row of a counter is gone")


class StoredTally:
    """A `Tally` whose newest entries are in one row, with the sum of all; older ones lie in chunks.

    What has stopped to count stays in the file until there is something to write: a chunk until all of it has.
    """

    __slots__ = ("_expired", "_first", "_newest", "_older", "_oldest", "number")

    def __init__(self, number: int | None = None, older: int = 0, first: int = 0, newest: Tally | None = None) -> None:
        self.number = number
        """Of the row; None if there is none."""
        self._older = older
        """Entries in chunks."""
        self._oldest: Tally | None = None
        """What counts of the first chunk, once something has stopped to count."""
        self._expired = 0
        """Entries of that chunk that do not."""
        self._first = first
        """When the first of all entries in the file stops to count, where it lies in a chunk."""
        self._newest = newest or Tally()

    @classmethod
    def read(cls, db: sqlite3.Cursor, where: tuple[bytes, str]) -> StoredTally | None:
        """What is kept of the counter and `per` value `where`; None if nothing is."""
        kept = db.execute(_READ, where).fetchone()
        if kept is None:
            return None
        number, older, first, ends, costs, used, places = kept
        return cls(number, older, first, Tally(ends, costs, used, places))

    @property
    def last(self) -> int:
        """See `Tally.last`."""
        return self._newest.last

    def __len__(self) -> int:
        return self._older - self._expired + len(self._newest)

    def expire(self, db: sqlite3.Cursor, now: int) -> None:
        """See `Tally.expire`."""
        if not self._older:
            self._newest.expire(now)
        elif (self._first if self._oldest is None else self._oldest.first) <= now:
            self._expire_chunks(db, now)

    def _expire_chunks(self, db: sqlite3.Cursor, now: int) -> None:
        if self.last <= now:
            self._drop_chunks(db)
            self._newest.expire(now)
            write(db, [self._written()])
            return
        dropped = False
        while self._older:
            if self._oldest is None:
                self._oldest = Tally(*db.execute(_OLDEST, (self.number,)).fetchone())
                self._first = self._oldest.first
            last = self._oldest.last
            self._expired += self._newest.expire_older(self._oldest, now)
            if last > now:
                break
            db.execute("DELETE FROM chunk WHERE tally = ? AND last = ?", (self.number, last))
            self._newest.settle()
            self._older -= self._expired
            self._oldest, self._expired = None, 0
            dropped = True
        else:
            self._newest.expire(now)
        if dropped:
            write(db, [self._written()])  # also if nothing is charged now

    def fits(self, cost: Decimal, maximum: Decimal) -> bool:
        """See `Tally.fits`."""
        return self._newest.fits(cost, maximum)

    def wait(self, db: sqlite3.Cursor, cost: Decimal, maximum: Decimal, now: int) -> int | None:
        """See `Tally.wait`."""
        if self._older and not self._newest.fits(cost, maximum):
            return self.whole(db).wait(cost, maximum, now)
        return self._newest.wait(cost, maximum, now)

    def left(self, maximum: Decimal) -> Decimal:
        """See `Tally.left`."""
        return self._newest.left(maximum)

    def charge(self, end: int, cost: Decimal) -> int:
        """See `Tally.charge`."""
        return self._newest.charge(end, cost)

    def give_back(self, db: sqlite3.Cursor, end: int, cost: Decimal, now: int) -> None:
        """See `Tally.give_back`."""
        self._take_all(db)
        self._newest.give_back(end, cost, now)

    def whole(self, db: sqlite3.Cursor) -> Tally:
        """Everything as one `Tally` of its own."""
        chunks = [Tally(*kept) for kept in db.execute(_CHUNKS, (self.number,))] if self._older else []
        if self._oldest is not None:
            chunks[0] = self._oldest
        return self._newest.after(chunks)

    def add(self, db: sqlite3.Cursor, where: tuple[bytes, str]) -> None:
        """Make a row under `where`, where there is none."""
        newest = self._newest
        self.number = db.execute(_ADD, (*newest.written(), newest.last, 0, newest.first, *where)).lastrowid

    def changed(self, db: sqlite3.Cursor) -> Written:
        """What is to be written into its row, once that has become small enough."""
        entries = len(self._newest)
        if entries >= 2 * CHUNK or self._older - self._expired + entries > MAX_ENTRIES:
            self._shrink(db)
        return self._written()

    def _shrink(self, db: sqlite3.Cursor) -> None:
        if len(self) > MAX_ENTRIES:
            self._take_all(db)
            self._newest.merge()
        while len(self._newest) >= 2 * CHUNK:
            chunk = self._newest.take(CHUNK)
            db.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)", (self.number, chunk.last, *chunk.written()))
            self._first = self._first if self._older else chunk.first
            self._older += CHUNK

    def _written(self) -> Written:
        newest = self._newest
        first = self._first if self._older else newest.first
        return *newest.written(), newest.last, self._older, first, self.number

    def _take_all(self, db: sqlite3.Cursor) -> None:
        if self._older:
            self._newest = self.whole(db)
            self._drop_chunks(db)

    def _drop_chunks(self, db: sqlite3.Cursor) -> None:
        db.execute("DELETE FROM chunk WHERE tally = ?", (self.number,))
        self._older = self._expired = 0
        self._oldest = None
