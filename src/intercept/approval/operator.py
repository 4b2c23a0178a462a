"""Approval by an operator: what waits is kept in the state store, and answered from outside of the proxy.

The model is told an id that authorises nobody. An approval is bound to what is used, every argument, the policy and the
grant; it passes once, or for as long as the policy has it remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Final, Protocol

from ..errors import StoreBusy, StoreUnavailable
from ..policy import Approval, Asked, Asking, Decision, ToolCall
from ..state import is_server
from .record import Record, State, subject_of

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""None that people take for another one."""
_ID_LENGTH: Final = 8


class ApprovalStore(Protocol):
    """Keeps approvals. Thread-safe. Everything raises `StoreBusy` after `patience` seconds, and `StoreUnavailable`."""

    def put(self, record: Record, *, patience: float) -> None:
        """Keep one more."""
        ...

    def standing(self, grant: str, subject: str, now: float, *, patience: float) -> list[Record]:
        """What there is about `subject` and not over at `now`, the newest first."""
        ...

    def use(self, record_id: str, *, patience: float) -> bool:
        """Use an approval up; False if it was not approved, or is used up already."""
        ...

    def answer(self, record: Record, *, patience: float) -> bool:
        """Keep `record` as it was answered; False if it does not wait any more."""
        ...

    def every(self, *, patience: float) -> list[Record]:
        """All that can still be looked at, the oldest first."""
        ...


class Operator:
    """What the proxy asks operators, for one grant."""

    def __init__(
        self,
        store: ApprovalStore,
        *,
        grant: str,
        random: Callable[[int], bytes],
        verify: Callable[[Record], bool] | None = None,
        tell: Callable[[Record], None] = lambda _: None,
    ) -> None:
        """`verify` is set where an approval has to be signed; `tell` is called with each new record and never waits."""
        self._store = store
        self._grant = grant
        self._random = random
        self._verify = verify
        self._tell = tell
        self._process = random(16).hex()
        self._lock = Lock()
        self._used: set[str] = set()
        """Ids of approvals that this process has used up."""
        self._remembered: dict[str, float] = {}
        """Subjects that the client's user agreed to, to when that is forgotten, where only signatures count."""

    def standing(self, uses: tuple[ToolCall, ...], decision: Decision, now: float, *, patience: float) -> Asked | None:
        """What an operator has said about this, using it up; None if nothing was asked or it is over.

        Raises:
            StoreBusy, StoreUnavailable: it cannot be known.
        """
        subject = subject_of(uses, decision.policy)
        if now < self._remembered.get(subject, 0.0):
            return Asked(Approval.REMEMBERED)
        waiting = None
        for record in self._store.standing(self._grant, subject, now, patience=patience):
            if self._verify is not None and record.process != self._process:
                continue  # it could never pass here
            if record.state is State.WAITING:
                waiting = waiting or Asked(Approval.PENDING, record.id)
            elif record.state is State.DENIED:
                return Asked(Approval.DECLINED, record.id, record.who)
            elif self._is_sound(record):
                first = now < record.expires and self._use(record, patience)
                if first or now < record.until:
                    return Asked(Approval.APPROVED if first else Approval.REMEMBERED, record.id, record.who)
        return waiting

    def ask(
        self,
        uses: tuple[ToolCall, ...],
        decision: Decision,
        asking: Asking,
        server: str,
        now: float,
        *,
        patience: float,
    ) -> Asked:
        """Have an operator asked.

        Raises:
            StoreBusy, StoreUnavailable: nobody can be.
        """
        record = replace(
            self._record(uses, decision, asking, now),
            server=server,
            reason=decision.reason,
            risk=asking.risk,
            expires=now + asking.timeout,
        )
        self._store.put(record, patience=patience)
        self._tell(record)
        return Asked(Approval.PENDING, record.id)

    def remember(
        self, uses: tuple[ToolCall, ...], decision: Decision, asking: Asking, now: float, *, patience: float
    ) -> None:
        """Let the same call pass again, because the client's user has agreed to that.

        Raises:
            StoreBusy, StoreUnavailable: it will be asked about again.
        """
        until = now + asking.remember
        if self._verify is not None:
            self._remembered = {subject: end for subject, end in self._remembered.items() if now < end}
            self._remembered[subject_of(uses, decision.policy)] = until
            return
        record = self._record(uses, decision, asking, now)
        self._store.put(
            replace(record, state=State.USED, expires=now, until=until, who="the client's user"), patience=patience
        )

    def _record(self, uses: tuple[ToolCall, ...], decision: Decision, asking: Asking, now: float) -> Record:
        name = "".join(_LETTERS[byte % len(_LETTERS)] for byte in self._random(_ID_LENGTH))
        return Record(
            name, self._grant, decision.policy, uses, "", "", self._process, now, now, asking.timeout, asking.remember
        )

    def _is_sound(self, record: Record) -> bool:
        """Whether what the store says may be believed."""
        return self._verify is None or self._verify(record)

    def _use(self, record: Record, patience: float) -> bool:
        """Use `record` up; False if that has happened already."""
        with self._lock:
            if record.id in self._used:
                return False
            self._used.add(record.id)
        try:
            # Where signatures count, what this process remembers does, whatever was done to the store.
            return self._store.use(record.id, patience=patience) or self._verify is not None
        except (StoreBusy, StoreUnavailable):
            self._used.discard(record.id)
            raise


def open_approvals(place: str) -> ApprovalStore:
    """The store of approvals in the state that `--state` names; nothing is opened before it is needed.

    Raises:
        UsageError: there cannot be one.
    """
    if is_server(place):
        from .redis import RedisApprovals

        return RedisApprovals(place)
    from .sqlite import SQLiteApprovals

    return SQLiteApprovals(place)
