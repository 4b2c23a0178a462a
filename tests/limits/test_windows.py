"""When charges stop to count, and what one counter holds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from intercept.limits.windows import MAX_ENTRIES, Tally, end_of, microseconds, period
from intercept.policy import InFlight, Unit, Window

from .charges import START, at


def test_a_window_is_half_open() -> None:
    window = Tally()
    window.charge(10, Decimal(1))

    window.expire(9)
    assert window.used == 1
    window.expire(10)
    assert window.used == 0


def test_charges_at_one_time_are_one_entry() -> None:
    window = Tally()
    for _ in range(10 * MAX_ENTRIES):
        window.charge(10, Decimal(1))

    assert window.used == 10 * MAX_ENTRIES
    assert window.wait(Decimal(1), Decimal(10 * MAX_ENTRIES), 4) == 6


@pytest.mark.parametrize(
    ("cost", "maximum", "wait"), [(1, 10, 0), (2, 10, 6), (5, 10, 6), (6, 10, 7), (10, 10, 8), (11, 10, None)]
)
def test_the_wait_is_until_enough_has_left(cost: int, maximum: int, wait: int | None) -> None:
    window = Tally()
    for end, spent in ((10, 4), (11, 3), (12, 2)):
        window.charge(end, Decimal(spent))

    assert window.wait(Decimal(cost), Decimal(maximum), 4) == wait


def test_merging_moves_charges_to_the_later_time_only() -> None:
    window = Tally()
    for end in range(MAX_ENTRIES + 1):
        window.charge(end, Decimal(1))

    assert window.used == MAX_ENTRIES + 1
    window.expire(0)
    assert window.used == MAX_ENTRIES + 1
    window.expire(1)
    assert window.used == MAX_ENTRIES - 1
    window.expire(MAX_ENTRIES)
    assert window.used == 0


def test_a_sum_is_never_rounded() -> None:
    window = Tally()
    window.charge(1, Decimal("1e300"))
    window.charge(2, Decimal("1e-300"))

    window.expire(1)

    assert window.used == Decimal("1e-300")


def test_what_is_kept_is_what_was_charged() -> None:
    window = Tally()
    for end, cost in ((10, "1"), (11, "1"), (12, "0.1"), (13, "1E-7"), (14, str(2**60))):
        assert window.wait(Decimal(1), Decimal(2), 9) == Tally(*window.written()).wait(Decimal(1), Decimal(2), 9)
        window.charge(end, Decimal(cost))
    again = Tally(*window.written())

    assert again.used == window.used == Decimal(2**60) + Decimal("2.1000001")
    again.expire(13)
    assert again.used == 2**60
    assert again.last == 14


def test_a_charge_whose_time_is_before_that_of_the_last_counts_as_long_as_that() -> None:
    window = Tally()
    assert window.charge(10, Decimal(1)) == 10
    assert window.charge(7, Decimal(2)) == 10

    window.expire(9)
    assert window.used == 3
    window.give_back(10, Decimal(2), 9)
    assert window.used == 1


# --- calendars


def written(unit: Unit, timezone: str, moment: str, precision: str = "minutes") -> tuple[str, str]:
    """The period of `moment`, as clocks in `timezone` show it."""
    start, end = period(unit, timezone, microseconds(at(moment)))
    zone = ZoneInfo(timezone)
    return (
        datetime.fromtimestamp(start / 1e6, zone).isoformat(timespec=precision),
        datetime.fromtimestamp(end / 1e6, zone).isoformat(timespec=precision),
    )


@pytest.mark.parametrize(
    ("unit", "start", "end"),
    [
        (Unit.SECOND, "2026-12-31T23:45:59-03:00", "2026-12-31T23:46:00-03:00"),
        (Unit.MINUTE, "2026-12-31T23:45:00-03:00", "2026-12-31T23:46:00-03:00"),
        (Unit.HOUR, "2026-12-31T23:00:00-03:00", "2027-01-01T00:00:00-03:00"),
        (Unit.DAY, "2026-12-31T00:00:00-03:00", "2027-01-01T00:00:00-03:00"),
        (Unit.WEEK, "2026-12-28T00:00:00-03:00", "2027-01-04T00:00:00-03:00"),
        (Unit.MONTH, "2026-12-01T00:00:00-03:00", "2027-01-01T00:00:00-03:00"),
    ],
)
def test_a_period_is_that_of_the_calendar_on_the_wall(unit: Unit, start: str, end: str) -> None:
    assert written(unit, "America/Sao_Paulo", "2026-12-31T23:45:59.25-03:00", "seconds") == (start, end)


@pytest.mark.parametrize(
    ("timezone", "moment", "start", "end", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("Europe/Berlin", "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("Australia/Lord_Howe", "2026-04-05T12:00+10:30", "2026-04-05T00:00+11:00", "2026-04-06T00:00+10:30", 24.5),
        # Midnight is skipped: the day begins at one.
        ("America/Sao_Paulo", "2018-11-04T12:00-02:00", "2018-11-04T01:00-02:00", "2018-11-05T00:00-02:00", 23),
        # The clocks went from 23:30 to 00:30, so the day begins with the half hour.
        ("America/Toronto", "1919-03-31T12:00-04:00", "1919-03-31T00:30-04:00", "1919-04-01T00:00-04:00", 23.5),
        # Midnight comes twice: the first one begins the day.
        ("America/Havana", "2026-11-01T00:30-05:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        # A whole day that never was: the next one follows at once.
        ("Pacific/Apia", "2011-12-29T12:00-10:00", "2011-12-29T00:00-10:00", "2011-12-31T00:00+14:00", 24),
    ],
)  # fmt: skip
def test_a_day_is_as_long_as_it_is_where_clocks_change(
    timezone: str, moment: str, start: str, end: str, hours: float
) -> None:
    assert written(Unit.DAY, timezone, moment) == (start, end)
    first, last = period(Unit.DAY, timezone, microseconds(at(moment)))
    assert last - first == hours * 3_600_000_000


@pytest.mark.parametrize(
    ("moment", "start", "end"),
    [
        ("2026-10-25T02:30+02:00", "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25T02:00+01:00", "2026-10-25T03:00+01:00"),
        ("2026-03-29T01:30+01:00", "2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"),
    ],
)
def test_an_hour_that_comes_twice_is_two_and_one_that_is_skipped_is_none(moment: str, start: str, end: str) -> None:
    assert written(Unit.HOUR, "Europe/Berlin", moment) == (start, end)


ZONES = [
    "UTC", "Europe/Berlin", "America/Sao_Paulo", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Pacific/Apia", "Africa/Casablanca", "America/St_Johns", "Asia/Beirut", "Atlantic/Azores",
]  # fmt: skip


@given(st.sampled_from(Unit), st.sampled_from(ZONES), st.integers(0, 4_000_000_000_000_000))
@example(Unit.DAY, "America/St_Johns", microseconds(at("2010-11-07T00:00:30-03:30")))  # back at 00:01, to 23:01
def test_periods_follow_each_other_without_gaps(unit: Unit, timezone: str, moment: int) -> None:
    this = period(unit, timezone, moment)

    assert this.start <= moment < this.end
    assert period(unit, timezone, this.start) == this == period(unit, timezone, this.end - 1)
    assert period(unit, timezone, this.end).start == this.end
    assert period(unit, timezone, this.start - 1).end == this.start


@given(st.sampled_from(ZONES), st.integers(0, 4_000_000_000))
def test_a_day_begins_when_the_clock_first_shows_its_date(timezone: str, moment: int) -> None:
    zone = ZoneInfo(timezone)
    start = datetime.fromtimestamp(period(Unit.DAY, timezone, moment * 1_000_000).start // 1_000_000, zone)

    second_before = (start.astimezone(UTC) - timedelta(seconds=1)).astimezone(zone)
    assert start.date() > second_before.date()


def test_other_charges_end_after_their_window_or_never() -> None:
    assert end_of(Window(0.25, "quarter"), 10) == 250_010
    assert end_of(InFlight(), microseconds(START)) > microseconds(START + 10**9)
