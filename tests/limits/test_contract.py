"""What every counter store promises (POLICY section 5, DESIGN section 5). Time is what the test says it is."""

from __future__ import annotations

from decimal import Decimal
from threading import Barrier, Thread

from intercept.limits import CounterStore, Granted, Refused
from intercept.policy import CalendarWindow, Charge, InFlight, Unit

from .charges import START, at, charge, passes, used_up


def test_nothing_to_charge_passes(store: CounterStore) -> None:
    assert passes(store, [], START).charges == ()


def test_the_call_after_the_last_that_fits_waits_until_the_first_has_left_the_window(store: CounterStore) -> None:
    for second in range(30):
        passes(store, [charge(30, 60)], START + second)

    assert used_up(store, [charge(30, 60)], START + 30) == ("calls", 30.0)
    assert used_up(store, [charge(30, 60)], START + 59.5) == ("calls", 0.5)
    passes(store, [charge(30, 60)], START + 60)
    assert used_up(store, [charge(30, 60)], START + 60) == ("calls", 1.0)
    passes(store, [charge(30, 60)], START + 61)


def test_what_was_charged_is_free_again_exactly_a_window_later(store: CounterStore) -> None:
    passes(store, [charge(1, 10)], START)

    assert used_up(store, [charge(1, 10)], START + 9.75) == ("calls", 0.25)
    passes(store, [charge(1, 10)], START + 10)


def test_a_refused_call_charges_nothing(store: CounterStore) -> None:
    passes(store, [charge(1, 10)], START)
    for moment in (1, 5, 9):
        used_up(store, [charge(1, 10), charge(5, 10, counter="other")], START + moment)

    passes(store, [charge(1, 10)], START + 10)
    for _ in range(5):
        passes(store, [charge(5, 10, counter="other")], START + 10)


def test_all_charges_of_a_call_are_made_or_none(store: CounterStore) -> None:
    narrow, wide = charge(1, 10, counter="narrow"), charge(2, 10, counter="wide")
    passes(store, [narrow], START)

    used_up(store, [wide, narrow], START + 1)
    used_up(store, [narrow, wide], START + 1)
    passes(store, [wide], START + 1)
    passes(store, [wide], START + 1)
    assert used_up(store, [wide], START + 1) == ("wide", 10.0)


def test_the_time_to_wait_is_that_of_the_limit_that_lasts_longest(store: CounterStore) -> None:
    short, long = charge(1, 10, counter="short"), charge(1, 100, counter="long")
    passes(store, [short, long], START)

    assert used_up(store, [short, long], START + 4) == ("long", 96.0)
    assert used_up(store, [long, short], START + 4) == ("long", 96.0)
    passes(store, [short, long], START + 100)


def test_a_cost_is_counted_exactly(store: CounterStore) -> None:
    for _ in range(10):
        passes(store, [charge("1.0", 60, cost="0.1")], START)

    # In binary fractions ten times 0.1 is less than 1, and an eleventh of 1e-17 would pass.
    assert used_up(store, [charge("1.0", 60, cost="0.00000000000000001")], START + 1) == ("calls", 59.0)


def test_sums_are_exact_far_beyond_the_precision_of_a_double(store: CounterStore) -> None:
    limit = "10000000000000000000000000000001"
    passes(store, [charge(limit, 60, cost="10000000000000000000000000000000.5")], START)
    passes(store, [charge(limit, 60, cost="0.5")], START)

    assert used_up(store, [charge(limit, 60, cost="1e-300")], START) == ("calls", 60.0)


def test_a_dear_call_waits_until_enough_is_free(store: CounterStore) -> None:
    for second, cost in enumerate((5, 3, 2)):
        passes(store, [charge(10, 60, cost=cost)], START + second)

    assert used_up(store, [charge(10, 60, cost=5)], START + 10) == ("calls", 50.0)
    assert used_up(store, [charge(10, 60, cost=6)], START + 10) == ("calls", 51.0)
    assert used_up(store, [charge(10, 60, cost=10)], START + 10) == ("calls", 52.0)
    passes(store, [charge(10, 60, cost=5)], START + 60)


def test_a_cost_above_the_maximum_can_never_pass(store: CounterStore) -> None:
    assert used_up(store, [charge(10, 60, cost="10.01")], START) == ("calls", None)
    assert used_up(store, [charge(1, 60, counter="other"), charge(10, 60, cost=11)], START) == ("calls", None)
    passes(store, [charge(10, 60, cost=10)], START)


def test_a_refusal_says_what_the_counter_has_left(store: CounterStore) -> None:
    passes(store, [charge(10, cost="0.1"), charge(2, counter="other")], START)
    passes(store, [charge(10, cost=7, per="b")], START)

    for charges, left in (
        ([charge(10, cost="9.91")], "9.9"),
        ([charge(10, cost=11)], "9.9"),
        ([charge(10, cost=4, per="b")], "3"),
        ([charge(10, cost=11, per="c")], "10"),
        ([charge(10, cost="9.9"), charge(1, counter="other")], "0"),
        ([charge("0.05", cost=1)], "0"),
    ):
        answer = store.reserve(charges, START + 1, patience=5)
        assert isinstance(answer, Refused)
        assert answer.left == Decimal(left)


