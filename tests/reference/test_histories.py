"""Laws that need a whole history: the same calls under a policy and under another way to write it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from intercept.policy import Effect

from .compare import MEMORY, Answers, Package, text_of
from .generate import Case, Tree, case

law = settings(max_examples=40, deadline=None)
CASES = st.builds(case, st.integers(0, 1_000_000), st.just(0))


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield folder


def history(one: Case, texts: list[str], folder: str, suffix: str = "json") -> list[tuple[Effect, float | None]]:
    """What becomes of each call, and how long it has to wait, under policies of these texts."""
    paths = [f"{folder}/{number}.{suffix}" for number in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        Path(path).write_text(text, encoding="utf-8")
    answers = Answers(one.grants)
    came = []
    with Package(paths, one.grants, folder) as package:
        for number, call in enumerate(one.calls):
            decision = package.judge(number, call, answers.here(call))
            came.append((decision.effect, decision.exhausted.retry_after if decision.exhausted else None))
            if decision.effect is Effect.ALLOW and not call.lasts:
                package.ended(number, call)
                answers.add(call)
    return came


def shuffled(tree: Tree, random: Random) -> Tree:
    """`tree` with its entries, and the rules of each, in another order."""
    other = dict(tree)
    for section in {"tools", "resources", "prompts"} & tree.keys():
        names = random.sample(sorted(tree[section]), len(tree[section]))
        other[section] = {name: turned(tree[section][name], random) for name in names}
    if "all_tools" in tree:
        other["all_tools"] = turned(tree["all_tools"], random)
    return other


def turned(entry: Tree | None, random: Random) -> Tree:
    """`entry` with its rules in another order."""
    entry = dict(entry or {})
    for key in {"rules", "deny_if"} & entry.keys():
        entry[key] = random.sample(entry[key], len(entry[key]))
    return entry


@law
@given(one=CASES)
def test_a_policy_written_as_yaml_and_as_json_decides_alike(one: Case, folder: str) -> None:
    texts = [text_of(tree) for tree in one.policies]
    blocks = [yaml.safe_dump(json.loads(text), allow_unicode=True) for text in texts]

    assert history(one, texts, folder) == history(one, blocks, folder, "yaml") == history(one, texts, folder, "yml")


@law
@given(one=CASES, random=st.randoms(use_true_random=False))
def test_the_order_of_rules_entries_and_policies_changes_nothing_that_happens(
    one: Case, random: Random, folder: str
) -> None:
    texts = [text_of(tree) for tree in one.policies]
    others = [text_of(shuffled(tree, random)) for tree in reversed(one.policies)]

    assert history(one, texts, folder) == history(one, others, folder)


@law
@given(one=CASES)
def test_policies_in_shadow_mode_refuse_nothing_in_any_history(one: Case, folder: str) -> None:
    texts = [text_of(tree | {"mode": "shadow"}) for tree in one.policies]

    assert {effect for effect, _ in history(one, texts, folder)} == {Effect.ALLOW}


@law
@given(one=CASES)
def test_a_policy_in_shadow_mode_beside_others_changes_nothing_that_happens(one: Case, folder: str) -> None:
    texts = [text_of(tree) for tree in one.policies]

    assert history(one, [*texts, '{"mode": "shadow"}'], folder) == history(one, texts, folder)
