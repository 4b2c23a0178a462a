"""The SQLite file that counters are kept in: made, opened, found to be another one, and what can be wrong with it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

from ..errors import StoreBusy, StoreUnavailable

_T = TypeVar("_T")

VERSION: Final = 2
"""Of the schema. A file of a newer one is refused, because what it counts by is not known here; one of version 1 is
made one of this version."""
_APPLICATION: Final = 0x1C7E9CE7
"""Tells a state file from other SQLite files."""
_CHECKPOINT_PAGES: Final = 4_000
"""Pages of the log after which a transaction has to write them back; a process that is alive does it before that."""
_LOG_BYTES: Final = _CHECKPOINT_PAGES * 4_200
"""What is kept of a log that grew longer. Less than what so many pages need would be cut off and grow again each time,
for which calls have to wait."""
_LOOK_EVERY: Final = 0.01
"""Seconds for which `SQLiteFile.known` relies on the file being the one that it was. Whoever puts another one in its
place takes away all that was charged before; what is charged in the moment after that goes the same way."""
_FIRST_PAUSE: Final = 0.0001
_LONGEST_PAUSE: Final = 0.002
"""Seconds between two attempts to begin a transaction."""

_SCHEMA: Final = """
CREATE TABLE counter (
    id BLOB PRIMARY KEY,
    about TEXT NOT NULL,
    live INTEGER NOT NULL,
    full_until INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE tally (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    counter BLOB NOT NULL,
    value TEXT NOT NULL,
    last INTEGER NOT NULL,
    used TEXT NOT NULL,
    decimals INTEGER NOT NULL,
    older INTEGER NOT NULL,
    first INTEGER NOT NULL,
    ends BLOB NOT NULL,
    costs NOT NULL
);

CREATE TABLE chunk (
    tally INTEGER NOT NULL,
    last INTEGER NOT NULL,
    ends BLOB NOT NULL,
    costs NOT NULL,
    used TEXT NOT NULL,
    places INTEGER NOT NULL,
    PRIMARY KEY (tally, last)
) WITHOUT ROWID;

CREATE TRIGGER tally_deleted AFTER DELETE ON tally WHEN OLD.older > 0 BEGIN
    DELETE FROM chunk WHERE tally = OLD.number;
END;

CREATE UNIQUE INDEX tally_of ON tally (counter, value);

CREATE TABLE slot (
    counter BLOB NOT NULL,
    value TEXT NOT NULL,
    owner BLOB NOT NULL,
    last INTEGER NOT NULL,
    held TEXT NOT NULL,
    PRIMARY KEY (counter, value, owner)
) WITHOUT ROWID;

CREATE TABLE answered (
    grant TEXT NOT NULL,
    tool TEXT NOT NULL,
    PRIMARY KEY (grant, tool)
) WITHOUT ROWID;

CREATE TABLE reset (
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    id TEXT NOT NULL,
    counter TEXT NOT NULL,
    value TEXT NOT NULL,
    used TEXT NOT NULL
);

CREATE TABLE approval (
    id TEXT PRIMARY KEY,
    grantee TEXT NOT NULL,
    subject TEXT NOT NULL,
    policy TEXT NOT NULL,
    uses TEXT NOT NULL,
    server TEXT NOT NULL,
    reason TEXT NOT NULL,
    process TEXT NOT NULL,
    created REAL NOT NULL,
    expires REAL NOT NULL,
    span REAL NOT NULL,
    remember REAL NOT NULL,
    state TEXT NOT NULL,
    until REAL NOT NULL,
    who TEXT NOT NULL,
    signature TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX approval_of ON approval (grantee, subject);
"""
"""Times are microseconds since the epoch. `counter` has one row for all `per` values: what is known of it (`about`, see
`state.described`), how many rows the others have for it, and until when there is no room for more. `tally` and
`chunk` are a `sqlite_tally.StoredTally`, without what `_RECENT` has noted of it since (`sqlite_recent`); `slot` what a
process holds in flight, until when if it is not renewed; `answered` which tools were answered to a grant; `reset` what
operators did; `approval` is an `approval.record.Record`, with times in seconds."""
_RECENT: Final = """
CREATE TABLE recent (
    turn INTEGER NOT NULL,
    base INTEGER NOT NULL,
    noted TEXT NOT NULL
);

INSERT INTO recent VALUES (0, 0, '');
"""
_FROM_1: Final = "ALTER TABLE tally RENAME COLUMN places TO decimals"
"""Processes of that version that use the file right now fail because of it, and see that the file is newer, instead of
missing what is noted."""


class SQLiteFile:
    """A connection to the state file at `path`, opened when it is needed. Thread-safe under `lock`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = Lock()
        """Held by whoever uses the connection; `attempt` takes it."""
        self._db: sqlite3.Connection | None = None
        self._identity = (0, 0)
        self._looked = 0.0

    @property
    def is_open(self) -> bool:
        """Whether something was done with the file, and it was not given up since."""
        return self._db is not None

    def exists(self) -> bool:
        """Whether there is something to read."""
        return os.path.exists(self.path)

    def connection(self) -> sqlite3.Connection:
        """The connection, to the file that is at `path` now.

        Raises:
            sqlite3.Error, OSError: it cannot be opened.
            StoreUnavailable: it can, but is not to be used.
        """
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            self.close()
            found = self._make()
        if self._db is None or found.st_ino != self._identity[1] or found.st_dev != self._identity[0]:
            self.close()
            self._db = self._opened()
            self._identity = (found.st_dev, found.st_ino)
        self._looked = time.monotonic()
        return self._db

    def known(self) -> sqlite3.Connection:
        """As `connection`, which looked at the file itself a moment ago if not now."""
        if self._db is not None and time.monotonic() - self._looked < _LOOK_EVERY:
            return self._db
        return self.connection()

    def attempt(self, transaction: Callable[[sqlite3.Connection], _T], patience: float) -> _T:
        """What `transaction` gives; it is made again while others hold the file.

        Raises:
            StoreBusy: they hold it for longer than `patience` seconds.
            StoreUnavailable: the file cannot be used.
        """
        deadline = 0.0
        pause = _FIRST_PAUSE
        while True:
            if not self.lock.acquire(blocking=False):
                deadline = deadline or time.monotonic() + patience
                if not self.lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                    raise StoreBusy("the state file is busy")
            try:
                return transaction(self.connection())
            except (sqlite3.Error, OSError, ValueError, ArithmeticError, TypeError, KeyError) as error:
                # Those behind the second come from reading what nobody here wrote.
                if not is_busy(error):
                    self.close()
                    raise unavailable(error, self.path) from None
            finally:
                self.lock.release()
            deadline = deadline or time.monotonic() + patience
            if time.monotonic() + pause >= deadline:
                raise StoreBusy("the state file is locked by another program")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def checkpoint(self) -> None:
        """Write the log back into the file, so that transactions do not have to.

        They go on meanwhile, as this has a connection of its own and needs no lock: it waits for the disk.
        """
        with suppress(sqlite3.Error), closing(self._connected()) as db:  # else a transaction will do it
            db.execute("PRAGMA user_version").fetchall()  # which opens the log
            db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Give up the connection; the next use makes a new one."""
        db, self._db = self._db, None
        if db is not None:
            with suppress(sqlite3.Error):
                db.close()

    def _make(self) -> os.stat_result:
        directory = os.path.dirname(self.path)
        if directory:
            os.makedirs(directory, mode=0o700, exist_ok=True)
        try:
            file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except FileExistsError:  # another process was first
            return os.stat(self.path)
        try:
            for leftover in (f"{self.path}-wal", f"{self.path}-shm"):  # of a file that was moved away
                with suppress(FileNotFoundError):
                    os.unlink(leftover)
            return os.fstat(file)
        finally:
            os.close(file)

    def _connected(self) -> sqlite3.Connection:
        uri = f"{Path(self.path).absolute().as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False)

    def _opened(self) -> sqlite3.Connection:
        db = self._connected()
        try:
            db.execute("BEGIN")  # so that what another process is just making is seen whole or not at all
            lacks = self._lacks(db)
            db.execute("COMMIT")
            if lacks:
                db.execute("PRAGMA journal_mode = WAL").fetchall()
                db.execute("BEGIN IMMEDIATE")
                for script in self._lacks(db):
                    for statement in script.split("\n\n"):
                        db.execute(statement)
                db.execute(f"PRAGMA application_id = {_APPLICATION}")
                db.execute(f"PRAGMA user_version = {VERSION}")
                db.execute("COMMIT")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}").fetchall()
            db.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}").fetchall()
            db.execute("PRAGMA trusted_schema = OFF")
        except BaseException:
            db.close()
            raise
        return db

    def _lacks(self, db: sqlite3.Connection) -> tuple[str, ...]:
        """What makes the file one that has the schema; empty if it has it."""
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        application: int = db.execute("PRAGMA application_id").fetchone()[0]
        if application == _APPLICATION:
            if version > VERSION:
                raise StoreUnavailable(
                    "the state file was written by a newer version of intercept",
                    f"upgrade intercept, or name another file than {self.path} with `--state`",
                )
            return () if version == VERSION else (_FROM_1, _RECENT)
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] or version or application:
            raise StoreUnavailable(
                "the state file belongs to another program",
                f"{self.path} is an SQLite file that intercept did not make; name another one with `--state`",
            )
        return _SCHEMA, _RECENT


_BUSY: Final = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_MOVED: Final = sqlite3.SQLITE_READONLY_DBMOVED
_WRONG: Final = {
    sqlite3.SQLITE_CORRUPT: ("is damaged", "move {0} away to begin with empty counters"),
    sqlite3.SQLITE_NOTADB: ("is damaged", "{0} is not an SQLite file; move it away to begin with empty counters"),
    sqlite3.SQLITE_READONLY: ("cannot be written", "make {0} and its directory writable"),
    sqlite3.SQLITE_FULL: ("has no room to grow", "make room on the disk of {0}"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "make {0} and its directory readable and writable"),
    sqlite3.SQLITE_IOERR: ("cannot be read or written", "look at the disk of {0}"),
}


def is_busy(error: Exception) -> bool:
    """Whether another process only has to finish, or the file has been moved and another one is to be opened."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF in _BUSY or code == _MOVED)


def unavailable(error: Exception, path: str) -> StoreUnavailable:
    """What `error` means for whoever needs the file."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _WRONG:
        what, remedy = _WRONG[code & 0xFF]
    elif isinstance(error, OSError):
        what, remedy = "cannot be opened", f"{{0}}: {(error.strerror or 'error').lower()}"
    else:
        what, remedy = _WRONG[sqlite3.SQLITE_CORRUPT]
    return StoreUnavailable(f"the state file {what}", remedy.format(path))
