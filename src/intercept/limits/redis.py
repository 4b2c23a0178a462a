"""Counters in Redis or Valkey, which any number of machines share.

`charge.lua` does each operation in one piece and by the server's clock. The keys of one policy lie in one hash slot, so
a cluster takes them; a call that several policies charge is one operation for each of them, and all are undone when one
refuses. Talking to a server takes time, so nothing here is done where messages are moved: `reserve` says that it would
have to wait, and what is given back is given back by a thread.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache, partial
from hashlib import blake2b
from pathlib import Path
from secrets import token_hex
from threading import Event, Lock, Thread
from typing import Final, NamedTuple, TypeVar, cast

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ConnectionError,  # noqa: A004 - only here, and the one that is meant
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TimeoutError,  # noqa: A004
)
from redis.retry import Retry

from ..errors import StoreBusy, StoreUnavailable, UsageError
from ..policy.model import CalendarWindow, Charge, Exhausted, InFlight, Window
from ..state import shown_state
from . import MAX_ANSWERED, Granted, Made, Refused, merged
from .redis_script import Script, bulk
from .state import LEASE, MAX_UNDONE, Use, described, identity, use_of
from .windows import ASK_AGAIN, EXACT, MAX_LIVE, end_of, microseconds, period

_SCRIPT: Final = Path(__file__).with_name("charge.lua").read_text(encoding="utf-8")
_PREFIX: Final = "intercept:"
NETWORK: Final = 0.1
"""Seconds below which it is not tried to ask a server."""
_TIMEOUT: Final = 2.0
"""Seconds that the server may take to answer."""
_TOLD_AGAIN: Final = 3_600.0
"""Seconds after which what is told of a counter is written again; it is kept that much longer than the counter."""
_REMEMBERED: Final = 10_000
_ROWS: Final = 2_000
"""Counters and costs whose part of a command is kept."""
_LONGEST_MONTH: Final = 31 * 86_400
_DAY_MS: Final = 86_400_000
_LEASE: Final = microseconds(LEASE)
_KEYS: Final = 3
"""Of a row."""

_T = TypeVar("_T")


class _Place(NamedTuple):
    """Where one counter is kept for one `per` value."""

    tag: str
    counter: str
    value: str

    def key(self, kind: str) -> str:
        """The key of kind `t` (sum), `e` (entries) or `f` (calls in flight)."""
        return f"{_PREFIX}{{{self.tag}}}:{kind}:{self.counter}:{self.value}"

    def shared(self, kind: str) -> str:
        """The key of kind `l` (values that count) or `a` (what is told), which all values share."""
        return f"{_PREFIX}{{{self.tag}}}:{kind}:{self.counter}"

    @property
    def resets(self) -> str:
        """The key of what operators did."""
        return f"{_PREFIX}{{{self.tag}}}:resets"


class RedisStore:
    """A `StateStore` on the server at `url`, which is connected to when it is first needed.

    With `follows_caller` the server's clock is not looked at and `now` counts instead, for those who play time.

    Raises:
        UsageError: `url` is none that can be used.
    """

    def __init__(self, url: str, *, grant: str, follows_caller: bool = False) -> None:
        self._grant = grant
        self._history = f"{_PREFIX}{{{_tag(grant)}}}:answered:{grant}"
        self._shown = shown_state(url)
        self._follows_caller = follows_caller
        self._owner = token_hex(16)
        self._now = 0
        self._offset = 0
        """How far the server's clock is ahead of the caller's."""
        self._rows: dict[tuple[tuple[str, ...], Decimal], _Row] = {}
        """By counter and cost, as most calls charge what others did."""
        self._told: dict[str, tuple[Decimal, float]] = {}
        """The `max` that was told of a counter last, and when."""
        self._lock = Lock()
        """For what is below."""
        self._holding: dict[_Place, Charge] = {}
        """What this process holds in flight: the cost of each is all that is held there."""
        self._undone: deque[Made] = deque()
        self._draining = Lock()
        """Held by who gives back what is first in `_undone`."""
        self._to_undo = Event()
        self._undoing: Thread | None = None
        self._is_closed = False
        self._client = client_of(url, f"--state {self._shown}")
        self._script = Script(self._client, _SCRIPT)

    # --- the port -----------------------------------------------------------------------------------------------------

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        """See `CounterStore.reserve`."""
        if not charges:
            return Granted((), ())
        self._wait_at_all(patience)
        self._undo_all(now)
        made: list[Made] = []
        unmet: list[Exhausted] = []
        parts = _by_policy(charges)
        for number, part in enumerate(parts):
            try:
                answer = self._ask("reserve", part, now)
            except BaseException:
                self._give_back(made)
                raise
            if isinstance(answer, Refused):
                self._give_back(made)
                for other in parts[number + 1 :]:
                    answer = _longer(answer, self._ask("look", other, now))
                return answer
            made += answer.made
            unmet += answer.shadow
        return Granted(tuple(charges), tuple(made), tuple(unmet))

    def release(self, granted: Granted) -> None:
        """See `CounterStore.release`."""
        self._give_back(granted.made)

    def finish(self, granted: Granted) -> None:
        """See `CounterStore.finish`."""
        self._give_back(granted.in_flight())

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        """See `CounterStore.answered`."""
        self._wait_at_all(patience)
        found = self._guarded(lambda: self._client.smembers(self._history))
        return frozenset(map(str, cast("set[str]", found))) if len(cast("set[str]", found)) <= MAX_ANSWERED else None

    def remember_answered(self, tool: str, *, patience: float) -> None:
        """See `CounterStore.remember_answered`."""
        self._wait_at_all(patience)

        def work() -> None:
            # Two may find the last place free at once, and both take it: more are told as too many all the same.
            if self._client.scard(self._history) <= MAX_ANSWERED:
                self._client.sadd(self._history, tool)

        self._guarded(work)

    # --- beside the port ----------------------------------------------------------------------------------------------

    def look(self, charges: Sequence[Charge], now: float, *, patience: float) -> Refused | None:
        """See `StateStore.look`."""
        self._wait_at_all(patience)
        worst: Refused | None = None
        for part in _by_policy(charges):
            answer = self._ask("look", part, now)
            if isinstance(answer, Refused):
                worst = answer if worst is None else _longer(worst, answer)
        return worst

    def renew(self, now: float) -> None:
        """See `StateStore.renew`."""
        with suppress(StoreUnavailable):
            self._undo_all(now)
            with self._lock:
                held = list(self._holding.values())
            for part in _by_policy(held):
                self._run("renew", [self._row(charge) for charge in merged(part)], [], now)

    def uses(self, now: float) -> Sequence[Use]:
        """See `StateStore.uses`."""
        return [use for use, _ in self._guarded(lambda: list(self._uses(now)))]

    def reset(self, chosen: Callable[[Use], bool], who: str, now: float) -> Sequence[Use]:
        """See `StateStore.reset`."""

        def work() -> list[Use]:
            emptied: list[Use] = []
            for use, place in list(self._uses(now)):
                if not chosen(use):
                    continue
                kept = {"at": now, "who": who, "counter": use.counter, "value": use.value, "used": str(use.used)}
                with self._client.pipeline(transaction=True) as pipe:
                    pipe.delete(place.key("t"), place.key("e"), place.key("f"))
                    pipe.zrem(place.shared("l"), place.value)
                    pipe.rpush(place.resets, json.dumps(kept | {"id": place.counter}))
                    pipe.ltrim(place.resets, -_REMEMBERED, -1)
                    pipe.execute()
                emptied.append(use)
            return emptied

        return self._guarded(work)

    def close(self) -> None:
        """See `StateStore.close`."""
        with self._lock:
            held = [Made(charge, 0) for charge in self._holding.values()]
            undoing, self._undoing = self._undoing, None
            self._is_closed = undoing is not None
        self._give_back_later(held)
        if undoing is not None:
            self._to_undo.set()
            undoing.join()
            self._is_closed = False
        with suppress(StoreUnavailable):  # else the leases end by themselves
            self._undo_all(0.0)
        self._script.close()
        self._client.close()

    def histories(self) -> Mapping[str, AbstractSet[str]]:
        """See `StateStore.histories`."""

        def work() -> dict[str, frozenset[str]]:
            found: dict[str, frozenset[str]] = {}
            for key in self._client.scan_iter(f"{_PREFIX}{{*}}:answered:*", count=1_000):
                grant = str(key).removeprefix(_PREFIX).split(":", 2)[2]
                found[grant] = frozenset(map(str, cast("set[str]", self._client.smembers(key))))
            return found

        return self._guarded(work)

    def forget(self, who: str, now: float) -> int:
        """See `StateStore.forget`."""

        def work() -> int:
            gone = self._client.scard(self._history)
            if gone:
                kept = {"at": now, "who": who, "counter": "answered", "value": self._grant, "used": str(gone)}
                tag = self._history.removeprefix(_PREFIX).partition(":")[0]
                with self._client.pipeline(transaction=True) as pipe:
                    pipe.delete(self._history)
                    pipe.rpush(f"{_PREFIX}{tag}:resets", json.dumps(kept | {"id": ""}))
                    pipe.ltrim(f"{_PREFIX}{tag}:resets", -_REMEMBERED, -1)
                    pipe.execute()
            return gone

        return self._guarded(work)

    # --- giving back --------------------------------------------------------------------------------------------------

    def _give_back(self, made: Sequence[Made]) -> None:
        if made:
            self._give_back_later(made)
            with self._lock:
                if self._undoing is None:
                    self._undoing = Thread(target=self._keep_undoing, name="intercept-give-back", daemon=True)
                    self._undoing.start()
            self._to_undo.set()

    def _give_back_later(self, made: Sequence[Made]) -> None:
        if len(self._undone) < MAX_UNDONE:
            self._undone.extend(made)

    def _keep_undoing(self) -> None:
        while not self._is_closed:
            self._to_undo.wait()
            self._to_undo.clear()
            with suppress(StoreUnavailable):  # else with the next operation
                self._undo_all(0.0)

    def _undo_all(self, now: float) -> None:
        """Give back what is still to be given back; whoever comes second waits for the first."""
        if not self._undone and not self._draining.locked():
            return
        with self._draining:
            while self._undone:
                one = self._undone[0]
                row = self._row(one.charge)
                self._run("undo", [row], [str(one.end)], now)
                self._undone.popleft()
                if isinstance(one.charge.window, InFlight):
                    self._count(row.place, one.charge, -one.charge.cost)

    def _count(self, place: _Place, charge: Charge, cost: Decimal) -> None:
        with self._lock:
            held = self._holding.pop(place, None)
            left = cost if held is None else held.cost + cost
            if left > 0:
                self._holding[place] = charge._replace(cost=left)

    # --- one operation ------------------------------------------------------------------------------------------------

    def _ask(self, verb: str, charges: Sequence[Charge], now: float) -> Granted | Refused:
        """Reserve, or look at, charges of one policy."""
        rows = [self._row(charge) for charge in merged(charges)]
        numbers = {row.charge.key: number for number, row in enumerate(rows, 1)}
        checks = [f"{numbers[charge.key]} {_digits(charge.max)}" for charge in charges]
        if verb == "reserve":
            self._tell(rows)
        kind, *words = self._run(verb, rows, checks, now)
        if kind == "refused":
            return _refused(charges, words)
        _, *ends = words[: len(rows) + 1]
        made = [Made(row.charge, int(end)) for row, end in zip(rows, ends, strict=False) if end != "0"]
        for one in made:
            if isinstance(one.charge.window, InFlight):
                self._count(self._row(one.charge).place, one.charge, one.charge.cost)
        shadow: tuple[Exhausted, ...] = ()
        if unmet := words[len(rows) + 1 :]:
            would = _refused(charges, unmet)
            shadow = (Exhausted(would.charge, would.retry_after, would.left),)
        return Granted(tuple(charges), tuple(made), shadow)

    def _run(self, verb: str, rows: Sequence[_Row], more: Sequence[str], now: float) -> list[str]:
        """What the script answers: a word and, unless it is `refused`, the time by the clock that counts, and more."""
        self._now = max(self._now, microseconds(now))
        stamp, kept_for = (self._now, _DAY_MS) if self._follows_caller else ("-", "-")
        header = f"{verb} {stamp} {self._owner} {_LEASE} {MAX_LIVE} {ASK_AGAIN} {kept_for} {len(rows)}"
        keys = [row.keys for row in rows]
        while True:
            moment = self._now + self._offset
            arguments = [header, *[row.argument(moment) for row in rows], *more]
            answer = self._guarded(partial(self._script.evaluate, keys, _KEYS * len(keys), arguments)).split(" ")
            if answer[0] == "refused":
                return answer
            if not self._follows_caller:
                self._offset = int(answer[1]) - self._now
            if answer[0] != "period":
                return answer

    def _guarded(self, work: Callable[[], _T]) -> _T:
        try:
            return work()
        except (RedisError, OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
            raise StoreUnavailable(what_is_wrong(error), f"look at {self._shown}") from None

    def _wait_at_all(self, patience: float) -> None:
        if patience < NETWORK:
            raise StoreBusy("the state server has to be waited for")

    def _row(self, charge: Charge) -> _Row:
        row = self._rows.get((charge.key, charge.cost))
        if row is None or (row.charge is not charge and row.charge != charge):
            if len(self._rows) >= _ROWS:
                self._rows.clear()
            place = _Place(_tag(charge.key[0]), identity(charge, self._grant).hex(), charge.key[-1])
            row = self._rows[charge.key, charge.cost] = _Row(charge, place)
        return row

    def _tell(self, rows: Sequence[_Row]) -> None:
        """Keep what is to be told of the counters, as long as they count."""
        for row in rows:
            charge, place = row.charge, row.place
            told = self._told.get(place.counter)
            if told is not None and told[0] == charge.max and time.monotonic() < told[1]:
                continue
            window = charge.window
            length = window.seconds if isinstance(window, Window) else _LONGEST_MONTH
            about = described(charge, self._grant)
            kept = int((length + 2 * _TOLD_AGAIN) * 1_000)
            self._guarded(partial(self._client.set, place.shared("a"), about, px=kept))
            if len(self._told) >= _REMEMBERED:
                self._told.clear()
            self._told[place.counter] = charge.max, time.monotonic() + _TOLD_AGAIN

    # --- what is told -------------------------------------------------------------------------------------------------

    def _uses(self, now: float) -> Iterator[tuple[Use, _Place]]:
        if self._follows_caller:
            moment = microseconds(now)
        else:
            seconds, rest = self._client.time()
            moment = int(seconds) * 1_000_000 + int(rest)
        for key in sorted({str(key) for key in self._client.scan_iter(f"{_PREFIX}{{*}}:[tf]:*", count=1_000)}):
            tag, kind, counter, value = key.removeprefix(_PREFIX).split(":", 3)
            place = _Place(tag.strip("{}"), counter, value)
            about = self._client.get(place.shared("a"))
            if about is None:
                continue
            if kind == "f":
                slots = cast("dict[str, str]", self._client.hgetall(key))
                entries = list(slots.values())
                ahead = 0
            else:
                entries = cast("list[str]", self._client.lrange(place.key("e"), 0, -1))
                ahead = int(str(self._client.hget(key, "ahead") or 0))
            used, ends = Decimal(0), []
            for end, cost, places in (entry.split() for entry in entries):
                if int(end) > moment + ahead:
                    used = EXACT.add(used, EXACT.scaleb(Decimal(cost), -int(places)))
                    ends.append(int(end) - ahead)
            if ends:
                yield use_of(str(about), value, used, (ends[0], ends[-1]) if kind == "t" else None), place


class _Row:
    """One counter, and what it is to be charged, as the script takes it."""

    __slots__ = ("_amount", "_fixed", "charge", "keys", "place")

    def __init__(self, charge: Charge, place: _Place) -> None:
        self.charge = charge
        self.place = place
        window = charge.window
        kind = "f" if isinstance(window, InFlight) else "t"
        self.keys = b"".join(map(bulk, (place.key(kind), place.key("e"), place.shared("l"))))
        self._amount = f"{_digits(charge.cost)} {1 if charge.shadow else 0}"
        self._fixed = ""
        if isinstance(window, Window):
            self._fixed = f"sliding 0 {end_of(window, 0)} {self._amount}"
        elif isinstance(window, InFlight):
            self._fixed = f"flight 0 0 {self._amount}"

    def argument(self, now: int) -> str:
        """What there is beside the keys, `now` by the clock that counts."""
        window = self.charge.window
        if self._fixed or not isinstance(window, CalendarWindow):
            return self._fixed
        start, end = period(window.unit, window.timezone, now)
        return f"calendar {start} {end} {self._amount}"


def _tag(text: str) -> str:
    """What has all keys with it in one hash slot."""
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _by_policy(charges: Sequence[Charge]) -> list[list[Charge]]:
    parts: dict[str, list[Charge]] = {}
    for charge in charges:
        parts.setdefault(charge.key[0], []).append(charge)
    return list(parts.values())


@lru_cache(maxsize=1024)
def _digits(amount: Decimal) -> str:
    """`amount` as a whole number and its decimal places."""
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("an amount that is not a number")
    text = "".join(map(str, digits)).lstrip("0") or "0"
    if text == "0":
        return "0 0"
    return f"{text}{'0' * exponent} 0" if exponent >= 0 else f"{text} {-exponent}"


def _refused(charges: Sequence[Charge], answer: Sequence[str]) -> Refused:
    index, wait, left, places = answer
    return Refused(
        charges[int(index)],
        None if int(wait) < 0 else int(wait) / 1e6,
        _plain(EXACT.scaleb(Decimal(left), -int(places))),
    )


def _plain(amount: Decimal) -> Decimal:
    """Without zeros behind the point."""
    return EXACT.quantize(amount, Decimal(1)) if amount == amount.to_integral_value() else EXACT.normalize(amount)


def _longer(one: Refused, other: Granted | Refused) -> Refused:
    if not isinstance(other, Refused) or one.retry_after is None:
        return one
    return other if other.retry_after is None or other.retry_after > one.retry_after else one


def client_of(url: str, shown: str) -> redis.Redis:
    """A client of the server at `url`, which connects when it is first used; `shown` is what people wrote for that.

    Raises:
        UsageError: `url` is none that can be used.
    """
    try:
        return redis.Redis.from_url(
            url,
            socket_timeout=_TIMEOUT,
            socket_connect_timeout=_TIMEOUT,
            retry=Retry(NoBackoff(), 1, supported_errors=(ConnectionError,)),
            decode_responses=True,
            protocol=2,
        )
    except (ValueError, TypeError) as error:
        raise UsageError(f"`{shown}` is no URL that can be used; write redis://HOST:PORT/0") from error


def what_is_wrong(error: Exception) -> str:
    """What `error` of a client means, as one line without a place."""
    match error:
        case AuthenticationError():
            return "the state server does not take our name and password"
        case BusyLoadingError():
            return "the state server is still loading"
        case TimeoutError():
            return "the state server does not answer"
        case ConnectionError() | OSError():
            return "the state server cannot be reached"
        case ReadOnlyError():
            return "the state server takes no writes"
        case OutOfMemoryError():
            return "the state server has no room"
        case ResponseError():
            return "the state server refuses what is asked of it"
        case _:
            return "the state server holds what nobody here wrote"
