"""What a policy should say about one tool at first: by its class, its arguments and what the server says of them.

Careful rather than convenient: a person will read it, and it is easier to open what is closed than to notice what is
open.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ...lint.words import (
    fetches_urls,
    opens_files,
    reads_private,
    reads_strangers,
    runs_commands,
    runs_sql,
    sends_out,
    writes,
)
from ...policy.names import is_glob
from ...policy.operators import OPERATORS
from ...values import Json, MalformedError
from ..risk import SEVERITY, Category, Verdict, classify
from ..risk.arguments import ITEMS, Argument, arguments
from ..risk.gravity import reveals
from ..risk.language import words
from .text import Value, comment

WRITES: Final = "30/minute"
RUNS: Final = "10/minute"
PAYMENTS: Final = "10/hour"
DENIED: Final = "This deletes or takes away, which the policy does not allow. Ask the user to do it."

_MOST: Final = 4
"""Starter rules on the arguments of one tool: more hides the tool itself."""
_LONGEST_LIST: Final = 12
_LONGEST_EXAMPLE: Final = 100
_PATHS: Final = frozenset(
    {"destination", "directory", "file", "filename", "filepath", "folder", "path", "paths", "source"}
)
_URLS: Final = frozenset({"address", "endpoint", "href", "link", "uri", "url", "urls", "website"})
_TRIED: Final = (
    "a",
    "abc",
    "1",
    "123",
    "a1",
    "A1",
    "2026-01-01",
    "a@example.com",
    "https://example.com/",
    "example.com",
)
"""Texts that a pattern of the server may take."""
_WRONG: Final = ("\t", "", "a b c!")
_EDGES: Final = frozenset(2**bits - 1 for bits in (31, 32, 53, 63, 64))
"""The greatest numbers of the usual types: a schema that names one as its maximum bounds nothing."""


@dataclass(frozen=True, slots=True)
class Check:
    """A condition on an argument, a value that it takes and one that it refuses."""

    condition: dict[str, Value]
    argument: tuple[str, ...]
    good: Json
    bad: Json
    """None where an example would be too long to read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the policy says of one tool."""

    name: str
    verdict: Verdict
    category: Category
    """The class of what the entry lets through: lower than the verdict's where the worst actions are left out."""
    rule: dict[str, Value]
    """Its one rule; empty: allowed."""
    checks: tuple[Check, ...] = ()
    notes: tuple[str, ...] = ()
    """What the person should know or do, a phrase each."""

    @property
    def expect(self) -> str:
        """What becomes of a good call: `allow`, `ask` or `deny`."""
        action = self.rule.get("action")
        return "ask" if action == "require_approval" else "deny" if action == "deny" else "allow"

    @property
    def sample(self) -> dict[str, Json]:
        """Arguments that satisfy all checks."""
        return _nested((check.argument, check.good) for check in self.checks if "optional" not in check.condition)

    def against(self, check: Check) -> dict[str, Json]:
        """Arguments that satisfy all checks but this one."""
        kept = ((c.argument, c.good) for c in self.checks if "optional" not in c.condition and c is not check)
        return _nested([*kept, (check.argument, check.bad)])

    @property
    def comment(self) -> str:
        """Class and evidence, and what the person should do, on one line."""
        verdict = self.verdict
        flags = [flag for flag in verdict.flags if flag != "multi-action"]
        parts = [f"{verdict.category} {verdict.risk}: {', '.join(verdict.evidence)}", *flags, *self.notes]
        return comment("; ".join(parts))


def entries(definitions: Sequence[Json], folders: Sequence[str]) -> tuple[Entry, ...]:
    """An entry for each tool that has a name of its own, in the order of the server.

    `folders` are absolute paths that tools which open files are held to.
    """
    found: dict[str, Entry] = {}
    for definition in map(_whole, definitions):
        name = definition.get("name") if isinstance(definition, dict) else None
        # A name with a star would be a pattern, and an empty one no key.
        if isinstance(name, str) and name and not is_glob(name) and name not in found:
            found[name] = _entry(name, definition, folders)
    return tuple(_closed_exits(tuple(found.values())))


def _whole(value: Json) -> Json:
    """`value` without halves of characters, which neither a policy nor a message can hold."""
    match value:
        case str():
            return value if value.isascii() else value.encode("utf-8", "replace").decode()
        case list():
            return [_whole(part) for part in value]
        case dict():
            return {str(_whole(key)): _whole(part) for key, part in value.items()}
        case _:
            return value


