"""The store of a proxy: counters of its session in memory, all others in the state store, opened when one is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from threading import Lock
from typing import TYPE_CHECKING, Final

from ..errors import StoreBusy
from ..policy.model import Charge, Exhausted, Scope
from . import Granted, Made, Refused
from .memory import MemoryStore

if TYPE_CHECKING:
    from .state import StateStore


_OPENING: Final = 0.1
"""Seconds below which the state store is not opened: modules are loaded for that, and a server is connected to."""


class ScopedStore:
    """A `CounterStore` that puts each charge where its scope belongs, all or none of them.

    `open_state` makes the state store; it is called once, when a charge needs it. Whatever it raises refuses the call.
    """

    def __init__(self, open_state: Callable[[], StateStore]) -> None:
        self._session = MemoryStore()
        self._open_state = open_state
        self._opening = Lock()
        self._state: StateStore | None = None
        self._all_shared: tuple[Charge, ...] = ()
        """What a call was charged last, if nothing of that belongs to the session. A policy gives the same object for
        each call that is charged the same."""

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        """See `CounterStore.reserve`. Shadow charges are made together only where they are kept together."""
        state = self._state
        if state is not None and charges is self._all_shared:
            return state.reserve(charges, now, patience=patience)
        ours = shared = 0
        for charge in charges:
            if charge.scope is Scope.SESSION:
                ours += 1
            else:
                shared += 1
        if not shared:
            return self._session.reserve(charges, now)
        if not ours:
            if isinstance(charges, tuple):
                self._all_shared = charges
            return self._opened(patience).reserve(charges, now, patience=patience)
        return self._reserve(charges, now, patience)

    def release(self, granted: Granted) -> None:
        """See `CounterStore.release`."""
        for store, part in self._parts(granted):
            store.release(part)

    def finish(self, granted: Granted) -> None:
        """See `CounterStore.finish`."""
        for store, part in self._parts(granted):
            store.finish(part)

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        """See `CounterStore.answered`; the state store is opened for it."""
        return self._opened(patience).answered(patience=patience)

    def remember_answered(self, tool: str, *, patience: float) -> None:
        """See `CounterStore.remember_answered`."""
        # Opened whatever it takes: rules of other sessions are to apply from now on.
        self._opened(_OPENING).remember_answered(tool, patience=patience)

    def renew(self, now: float) -> None:
        """See `StateStore.renew`."""
        if self._state is not None:
            self._state.renew(now)

    def close(self) -> None:
        """See `StateStore.close`."""
        if self._state is not None:
            self._state.close()

    def _reserve(self, charges: Sequence[Charge], now: float, patience: float) -> Granted | Refused:
        state = self._opened(patience)
        ours = [charge for charge in charges if charge.scope is Scope.SESSION]
        shared = [charge for charge in charges if charge.scope is not Scope.SESSION]
        session = self._session.reserve(ours, now)
        if isinstance(session, Refused):
            # Who has to wait anyway is told how long in all.
            return _longer(session, state.look(shared, now, patience=patience))
        try:
            answer = state.reserve(shared, now, patience=patience)
        except BaseException:
            self._session.release(session)
            raise
        if isinstance(answer, Refused):
            self._session.release(session)
            return answer
        return Granted(tuple(charges), session.made + answer.made, _in_order(charges, session.shadow + answer.shadow))

    def _opened(self, patience: float) -> StateStore:
        state = self._state
        if state is not None:
            return state
        if patience < _OPENING:
            raise StoreBusy("the state store has to be opened")
        with self._opening:
            if self._state is None:
                self._state = self._open_state()
            return self._state

    def _parts(self, granted: Granted) -> Sequence[tuple[MemoryStore | StateStore, Granted]]:
        state = self._state
        if state is None:
            return [(self._session, granted)]
        ours: list[Made] = []
        shared: list[Made] = []
        for made in granted.made:
            (ours if made.charge.scope is Scope.SESSION else shared).append(made)
        return [
            (store, Granted(granted.charges, tuple(part), granted.shadow))
            for store, part in ((self._session, ours), (state, shared))
            if part
        ]


def _longer(one: Refused, other: Refused | None) -> Refused:
    if other is None or one.retry_after is None:
        return one
    return other if other.retry_after is None or other.retry_after > one.retry_after else one


def _in_order(charges: Sequence[Charge], unmet: tuple[Exhausted, ...]) -> tuple[Exhausted, ...]:
    return tuple(sorted(unmet, key=lambda exhausted: charges.index(exhausted.charge))) if len(unmet) > 1 else unmet
