"""The model, as often as there is time for it in every run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from intercept.limits import CounterStore
from intercept.limits.redis import RedisStore
from intercept.limits.sqlite import SQLiteStore
from intercept.limits.state import StateStore

from .model import Model
from .redis_server import RedisServer

OPERATIONS = 2_500


def test_every_answer_is_that_of_a_list_of_all_that_ever_happened(store: CounterStore) -> None:
    model = Model(lambda: store, seed=11)

    model.run(OPERATIONS)

    assert model.granted > OPERATIONS / 20
    assert model.refused > OPERATIONS / 20


@pytest.fixture(params=["sqlite", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], StateStore]:
    if request.param == "sqlite":
        return lambda: SQLiteStore(str(tmp_path / "state.sqlite"), grant="ours")
    server: RedisServer = request.getfixturevalue("empty_redis")
    return lambda: RedisStore(server.url, grant="ours", follows_caller=True)


def test_a_clock_that_is_set_back_by_a_year_at_every_restart_frees_nothing(opened: Callable[[], StateStore]) -> None:
    stores: list[StateStore] = []

    def restarted() -> StateStore:
        stores.append(opened())
        return stores[-1]

    model = Model(restarted, seed=12, jumps=True)
    model.run(OPERATIONS)

    assert model.granted > OPERATIONS / 20
    assert len(stores) > 5
    for store in stores:
        with closing(store):
            pass