def _entry(name: str, definition: Json, folders: Sequence[str]) -> Entry:
    verdict = classify(definition)
    given = arguments(definition.get("inputSchema") if isinstance(definition, dict) else None)
    category, checks, notes = verdict.category, list[Check](), list[str]()
    if verdict.choice is not None and SEVERITY[category] >= SEVERITY[Category.DESTRUCTIVE]:
        narrowed = _narrowed(verdict, given)
        if narrowed is not None:
            category, check, note = narrowed
            checks.append(check)
            notes.append(note)
    rule: dict[str, Value] = {}
    match category:
        case Category.READ:
            # A name that acts beside words that only read: the limit costs nothing.
            rule = {"rate_limit": WRITES} if writes(name) else {}
        case Category.WRITE:
            rule["rate_limit"] = WRITES
        case Category.EXECUTE:
            rule["rate_limit"] = RUNS
            if "runs-code" in verdict.flags or runs_commands(name) or runs_sql(name):
                rule = {"action": "require_approval"} | rule
            if verdict.checked:
                notes.append(
                    f"check {', '.join(f'`{argument}`' for argument in verdict.checked)}: say which values are meant"
                )
        case Category.DESTRUCTIVE:
            return Entry(name, verdict, category, {"action": "deny", "reason": DENIED})
        case Category.FINANCIAL:
            rule = {"action": "require_approval", "rate_limit": PAYMENTS}
    if fetches_urls(name) and any(not _URLS.isdisjoint(words(each.name)) for each in given):
        rule = {"action": "require_approval"} | rule
        notes.append("name the hosts that are meant with `op: host_in`, and take the approval out")
    if opens_files(name):
        kept = list(_in_folders(given, folders))
        checks += kept
        if kept:
            notes.append("the folder it was drafted for")
    checks += [
        _hidden_secret(each) for each in given if len(each.path) == 1 and each.kinds == {"boolean"} and reveals(each)
    ]
    if category is not Category.READ:
        looked = {check.argument for check in checks}
        bounds = (_bound(each) for each in given if each.path not in looked)
        checks += [bound for bound in bounds if bound is not None][:_MOST]
    if checks:
        rule["require"] = [check.condition for check in checks]
    return Entry(name, verdict, category, rule, tuple(checks), tuple(notes))


def _narrowed(verdict: Verdict, given: Sequence[Argument]) -> tuple[Category, Check, str] | None:
    """The actions that may stay, as a condition; None if the tool is as bad without the worst of them."""
    choice = verdict.choice
    bare = classify({"name": verdict.name})
    if choice is None or (SEVERITY[bare.category] >= SEVERITY[Category.DESTRUCTIVE]):
        return None
    kept = [action for action in choice.actions if SEVERITY[action.category] < SEVERITY[Category.DESTRUCTIVE]]
    if not kept or len(kept) == len(choice.actions):
        return None
    argument = next(each for each in given if each.path == choice.path)
    values = [action.value for action in kept]
    left = [value for value in argument.values if value not in values] or [
        action.value for action in choice.actions if action not in kept
    ]
    condition: dict[str, Value] = {
        "path": _path(choice.path) + ("[*]" if argument.is_list else ""),
        "op": "in",
        "value": values,
        "on_deny": f"{argument.name} may be {_either(values)} here.",
    }
    note = f"left out: {', '.join(left)}"
    worst = max((action.category for action in kept), key=SEVERITY.__getitem__)
    return worst, Check(condition, choice.path, _listed(values[0], argument), _listed(left[0], argument)), note


def _listed(value: str, argument: Argument) -> Json:
    return [value] if argument.is_list else value