def test_a_call_that_costs_nothing_always_passes(store: CounterStore) -> None:
    passes(store, [charge(1, 60)], START)

    passes(store, [charge(1, 60, cost=0)], START)
    used_up(store, [charge(1, 60)], START)


def test_giving_back_nothing_changes_nothing(store: CounterStore) -> None:
    nothing = passes(store, [charge(1, 60, cost=0)], START)
    store.release(nothing)
    passes(store, [charge(1, 60)], START)

    store.release(nothing)
    store.release(passes(store, [], START))

    used_up(store, [charge(1, 60)], START + 59)


def test_counters_windows_and_values_have_counts_of_their_own(store: CounterStore) -> None:
    kinds = [charge(1, 60), charge(1, 60, counter="b"), charge(1, 61), charge(1, 60, per="=a"), charge(1, 60, per="=b")]
    for kind in kinds:
        passes(store, [kind], START)

    for kind in kinds:
        used_up(store, [kind], START)


def test_a_counter_that_one_call_names_twice_is_charged_once_with_the_higher_cost(store: CounterStore) -> None:
    passes(store, [charge(10, 60, cost=2), charge(10, 60, cost=5), charge(10, 60, cost=3)], START)

    used_up(store, [charge(10, 60, cost=6)], START)
    passes(store, [charge(10, 60, cost=5)], START)


def test_a_counter_with_two_maxima_has_to_fit_under_both(store: CounterStore) -> None:
    for _ in range(2):
        passes(store, [charge(5, 60), charge(2, 60)], START)

    used_up(store, [charge(5, 60), charge(2, 60)], START)
    assert used_up(store, [charge(5, 60, cost=1), charge(9, 60, cost=6)], START) == ("calls", None)
    passes(store, [charge(5, 60, cost=3)], START)


def test_what_is_given_back_can_be_used_again(store: CounterStore) -> None:
    passes(store, [charge(2, 60)], START)
    granted = passes(store, [charge(2, 60)], START + 1)
    used_up(store, [charge(2, 60)], START + 2)

    store.release(granted)

    passes(store, [charge(2, 60)], START + 2)
    assert used_up(store, [charge(2, 60)], START + 3) == ("calls", 57.0)


def test_giving_back_takes_nothing_from_other_calls(store: CounterStore) -> None:
    first = passes(store, [charge(3, 60, cost=2), charge(9, 60, counter="b")], START)
    passes(store, [charge(3, 60)], START)

    store.release(first)

    passes(store, [charge(3, 60, cost=2)], START + 1)
    used_up(store, [charge(3, 60)], START + 1)
    assert used_up(store, [charge(3, 60)], START + 59) == ("calls", 1.0)


def test_the_higher_cost_is_given_back_once(store: CounterStore) -> None:
    granted = passes(store, [charge(10, 60, cost=2), charge(10, 60, cost=5)], START)
    passes(store, [charge(10, 60, cost=5)], START)

    store.release(granted)

    used_up(store, [charge(10, 60, cost=6)], START)
    passes(store, [charge(10, 60, cost=5)], START)


def test_what_has_left_the_window_cannot_be_given_back(store: CounterStore) -> None:
    granted = passes(store, [charge(1, 60)], START)
    passes(store, [charge(1, 60)], START + 60)

    store.release(granted)

    used_up(store, [charge(1, 60)], START + 61)


def test_a_clock_that_jumps_back_frees_nothing(store: CounterStore) -> None:
    passes(store, [charge(1, 60)], START)
    for jump in (30, 0.001, 10_000):
        used_up(store, [charge(1, 60)], START - jump)

    used_up(store, [charge(1, 60)], START + 59)
    passes(store, [charge(1, 60)], START + 60)
    passes(store, [charge(1, 60, counter="b")], START - 1)
    assert used_up(store, [charge(1, 60, counter="b")], START + 119) == ("b", 1.0)


def test_a_shadow_limit_refuses_nothing_and_tells_what_it_would_have(store: CounterStore) -> None:
    call = [charge(1, 60, shadow=True), charge(3, 60)]
    assert passes(store, call, START).shadow == ()

    [would] = passes(store, call, START + 1).shadow
    assert (would.charge, would.retry_after) == (call[0], 59.0)
    passes(store, call, START + 2)
    used_up(store, call, START + 3)
    assert passes(store, [call[0]], START + 60).shadow == ()


def test_shadow_limits_are_counted_apart(store: CounterStore) -> None:
    passes(store, [charge(1, 60, shadow=True)], START)

    passes(store, [charge(1, 60)], START)
    used_up(store, [charge(1, 60)], START)


def test_a_refused_call_does_not_count_for_shadow_limits(store: CounterStore) -> None:
    passes(store, [charge(1, 60)], START)
    used_up(store, [charge(1, 60), charge(1, 60, counter="b", shadow=True)], START)

    assert passes(store, [charge(1, 60, counter="b", shadow=True)], START).shadow == ()


