"""A whole policy as text: the header, the entries by class, their tests, and what was seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ...values import Json
from ..risk import Category
from .entries import RUNS, WRITES, Check, Entry
from .seen import seen_block
from .text import Value, comment, flow, scalar

_HEADINGS: Final = {
    Category.READ: "Reading: allowed.",
    Category.WRITE: "Changes that can be undone, and messages: 30 calls a minute.",
    Category.EXECUTE: "What sets something in motion: 10 calls a minute; what runs code or SQL asks a person.",
    Category.DESTRUCTIVE: "What deletes or takes away: denied, and left out of the tool list.",
    Category.FINANCIAL: "Money: a person agrees to every call.",
}
_WIDTH: Final = 120
_READS: Final = 5
"""Calls that only read, in the tests: they decide nothing that another would not."""


def document(server: str, command: str, found: Sequence[Entry], definitions: Sequence[Json]) -> str:
    """The text of a policy for `server`, which `command` starts, with these entries."""
    lines = [
        f"# Policy for {comment(server)}, drafted by `intercept scan` from what the server says of its tools.",
        "#",
        f"#   intercept --policy FILE -- {comment(command)}",
        "#",
        "# A guess: read every line and keep what you mean. Comments name class, risk and the words that say so.",
        "# `intercept scan -o` on this file adds tools that are new, and changes nothing else that you can see.",
        'version: "1"',
        "default: deny  # a tool that the server adds later is refused until it gets a line here",
        "hide_denied: true",
        "server_requests: {sampling: deny}  # the server may not have the model write for it",
        "",
        "tools:" if found else "tools: {}",
    ]
    for category in Category:
        lines += section([entry for entry in found if entry.category is category], f"  # {_HEADINGS[category]}")
    lines += ["# intercept test FILE", "tests:", *examples(found, "  ", _call_of_none(found))]
    return "\n".join(lines) + "\n\n" + seen_block(definitions)


def section(found: Sequence[Entry], heading: str, indent: str = "  ") -> list[str]:
    """The lines of some entries below a heading."""
    if not found:
        return []
    lines = [heading]
    for entry in found:
        lines += _entry(entry, indent)
    return [*lines, ""]


def _entry(entry: Entry, indent: str) -> Iterator[str]:
    short = f"{indent}{scalar(entry.name)}: {flow(entry.rule)}"
    fits = "require" not in entry.rule and len(short) <= _WIDTH
    if fits and len(short) + len(entry.comment) + 4 <= _WIDTH:
        yield f"{short}  # {entry.comment}"
        return
    yield f"{indent}# {entry.comment}"
    if fits:
        yield short
        return
    yield f"{indent}{scalar(entry.name)}:"
    for key, value in entry.rule.items():
        if key != "require":
            yield f"{indent}  {key}: {flow(value)}"
            continue
        yield f"{indent}  require:"
        for check in entry.checks:
            yield from _condition(check.condition, f"{indent}    ")


def _condition(condition: dict[str, Value], indent: str) -> Iterator[str]:
    short = f"{indent}- {flow(condition)}"
    if len(short) <= _WIDTH:
        yield short
        return
    mark = "- "
    for key, value in condition.items():
        yield f"{indent}{mark}{key}: {flow(value)}"
        mark = "  "


# --- tests ------------------------------------------------------------------------------------------------------------


def examples(found: Sequence[Entry], indent: str, *more: tuple[str, list[dict[str, Value]]]) -> list[str]:
    """The lines of the tests: every entry is called, every check refuses something, each kind of limit is reached."""
    by_category = {category: [entry for entry in found if entry.category is category] for category in Category}
    groups: list[tuple[str, list[dict[str, Value]]]] = []
    plain = [entry for entry in by_category[Category.READ] if not entry.rule]
    asking = [entry for entry in found if entry.expect == "ask"]
    free = [entry for entry in found if entry.expect == "allow" and entry.rule]
    groups.append(("reading is allowed", [_call(entry) for entry in plain[:_READS]]))
    for rate, name in ((WRITES, "changes"), (RUNS, "what sets something in motion")):
        limited = next((entry for entry in free if entry.rule.get("rate_limit") == rate), None)
        if limited is not None:
            many, per = rate.split("/")
            once = _call(limited)
            used_up: list[dict[str, Value]] = [
                once | {"repeat": int(many)},
                once | {"at": "59s", "expect": "deny"},
                once | {"at": "60s"},
            ]
            groups.append((f"{name}: {many} a {per}", used_up))
            free.remove(limited)
    groups += [
        ("a good call passes", [_call(entry) for entry in free]),
        ("a person is asked", [_call(entry) for entry in asking]),
        ("what deletes is refused", [_call(entry) for entry in found if entry.expect == "deny"]),
        (
            "what the arguments may not be",
            [_refused(entry, check) for entry in found for check in entry.checks if check.bad is not None],
        ),
        *more,
    ]
    lines = []
    for name, calls in groups:
        if calls:
            lines += [f"{indent}- name: {scalar(name)}", f"{indent}  calls:"]
            lines += [f"{indent}    - {flow(call)}" for call in calls]
    return lines


def _call(entry: Entry) -> dict[str, Value]:
    called: dict[str, Value] = {"tool": entry.name}
    if sample := entry.sample:
        called["arguments"] = sample
    return called | {"expect": entry.expect}


def _refused(entry: Entry, check: Check) -> dict[str, Value]:
    return {"tool": entry.name, "arguments": entry.against(check), "expect": "deny"}


def _call_of_none(found: Sequence[Entry]) -> tuple[str, list[dict[str, Value]]]:
    name = "a_tool_that_is_not_listed"
    while any(entry.name == name for entry in found):
        name += "_"
    return "what the policy does not name is refused", [{"tool": name, "expect": "deny"}]
