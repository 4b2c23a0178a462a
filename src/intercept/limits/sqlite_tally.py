"""A tally in the SQLite file, of which a charge writes only a small part however much it counts."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Final

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
_CHUNKS: Final = "SELECT last, ends, costs, used, places FROM chunk WHERE tally = ? ORDER BY last"


class StoredTally:
    """A `Tally` whose newest entries are in one row, with the sum of all; older ones lie in chunks."""

    __slots__ = ("_first", "_newest", "_older", "number")

    def __init__(self, number: int | None = None, older: int = 0, first: int = 0, newest: Tally | None = None) -> None:
        self.number = number
        """Of the row; None if there is none yet."""
        self._older = older
        """Entries in chunks."""
        self._first = first
        self._newest = newest or Tally()

    @classmethod
    def read(cls, db: sqlite3.Connection, where: tuple[bytes, str]) -> StoredTally | None:
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
        return self._older + len(self._newest)

    def expire(self, db: sqlite3.Connection, now: int) -> None:
        """See `Tally.expire`."""
        if not self._older:
            self._newest.expire(now)
            return
        if self._first > now:
            return
        self._expire_chunks(db, now)
        if not self._older:
            self._newest.expire(now)
        self._write(db)  # also if nothing is charged now

    def _expire_chunks(self, db: sqlite3.Connection, now: int) -> None:
        if self.last <= now:
            db.execute("DELETE FROM chunk WHERE tally = ?", (self.number,))
            self._older = 0
            return
        for last, *kept in db.execute(_CHUNKS, (self.number,)).fetchall():
            chunk = Tally(*kept)
            before, entries = chunk.used, len(chunk)
            chunk.expire(now)
            self._newest.spend(before, chunk.used)
            self._older -= entries - len(chunk)
            if not chunk.last:
                db.execute("DELETE FROM chunk WHERE tally = ? AND last = ?", (self.number, last))
                continue
            self._first = chunk.first
            if entries > len(chunk):
                changed = (*chunk.written(), self.number, last)
                db.execute(
                    "UPDATE chunk SET ends = ?, costs = ?, used = ?, places = ? WHERE tally = ? AND last = ?", changed
                )
            return

    def wait(self, db: sqlite3.Connection, cost: Decimal, maximum: Decimal, now: int) -> int | None:
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

    def give_back(self, db: sqlite3.Connection, end: int, cost: Decimal, now: int) -> None:
        """See `Tally.give_back`."""
        self._take_all(db)
        self._newest.give_back(end, cost, now)

    def whole(self, db: sqlite3.Connection) -> Tally:
        """Everything as one `Tally` of its own."""
        chunks = [Tally(*kept[1:]) for kept in db.execute(_CHUNKS, (self.number,))] if self._older else []
        return self._newest.after(chunks)

    def write(self, db: sqlite3.Connection, where: tuple[bytes, str]) -> bool:
        """Keep it under `where`; whether that made a new row."""
        newest = self._newest
        if self.number is not None:
            if len(self) > MAX_ENTRIES:
                self._take_all(db)
                newest = self._newest
                newest.merge()
            while len(newest) >= 2 * CHUNK:
                chunk = newest.take(CHUNK)
                db.execute("INSERT INTO chunk VALUES (?, ?, ?, ?, ?, ?)", (self.number, chunk.last, *chunk.written()))
                self._first = self._first if self._older else chunk.first
                self._older += CHUNK
            if self._write(db):
                return False  # or it was cleaned away just now, as all that was in it had stopped to count
        db.execute(_ADD, (*newest.written(), newest.last, 0, newest.first, *where))
        return True

    def _write(self, db: sqlite3.Connection) -> bool:
        newest = self._newest
        first = self._first if self._older else newest.first
        return db.execute(_WRITE, (*newest.written(), newest.last, self._older, first, self.number)).rowcount == 1

    def _take_all(self, db: sqlite3.Connection) -> None:
        if self._older:
            self._newest = self.whole(db)
            db.execute("DELETE FROM chunk WHERE tally = ?", (self.number,))
            self._older = 0
