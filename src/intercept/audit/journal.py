"""Where records go: append-only files, one a session and day or one that was named, and what goes wrong with files.

A record is written when `write(2)` has returned. Nothing is ever truncated or written over: a line that a full disk has
torn is ended, and the next record that can be written names it (`torn`). In a file that several processes share, each
holds a lock while it writes, so that it never goes on in the middle of another's line.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final, NamedTuple

from .chain import GENESIS, Head, fingerprint
from .events import Type

SUFFIX: Final = ".jsonl"
NAME: Final = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.(?P<session>[0-9A-Za-z-]+)(?:\.(?P<part>[0-9]+))?\.jsonl"
)
"""Of a file in a directory of logs: the day in UTC, the session, and which one of that day if there are several."""
_MOST_PARTS: Final = 100
"""Files of one session and day; a new one is begun only when somebody took the last one away."""
_LOCK_FOR: Final = 1.0
"""Seconds to wait for another process that writes to the same file; each holds it for microseconds."""
_BLOCK: Final = 64 * 1024

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Place(NamedTuple):
    """Where a session is recorded."""

    path: str
    is_directory: bool
    keep: int | None = None
    """Days that files of a directory are kept; None: for ever."""

    @classmethod
    def of(cls, path: str, keep: int | None = None) -> Place:
        """A path as people give it: a directory, unless it is a file or is called like one (`.jsonl`)."""
        if os.path.isdir(path) or path.endswith("/"):
            return cls(path, is_directory=True, keep=keep)
        return cls(path, is_directory=not (os.path.lexists(path) or path.endswith(SUFFIX)), keep=keep)


class Journal:
    """The records of one session. Not thread-safe.

    Whatever cannot be written raises `OSError`, changes nothing that was written before, and is counted in `lost`; the
    next record that can be written says how many there were.
    """

    def __init__(
        self, place: Place, session: str, header: Callable[[str | None], str], note: Callable[[str], None]
    ) -> None:
        """`header` makes the members of the `start` record of each file, given the file that it continues."""
        self._place = place
        self._session = session
        self._header = header
        self._note = note
        self._fd = -1
        self._path = ""
        self._day = ""
        self._identity = (0, 0)
        self._seq = 0
        self._prev = GENESIS
        self._needs_header = True
        self._continues: str | None = None
        self._end = -1
        """The size of the file after our last write; -1 if its end has to be looked at."""
        self._torn: list[str] = []
        """Lines that were torn, which no record has named yet."""
        self.lost = 0
        """Records that could not be written since the last one that could."""

    @property
    def path(self) -> str:
        """The file that is written to; empty before the first record."""
        return self._path

    def append(self, head: Head, time: str, members: str, *, looks: bool = True) -> None:
        """Write a record that begins with `head`, of `members`, the text of what comes after `time`.

        What it needs is written before it.

        `looks`: make sure that the file is still where it is looked for.

        Raises:
            OSError: it is not written.
        """
        self._record(time, (head, members), looks=looks)

    def begin(self, time: str) -> None:
        """Write the `start` record.

        Raises:
            OSError: the place cannot be written.
        """
        self._record(time, None, looks=True)

    def _record(self, time: str, record: tuple[Head, str] | None, *, looks: bool) -> None:
        try:
            if self._place.is_directory:
                if not time.startswith(self._day or "-") or (looks and self._is_gone()):
                    self._open(time[:10])
                self._append(time, record)
            else:
                if self._fd < 0 or (looks and self._is_gone()):
                    self._open("")
                with self._alone():
                    self._append(time, record)
        except OSError:
            self.lost += 1
            raise
        self.lost = 0

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    # --- writing ----------------------------------------------------------------------------------------------------

    def _append(self, time: str, record: tuple[Head, str] | None) -> None:
        torn = "" if self._end >= 0 and self._place.is_directory else self._torn_tail()
        if record is not None and not (torn or self._torn or self.lost or self._needs_header):
            self._put(b"", [record[0].seal(self._seq, self._prev, f'"time":"{time}",{record[1]}')])
            return
        named = [*self._torn, torn] if torn else self._torn
        extra = f',"lost":{self.lost}' if self.lost else ""
        if named:
            extra += ',"torn":[' + ",".join(f'"{one}"' for one in named) + "]"
        seq, prev = self._seq, self._prev
        lines: list[tuple[bytes, str]] = []
        if self._needs_header:
            start = Head(Type.START, f'"session":"{self._session}"')
            line, prev = start.seal(seq, prev, f'"time":"{time}",{self._header(self._continues)}{extra}')
            lines.append((line, prev))
            seq, extra = seq + 1, ""
        if record is not None:
            lines.append(record[0].seal(seq, prev, f'"time":"{time}",{record[1]}{extra}'))
        self._put(b"\n" if torn else b"", lines, named)
        self._torn = []

    def _put(self, start: bytes, lines: list[tuple[bytes, str]], named: list[str] | None = None) -> None:
        """Write `lines` after `start`; `named` are the torn lines that there are if `start` is written."""
        data = start + b"".join([line for line, _ in lines]) if start or len(lines) > 1 else lines[0][0]
        written, failure = self._write(data)
        if written and named is not None:
            self._torn = named
        done = len(start)
        for line, digest in lines:
            done += len(line)
            if done > written:
                break
            self._seq += 1
            self._prev = digest
            self._needs_header = False
        if failure is not None:
            self._end = -1
            raise failure
        if self._end >= 0:
            self._end += written

    def _write(self, data: bytes) -> tuple[int, OSError | None]:
        """Write `data`; return how much of it is written, and what kept the rest."""
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:] if done else data)
        except OSError as error:
            return done, error
        return done, None

    def _torn_tail(self) -> str:
        """What names the line that the file ends in the middle of; empty if it ends with a whole one."""
        size = os.fstat(self._fd).st_size
        if size == self._end:
            return ""
        tail = b""
        at = size
        while at > 0 and b"\n" not in tail:
            begin = max(0, at - _BLOCK)
            tail = os.pread(self._fd, at - begin, begin) + tail
            at = begin
            if tail.endswith(b"\n"):
                break
        self._end = size
        last = tail[tail.rfind(b"\n") + 1 :]
        return fingerprint(last) if last else ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else writes to the file meanwhile."""
        waited = 0.0
        while True:
            try:
                fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if waited >= _LOCK_FOR:
                    raise TimeoutError(errno.ETIMEDOUT, "another process holds the lock of the file") from None
                time.sleep(0.001)
                waited += 0.001
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    # --- files ------------------------------------------------------------------------------------------------------

    def _is_gone(self) -> bool:
        """Whether the file is not any more where somebody would look for it."""
        try:
            found = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def _open(self, day: str) -> None:
        """Begin a file: a new one in a directory, the one that was named otherwise."""
        path, fd = self._new_file(day) if self._place.is_directory else self._named_file()
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "it is not a regular file")
        if self._fd >= 0:
            self._continues = os.path.basename(self._path)
            self._needs_header = True
            os.close(self._fd)
            if day == self._day:
                self._note(f"the audit log {self._path} was moved, removed or replaced; it goes on in {path}")
        self._fd, self._path, self._day = fd, path, day
        self._identity = (status.st_dev, status.st_ino)
        self._end = 0 if self._place.is_directory else -1
        if self._place.keep is not None:
            self._retire(day, self._place.keep)

    def _new_file(self, day: str) -> tuple[str, int]:
        directory = self._place.path
        os.makedirs(directory, 0o700, exist_ok=True)
        for part in range(_MOST_PARTS):
            path = os.path.join(directory, f"{day}.{self._session}{f'.{part}' if part else ''}{SUFFIX}")
            if path == self._path:
                continue  # whoever took it away may bring it back
            with suppress(FileExistsError):
                return path, os.open(path, _FLAGS | os.O_EXCL, 0o600)
        raise FileExistsError(errno.EEXIST, "there are too many files of this session already")

    def _named_file(self) -> tuple[str, int]:
        path = self._place.path
        os.makedirs(os.path.dirname(path) or ".", 0o700, exist_ok=True)
        return path, os.open(path, _FLAGS, 0o600)

    def _retire(self, day: str, keep: int) -> None:
        """Remove what is older than `keep` days; whatever stands in the way is left for the next time."""
        from datetime import date, timedelta

        oldest = (date.fromisoformat(day) - timedelta(days=keep)).isoformat()
        with suppress(OSError):
            for name in os.listdir(self._place.path):
                match = NAME.fullmatch(name)
                if match is not None and match["day"] < oldest:
                    with suppress(OSError):
                        os.unlink(os.path.join(self._place.path, name))
