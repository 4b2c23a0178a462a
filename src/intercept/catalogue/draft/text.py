"""YAML text for a policy: one value on one line, in the spelling that the policy reader takes for what is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, TypeAlias

from ...errors import visible

Value: TypeAlias = "Mapping[str, Value] | Sequence[Value] | str | int | float | Decimal | bool | None"

_PLAIN: Final = re.compile(r"[0-9]+/[a-z]+|[A-Za-z_][A-Za-z0-9_./*-]*(?: [A-Za-z0-9_./*-]+)*")
"""What needs no quotes, whatever stands around it."""
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "nan", "inf"})
"""What some reader takes for something else than text."""
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def scalar(value: str) -> str:
    """`value` as it is written in a flow or as a key; nothing in it is invisible."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return f'"{"".join(map(_character, value))}"'


def _character(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if c.isprintable():
        return c
    code = ord(c)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def flow(value: Value) -> str:
    """`value` on one line: `{max: 3, window: 1m}`."""
    match value:
        case str():
            return scalar(value)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int() | float() | Decimal():
            return str(value)
        case Mapping():
            return "{" + ", ".join(f"{scalar(key)}: {flow(part)}" for key, part in value.items()) + "}"
        case _:
            return "[" + ", ".join(map(flow, value)) + "]"


def comment(text: str) -> str:
    """`text` as it may stand behind `#`: on one line, with nothing invisible in it."""
    return visible(" ".join(text.split()))
