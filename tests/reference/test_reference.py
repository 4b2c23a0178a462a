"""The package against a second reading of POLICY.md: the short run. `run` is the long one."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from . import clock, conditions, evaluator
from .generate import case
from .run import CALLS, mix, triples


def test_both_readings_agree_on_the_same_cases_every_time() -> None:
    causes, wrong = triples(seed=20_260_728, first=0, cases=500)

    print(mix(causes))
    assert not wrong, wrong[0]


def test_both_readings_agree_on_cases_that_were_never_seen() -> None:
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"again with: python -m tests.reference.run --seed {seed} --count {200 * CALLS}")

    _, wrong = triples(seed, first=0, cases=200)

    assert not wrong, wrong[0]


def test_every_cause_of_a_decision_is_met_often() -> None:
    causes, _ = triples(seed=1, first=0, cases=150)
    total = sum(count for cause, count in causes.items() if cause[0] != "(")

    assert total == 150 * CALLS
    for cause in ("allow", "allow after limits", "limit", "deny rule", "unmet", "undecidable", "unlisted"):
        assert causes[cause] > total / 40, mix(causes)
    for cause in ("arguments", "look-alike", "hidden", "(with shadow rules)"):
        assert causes[cause] > total / 100, mix(causes)
    assert causes["ask"] > total / 200, mix(causes)


def test_the_same_seed_makes_the_same_case() -> None:
    assert case(3, 5) == case(3, 5)
    assert case(3, 5) != case(3, 6)
    assert case(3, 6) != case(4, 6)


MISREADINGS: dict[str, tuple[object, str, Any]] = {
    "a minute has 61 seconds": (clock, "WORDS", clock.WORDS | {"minute": 61}),
    "an hour begins with each half": (clock, "_next_full", lambda _, begun, __: begun - begun % 1800 + 1800),
    "calendars know no zones": (clock, "ZoneInfo", lambda _: ZoneInfo("UTC")),
    "calls in flight never end": (evaluator, "NEVER", Decimal(0)),
    "names are compared as they are": (evaluator, "plain", lambda name: name),
    "a star lists spaces too": (evaluator, "globbed", lambda glob, text, _: conditions.globbed(glob, text, "any")),
    "numbers are binary": (conditions, "exact", Decimal),
    "tools do no harm unless they say so": (conditions, "HINTS", conditions.HINTS | {"destructiveHint": False}),
    "an empty list has no elements": (conditions, "elements", lambda node: node if isinstance(node, list) else [node]),
    "true is 1": (conditions, "is_number", lambda value: isinstance(value, conditions.NUMBERS)),
}


@pytest.mark.parametrize("misreading", MISREADINGS)
def test_a_misreading_is_found_and_shown_in_its_smallest_form(misreading: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, name, wrong = MISREADINGS[misreading]
    monkeypatch.setattr(module, name, wrong)

    _, found = triples(seed=1, first=0, cases=1_000, patience=1)

    lines = found[0].splitlines()
    assert lines[0].startswith("seed 1, case ")
    assert [line.split(" ")[0] for line in lines[-3:]] == ["grants:", "package:", "reference:"]
    assert len(lines) <= 11, found[0]
