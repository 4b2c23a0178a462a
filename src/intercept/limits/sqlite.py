"""Counters in an SQLite file: they survive restarts, and any number of processes of one machine share them.

One row holds one counter for one `per` value. Every operation is one immediate transaction, and whoever waits for
another process's does so outside of SQLite, which would sleep too long. Most charges are a single statement that notes
them in one row (`sqlite_recent`). Each process has a clock of its own; `_Row` says how they agree.
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from decimal import Decimal
from functools import partial
from secrets import token_bytes
from typing import Final, TypeAlias, TypeVar

from ..errors import StoreBusy, StoreUnavailable
from ..policy.model import Charge, Exhausted, InFlight
from . import MAX_ANSWERED, Granted, Made, Refused, merged
from .sqlite_file import SQLiteFile
from .sqlite_recent import AGREE, Recent, Step
from .sqlite_tally import StoredTally, Written, write
from .state import AT_ONCE, LEASE, MAX_UNDONE, Use, described, identity, use_of
from .windows import ASK_AGAIN, FOREVER, MAX_LIVE, Tally, end_of, microseconds

_SWEPT: Final = 3
"""Rows looked at for cleaning when one is added, or when what was noted is written into rows."""
_PATIENT: Final = 5.0
"""Seconds that an operation may wait for which no call waits."""
_REMEMBERED: Final = 10_000
"""Counters about which something is kept in memory, and resets that are kept in the file."""
_NOTHING: Final = Decimal(0)
_FREE_SLOT: Final = "DELETE FROM slot WHERE counter = ? AND value = ? AND owner = ?"

_Where: TypeAlias = tuple[bytes, str]
"""The counter's `identity` and the `per` value."""
_T = TypeVar("_T")


class _Row:
    """What is kept of one counter, and a charge to be made.

    Its times are those of whoever charged it last. A process whose clock is far behind (it was set back, and this
    process started after that) counts from there on: what others charged ends as long after now as it would have ended
    after they charged it, and nothing is freed for them either.
    """

    __slots__ = ("charge", "end", "now", "tally", "where")

    def __init__(self, charge: Charge, where: _Where, tally: StoredTally | _Flight, now: int, end: int) -> None:
        self.charge = charge
        self.where = where
        self.tally = tally
        self.now = now
        self.end = end
        """When a charge that is made now stops to count."""


class _Flight:
    """Calls in flight: what all processes hold of a counter, as one tally."""

    __slots__ = ("all", "held", "number")

    def __init__(self, all_: Tally) -> None:
        self.all = all_
        self.held = Decimal(0)
        """What this process holds."""
        self.number: int | None = None
        """As of a `StoredTally`: None if this process has no row yet."""

    def wait_in_file(self, _: sqlite3.Cursor, cost: Decimal, maximum: Decimal, now: int) -> int | None:
        """See `Tally.wait`."""
        wait = self.all.wait(cost, maximum, now)
        return wait and ASK_AGAIN

    def left(self, maximum: Decimal) -> Decimal:
        """See `Tally.left`."""
        return self.all.left(maximum)


