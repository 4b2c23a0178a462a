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
    Call,
    Clause,
    Condition,
    DenyIf,
    Entry,
    KeyPath,
    Limit,
    PolicyFile,
    RateLimit,
    Requirement,
    Rule,
    ServerRequests,
    State,
    Test,
)
from .wording import clipped, did_you_mean, listed, nearest, shown


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
    unsupported: set[KeyPath] = set()
    for error in errors:
        path = error["loc"]
        if error["type"] == "missing":
            missing.append(error)
        elif error["type"] == "extra_forbidden":
            key = str(path[-1])
            model = model_at(path[:-1])
            if key in _NOT_YET.get(model, ()):
                unsupported.add(path[:-1])
                complaints.append(Complaint(path, f"`{key}` is not supported yet", "take it out", of_key=True))
                continue
            known = [field.alias or name for name, field in model.model_fields.items()]
            guess = nearest(key, known)
            if guess:
                guessed.add((*path[:-1], guess))
            advice = _advice_on_key(key, guess, known)
            complaints.append(Complaint(path, f"unknown key `{clipped(key)}`", advice, of_key=True))
        else:
            complaints.append(_value(error))
    for error in missing:
        path, key = error["loc"][:-1], str(error["loc"][-1])
        # The key is there, but misspelt; or the mapping is of a kind that has other keys.
        if (*path, key) not in guessed and path not in unsupported:
            complaints.append(Complaint(path, f"`{key}` is missing", _MISSING.get(key, "")))
    return complaints


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
    path, found, context = error["loc"], error["input"], error.get("ctx", {})
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
            return Complaint(path, f"expected {expected}, found {shown(found)}", _advice_on_type(expected, found))


def _choice(path: KeyPath, found: object, known: list[str]) -> Complaint:
    if (path[-1], found) in _NOT_YET_VALUES:
        return Complaint(path, f"`{found}` is not supported yet", f"write {listed(known)}")
    guess = nearest(found, known) if isinstance(found, str) else ""
    if len(known) > 5:
        advice = did_you_mean(guess) if guess else f"known are {', '.join(known)}"
        return Complaint(path, f"expected an operator, found {shown(found)}", advice)
    advice = did_you_mean(guess) if guess and len(known) > 1 else ""
    return Complaint(path, f"expected {listed(known)}, found {shown(found)}", advice)


def _advice_on_key(key: str, guess: str, known: list[str]) -> str:
    if guess:
        return did_you_mean(guess)
    homes = [home for model, home in _HOMES.items() if key in {f.alias or n for n, f in model.model_fields.items()}]
    if homes:
        return f"it belongs {homes[0]}"
    return f"known here are {', '.join(known)}"


def _advice_on_type(expected: str, found: object) -> str:
    match found:
        case None:
            return "leave the key out, or give it a value"
        case str() if expected == "true or false" and found.lower() in _BOOLEANS:
            return f"write `{_BOOLEANS[found.lower()]}`"
        case str() if expected == "a whole number" and found.isdigit():
            return "leave out the quotes"
        case str() if expected == "a list" and found:
            return f"write `[{clipped(found)}]`"
        case dict() if expected == "a list":
            return "begin each item with `- `"
        case list() if expected == "a mapping":
            return "write keys and values, without `- `"
        case bool() | int() if expected == "text":
            return "put it into quotes"
        case _:
            return ""


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
    "server_requests": ServerRequests,
    "tests": Test,
    "calls": Call,
}
_HOMES: Final[dict[type[BaseModel], str]] = {
    PolicyFile: "at the top of the file",
    Rule: "in an entry under `tools`, or in one of its `rules`",
    Entry: "in an entry under `tools`",
    Limit: "in an item of `limits`",
    Requirement: "in an item of `require`",
    Condition: "in a condition",
    Test: "in an item of `tests`",
    Call: "in an item of `calls`",
}
_RULE_LATER: Final = frozenset({"approval", "approval_timeout"})
_NOT_YET: Final[dict[type[BaseModel], frozenset[str]]] = {
    PolicyFile: frozenset({"approvals", "results"}),
    Entry: _RULE_LATER,
    Rule: _RULE_LATER,
    Limit: frozenset({"max_concurrent", "timezone"}),
}
_NOT_YET_VALUES: Final = frozenset(
    {("action", "require_approval"), ("align", "calendar"), ("scope", "global"), ("after_scope", "grant")}
)
_EXPECTED: Final = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
_BOOLEANS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_MISSING: Final = {
    "max": "write for example `max: 10`",
    "window": "write for example `window: 60` or `window: minute`",
    "counter": "write for example `counter: daily_spend`",
    "calls": "write for example `calls: [{tool: read_file, expect: allow}]`",
    "tool": "write for example `tool: read_file`",
    "expect": "write `expect: allow` or `expect: deny`",
}
