"""Approvals in the SQLite file that counters are kept in: proxies ask, and operators of the same user answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Final, TypeVar

from ..errors import StoreUnavailable
from ..limits.sqlite_file import SQLiteFile
from .record import KEPT, MAX_WAITING, Record, State, record_of, row_of

_PUT: Final = "INSERT INTO approval VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ANSWER: Final = (
    "UPDATE approval SET state = ?, expires = ?, until = ?, who = ?, signature = ? WHERE id = ? AND state = ?"
)
_STANDING: Final = (
    "SELECT * FROM approval WHERE grantee = ? AND subject = ? AND (expires > ? OR until > ?) ORDER BY created DESC"
)

_T = TypeVar("_T")


class SQLiteApprovals:
    """An `ApprovalStore` in the file at `path`, which is created when it is first needed. Thread-safe."""

    def __init__(self, path: str) -> None:
        self._file = SQLiteFile(path)

    def put(self, record: Record, *, patience: float) -> None:
        """See `ApprovalStore.put`."""

        def work(db: sqlite3.Connection) -> bool:
            db.execute("DELETE FROM approval WHERE max(expires, until) < ?", (record.created - KEPT,))
            waiting = "SELECT count(*) FROM approval WHERE state = ? AND expires > ?"
            if db.execute(waiting, (State.WAITING, record.created)).fetchone()[0] >= MAX_WAITING:
                return False
            db.execute(_PUT, row_of(record))
            return True

        if not self._transact(work, patience):
            raise StoreUnavailable(f"{MAX_WAITING} approvals wait already")

    def standing(self, grant: str, subject: str, now: float, *, patience: float) -> list[Record]:
        """See `ApprovalStore.standing`."""
        if not self._file.exists():
            return []
        return self._transact(lambda db: _records(db.execute(_STANDING, (grant, subject, now, now))), patience)

    def use(self, record_id: str, *, patience: float) -> bool:
        """See `ApprovalStore.use`."""
        query = "UPDATE approval SET state = ? WHERE id = ? AND state = ?"
        values = (State.USED, record_id, State.APPROVED)
        return self._transact(lambda db: db.execute(query, values).rowcount == 1, patience)

    def answer(self, record: Record, *, patience: float) -> bool:
        """See `ApprovalStore.answer`."""
        values = (record.state, record.expires, record.until, record.who, record.signature, record.id, State.WAITING)
        return self._transact(lambda db: db.execute(_ANSWER, values).rowcount == 1, patience)

    def every(self, *, patience: float) -> list[Record]:
        """See `ApprovalStore.every`."""
        if not self._file.exists():
            return []
        query = "SELECT * FROM approval ORDER BY created, id"
        return self._transact(lambda db: _records(db.execute(query)), patience)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._file.lock:
            self._file.close()

    def _transact(self, work: Callable[[sqlite3.Connection], _T], patience: float) -> _T:
        def attempt(db: sqlite3.Connection) -> _T:
            db.execute("BEGIN IMMEDIATE")
            try:
                done = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return done

        return self._file.attempt(attempt, patience)


def _records(rows: sqlite3.Cursor) -> list[Record]:
    """The records in `rows`; what somebody else has written there is not among them."""
    return [record for row in rows.fetchall() if (record := record_of(row)) is not None]
