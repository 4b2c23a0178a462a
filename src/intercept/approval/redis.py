"""Approvals in Redis or Valkey, where proxies and operators of several machines share them.

A record is one value under its id, which its own time to live ends; whatever changes it watches it, so that of two who
answer or use it one does. All keys lie in one hash slot.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final, TypeVar, cast

from redis.exceptions import RedisError

from ..errors import StoreBusy, StoreUnavailable
from ..limits.redis import NETWORK, client_of, what_is_wrong
from ..state import shown_state
from .record import KEPT, MAX_WAITING, Record, State, record_of, row_of

_PREFIX: Final = "intercept:{approvals}:"
_ALL: Final = f"{_PREFIX}all"
"""Ids, by when each is forgotten."""
_WAITING: Final = f"{_PREFIX}waiting"
"""Ids, by when it is too late to answer."""

_T = TypeVar("_T")


class RedisApprovals:
    """An `ApprovalStore` on the server at `url`, which is connected to when it is first needed. Thread-safe.

    Raises:
        UsageError: `url` is none that can be used.
    """

    def __init__(self, url: str) -> None:
        self._shown = shown_state(url)
        self._client = client_of(url, self._shown)

    def put(self, record: Record, *, patience: float) -> None:
        """See `ApprovalStore.put`."""

        def work() -> bool:
            self._client.zremrangebyscore(_WAITING, "-inf", record.created)
            if record.state is State.WAITING and self._client.zcard(_WAITING) >= MAX_WAITING:
                return False
            with self._client.pipeline(transaction=True) as together:
                self._keep(together, record)
                together.zremrangebyscore(_ALL, "-inf", record.created)
                about = _of(record.grant, record.subject)
                together.sadd(about, record.id)
                # An answer gives more time.
                together.expireat(about, _end(record) + int(record.window + record.remember))
                together.execute()
            return True

        if not self._guarded(work, patience):
            raise StoreUnavailable(f"{MAX_WAITING} approvals wait already")

    def standing(self, grant: str, subject: str, now: float, *, patience: float) -> list[Record]:
        """See `ApprovalStore.standing`."""

        def work() -> list[Record]:
            names = cast("set[str]", self._client.smembers(_of(grant, subject)))
            found = self._records(names)
            return [
                record
                for record in sorted(found, key=lambda record: -record.created)
                if (record.grant, record.subject) == (grant, subject) and now < max(record.expires, record.until)
            ]

        return self._guarded(work, patience)

    def use(self, record_id: str, *, patience: float) -> bool:
        """See `ApprovalStore.use`."""

        def used(record: Record) -> Record | None:
            return replace(record, state=State.USED) if record.state is State.APPROVED else None

        return self._guarded(lambda: self._changed(record_id, used), patience)

    def answer(self, record: Record, *, patience: float) -> bool:
        """See `ApprovalStore.answer`."""

        def answered(found: Record) -> Record | None:
            return record if found.state is State.WAITING else None

        return self._guarded(lambda: self._changed(record.id, answered), patience)

    def every(self, *, patience: float) -> list[Record]:
        """See `ApprovalStore.every`."""

        def work() -> list[Record]:
            found = self._records(set(cast("list[str]", self._client.zrange(_ALL, 0, -1))))
            return sorted(found, key=lambda record: (record.created, record.id))

        return self._guarded(work, patience)

    def _changed(self, record_id: str, change: Callable[[Record], Record | None]) -> bool:
        """Put what `change` makes of a record in its place; False if it makes nothing of it."""

        def work(pipe: Any) -> bool:  # noqa: ANN401 - redis has no type for it
            found = _read(pipe.get(_key(record_id)))
            changed = None if found is None else change(found)
            pipe.multi()
            if changed is not None:
                self._keep(pipe, changed)
            return changed is not None

        return bool(self._client.transaction(work, _key(record_id), value_from_callable=True))  # type: ignore[arg-type]

    def _keep(self, pipe: Any, record: Record) -> None:  # noqa: ANN401
        pipe.set(_key(record.id), json.dumps(row_of(record)), exat=_end(record))
        pipe.zadd(_ALL, {record.id: _end(record)})
        if record.state is State.WAITING:
            pipe.zadd(_WAITING, {record.id: record.expires})
        else:
            pipe.zrem(_WAITING, record.id)

    def _records(self, names: set[str]) -> list[Record]:
        if not names:
            return []
        texts = cast("list[str | None]", self._client.mget([_key(name) for name in names]))
        return [record for text in texts if (record := _read(text)) is not None]

    def _guarded(self, work: Callable[[], _T], patience: float) -> _T:
        if patience < NETWORK:
            raise StoreBusy("the state server has to be waited for")
        try:
            return work()
        except (RedisError, OSError) as error:
            raise StoreUnavailable(what_is_wrong(error), f"look at {self._shown}") from None


def _key(record_id: str) -> str:
    return f"{_PREFIX}record:{record_id}"


def _of(grant: str, subject: str) -> str:
    """The key of the ids of what is about `subject`."""
    return f"{_PREFIX}of:{blake2b(f'{subject} {grant}'.encode(), digest_size=16).hexdigest()}"


def _end(record: Record) -> int:
    """When `record` is forgotten."""
    return int(max(record.expires, record.until)) + KEPT


def _read(text: str | None) -> Record | None:
    if text is None:
        return None
    try:
        row = json.loads(text)
    except ValueError:
        return None
    return record_of(row) if isinstance(row, list) else None
