"""What was answered to a grant, also where it cannot be kept at once: on real files, as they are locked and damaged."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from intercept.errors import StoreBusy
from intercept.limits import MAX_ANSWERED, CounterStore
from intercept.limits.history import History
from intercept.limits.memory import MemoryStore
from intercept.limits.sqlite import SQLiteStore

Opened = Callable[..., SQLiteStore]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[Opened]:
    stores: list[SQLiteStore] = []

    def another(grant: str = "ours") -> SQLiteStore:
        stores.append(SQLiteStore(str(path), grant=grant))
        return stores[-1]

    yield another
    for store in stores:
        store.close()


def test_what_was_answered_is_known_to_all_sessions_of_the_grant_and_to_no_other(opened: Opened) -> None:
    History(opened()).remember("read", 1)

    assert History(opened()).answered(1) == {"read"}
    assert History(opened("theirs")).answered(1) == set()
    assert opened("theirs").histories() == {"ours": {"read"}}


def test_what_cannot_be_kept_is_kept_before_anybody_is_told_anything(opened: Opened, path: Path) -> None:
    path.write_bytes(b"no database" * 1000)
    history = History(opened())
    history.remember("read", 1)

    assert history.answered(1) is None
    path.unlink()
    assert history.answered(1) == {"read"}


def test_what_takes_long_is_kept_without_whoever_brought_it(opened: Opened, path: Path) -> None:
    history = History(opened())
    assert history.answered(1) == set()
    opened().remember_answered("other", patience=1)

    with closing(sqlite3.connect(path, isolation_level=None)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        history.remember("read", 0.005)
        with pytest.raises(StoreBusy):
            history.answered(0.005)
        somebody.execute("ROLLBACK")

    assert history.answered(5) == {"read", "other"}
    assert opened().answered(patience=5) == {"read", "other"}


def test_the_operator_makes_a_grant_s_answers_forgotten_and_it_is_recorded(opened: Opened, path: Path) -> None:
    for grant in ("ours", "theirs"):
        opened(grant).remember_answered("read", patience=1)

    assert opened().forget("ana", 1.0) == 1
    assert opened().forget("ana", 2.0) == 0

    assert opened().histories() == {"theirs": {"read"}}
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT at, who, counter, value, used FROM reset").fetchall() == [
            (1_000_000, "ana", "answered", "ours", "1")
        ]


def test_without_a_file_nothing_was_answered_and_nothing_is_made(opened: Opened, path: Path) -> None:
    assert (opened().answered(patience=1), opened().histories(), opened().forget("ana", 1.0)) == (set(), {}, 0)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_of_too_many_tools_every_one_counts_as_answered(kind: str, opened: Opened, path: Path) -> None:
    store: CounterStore = MemoryStore() if kind == "memory" else opened()
    store.remember_answered("tool", patience=1)
    if kind == "sqlite":
        with closing(sqlite3.connect(path)) as db, db:
            names = [("ours", f"tool{number}") for number in range(MAX_ANSWERED - 1)]
            db.executemany("INSERT INTO answered VALUES (?, ?)", names)
    else:
        for number in range(MAX_ANSWERED - 1):
            store.remember_answered(f"tool{number}", patience=1)

    answered = store.answered(patience=1)
    assert answered is not None
    assert len(answered) == MAX_ANSWERED
    store.remember_answered("one more", patience=1)
    assert store.answered(patience=1) is None
