"""Processes that share a store, as often as there is time for it in every run."""

from __future__ import annotations

from pathlib import Path

import pytest

from .processes import Crowd


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "state" / "state.sqlite")
    url: str = request.getfixturevalue("empty_redis").url
    return url


def test_processes_together_get_exactly_what_there_is(place: str) -> None:
    crowd = Crowd(place, many=5, calls=100, limit=400)

    counted = crowd.run()

    assert crowd.reported == counted == 400


def test_whatever_a_process_was_granted_is_counted_also_if_it_is_killed(place: str) -> None:
    crowd = Crowd(place, many=3, calls=100_000, limit=100_000)

    counted = crowd.run(kill_every=0.1, most=3)

    assert crowd.reported > 0
    assert 0 <= counted - crowd.reported <= crowd.killed
