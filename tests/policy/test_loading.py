from __future__ import annotations

from pathlib import Path

import pytest

from intercept.errors import PolicyError
from intercept.policy import Circumstances, Kind, ToolCall, load
from intercept.policy.loading import load_with_sources


def test_the_policy_is_the_one_that_load_gives(tmp_path: Path) -> None:
    paths = []
    for name, text in {"a": "default: allow\nhide: [x]\n", "b": "all_tools: {}\ntools: {y: {}}\n"}.items():
        paths.append(str(tmp_path / name))
        Path(paths[-1]).write_text(text)

    loaded, plain = load_with_sources([*paths, paths[0]]), load(paths)

    assert (loaded.policy.digest, loaded.policy.paths, loaded.policy.notes) == (plain.digest, plain.paths, plain.notes)
    for tool in ["x", "y", "z"]:
        call = ToolCall(tool, {})
        assert loaded.policy.evaluate(call, Circumstances(0.0)) == plain.evaluate(call, Circumstances(0.0))


def test_each_policy_comes_with_its_own_text(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("default: deny\ntools:\n  send: {}\n")

    (source,) = load_with_sources([str(path)]).sources

    assert source.document.position(("tools", "send"), of_key=True) == (3, 3)
    assert list(source.file.tools) == list(source.policy.sections[Kind.TOOL].exact) == ["send"]


def test_mistakes_in_all_files_are_told_as_load_tells_them(tmp_path: Path) -> None:
    paths = [str(tmp_path / "shape"), str(tmp_path / "meaning"), str(tmp_path / "missing")]
    Path(paths[0]).write_text("tools: 7\n")
    Path(paths[1]).write_text("tools: {x: {when: [{path: nothing, op: eq, value: 1}]}}\n")

    with pytest.raises(PolicyError) as here:
        load_with_sources(paths)
    with pytest.raises(PolicyError) as there:
        load(paths)

    assert here.value.problems == there.value.problems
    assert [problem.path for problem in here.value.problems] == paths


def test_there_is_something_to_load() -> None:
    with pytest.raises(ValueError, match="no policy"):
        load_with_sources([])
