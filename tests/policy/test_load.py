"""Loading the files that the command line names."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path

import pytest

from intercept.errors import PolicyError
from intercept.policy import Circumstances, ToolCall, load

NOW = Circumstances(0.0)


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_same_policies_have_the_same_digest_whatever_their_order(tmp_path: Path) -> None:
    one = write(tmp_path, "one.yaml", "default: allow")
    two = write(tmp_path, "two.yaml", "default: deny")

    assert load([one]).digest == load([one]).digest
    assert load([one, two]).digest == load([two, one]).digest
    assert len({load([one]).digest, load([two]).digest, load([one, two]).digest}) == 3


def test_a_decision_carries_the_digest_of_all_policies(tmp_path: Path) -> None:
    one = write(tmp_path, "one.yaml", "default: allow")
    two = write(tmp_path, "two.yaml", "default: deny")

    for paths in ([one], [one, two]):
        policies = load(paths)
        assert policies.evaluate(ToolCall("x", {}), NOW).policy == policies.digest


def test_a_changed_file_has_another_digest(tmp_path: Path) -> None:
    path = write(tmp_path, "one.yaml", "default: allow")
    before = load([path]).digest

    write(tmp_path, "one.yaml", "default: allow # for now")

    assert load([path]).digest != before


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path, "one.yaml", "default: allow\nall_tools: {rate_limit: 1/minute}")

    policies = load([path, path])

    assert policies.paths == (path,)
    assert len(policies.evaluate(ToolCall("x", {}), NOW).charges) == 1


def test_counters_do_not_depend_on_how_the_file_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, "one.yaml", "default: allow\nall_tools: {rate_limit: 1/minute}")
    monkeypatch.chdir(tmp_path)

    keys = {load([name]).evaluate(ToolCall("x", {}), NOW).charges[0].key for name in (path, "one.yaml", "./one.yaml")}

    assert len(keys) == 1


def test_all_mistakes_of_all_files_are_told_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "one.yaml", "tools: {a: {require: [{path: b, op: eq, value: 1}]}}\ndefault: maybe")
    write(tmp_path, "two.yaml", "hide: ['**']")

    with pytest.raises(PolicyError) as refused:
        load(["one.yaml", "two.yaml", "three.yaml"])

    assert [(problem.path, problem.line) for problem in refused.value.problems] == [
        ("one.yaml", 1),
        ("one.yaml", 2),
        ("two.yaml", 1),
        ("three.yaml", 0),
    ]


def test_no_policy_is_no_policy() -> None:
    with pytest.raises(ValueError, match="no policy"):
        load([])


@pytest.mark.parametrize("text", ["default: allow", "default: perhaps"])
def test_garbage_is_collected_again_after_loading(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, "one.yaml", text)

    try:
        load([path])
    except PolicyError:
        assert text == "default: perhaps"

    assert gc.isenabled()


HEAVY = ("pydantic", "yaml", "jsonschema_rs", "hashlib")


def imported(code: str) -> set[str]:
    """Which heavy modules a new interpreter has after running `code`."""
    script = f"import sys\n{code}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_importing_the_package_is_light_and_loading_brings_only_what_a_policy_needs(tmp_path: Path) -> None:
    plain = write(tmp_path, "plain.yaml", "default: deny\ntools: {a: {rate_limit: 3/minute}}")
    pattern = write(tmp_path, "pattern.yaml", "tools: {a: {require: [{path: args.x, op: regex, value: a}]}}")

    assert imported("import intercept.policy, intercept.limits.memory") == set()
    assert imported(f"import intercept.policy as p; p.load([{plain!r}])") == {"yaml"}
    assert "jsonschema_rs" in imported(f"import intercept.policy as p; p.load([{pattern!r}])")
