"""Broken policies and what their authors are told: the files in `tests/cases/broken`.

A case is its name behind `===`, the policy up to `!!!`, and one line for each finding: `line:column: ` (`0:0` for the
file as a whole) and a part of `key.path: message; help`. `(escaped)` in the name: `\t`, `\0` and the like in the policy
stand for characters, and the policy does not end in a line break. `json: ` before the name: the file is called
`policy.json`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from intercept.errors import PolicyError, Problem
from intercept.policy import load

CASES = Path(__file__).parent.parent / "cases" / "broken"


def _cases() -> list[object]:
    cases: list[object] = []
    for file in sorted(CASES.glob("*.txt")):
        for case in re.split(r"^=== ", file.read_text(), flags=re.MULTILINE)[1:]:
            name, _, rest = case.partition("\n")
            policy, _, findings = rest.partition("!!!\n")
            cases.append(pytest.param(name, policy, findings.splitlines(), id=f"{file.stem}: {name}"))
    return cases


def _bytes(name: str, policy: str) -> bytes:
    if "(escaped)" not in name:
        return policy.encode()
    escape = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|[0ntrf\\])")
    return escape.sub(lambda found: found[0].encode().decode("unicode_escape"), policy.rstrip("\n")).encode()


def _problems(name: str, policy: bytes) -> tuple[Problem, ...]:
    path = "policy.json" if name.startswith("json: ") else "policy.yaml"
    Path(path).write_bytes(policy)
    with pytest.raises(PolicyError) as refused:
        load([path])
    return refused.value.problems


@pytest.mark.parametrize(("name", "policy", "expected"), _cases())
def test_every_mistake_in_a_broken_policy_is_told_once_at_its_place(
    name: str, policy: str, expected: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    problems = _problems(name, _bytes(name, policy))

    assert expected
    told = [f"{p.line}:{p.column}: {p.key_path}{': ' if p.key_path else ''}{p.message}; {p.help}" for p in problems]
    assert [line.split(" ", 1)[0] for line in told] == [line.split(" ", 1)[0] for line in expected]
    for line, part in zip(told, expected, strict=True):
        assert part.split(" ", 1)[1] in line.split(" ", 1)[1]
    for problem in problems:
        _is_in_house_wording(problem)


def _is_in_house_wording(problem: Problem) -> None:
    line = str(problem)
    assert line.startswith(("policy.yaml", "policy.json"))
    assert line.isprintable()
    assert not problem.message[0].isupper()
    assert not line.endswith(".")
    assert line.count("`") % 2 == 0
    assert not re.search(r"\b(?:str|dict|int|NoneType|Decimal|pydantic)\b", problem.message + problem.help)
