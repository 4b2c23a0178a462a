"""What was answered in all sessions of a grant, for rules that apply after that (`after_scope: grant`)."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextlib import suppress
from threading import Lock, Thread
from typing import Final

from ..errors import StoreBusy, StoreUnavailable
from . import CounterStore

_PATIENT: Final = 5.0
"""Seconds that keeping something may take where nobody waits for it."""


class History:
    """What a proxy knows of its grant: what `store` keeps, and what could not be kept yet. Thread-safe."""

    def __init__(self, store: CounterStore, troubled: Callable[[StoreUnavailable], None] = lambda _: None) -> None:
        """`troubled` is told what keeps the store from being used."""
        self._store = store
        self._troubled = troubled
        self._lock = Lock()
        self._waiting: set[str] = set()
        """To be kept before anybody is told anything."""
        self._worker: Thread | None = None

    def answered(self, patience: float) -> AbstractSet[str] | None:
        """The tools that were answered; None if nobody knows, or there are too many to tell.

        Raises:
            StoreBusy: it takes longer than `patience` seconds.
        """
        try:
            self._keep_all(patience)
            return self._store.answered(patience=patience)
        except StoreUnavailable as error:
            self._troubled(error)
            return None

    def remember(self, tool: str, patience: float) -> None:
        """Keep that `tool` was answered; what takes longer than `patience` seconds is done by somebody else."""
        with self._lock:
            self._waiting.add(tool)
        try:
            self._keep_all(patience)
        except StoreUnavailable as error:
            self._troubled(error)  # whoever asks next has to wait for it, or is told nothing
        except StoreBusy:
            with self._lock:
                if self._worker is None or not self._worker.is_alive():
                    self._worker = Thread(target=self._catch_up, name="intercept-history", daemon=True)
                    self._worker.start()

    def _catch_up(self) -> None:
        with suppress(StoreBusy, StoreUnavailable):
            while self._waiting:
                self._keep_all(_PATIENT)

    def _keep_all(self, patience: float) -> None:
        with self._lock:
            waiting = sorted(self._waiting)
        for tool in waiting:
            self._store.remember_answered(tool, patience=patience)
            with self._lock:
                self._waiting.discard(tool)
