"""Mistakes of shape in the words of the house: what pydantic found, where, and what to write instead.

`worded` is the only way from a validation error to a person; no type name and no code of pydantic passes it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from .schema import (
    BY_WINDOW,
    IN_FLIGHT,
    Approval,
    Approvals,
    Call,
    Clause,
    Concurrency,
    Condition,
    DenyIf,
    Entry,
    Limit,
    PolicyFile,
    RateLimit,
    Requirement,
    Rule,
    ServerRequests,
    State,
    Test,
)
from .tree import KeyPath
from .wording import clipped, did_you_mean, listed, nearest, rewritten, shown


@dataclass(frozen=True, slots=True)
class Complaint:
    """A mistake by the way that leads to it."""

    path: KeyPath
    message: str
    help: str = ""
    of_key: bool = False
    """Whether the key at the end of `path` is meant, rather than its value."""


def worded(errors: Iterable[ErrorDetails]) -> list[Complaint]:
    """What to tell the author; errors that only follow from others are left out."""
    complaints: list[Complaint] = []
    missing: list[ErrorDetails] = []
    guessed: set[KeyPath] = set()
    excused: set[KeyPath] = set()
    """Mappings that are meant to be of another kind, so that they lack nothing."""
    for error in errors:
        path = _path(error)
        if error["type"] == "missing":
            missing.append(error)
        elif error["type"] == "extra_forbidden":
            key = str(path[-1])
            model = Concurrency if IN_FLIGHT in error["loc"] else model_at(path[:-1])
            if key in _NOT_YET.get(model, ()):
                complaints.append(Complaint(path, f"`{key}` is not supported yet", "take it out", of_key=True))
                continue
            if model is Concurrency and key in Limit.model_fields:
                message = f"`max_concurrent` counts calls in flight and takes no `{key}`"
                complaints.append(Complaint(path, message, "make it a limit of its own", of_key=True))
                continue
            known = [field.alias or name for name, field in model.model_fields.items()]
            if model is Limit:
                known.append("max_concurrent")
            homes = _homes(key, model)
            # What is a key elsewhere was hardly meant to be one that is only a little like it.
            guess = nearest(key, known, 0.8) if homes else nearest(key, known)
            guessed.add((*path[:-1], guess))
            if guess == "max_concurrent":
                excused.add(path[:-1])
            advice = did_you_mean(guess) or homes or f"known here are {', '.join(known)}"
            complaints.append(Complaint(path, f"unknown key `{clipped(key)}`", advice, of_key=True))
        else:
            complaints.append(_value(error))
    for error in missing:
        path, key = _path(error)[:-1], str(error["loc"][-1])
        # The key is there, but misspelt; or the mapping is of a kind that has other keys.
        if (*path, key) not in guessed and path not in excused:
            complaints.append(Complaint(path, f"`{key}` is missing", _MISSING.get(key, "")))
    return complaints


def _path(error: ErrorDetails) -> KeyPath:
    """What leads to the mistake in the file: without the form that an item of `limits` was taken for."""
    path = error["loc"]
    return tuple(
        key
        for at, key in enumerate(path)
        if not (key in (BY_WINDOW, IN_FLIGHT) and at > 1 and path[at - 2] == "limits" and isinstance(path[at - 1], int))
    )


def model_at(path: KeyPath) -> type[BaseModel]:
    """The model of the mapping at `path`."""
    if not path:
        return PolicyFile
    if path[0] in _ENTRIES and len(path) == 2:
        return Entry
    words = [key for key in path[2 if path[0] in _ENTRIES else 0 :] if isinstance(key, str)]
    last = words[-1]
    if last in {"all", "any"}:
        return Clause if "require" in words and "not" not in words else Condition
    return _MODELS.get(last, PolicyFile)


def _value(error: ErrorDetails) -> Complaint:
    path, found, context = _path(error), error["input"], error.get("ctx", {})
    if path and path[-1] == "[key]":
        return Complaint(path[:-1], "a name cannot be empty", of_key=True)
    match error["type"]:
        case "policy":
            return Complaint((*path, *context["at"]), context["message"], context["help"], of_key=context["of_key"])
        case "literal_error":
            return _choice(path, found, re.findall(r"'([^']*)'", context["expected"]))
        case "string_too_short":
            return Complaint(path, "expected text, found an empty string")
        case "greater_than_equal" | "less_than_equal" as kind:
            bound = f"at least {context['ge']}" if kind[0] == "g" else f"at most {context['le']:,}"
            return Complaint(path, f"expected {bound}, found {shown(found)}")
        case kind:
            expected = _EXPECTED.get(kind, "something else")
            return Complaint(path, f"expected {expected}, found {shown(found)}", _advice(path, expected, found))


def _choice(path: KeyPath, found: object, known: list[str]) -> Complaint:
    guess = nearest(found, known) if isinstance(found, str) else ""
    if len(known) > 5:
        advice = did_you_mean(guess) if guess else f"known are {', '.join(known)}"
        return Complaint(path, f"expected an operator, found {shown(found)}", advice)
    advice = did_you_mean(guess) if guess and len(known) > 1 else ""
    return Complaint(path, f"expected {listed(known)}, found {shown(found)}", advice)


def _homes(key: str, model: type[BaseModel]) -> str:
    """Where a key belongs that `model` does not have, the nearest place first."""
    homes = [
        (not issubclass(other, model), f"it belongs {home}")
        for other, home in _HOMES.items()
        if any(key == (field.alias or name) for name, field in other.model_fields.items())
    ]
    return min(homes, key=lambda home: home[0])[1] if homes else ""


def _advice(path: KeyPath, expected: str, found: object) -> str:
    match path:
        case ():
            return "the smallest policy is `default: deny`"
        case (("tools" | "resources" | "prompts") as key,) if isinstance(found, list | str):
            return f"write each name as a key: `{key}: {{read_file: {{}}}}`"
        case ("tools" | "resources" | "prompts", name) if name in Entry.model_fields:
            return f"if `{name}` is not a name but belongs to the entry above, indent it"
        case ("tools" | "resources" | "prompts", _) if found in ("allow", True):
            return "write `{}`"
        case ("tools" | "resources" | "prompts", _) if found in ("deny", False):
            return "write `{action: deny}`"
        case _:
            return rewritten(expected, found)


_ENTRIES: Final = frozenset({"tools", "resources", "prompts"})
_MODELS: Final[dict[str, type[BaseModel]]] = {
    "all_tools": Entry,
    "rules": Rule,
    "deny_if": DenyIf,
    "when": Condition,
    "conditions": Condition,
    "require": Requirement,
    "not": Condition,
    "rate_limit": RateLimit,
    "limits": Limit,
    "state": State,
    "approval": Approval,
    "approvals": Approvals,
    "server_requests": ServerRequests,
    "tests": Test,
    "calls": Call,
}
_HOMES: Final[dict[type[BaseModel], str]] = {
    PolicyFile: "at the top of the file",
    Rule: "in an entry under `tools`, or in one of its `rules`",
    Entry: "in an entry under `tools`",
    Limit: "in an item of `limits`",
    Concurrency: "in an item of `limits`",
    Requirement: "in an item of `require`",
    Condition: "in a condition",
    Approval: "under `approval` in a rule, or under `approvals` at the top of the file",
    Approvals: "under `approvals` at the top of the file",
    Test: "in an item of `tests`",
    Call: "in an item of `calls`",
}
_NOT_YET: Final[dict[type[BaseModel], frozenset[str]]] = {
    PolicyFile: frozenset({"results"}),
}
_EXPECTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_MISSING: Final = {
    "max": "write for example `max: 10`",
    "window": "write for example `window: 60` or `window: minute`",
    "counter": "write for example `counter: daily_spend`",
    "calls": "write for example `calls: [{tool: read_file, expect: allow}]`",
    "tool": "write for example `tool: read_file`",
    "expect": "write `expect: allow` or `expect: deny`",
}
