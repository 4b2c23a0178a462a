from __future__ import annotations

import time

import pytest

from intercept.clock import Clock


def test_the_clock_begins_with_the_time_of_day() -> None:
    before = time.time()
    now = Clock()()

    assert before - 0.001 <= now <= time.time() + 0.001


def test_setting_the_clock_of_the_machine_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    first = clock()
    monkeypatch.setattr(time, "time", lambda: 0.0)

    assert clock() >= first
