"""How messages about policy files show what was found and guess what was meant; the rules are those of `errors`."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final


def clipped(text: str) -> str:
    """`text` as a message may show it: one line, nothing invisible, at most 60 characters."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:61].replace("\n", " "))
    return line if len(line) <= 60 else f"{line[:57]}..."


def one_line(text: str) -> str:
    """`text` as a line that a terminal shows; what is very long loses its middle."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return line if len(line) <= 400 else f"{line[:200]}...{line[-150:]}"


def shown(value: object) -> str:
    """What `value` is, for the end of a message; texts and numbers in backticks."""
    match value:
        case None:
            return "nothing"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | Decimal():
            return f"the number `{clipped(str(value))}`"
        case str():
            return f"the string `{clipped(value)}`" if value else "an empty string"
        case list():
            return "a list"
        case _:
            return "a mapping"


def listed(words: list[str]) -> str:
    """`words` as alternatives: `allow`, `ask` or `deny`, each in backticks."""
    quoted = [f"`{word}`" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)


def nearest(word: str, known: Sequence[str], alike: float = 0.65) -> str:
    """The one of `known` that `word` was most likely meant to be; empty if none is near.

    `alike` is how near, from 0 to 1, where 1 is the same.
    """
    plain = word.strip().lower().replace("-", "_").replace(" ", "_")
    if (meant := _SAME.get(plain)) in known:
        return str(meant)
    from difflib import get_close_matches

    return next(iter(get_close_matches(plain, known, 1, alike)), "")


def rewritten(expected: str, found: object) -> str:
    """How to write `found` as what was expected; empty if it cannot be told."""
    match found:
        case None if expected in _EMPTY:
            return f"leave the key out, or write `{_EMPTY[expected]}`"
        case None:
            return "leave the key out, or give it a value"
        case str() if expected == "true or false":
            return f"write `{_BOOLEANS[found.lower()]}`" if found.lower() in _BOOLEANS else ""
        case str() if "number" in expected:
            return "leave out the quotes" if found.replace(".", "", 1).isdecimal() else ""
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


def did_you_mean(word: str) -> str:
    """The question; empty if there is no guess."""
    return f"did you mean `{word}`?" if word else ""


_EMPTY: Final = {"a mapping": "{}", "a list": "[]"}
_BOOLEANS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_SAME: Final = {
    # What other languages call it.
    "=": "eq", "==": "eq", "equals": "eq", "equal": "eq", "is": "eq", "!=": "neq", "ne": "neq", "not_eq": "neq",
    "<": "lt", "less_than": "lt", "lessthan": "lt", "<=": "lte", "le": "lte", ">": "gt", "greater_than": "gt",
    ">=": "gte", "ge": "gte", "matches": "regex", "match": "regex", "pattern": "regex", "nin": "not_in",
    "includes": "contains", "has": "contains", "prefix": "starts_with", "suffix": "ends_with", "like": "glob",
    "operator": "op", "message": "on_deny", "effect": "action", "default_action": "default", "ratelimit": "rate_limit",
    "limit": "limits", "interval": "window", "period": "window", "per_window": "window", "count": "max", "rate": "max",
    "maximum": "max",
    "hidden": "hide", "allowed": "allow", "permit": "allow", "block": "deny", "reject": "deny", "forbid": "deny",
    "denied": "deny", "dry_run": "shadow", "monitor": "shadow", "args": "arguments", "if": "when", "unless": "not",
    "or": "any", "and": "all", "tz": "timezone", "expected": "expect", "times": "repeat",
}  # fmt: skip
