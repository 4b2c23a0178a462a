"""What to say about keys that are strange or missing. Imported when there is something to say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from .schema import (
    Approval,
    Approvals,
    Call,
    Concurrency,
    Condition,
    Entry,
    Limit,
    PolicyFile,
    Requirement,
    Results,
    Rule,
    Test,
)
from .shape import Complaint, Model
from .wording import clipped, did_you_mean, nearest

_HOMES: Final[dict[type[Model], str]] = {
    PolicyFile: "at the top of the file",
    Rule: "in an entry under `tools`, or in one of its `rules`",
    Entry: "in an entry under `tools`",
    Limit: "in an item of `limits`",
    Concurrency: "in an item of `limits`",
    Requirement: "in an item of `require`",
    Condition: "in a condition",
    Approval: "under `approval` in a rule, or under `approvals` at the top of the file",
    Approvals: "under `approvals` at the top of the file",
    Results: "under `results` at the top of the file",
    Test: "in an item of `tests`",
    Call: "in an item of `calls`",
}


def misnamed(model: type[Model], strange: Sequence[str], missing: Sequence[str]) -> list[Complaint]:
    """What to tell the author of a `model` with keys that it does not have, and without some that it needs."""
    complaints: list[Complaint] = []
    meant: set[str] = set()
    for name in strange:
        if model is Concurrency and name in Limit.fields:
            message = f"`max_concurrent` counts calls in flight and takes no `{name}`"
            complaints.append(Complaint((name,), message, "make it a limit of its own", of_key=True))
            continue
        homes = _homes(name, model)
        known = [*model.fields, "max_concurrent"] if model is Limit else [*model.fields]
        # What is a key elsewhere was hardly meant to be one that is only a little like it.
        guess = nearest(name, known, 0.8) if homes else nearest(name, known)
        meant.add(guess)
        if guess == "max_concurrent":
            missing = ()  # of a limit by window, which this is not meant to be
        advice = did_you_mean(guess) or homes or f"known here are {', '.join(known)}"
        complaints.append(Complaint((name,), f"unknown key `{clipped(name)}`", advice, of_key=True))
    # What was meant is there, but misspelt.
    absent = [name for name in missing if name not in meant]
    return complaints + [Complaint((), f"`{name}` is missing", model.fields[name].missing) for name in absent]


def _homes(name: str, model: type[Model]) -> str:
    """Where a key belongs that `model` does not have, the nearest place first."""
    homes = [
        (not issubclass(other, model), f"it belongs {home}") for other, home in _HOMES.items() if name in other.fields
    ]
    return min(homes, key=lambda home: home[0])[1] if homes else ""
