from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from intercept.limits import CounterStore
from intercept.limits.memory import MemoryStore
from intercept.limits.redis import RedisStore
from intercept.limits.sqlite import SQLiteStore

from .redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One for all tests; each that asks for `empty_redis` finds it empty."""
    with tempfile.TemporaryDirectory(prefix="redis-") as directory:  # a short path, as sockets need one
        server = RedisServer(Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def empty_redis(redis_server: RedisServer) -> RedisServer:
    redis_server.empty()
    return redis_server


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CounterStore]:
    """A new store without any charges, of each kind, that takes the time it is told."""
    match request.param:
        case "memory":
            yield MemoryStore()
        case "sqlite":
            with closing(SQLiteStore(str(tmp_path / "state.sqlite"), grant="ours")) as sqlite:
                yield sqlite
        case _:
            server = request.getfixturevalue("empty_redis")
            with closing(RedisStore(server.url, grant="ours", follows_caller=True)) as redis:
                yield redis
