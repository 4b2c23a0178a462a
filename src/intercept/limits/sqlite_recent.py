"""What one process knows of the counters in the SQLite file, and what was charged last, which one row there notes.

The row of a tally is written once for many charges. Those made since then stand in `noted`, one behind the other, of
all counters. `turn` is another number after each charge and whenever rows were written; `base` is the turn at which
they were, and at which nothing was noted. So who knows the counters as they were at a turn can decide about a call and
charge it with one statement, a transaction of its own, which does nothing if it is not that turn any more. And who
finds that others have charged since has to read only what.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from ..policy.model import Charge, Window
from .granted import Made
from .sqlite_tally import StoredTally, write
from .windows import end_of, microseconds

_NOTE: Final = "UPDATE recent SET turn = ?, noted = ? WHERE turn = ?"
_BEGIN_ANEW: Final = "UPDATE recent SET turn = ?, base = ?, noted = ''"
_LOOK: Final = "SELECT turn, base, noted FROM recent"

_MOST_NOTED: Final = 3_000
_MOST_NOTED_OF: Final = 32
"""Characters, so that the row of `recent` stays within a page; and tallies, as a call has to wait until all of them are
written."""
_KEPT: Final = 2_000
"""Tallies that are kept in memory."""
_STEPS: Final = 2_000
"""Calls of which it is kept what stays the same when they are charged again."""
_UNKNOWN: Final = -1

AGREE: Final = microseconds(10)
"""How far the clocks of two processes may be apart without one taking over the other's: longer than between a look at
the clock and the transaction that it is for."""

Key: TypeAlias = tuple[str, ...]
"""Of a charge, see `Charge.key`."""


class Step:
    """A charge that is noted, with what stays the same when it is made again."""

    __slots__ = ("_after", "_amount", "_before", "_most", "_places", "_span", "_told", "charge", "end", "tally")

    def __init__(self, charge: Charge, tally: StoredTally) -> None:
        self.charge = charge
        self.tally = tally
        self.end = 0
        """When it stops to count, if it is made now."""
        self._told = tally.told
        self._amount, self._most, self._places = tally.in_units(charge.cost, charge.max)
        self._span = end_of(charge.window, 0) if isinstance(charge.window, Window) else 0
        self._before = f"{tally.number} "
        self._after = f" {charge.cost} "

    def plan(self, now: int) -> bool:
        """Whether it can be made at once; False also if this does not hold any more."""
        tally = self.tally
        if tally.number is None or tally.told is not self._told:
            return False
        end = now + self._span if self._span else end_of(self.charge.window, now)
        last = tally.last
        if last > end:
            if last > end + AGREE:
                return False
            end = last
        self.end = end
        return tally.expire_at_once(now) and tally.has_room(self._amount, self._most, self._places)

    def note(self) -> str:
        """What is to be noted."""
        return f"{self._before}{self.end}{self._after}"

    def make(self) -> None:
        """Add what was noted to the tally."""
        self.tally.charge_units(self.end, self._amount)

    def made(self) -> Made:
        """What was noted, for whoever asked for it."""
        return Made(self.charge, self.end)


class Recent:
    """The tallies that are known, as of the turn that is known, with what is noted of them.

    What reads or writes rows does that after `fold`, in a transaction that ends with `finish`. When a transaction
    fails, `forget` is to be called.
    """

    def __init__(self) -> None:
        self.is_alone = False
        """Whether nobody else had written when anybody looked last: then most likely nobody has."""
        self._turn = _UNKNOWN
        self._base = _UNKNOWN
        self._noted = ""
        self._noted_of: dict[int, StoredTally] = {}
        """All of which something is noted, by number."""
        self._tallies: dict[Key, StoredTally] = {}
        self._numbers: dict[int, StoredTally] = {}
        """The same, by number."""
        self._steps: dict[int, tuple[Sequence[Charge], list[Step]]] = {}
        """What calls are charged that are charged the same each time, by the identity of the charges."""
        self._changes = _UNKNOWN
        """What had been changed when this transaction began to read or write rows."""

    @property
    def has_room(self) -> bool:
        """Whether more may be noted."""
        return len(self._noted) < _MOST_NOTED and len(self._noted_of) < _MOST_NOTED_OF

    def known(self, key: Key) -> StoredTally | None:
        """The tally under `key`, if it is known."""
        tally = self._tallies.get(key)
        return None if tally is None or tally.number is None else tally

    def read(self, db: sqlite3.Cursor, key: Key, where: tuple[bytes, str]) -> StoredTally | None:
        """The tally under `key`, which the file keeps under `where`; None if there is none."""
        tally = self.known(key)
        if tally is not None:
            return tally
        tally = StoredTally.read(db, where)
        if tally is None or tally.number is None:
            return None
        noted = self._noted_of.get(tally.number)
        if noted is not None:
            tally = noted
        self.keep(key, tally)
        return tally

    def steps(self, charges: Sequence[Charge]) -> list[Step] | None:
        """What was kept of `charges`."""
        kept = self._steps.get(id(charges))
        return None if kept is None else kept[1]

    def keep_steps(self, charges: Sequence[Charge], steps: list[Step]) -> None:
        """Keep `steps` until rows are read again, if `charges` are what they are for good."""
        if not isinstance(charges, tuple):
            return
        for step in steps:
            if self._tallies.get(step.charge.key) is not step.tally:
                return  # given up for one that was read after it: whoever needs it next has another one
        if len(self._steps) >= _STEPS:
            self._steps.clear()
        self._steps[id(charges)] = charges, steps

    def keep(self, key: Key, tally: StoredTally) -> None:
        """Know `tally`, which is as it is in the file."""
        if len(self._tallies) >= _KEPT or len(self._numbers) >= 2 * _KEPT:
            self.forget_rows()
        self._tallies[key] = tally
        if tally.number is not None:
            self._numbers[tally.number] = tally

    def drop(self, number: int) -> None:
        """The row with this number has been deleted."""
        tally = self._numbers.pop(number, None)
        if tally is not None:
            tally.number = None

    def forget(self) -> None:
        """Know nothing of the file any more."""
        self.is_alone = False
        self._turn = self._base = _UNKNOWN
        self._noted = ""
        self._noted_of = {}
        self.forget_rows()

    def forget_rows(self) -> None:
        """Read rows again before they are used, but for those of which something is noted."""
        self._tallies.clear()
        self._numbers.clear()
        self._steps.clear()

    # --- in any transaction -------------------------------------------------------------------------------------------

    def catch_up(self, db: sqlite3.Cursor) -> None:
        """Know what others have charged.

        Raises:
            ValueError, TypeError, ArithmeticError: there is something that nobody here wrote.
        """
        self._changes = _UNKNOWN
        turn, base, noted = db.execute(_LOOK).fetchone()
        self.is_alone = turn == self._turn
        if self.is_alone:
            return
        if base != self._base:
            self.forget()
        words = noted[len(self._noted) :].split()
        for at in range(0, len(words), 3):
            tally = self._numbered(db, int(words[at]))
            tally.charge(int(words[at + 1]), Decimal(words[at + 2]))
        self._turn, self._base, self._noted = turn, base, noted

    def _numbered(self, db: sqlite3.Cursor, number: int) -> StoredTally:
        tally = self._noted_of.get(number)
        if tally is None:
            tally = self._numbers.get(number)
            if tally is None:
                tally = StoredTally.read_numbered(db, number)
            self._noted_of[number] = tally
        return tally

    def note(self, db: sqlite3.Cursor, planned: Sequence[Step]) -> bool:
        """Make all charges of `planned`; False, and nothing is done, if anything has been written since the turn.

        Each of them has said that it can be made. This is a transaction if there is none; in one, after `catch_up` and
        without `fold`, it is true.
        """
        noted = self._noted
        for step in planned:
            noted += step.note()
        turn = self._turn
        if db.execute(_NOTE, (turn + 1, noted, turn)).rowcount != 1:
            self.is_alone = False
            return False
        self._turn = turn + 1
        self._noted = noted
        self._add(planned)
        return True

    def write(self, db: sqlite3.Cursor, planned: Sequence[Step]) -> None:
        """Make all charges of `planned` as `note` does, and `fold`."""
        self._add(planned)
        self.fold(db)

    def _add(self, planned: Sequence[Step]) -> None:
        for step in planned:
            step.make()
            number = step.tally.number
            if number is not None:
                self._noted_of[number] = step.tally

    def fold(self, db: sqlite3.Cursor) -> None:
        """Write what is noted into the rows that it is about."""
        if self._changes == _UNKNOWN:
            self._changes = db.connection.total_changes
        if self._noted_of:
            write(db, [tally.changed(db) for tally in self._noted_of.values()])
            self._noted_of = {}

    def finish(self, db: sqlite3.Cursor) -> None:
        """Say that rows have been written, if they have."""
        if self._changes not in (_UNKNOWN, db.connection.total_changes):
            self._turn += 1
            self._base = self._turn
            self._noted = ""
            db.execute(_BEGIN_ANEW, (self._turn, self._base))