def _either(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _path(keys: Sequence[str]) -> str:
    """The path to an argument, as a policy writes it."""
    return "args" + "".join(map(_step, keys))


def _step(key: str) -> str:
    if key == ITEMS:
        return key
    return f".{key}" if _NAME.fullmatch(key) else f"['{_escaped(key)}']"


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace("'", "\\'")


def _in_folders(given: Sequence[Argument], folders: Sequence[str]) -> Iterator[Check]:
    for each in given:
        if len(each.path) > 1 or _PATHS.isdisjoint(words(each.name)) or not (each.is_text or each.is_list):
            continue
        inside = os.path.join(folders[0], "example.txt")
        condition: dict[str, Value] = {
            "path": _path(each.path) + ("[*]" if each.is_list else ""),
            "op": "path_within",
            "value": folders[0] if len(folders) == 1 else list(folders),
            "on_deny": "Give an absolute path inside of the allowed folder.",
        }
        yield Check(condition, each.path, _listed(inside, each), _listed("/", each))


def _hidden_secret(argument: Argument) -> Check:
    condition: dict[str, Value] = {
        "path": _path(argument.path),
        "op": "eq",
        "value": False,
        "optional": True,
        "on_deny": "Secrets stay hidden.",
    }
    return Check(condition, argument.path, good=False, bad=True)


def _bound(argument: Argument) -> Check | None:
    """A condition that repeats a bound of the schema, so that a person sees it and can tighten it."""
    if len(argument.path) > 1 or argument.is_list:
        return None
    name, schema = argument.name, argument.schema
    found: tuple[str, Value, Json, Json, str] | None = None
    number = schema.get("maximum")
    longest = schema.get("maxLength")
    pattern = schema.get("pattern")
    if argument.values and argument.kinds <= {"string"} and len(argument.values) <= _LONGEST_LIST:
        values = list(argument.values)
        found = "in", values, values[0], "none of them", f"one of {', '.join(values)}"
    elif (
        isinstance(number, int)
        and not isinstance(number, bool)
        and number not in _EDGES
        and argument.kinds <= {"integer", "number"}
        and argument.kinds
    ):
        found = "lte", number, number, number + 1, f"at most {number}"
    elif isinstance(pattern, str) and argument.kinds == {"string"}:
        found = _matching(pattern)
    elif isinstance(longest, int) and not isinstance(longest, bool) and argument.kinds == {"string"} and longest > 0:
        bad: Json = "a" * (longest + 1) if longest < _LONGEST_EXAMPLE else None
        found = "length_lte", longest, "a", bad, f"no longer than {longest} characters"
    if found is None:
        return None
    op, value, good, bad, words_for_it = found
    condition: dict[str, Value] = {"path": _path(argument.path), "op": op, "value": value}
    if not argument.required:
        condition["optional"] = True
    condition["on_deny"] = comment(f"{name} must be {words_for_it}.")
    return Check(condition, argument.path, good, bad)


def _matching(pattern: str) -> tuple[str, Value, Json, Json, str] | None:
    if (
        not (pattern.startswith("^") and pattern.endswith("$"))
        or len(pattern) > 120
        or "|" in pattern
        or "." in pattern
    ):
        return None  # the linter, rightly, asks a person about these
    try:
        test = OPERATORS["regex"](pattern)
    except MalformedError:
        return None
    good = next((text for text in _TRIED if test(text) is True), None)
    bad = next((text for text in _WRONG if test(text) is False), None)
    return None if good is None or bad is None else ("regex", pattern, good, bad, f"like {pattern}")


def _nested(pairs: Iterable[tuple[tuple[str, ...], Json]]) -> dict[str, Json]:
    top: dict[str, Json] = {}
    for path, value in pairs:
        _put(top, path, value)
    return top


def _put(into: dict[str, Json], path: tuple[str, ...], value: Json) -> None:
    key, below = path[0], path[1:]
    if not below:
        into[key] = value
        return
    before = into.get(key)
    if below[0] == ITEMS:
        if len(below) == 1:
            into[key] = [value]
            return
        below = below[1:]
        first = before[0] if isinstance(before, list) and before else None
        nested: dict[str, Json] = first if isinstance(first, dict) else {}
        into[key] = [nested]
    else:
        nested = before if isinstance(before, dict) else {}
        into[key] = nested
    _put(nested, below, value)


def _closed_exits(found: tuple[Entry, ...]) -> Iterator[Entry]:
    """Where strangers' text and private data meet, a person is asked before anything is sent."""
    usable = [entry.name for entry in found if entry.expect != "deny"]
    private = any(map(reads_private, usable))
    strange = next(filter(reads_strangers, usable), "")
    for entry in found:
        if not (private and strange and sends_out(entry.name) and entry.expect == "allow") or "require" in entry.rule:
            yield entry
            continue
        note = f"a person is asked: it could carry out what a stranger's text says, see {strange}"
        yield replace(entry, rule={"action": "require_approval"} | entry.rule, notes=(*entry.notes, note))
