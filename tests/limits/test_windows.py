"""The arithmetic of one sliding window."""

from __future__ import annotations

from decimal import Decimal

import pytest

from intercept.limits.windows import MAX_ENTRIES, Sliding


def test_a_window_is_half_open() -> None:
    window = Sliding()
    window.charge(10.0, Decimal(1))

    window.expire(9.999)
    assert window.used == 1
    window.expire(10.0)
    assert window.used == 0


def test_charges_at_one_time_are_one_entry() -> None:
    window = Sliding()
    for _ in range(10 * MAX_ENTRIES):
        window.charge(10.0, Decimal(1))

    assert window.used == 10 * MAX_ENTRIES
    assert window.wait(Decimal(1), Decimal(10 * MAX_ENTRIES), 4.0) == 6.0


@pytest.mark.parametrize(
    ("cost", "maximum", "wait"), [(1, 10, 0.0), (2, 10, 6.0), (5, 10, 6.0), (6, 10, 7.0), (10, 10, 8.0), (11, 10, None)]
)
def test_the_wait_is_until_enough_has_left(cost: int, maximum: int, wait: float | None) -> None:
    window = Sliding()
    for end, spent in ((10.0, 4), (11.0, 3), (12.0, 2)):
        window.charge(end, Decimal(spent))

    assert window.wait(Decimal(cost), Decimal(maximum), 4.0) == wait


def test_merging_moves_charges_to_the_later_time_only() -> None:
    window = Sliding()
    for end in range(MAX_ENTRIES + 1):
        window.charge(float(end), Decimal(1))

    assert window.used == MAX_ENTRIES + 1
    window.expire(0.0)
    assert window.used == MAX_ENTRIES + 1
    window.expire(1.0)
    assert window.used == MAX_ENTRIES - 1
    window.expire(float(MAX_ENTRIES))
    assert window.used == 0


def test_a_sum_is_never_rounded() -> None:
    window = Sliding()
    window.charge(1.0, Decimal("1e300"))
    window.charge(2.0, Decimal("1e-300"))

    window.expire(1.0)

    assert window.used == Decimal("1e-300")