class SQLiteStore:
    """A `StateStore` in the file at `path`, which is created when it is first needed."""

    def __init__(self, path: str, *, grant: str) -> None:
        self._file = SQLiteFile(path)
        self._grant = grant
        self._owner = token_bytes(16)
        """Held for each transaction; whatever is below belongs to who holds it."""
        self._now = 0
        self._ahead: dict[_Where, tuple[int | bytes | None, int]] = {}
        """How far the times of a row are ahead of this process's clock, if they are; and which row (or process with
        calls in flight) that was about, as another one may come in its place."""
        self._identities: dict[tuple[str, ...], bytes] = {}
        self._described: dict[bytes, Decimal] = {}
        """The `max` that was told of a counter last."""
        self._recent = Recent()
        self._connection: sqlite3.Connection | None = None
        self._cursor: sqlite3.Cursor | None = None
        """What that is about."""
        self._holding: dict[_Where, Decimal] = {}
        """What this process holds in flight."""
        self._undone: deque[Made] = deque()
        """To be given back as soon as the file can be written."""
        self._swept = 0

    # --- the port -----------------------------------------------------------------------------------------------------

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        """See `CounterStore.reserve`."""
        if not charges:
            return Granted((), ())
        moment = microseconds(now)
        granted = self._reserve_alone(charges, moment)
        return granted or self._transact(partial(self._reserve, charges, moment), patience)

    def release(self, granted: Granted) -> None:
        """See `CounterStore.release`."""
        self._give_back(granted.made)

    def finish(self, granted: Granted) -> None:
        """See `CounterStore.finish`."""
        self._give_back(granted.in_flight())

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        """See `CounterStore.answered`."""
        if not self._file.exists():
            return frozenset()

        def work(db: sqlite3.Cursor) -> frozenset[str] | None:
            rows = "SELECT tool FROM answered WHERE grant = ? LIMIT ?"
            found = db.execute(rows, (self._grant, MAX_ANSWERED + 1)).fetchall()
            return frozenset(tool for (tool,) in found) if len(found) <= MAX_ANSWERED else None

        return self._transact(work, patience)

    def remember_answered(self, tool: str, *, patience: float) -> None:
        """See `CounterStore.remember_answered`."""

        def work(db: sqlite3.Cursor) -> None:
            (kept,) = db.execute("SELECT count(*) FROM answered WHERE grant = ?", (self._grant,)).fetchone()
            if kept <= MAX_ANSWERED:
                db.execute("INSERT OR IGNORE INTO answered VALUES (?, ?)", (self._grant, tool))

        self._transact(work, patience)

    def _give_back(self, made: Sequence[Made]) -> None:
        if not made:
            return
        if len(self._undone) < MAX_UNDONE:
            self._undone.extend(made)
        with suppress(StoreBusy, StoreUnavailable):  # else with the next operation
            self._transact(lambda _: None, AT_ONCE)

    # --- beside the port ----------------------------------------------------------------------------------------------

    def look(self, charges: Sequence[Charge], now: float, *, patience: float) -> Refused | None:
        """What `reserve` would refuse, without charging anything."""

        def work(db: sqlite3.Cursor) -> Refused | None:
            enforced = [charge for charge in charges if not charge.shadow]
            self._now = max(self._now, microseconds(now))
            return self._refusal(db, enforced, self._rows(db, enforced))

        return self._transact(work, patience) if charges else None

    def renew(self, now: float) -> None:
        """See `StateStore.renew`."""
        if not self._file.is_open:
            return

        def work(db: sqlite3.Cursor) -> None:
            self._now = max(self._now, microseconds(now))
            last = self._now + microseconds(LEASE)
            for where, held in self._holding.items():
                ahead = self._ahead.get(where, (0, 0))[1]
                row = (*where, self._owner, last + ahead, str(held))
                db.execute("INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?)", row)
            self._sweep(db, 50 * _SWEPT)

        with suppress(StoreBusy, StoreUnavailable):
            self._transact(work, _PATIENT)
            self._file.checkpoint()

    def uses(self, now: float) -> Sequence[Use]:
        """See `StateStore.uses`."""
        if not self._file.exists():
            return []
        return [use for use, _ in self._transact(lambda db: self._uses(db, microseconds(now)), _PATIENT)]

    def reset(self, chosen: Callable[[Use], bool], who: str, now: float) -> Sequence[Use]:
        """See `StateStore.reset`."""
        if not self._file.exists():
            return []

        def work(db: sqlite3.Cursor) -> list[Use]:
            emptied: list[Use] = []
            self._recent.fold(db)
            self._recent.forget_rows()
            for use, where in self._uses(db, microseconds(now)):
                if not chosen(use):
                    continue
                gone = db.execute("DELETE FROM tally WHERE counter = ? AND value = ?", where).rowcount
                gone += db.execute("DELETE FROM slot WHERE counter = ? AND value = ?", where).rowcount
                db.execute("UPDATE counter SET live = live - ?, full_until = 0 WHERE id = ?", (gone, where[0]))
                kept = (microseconds(now), who, where[0].hex(), use.counter, use.value, str(use.used))
                db.execute("INSERT INTO reset VALUES (?, ?, ?, ?, ?, ?)", kept)
                emptied.append(use)
            db.execute("DELETE FROM reset WHERE rowid <= (SELECT max(rowid) FROM reset) - ?", (_REMEMBERED,))
            return emptied

        return self._transact(work, _PATIENT)

    def histories(self) -> Mapping[str, AbstractSet[str]]:
        """See `StateStore.histories`."""
        if not self._file.exists():
            return {}

        def work(db: sqlite3.Cursor) -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for grant, tool in db.execute("SELECT grant, tool FROM answered"):
                found.setdefault(grant, set()).add(tool)
            return found

        return self._transact(work, _PATIENT)

    def forget(self, who: str, now: float) -> int:
        """See `StateStore.forget`."""
        if not self._file.exists():
            return 0

        def work(db: sqlite3.Cursor) -> int:
            gone = db.execute("DELETE FROM answered WHERE grant = ?", (self._grant,)).rowcount
            if gone:
                kept = (microseconds(now), who, "", "answered", self._grant, str(gone))
                db.execute("INSERT INTO reset VALUES (?, ?, ?, ?, ?, ?)", kept)
            return gone

        return self._transact(work, _PATIENT)

    def close(self) -> None:
        """See `StateStore.close`."""
        if self._holding and self._file.is_open:
            with suppress(StoreBusy, StoreUnavailable):  # else the leases end by themselves
                self._transact(self._let_go, AT_ONCE)
        with self._file.lock:
            self._file.close()

    def _let_go(self, db: sqlite3.Cursor) -> None:
        for where in self._holding:
            gone = db.execute(_FREE_SLOT, (*where, self._owner))
            db.execute("UPDATE counter SET live = live - ? WHERE id = ?", (gone.rowcount, where[0]))
        self._holding = {}

    # --- one transaction ----------------------------------------------------------------------------------------------

    def _transact(self, work: Callable[[sqlite3.Cursor], _T], patience: float) -> _T:
        """Do `work`, all or none of it, and before it what is undone."""
        return self._file.attempt(partial(self._attempt, work), patience)

    def _attempt(self, work: Callable[[sqlite3.Cursor], _T], connection: sqlite3.Connection) -> _T:
        db = self._cursor
        if db is None or connection is not self._connection:
            db = connection.cursor()
            self._connection, self._cursor = connection, db
            self._recent.forget()
        db.execute("BEGIN IMMEDIATE")
        holding = self._holding.copy() if self._holding else {}
        undone = list(self._undone) if self._undone else ()
        try:
            self._recent.catch_up(db)
            for made in undone:
                self._undo(db, made)
            result = work(db)
            self._recent.finish(db)
            db.execute("COMMIT")
        except BaseException:
            self._holding = holding
            self._recent.forget()
            if connection.in_transaction:
                db.execute("ROLLBACK")
            raise
        for _ in undone:
            self._undone.popleft()
        return result

    # --- charging -----------------------------------------------------------------------------------------------------

    def _reserve_alone(self, charges: Sequence[Charge], now: int) -> Granted | None:
        """`charges`, made by one statement; None, and nothing is done, where that needs more or others use the file."""
        recent = self._recent
        if not recent.is_alone or not self._file.lock.acquire(blocking=False):
            return None
        try:
            db = self._cursor
            if db is None or self._undone or self._file.known() is not self._connection:
                return None
            self._now = max(self._now, now)
            planned = self._planned(charges, None)
            if planned is None or not recent.has_room or not recent.note(db, planned):
                return None
            return _granted(charges, planned)
        except (StoreUnavailable, sqlite3.Error, OSError, ValueError, ArithmeticError, TypeError, KeyError):
            recent.forget()  # a transaction will find out what it is
            return None
        finally:
            self._file.lock.release()

    def _reserve(self, charges: Sequence[Charge], now: int, db: sqlite3.Cursor) -> Granted | Refused:
        self._now = max(self._now, now)
        planned = self._planned(charges, db)
        if planned is None:
            return self._reserve_slowly(db, charges)
        if not self._recent.has_room:
            self._recent.write(db, planned)
            self._sweep(db, _SWEPT)
        elif not self._recent.note(db, planned):
            raise ValueError("the turn of the counters has changed in a transaction")
        return _granted(charges, planned)

    def _planned(self, charges: Sequence[Charge], db: sqlite3.Cursor | None) -> Sequence[Step] | None:
        """What is to be noted for `charges`, if they all have room; None if they have not, or more is to be done.

        Nothing is written or, without `db`, read.
        """
        if self._ahead:
            return None
        steps = self._recent.steps(charges) if db is None else None
        if steps is None:
            steps = self._steps(charges, db)
            if steps is None:
                return None
        for step in steps:
            if not step.plan(self._now):
                return None
        return steps

    def _steps(self, charges: Sequence[Charge], db: sqlite3.Cursor | None) -> list[Step] | None:
        """How each of `charges` is noted; None if one cannot be."""
        steps: list[Step] = []
        for charge in charges:
            tally = self._recent.known(charge.key)
            if tally is None and db is not None and not isinstance(charge.window, InFlight):
                tally = self._read(db, charge, self._where(charge))
            if tally is None or charge.shadow or not charge.cost or tally.told != charge.max:
                return None
            tally.expire_at_once(self._now)
            for step in steps:
                if step.charge.key == charge.key:
                    return None
            steps.append(Step(charge, tally))
        self._recent.keep_steps(charges, steps)
        return steps

    def _reserve_slowly(self, db: sqlite3.Cursor, charges: Sequence[Charge]) -> Granted | Refused:
        enforced = [charge for charge in charges if not charge.shadow]
        shadow = [charge for charge in charges if charge.shadow]
        rows = self._rows(db, enforced)
        if refusal := self._refusal(db, enforced, rows):
            return refusal
        made = self._make(db, rows)
        unmet: tuple[Exhausted, ...] = ()
        if shadow:
            rows = self._rows(db, shadow)
            if would_refuse := self._refusal(db, shadow, rows):
                unmet = (Exhausted(would_refuse.charge, would_refuse.retry_after, would_refuse.left),)
            else:
                made += self._make(db, rows)
        return Granted(tuple(charges), tuple(made), unmet)

    def _rows(self, db: sqlite3.Cursor, charges: Sequence[Charge]) -> list[_Row]:
        """For each of `charges` the row that it counts against, with the highest cost that any of them has there."""
        if len(charges) == 1:
            return [self._row(db, charges[0])]
        rows = {charge.key: self._row(db, charge) for charge in merged(charges)}
        return [rows[charge.key] for charge in charges]

    def _row(self, db: sqlite3.Cursor, charge: Charge) -> _Row:
        where = self._where(charge)
        if isinstance(charge.window, InFlight):
            return self._row_in_flight(db, charge, where)
        self._recent.fold(db)
        end = end_of(charge.window, self._now)
        tally = self._read(db, charge, where)
        if tally is None:
            return _Row(charge, where, StoredTally(), self._now, end)
        beyond = tally.last - end
        ahead = self._ahead_of(where, tally.number, beyond) if self._ahead or beyond > AGREE else 0
        now = self._now + ahead
        tally.expire_in_file(db, now)
        return _Row(charge, where, tally, now, end + ahead)

    def _where(self, charge: Charge) -> _Where:
        counter = self._identities.get(charge.key[:-1])
        if counter is None:
            if len(self._identities) >= _REMEMBERED:
                self._identities.clear()
            counter = self._identities[charge.key[:-1]] = identity(charge, self._grant)
        return counter, charge.key[-1]

    def _read(self, db: sqlite3.Cursor, charge: Charge, where: _Where) -> StoredTally | None:
        tally = self._recent.read(db, charge.key, where)
        if tally is not None and tally.told is None:
            tally.told = self._described.get(where[0])
        return tally

    def _row_in_flight(self, db: sqlite3.Cursor, charge: Charge, where: _Where) -> _Row:
        slots = db.execute("SELECT owner, last, held FROM slot WHERE counter = ? AND value = ?", where).fetchall()
        end = self._now + microseconds(LEASE)
        ahead = 0
        if slots:
            latest, whose = max((last, owner) for owner, last, _ in slots)
            known = self._ahead.get(where)
            if known is not None and any(owner == known[0] for owner, _, _ in slots):
                whose = known[0]
            ahead = self._ahead_of(where, whose, latest - end)
        tally = Tally()
        flight = _Flight(tally)
        for owner, last, kept in slots:
            if owner == self._owner:
                flight.held, flight.number = Decimal(kept), 0
            elif last <= self._now + ahead:
                continue
            tally.charge(FOREVER, Decimal(kept))
        return _Row(charge, where, flight, self._now + ahead, end + ahead)

    def _ahead_of(self, where: _Where, which: int | bytes | None, beyond: int) -> int:
        """How far the times of a row are ahead, given how far its last end is beyond that of a charge made now."""
        ahead = self._known_ahead(where, which) if self._ahead else 0
        if beyond > ahead + AGREE:
            if len(self._ahead) >= _REMEMBERED:
                self._ahead.clear()
            self._ahead[where] = which, beyond
            return beyond
        return ahead

    def _known_ahead(self, where: _Where, which: int | bytes | None) -> int:
        known = self._ahead.get(where)
        return known[1] if known is not None and known[0] == which else 0

    def _refusal(self, db: sqlite3.Cursor, charges: Sequence[Charge], rows: Sequence[_Row]) -> Refused | None:
        """Why `charges` cannot all be made now."""
        worst: Refused | None = None
        longest = 0
        for charge, row in zip(charges, rows, strict=True):
            cost = row.charge.cost
            wait = row.tally.wait_in_file(db, cost, charge.max, row.now)
            left: Decimal | None = None
            if wait == 0 and row.tally.number is None and cost:
                wait = self._wait_for_room(db, row, rows)
                left = _NOTHING
            if wait == 0:
                continue
            if left is None:
                left = row.tally.left(charge.max)
            if wait is None:
                return Refused(charge, None, left)
            if wait > longest:
                longest = wait
                worst = Refused(charge, wait / 1e6, left)
        return worst

    def _wait_for_room(self, db: sqlite3.Cursor, row: _Row, rows: Sequence[_Row]) -> int | None:
        """Microseconds until a counter can take the new values of `rows`, 0 if it can now, None if it never can."""
        counter = row.where[0]
        new = len({other.where for other in rows if other.tally.number is None and other.where[0] == counter})
        kept = db.execute("SELECT live, full_until FROM counter WHERE id = ?", (counter,)).fetchone()
        if kept is None or kept[0] + new <= MAX_LIVE:
            return 0 if new <= MAX_LIVE else None
        if new > MAX_LIVE:
            return None
        if isinstance(row.tally, _Flight):
            return ASK_AGAIN
        if kept[1] > row.now:
            return int(kept[1]) - row.now
        gone = db.execute("DELETE FROM tally WHERE counter = ? AND last <= ?", (counter, row.now)).rowcount
        self._recent.forget_rows()
        for other in rows:
            if isinstance(other.tally, StoredTally) and other.where[0] == counter and other.tally.last <= row.now:
                other.tally.number = None
        live = kept[0] - gone
        if live + new <= MAX_LIVE:
            full_until = 0
        else:
            ends = "SELECT last FROM tally WHERE counter = ? ORDER BY last LIMIT 1 OFFSET ?"
            full_until = db.execute(ends, (counter, live + new - MAX_LIVE - 1)).fetchone()[0]
        db.execute("UPDATE counter SET live = ?, full_until = ? WHERE id = ?", (live, full_until, counter))
        return max(0, full_until - row.now)

    def _make(self, db: sqlite3.Cursor, rows: Sequence[_Row]) -> list[Made]:
        made: list[Made] = []
        changed: list[Written] = []
        new = 0
        for row in rows if len(rows) == 1 else dict.fromkeys(rows):
            charge = row.charge
            if not charge.cost:
                continue
            tally = row.tally
            is_new = tally.number is None
            if isinstance(tally, _Flight):
                self._hold(db, row.where, tally.held + charge.cost, row.end)
                made.append(Made(charge, row.end))
            else:
                made.append(Made(charge, tally.charge(row.end, charge.cost)))
                if is_new:
                    tally.add(db, row.where)
                    self._recent.keep(charge.key, tally)
                else:
                    changed.append(tally.changed(db))
                tally.told = charge.max
            if is_new or self._described.get(row.where[0]) != charge.max:
                self._describe(db, charge, row.where[0], new=is_new)
            new += is_new
        if changed:
            write(db, changed)
        if new:
            self._sweep(db, new * _SWEPT)
        return made

    def _hold(self, db: sqlite3.Cursor, where: _Where, held: Decimal, last: int) -> None:
        self._holding[where] = held
        db.execute("INSERT OR REPLACE INTO slot VALUES (?, ?, ?, ?, ?)", (*where, self._owner, last, str(held)))

    def _describe(self, db: sqlite3.Cursor, charge: Charge, counter: bytes, *, new: bool) -> None:
        """Keep what is to be told of the counter, and that it has a row more if that is `new`."""
        about = described(charge, self._grant)
        told = "UPDATE counter SET about = ?, live = live + ? WHERE id = ?"
        if not db.execute(told, (about, new, counter)).rowcount:
            db.execute("INSERT INTO counter VALUES (?, ?, 1, 0)", (counter, about))
        if len(self._described) >= _REMEMBERED:
            self._described.clear()
        self._described[counter] = charge.max

    def _undo(self, db: sqlite3.Cursor, made: Made) -> None:
        charge, end = made.charge, made.end
        row = self._row(db, charge)
        tally = row.tally
        if isinstance(tally, _Flight):
            left = tally.held - charge.cost
            if left > 0:
                self._hold(db, row.where, left, row.end)
                return
            self._holding.pop(row.where, None)
            gone = db.execute(_FREE_SLOT, (*row.where, self._owner))
        elif tally.number is None:
            return
        else:
            tally.give_back_in_file(db, end, charge.cost, row.now)
            if tally.entries_in_file:
                write(db, [tally.changed(db)])
                return
            gone = db.execute("DELETE FROM tally WHERE number = ?", (tally.number,))
            self._recent.drop(tally.number)
        self._forget(db, row.where[0], gone.rowcount)

    def _forget(self, db: sqlite3.Cursor, counter: bytes, rows: int) -> None:
        """`counter` has `rows` less."""
        db.execute("UPDATE counter SET live = live - ?, full_until = 0 WHERE id = ?", (rows, counter))
        db.execute("DELETE FROM counter WHERE id = ? AND live <= 0", (counter,))

    def _sweep(self, db: sqlite3.Cursor, rows: int) -> None:
        """Look at the next `rows` for what no longer counts; more than are added, so that a file does not grow."""
        self._recent.fold(db)
        later = "SELECT number, counter, value, last FROM tally WHERE number > ? ORDER BY number LIMIT ?"
        found = db.execute(later, (self._swept, rows)).fetchall()
        for number, counter, value, last in found:
            if last <= self._now + self._known_ahead((counter, value), number):
                db.execute("DELETE FROM tally WHERE number = ?", (number,))
                self._recent.drop(number)
                self._forget(db, counter, 1)
        self._swept = found[-1][0] if len(found) == rows else 0
        if not self._swept:  # once a round
            left = db.execute("SELECT counter, value, owner FROM slot WHERE last <= ?", (self._now,)).fetchall()
            for counter, value, owner in left:
                if owner != self._owner:
                    db.execute(_FREE_SLOT, (counter, value, owner))
                    self._forget(db, counter, 1)

    def _uses(self, db: sqlite3.Cursor, now: int) -> list[tuple[Use, _Where]]:
        self._recent.fold(db)
        found: list[tuple[Use, _Where]] = []
        rows = "SELECT counter, value, about FROM tally JOIN counter ON id = counter ORDER BY number"
        for counter, value, about in db.execute(rows).fetchall():
            stored = StoredTally.read(db, (counter, value))
            tally = stored.whole(db) if stored else Tally()
            tally.expire(now)
            if len(tally):
                found.append((use_of(about, value, tally.used, (tally.first, tally.last)), (counter, value)))
        rows = "SELECT counter, value, about, held FROM slot JOIN counter ON id = counter WHERE last > ?"
        held: dict[tuple[_Where, str], Decimal] = {}
        for counter, value, about, kept in db.execute(rows, (now,)):
            place = (counter, value), about
            held[place] = held.get(place, _NOTHING) + Decimal(kept)
        found += [(use_of(about, where[1], used, None), where) for (where, about), used in held.items()]
        return found


def _granted(charges: Sequence[Charge], made: Sequence[Step]) -> Granted:
    return Granted(tuple(charges), tuple([step.made() for step in made]))
