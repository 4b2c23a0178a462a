"""Notices that a file has changed, and loads it: a new policy or lock file, or the reason why the old one stays.

Polling costs less than a watcher would: one `stat` a file. A change counts once the file has been the same for two
looks, so that an editor which writes in pieces is not caught in the middle.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeAlias, TypeVar

from .errors import PolicyError

T = TypeVar("T")

LOOK_EVERY: Final = 0.2
"""Seconds between two looks; three of them pass at most between saving a file and its rules being in force."""

_Signature: TypeAlias = tuple[tuple[int, int, int] | None, ...]


class Reloader(Generic[T]):
    """Watches `paths`; `look` is to be called every `LOOK_EVERY` seconds."""

    def __init__(self, paths: Sequence[str], load: Callable[[Sequence[str]], T]) -> None:
        """To be made before `paths` are first loaded, so that a change during that is seen."""
        self._paths = paths
        self._load = load
        self._loaded = self._last = self._signature()

    def look(self) -> T | PolicyError | None:
        """What a changed file holds, the error that it has, or None if nothing new was saved."""
        now = self._signature()
        settled = now == self._last
        self._last = now
        if not settled or now == self._loaded:
            return None
        self._loaded = now
        try:
            return self._load(self._paths)
        except PolicyError as error:
            return error

    def _signature(self) -> _Signature:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