def test_giving_back_gives_shadow_charges_back_too(store: CounterStore) -> None:
    call = [charge(1, 60, shadow=True)]
    made, not_made = passes(store, call, START), passes(store, call, START)

    store.release(not_made)
    assert passes(store, call, START).shadow
    store.release(made)
    assert not passes(store, call, START).shadow


# --- calendar windows


def day(max_: int, timezone: str = "UTC", unit: Unit = Unit.DAY) -> Charge:
    return charge(max_, CalendarWindow(unit, timezone, f"calendar {unit}"))


def test_a_calendar_window_is_free_again_when_its_period_ends(store: CounterStore) -> None:
    noon = at("2026-11-21T12:00:00+00:00")
    passes(store, [day(2)], noon)
    passes(store, [day(2)], noon + 3_600)

    assert used_up(store, [day(2)], noon + 2 * 3_600) == ("calls", 10 * 3_600.0)
    passes(store, [day(2)], noon + 12 * 3_600)
    passes(store, [day(2)], noon + 12 * 3_600)
    assert used_up(store, [day(2)], noon + 12 * 3_600) == ("calls", 24 * 3_600.0)


def test_a_calendar_window_ends_when_it_does_where_people_live(store: CounterStore) -> None:
    passes(store, [day(1, "America/Sao_Paulo")], at("2026-11-21T23:30:00-03:00"))

    used_up(store, [day(1, "America/Sao_Paulo")], at("2026-11-21T23:59:59-03:00"))
    passes(store, [day(1, "America/Sao_Paulo")], at("2026-11-22T00:00:00-03:00"))


def test_what_was_charged_in_a_period_that_has_ended_cannot_be_given_back(store: CounterStore) -> None:
    granted = passes(store, [day(1)], at("2026-11-21T23:59:00+00:00"))
    passes(store, [day(1)], at("2026-11-22T00:01:00+00:00"))

    store.release(granted)

    used_up(store, [day(1)], at("2026-11-22T00:02:00+00:00"))


def test_what_is_given_back_within_its_period_can_be_used_again(store: CounterStore) -> None:
    granted = passes(store, [day(1)], at("2026-11-21T10:00:00+00:00"))

    store.release(granted)

    passes(store, [day(1)], at("2026-11-21T11:00:00+00:00"))


# --- calls in flight


def test_a_call_in_flight_holds_its_place_until_it_has_ended(store: CounterStore) -> None:
    first, second = (passes(store, [charge(2, InFlight())], START) for _ in range(2))
    assert used_up(store, [charge(2, InFlight())], START + 1) == ("calls", 1.0)

    store.finish(first)

    third = passes(store, [charge(2, InFlight())], START + 1)
    used_up(store, [charge(2, InFlight())], START + 1)
    store.finish(second)
    store.finish(third)
    for _ in range(2):
        passes(store, [charge(2, InFlight())], START + 2)
    used_up(store, [charge(2, InFlight())], START + 2)


def test_a_call_that_never_left_holds_no_place(store: CounterStore) -> None:
    store.release(passes(store, [charge(1, InFlight())], START))

    passes(store, [charge(1, InFlight())], START)


def test_what_a_call_was_charged_stays_when_it_has_ended(store: CounterStore) -> None:
    call = [charge(1, 60), charge(1, InFlight(), counter="slots")]
    store.finish(passes(store, call, START))

    assert used_up(store, call, START + 1) == ("calls", 59.0)
    passes(store, call[1:], START + 1)


def test_a_call_without_a_place_in_flight_charges_nothing(store: CounterStore) -> None:
    slot = charge(1, InFlight(), counter="slots")
    held = passes(store, [slot], START)

    assert used_up(store, [charge(1, 60), slot], START) == ("slots", 1.0)
    store.finish(held)
    passes(store, [charge(1, 60), slot], START)


def test_a_shadow_limit_of_calls_in_flight_refuses_nothing(store: CounterStore) -> None:
    call = [charge(1, InFlight(), shadow=True)]
    first, second = passes(store, call, START), passes(store, call, START)
    assert (first.shadow, [unmet.charge for unmet in second.shadow]) == ((), call)

    store.finish(second)
    assert passes(store, call, START).shadow
    store.finish(first)
    assert not passes(store, call, START).shadow


def test_threads_together_get_exactly_what_there_is(store: CounterStore) -> None:
    granted: list[Granted] = []
    start = Barrier(8)

    def work() -> None:
        start.wait()
        for _ in range(50):
            answer = store.reserve([charge(100, 60), charge(1_000, 60, counter="b")], START, patience=5)
            if isinstance(answer, Granted):
                granted.append(answer)

    threads = [Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(granted) == 100


def test_tools_that_were_answered_are_remembered_once(store: CounterStore) -> None:
    assert store.answered(patience=5) == set()

    for tool in ("read", "read", "get mail", ""):
        store.remember_answered(tool, patience=5)

    assert store.answered(patience=5) == {"read", "get mail", ""}
    passes(store, [charge(1, 10)], START)
    assert store.answered(patience=5) == {"read", "get mail", ""}
