"""The store in memory: beside a model that keeps everything, and within its bounds."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from intercept.limits import Granted, Refused
from intercept.limits.memory import MemoryStore
from intercept.limits.windows import MAX_ENTRIES, MAX_LIVE
from intercept.policy import Charge

from .charges import START, charge, passes, used_up


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


# --- against a model that keeps everything

COUNTERS = ["a", "b"]
WINDOWS = {"a": 8, "b": 20}
COSTS = ["0.1", "0.2", "1", "2.5", "3", "7"]
CHOSEN = st.tuples(st.sampled_from(COUNTERS), st.sampled_from(COSTS), st.sampled_from(["", "=x"]), st.integers(1, 6))
"""Counter, cost, `per` value and maximum of one charge."""


class Model(RuleBasedStateMachine):
    """Random calls; every answer is the one that a list of all that ever happened gives."""

    granted = Bundle("granted")

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.now = 0.0
        self.store.reserve([], self.now)
        self.history: dict[tuple[str, ...], list[tuple[float, Decimal, float]]] = defaultdict(list)

    def used(self, key: tuple[str, ...], now: float) -> Decimal:
        return sum((cost for at, cost, window in self.history[key] if at + window > now), Decimal(0))

    def fits(self, charges: list[Charge], now: float) -> bool:
        highest = {one.key: max(other.cost for other in charges if other.key == one.key) for one in charges}
        return all(self.used(one.key, now) + highest[one.key] <= one.max for one in charges)

    @rule(
        target=granted,
        chosen=st.lists(CHOSEN, min_size=1, max_size=3),
        later=st.sampled_from([0, 0, 0.125, 1, 3, 7.875, 8, 20]),
    )
    def call(self, chosen: list[tuple[str, str, str, int]], later: float) -> Granted | None:
        self.now += later
        charges = [
            charge(limit, WINDOWS[counter], cost=cost, counter=counter, per=per) for counter, cost, per, limit in chosen
        ]
        answer = self.store.reserve(charges, self.now)
        if isinstance(answer, Granted):
            assert self.fits(charges, self.now)
            for key in {one.key for one in charges}:
                same = [one for one in charges if one.key == key]
                self.history[key].append((self.now, max(one.cost for one in same), WINDOWS[same[0].counter]))
            return answer
        assert not self.fits(charges, self.now)
        if answer.retry_after is None:
            assert not self.fits(charges, self.now + 1_000)
        else:
            assert answer.retry_after > 0
            assert self.fits(charges, self.now + answer.retry_after)
            assert not self.fits(charges, self.now + answer.retry_after - 0.0625)
        return None

    @rule(granted=consumes(granted))
    def give_back(self, granted: Granted | None) -> None:
        if granted is None:
            return
        self.store.release(granted)
        for one, end in granted.made:
            if end > self.now * 1e6:
                window = WINDOWS[one.counter]
                self.history[one.key].remove((end / 1e6 - window, one.cost, window))

    @rule(jump=st.sampled_from([0.5, 5, 1_000]))
    def look_at_a_clock_that_jumped_back(self, jump: float) -> None:
        one = charge(1, 8, cost=1, counter="a")

        answer = self.store.reserve([one], self.now - jump)

        if isinstance(answer, Granted):
            assert self.fits([one], self.now)
            self.history[one.key].append((self.now, one.cost, WINDOWS[one.counter]))

    @invariant()
    def no_interval_of_the_windows_length_holds_more_than_the_largest_maximum(self) -> None:
        for entries in self.history.values():
            for start, _, window in entries:
                within = sum((cost for at, cost, _ in entries if start <= at < start + window), Decimal(0))
                assert within <= 6


TestAgainstAModel = Model.TestCase
TestAgainstAModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@settings(deadline=None, max_examples=10)
@given(st.lists(st.tuples(st.sampled_from([0, 0.125, 1]), st.integers(1, 3)), min_size=1, max_size=60), st.data())
def test_merging_never_lets_more_in(calls: list[tuple[float, int]], data: st.DataObject) -> None:
    """With a counter so full that it merges, an interval still never holds more than the maximum."""
    store = MemoryStore()
    limit = MAX_ENTRIES + 200
    now = START
    times: list[tuple[float, int]] = []
    for _ in range(limit):
        now += 0.001
        passes(store, [charge(limit, 60)], now)
        times.append((now, 1))

    for later, cost in calls:
        now += later * data.draw(st.sampled_from([1, 20]))
        if isinstance(store.reserve([charge(limit, 60, cost=cost)], now), Granted):
            times.append((now, cost))

    for start, _ in times[-100:]:
        assert sum(cost for at, cost in times if start - 60 < at <= start) <= limit


# --- bounds


def test_a_counter_keeps_a_bounded_number_of_entries_and_is_exact_up_to_there(store: MemoryStore) -> None:
    for call in range(MAX_ENTRIES):
        passes(store, [charge(MAX_ENTRIES, 6_000)], START + call)

    assert used_up(store, [charge(MAX_ENTRIES, 6_000)], START + MAX_ENTRIES) == ("calls", 6_000.0 - MAX_ENTRIES)

    for call in range(3 * MAX_ENTRIES):
        passes(store, [charge(10**6, 10**6, counter="b")], START + MAX_ENTRIES + call)
    [tally] = store._groups[charge(10**6, 10**6, counter="b").key[:-1]].values()
    assert len(tally) <= MAX_ENTRIES
    assert tally.used == 3 * MAX_ENTRIES


def test_what_was_merged_can_be_given_back(store: MemoryStore) -> None:
    limit = 2 * MAX_ENTRIES
    made = [passes(store, [charge(limit, 10**6)], START + call) for call in range(limit)]
    used_up(store, [charge(limit, 10**6)], START + limit)

    for granted in made[::2]:
        store.release(granted)

    for _ in range(limit // 2):
        passes(store, [charge(limit, 10**6)], START + limit)
    used_up(store, [charge(limit, 10**6)], START + limit)


def test_more_live_values_than_a_counter_may_have_are_refused_until_one_is_free(store: MemoryStore) -> None:
    for value in range(MAX_LIVE):
        passes(store, [charge(5, 60, per=f"={value}")], START + value / MAX_LIVE)

    assert used_up(store, [charge(5, 60, per="=new")], START + 30) == ("calls", 30.0)
    passes(store, [charge(5, 60, per="=0")], START + 30)
    passes(store, [charge(5, 60, counter="other", per="=new")], START + 30)
    passes(store, [charge(5, 60, per="=new")], START + 60.5)


def test_a_call_with_more_values_than_a_counter_may_have_can_never_pass(store: MemoryStore) -> None:
    calls = [charge(5, 60, per=f"={value}") for value in range(MAX_LIVE + 1)]

    answer = store.reserve(calls, START)

    assert isinstance(answer, Refused)
    assert answer.retry_after is None
    passes(store, calls[1:], START)


def test_values_that_no_longer_count_are_forgotten(store: MemoryStore) -> None:
    for value in range(5_000):
        passes(store, [charge(1, 60, per=f"={value}"), charge(1, 60, counter="gone", per=f"={value}")], START + value)

    assert sum(map(len, store._groups.values())) < 400
    for moment in range(400):
        passes(store, [charge(10**6, 1, counter="other")], START + 10_000 + moment)
    assert sum(map(len, store._groups.values())) <= 2
