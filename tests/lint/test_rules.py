"""Every rule finds what it should, where it should, and nothing in what is as it should be."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from intercept.lint.finding import Confidence, Severity
from intercept.lint.rules import DRIFT, RULES

from .samples import CASES, MODULES, Sample, documented, further, lint, samples

FOLDER = Path(str(MODULES["default-allow"].__file__)).parent
SAMPLES = samples()
PURE = {"anyio", "asyncio", "os", "subprocess", "sqlite3", "socket", "time"}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_rule_finds_something_on_the_marked_lines_and_on_no_other(sample: Sample) -> None:
    found = lint(sample.policy, sample.tools)

    assert not [finding for finding in found if finding.rule == "invalid-policy"]
    assert sorted({finding.line for finding in found if finding.rule == sample.rule}) == sample.marked
    assert bool(sample.marked) is not sample.is_good


@pytest.mark.parametrize("sample", [sample for rule in MODULES for sample in documented(rule) if sample.is_good])
def test_what_a_rule_recommends_is_quiet(sample: Sample) -> None:
    assert [finding for finding in lint(sample.policy, sample.tools) if finding.fails] == []


@pytest.mark.parametrize("rule", MODULES)
def test_a_rule_has_three_cases_on_each_side(rule: str) -> None:
    good = [sample.is_good for sample in (*documented(rule), *further(rule))]

    assert good.count(True) >= 3
    assert good.count(False) >= 3
    assert [sample.is_good for sample in documented(rule)] == [False, True]


@pytest.mark.parametrize("rule", MODULES)
def test_a_rule_is_one_short_module_that_says_what_and_why(rule: str) -> None:
    module = MODULES[rule]
    source = (FOLDER / f"{rule.replace('-', '_')}.py").read_text(encoding="utf-8")
    documentation = module.__doc__ or ""

    assert len(source.splitlines()) <= 80
    assert documentation.startswith("What: ")
    assert all(f"\n{heading}:" in documentation for heading in ("Why", "Bad", "Good"))
    assert isinstance(module.SEVERITY, Severity)
    assert isinstance(module.CONFIDENCE, Confidence)
    imported = {
        name.name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (node.names if isinstance(node, ast.Import) else [ast.alias(node.module or "")])
    }
    assert not imported & PURE


def test_every_module_is_registered_once_and_every_case_belongs_to_one() -> None:
    modules = {path.stem.replace("_", "-") for path in FOLDER.glob("*.py")} - {"--init--"}

    assert modules == set(MODULES) == {path.stem for path in CASES.iterdir()}
    assert len(MODULES) == len(RULES) + len(DRIFT) >= 30


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_finding_is_worded_as_the_house_words_things(sample: Sample) -> None:
    for finding in lint(sample.policy, sample.tools):
        for line in (finding.message, finding.help):
            assert "\n" not in line
            assert not line.endswith(".")
            assert line[:1] == line[:1].lower()
        assert finding.line >= 1
        assert finding.column >= 1
        assert finding.help
