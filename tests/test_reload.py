from __future__ import annotations

import os
from pathlib import Path

import pytest

from intercept.errors import PolicyError
from intercept.policy import PolicySet, load
from intercept.reload import Reloader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("default: deny\n")
    return path


def digest(found: PolicySet | PolicyError | None) -> str:
    assert isinstance(found, PolicySet)
    return found.digest


def test_nothing_is_loaded_while_nothing_changes(path: Path) -> None:
    reloader = Reloader([str(path)], load)

    assert [reloader.look() for _ in range(3)] == [None] * 3


def test_a_change_is_loaded_once_after_it_has_settled(path: Path) -> None:
    reloader = Reloader([str(path)], load)
    path.write_text("default: allow\n")

    assert reloader.look() is None
    assert digest(reloader.look()) == load([str(path)]).digest
    assert reloader.look() is None


def test_a_file_that_is_still_being_written_is_left_alone(path: Path) -> None:
    reloader = Reloader([str(path)], load)
    for size in range(3):
        path.write_text("# more\n" * (size + 1))
        assert reloader.look() is None

    path.write_text("default: allow\n")
    assert reloader.look() is None
    assert reloader.look() is not None


def test_a_broken_file_is_reported_once_and_a_mended_one_loaded(path: Path) -> None:
    reloader = Reloader([str(path)], load)
    path.write_text("defualt: allow\n")
    reloader.look()
    problem = reloader.look()

    assert isinstance(problem, PolicyError)
    assert "defualt" in str(problem)
    assert reloader.look() is None

    path.write_text("default: allow\n")
    reloader.look()
    assert digest(reloader.look())


def test_a_removed_file_is_reported_and_noticed_when_it_is_back(path: Path) -> None:
    reloader = Reloader([str(path)], load)
    path.unlink()
    reloader.look()
    assert isinstance(reloader.look(), PolicyError)

    path.write_text("default: allow\n")
    reloader.look()
    assert digest(reloader.look())


def test_a_file_that_was_replaced_by_another_of_the_same_size_and_time_is_noticed(path: Path, tmp_path: Path) -> None:
    reloader = Reloader([str(path)], load)
    stamp = path.stat()
    other = tmp_path / "other.yaml"
    other.write_text("default: deny\n"[::-1].replace("\n", "#"))
    os.utime(other, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    other.replace(path)

    reloader.look()
    assert reloader.look() is not None


def test_any_of_several_files_is_watched(path: Path, tmp_path: Path) -> None:
    second = tmp_path / "second.yaml"
    second.write_text("default: allow\n")
    reloader = Reloader([str(path), str(second)], load)
    second.write_text("default: deny\nhide: [x]\n")
    reloader.look()

    assert digest(reloader.look()) == load([str(path), str(second)]).digest
