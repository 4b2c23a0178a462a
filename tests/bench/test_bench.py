"""The benchmark runs, and what it reports can be believed. How fast anything is, is not judged here."""

from __future__ import annotations

import json
import math
import platform
from pathlib import Path

import pytest

import intercept

from . import budgets, decide, policies, relay
from .budgets import Budget, Spread, measured
from .connection import WrongAnswerError
from .subjects import DIRECT, OURS

TINY = relay.Effort(rounds=1, blocks=1, calls=20, pipelined=50, starts=1, megabytes=1, soak=0, reloads=1)


@pytest.fixture(scope="module")
def results() -> relay.Results:
    found = relay.Results()
    relay.measure_round([OURS], TINY, found, last=True)
    return found


def test_a_round_measures_every_figure_of_the_proxy_and_of_no_proxy(results: relay.Results) -> None:
    assert not results.failures
    figures = set(relay.SMALL) | set(relay.LARGE) | {"start"}
    for subject in (DIRECT.name, OURS.name):
        assert figures <= {figure for figure, name in results.samples if name == subject}
    for (figure, subject), samples in results.samples.items():
        for value, baseline in samples:
            assert math.isfinite(value), (figure, subject)
            assert value > 0 or (figure, subject) == ("processor a call", DIRECT.name), (figure, subject)
            assert baseline is None or baseline >= 0, (figure, subject)


def test_the_proxy_uses_processor_time_and_memory_of_its_own_and_no_proxy_uses_none(results: relay.Results) -> None:
    memory = results.value("memory", OURS.name)
    assert memory is not None
    assert 5 < memory.median < 500
    processor = results.value("processor a call", DIRECT.name)
    assert processor is not None
    assert processor.median == 0


def test_a_figure_is_put_beside_its_budget_unless_it_was_not_measured(results: relay.Results) -> None:
    table = relay.against_budgets(OURS.name, TINY, results)
    unmeasured = [line for line in table.splitlines() if "not measured" in line]
    assert len(table.splitlines()) == len(budgets.RELAY) + 2
    assert [line.split(" | ")[0].strip("| ") for line in unmeasured] == [
        "start before server-everything, over direct",
        "memory growth over 1,000,000 calls",
    ]


def test_a_wrong_answer_is_never_a_figure() -> None:
    answer = {"jsonrpc": "2.0", "id": 7, "result": {"content": [], "isError": False}}
    relay.check(json.dumps(answer).encode(), 7)
    with pytest.raises(WrongAnswerError):
        relay.check(json.dumps(answer).encode(), 8)
    with pytest.raises(WrongAnswerError):
        relay.check(json.dumps(answer).encode(), 7, denied=True)


def test_a_ratio_is_taken_to_the_baseline_beside_the_sample() -> None:
    results = relay.Results()
    for value, baseline in ((30.0, 10.0), (300.0, 100.0), (9.0, 3.0)):
        results.add("round trip", "a proxy", value, baseline)
    assert results.ratio("round trip", "a proxy") == Spread(3.0, 3.0, 3.0)
    assert results.value("round trip", "a proxy") == Spread(30.0, 19.5, 165.0)


def test_a_budget_is_reached_missed_or_not_measured() -> None:
    rows = (Budget("at most", 3, "x"), Budget("at least", 5, "a second", at_least=True), Budget("aimed", 3, "x", aim=1))
    found = {"at most": Spread(4, 4, 4), "at least": Spread(6, 6, 6), "aimed": Spread(0.5, 0.5, 0.5)}
    verdicts = [line.split(" | ")[-1] for line in budgets.comparison(rows, found).splitlines()[2:]]
    assert verdicts == ["**missed** |", "reached |", "reached, and the aim |"]
    assert budgets.comparison(rows, {}).count("not measured") == 3


def test_the_policies_allow_what_is_measured_and_are_as_large_as_they_say(tmp_path: Path) -> None:
    desk = decide.Desk(tmp_path)
    for policy in (desk.tens, desk.fifties, desk.thousands):
        for tool in decide.ARGUMENTS:
            desk.decide(policy, tool)()
    desk.reserve("three")()
    desk.reserve_among(10)()
    assert policies.relay_policy(50).count("tool_") == 47
    assert policies.many_rules_policy(1000, 5).count("\n      - ") == 5000


def test_a_report_says_which_form_was_measured() -> None:
    assert measured() == f"intercept {intercept.__version__}, interpreted, Python {platform.python_version()}\n"
