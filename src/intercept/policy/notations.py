"""The small languages inside a policy file: lengths of time, rates, numbers, costs (POLICY sections 1, 5 and 9).

Each is a function from what the file holds to a value, which refuses what it cannot read, with the JSON Schema of what
it accepts. The names with a capital letter at the end are kinds for the keys of `schema`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final, NamedTuple

from .shape import Notation, Schema, expected, refuse
from .tree import KeyPath
from .wording import clipped, did_you_mean, nearest, rewritten, shown


class Span(NamedTuple):
    """A length of time as it was written."""

    seconds: Decimal
    """Exact; from a millisecond for windows, else from 0; at most ten years."""
    text: str
    """`90s`, `minute`, `60`."""


class Cost(NamedTuple):
    """What a call takes from a limit: `amount`, or the number found at the path `source`."""

    amount: Decimal = Decimal(1)
    source: str = ""
    key: str = "cost"
    """The key it was written under, for positions; the default cost has none of its own."""


UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
WINDOWS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
MONTH: Final = "month"
"""A window that has no length of its own, so that only a calendar window can be one."""
PERIODS: Final = (*WINDOWS, MONTH)
"""What a calendar window can be."""
_LONGEST: Final = 3_660 * 86_400
"""Ten years, in seconds: longer is a mistyped number, and dates that far do not exist in every calendar."""
_SHORTEST: Final = Decimal("0.001")
"""Of a window, in seconds: clocks and stores do not tell shorter ones apart."""
_AMOUNT: Final = r"[0-9]{1,12}(\.[0-9]{1,9})?"
_DURATION: Final = re.compile(rf"({_AMOUNT})([smhd])")
_WINDOW: Final = rf"{_AMOUNT}[smhd]|second|minute|hour|day|week"
_LENGTHS: Final = "write seconds, or for example `90s`, `5m`, `2h`, `1d`"
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,40}(/[A-Za-z0-9_+-]{1,40}){0,2}")
"""As the names of the tz database are made: `UTC`, `Etc/GMT+5`, `America/Argentina/Buenos_Aires`."""
_MONTH_AT_MOST: Final = 31 * 86_400
_REFERENCE: Final = re.compile(r"\\[0-9g]|\$[0-9{]")
"""How other languages repeat a group of the pattern."""
_RATE: Final = re.compile(r"([0-9]{1,12})/(.+)")


def _seconds(value: object) -> Decimal | None:
    if isinstance(value, str) and (parts := _DURATION.fullmatch(value)):
        return Decimal(parts[1]) * UNITS[parts[3]]
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


def _duration(value: object) -> Span:
    seconds = _seconds(value)
    if seconds is None or seconds < 0:
        refuse(f"expected a length of time, found {shown(value)}", _LENGTHS)
    if seconds > _LONGEST:
        refuse(f"expected at most ten years, found {shown(value)}")
    return Span(seconds, str(value))


def _timeout(value: object) -> Span:
    if (seconds := _seconds(value)) is not None and seconds <= 0:
        refuse(f"expected a length of time above 0, found {shown(value)}", _LENGTHS)
    return _duration(value)


def _window(value: object) -> Span:
    if isinstance(value, str) and value in WINDOWS:
        return Span(Decimal(WINDOWS[value]), value)
    if value == MONTH:
        refuse(
            "a month has no fixed length", "write for example `30d`, or add `align: calendar` to an item of `limits`"
        )
    seconds = _seconds(value)
    if seconds is None:
        guess = nearest(value, [*WINDOWS]) if isinstance(value, str) else ""
        refuse(
            f"expected a window, found {shown(value)}", did_you_mean(guess) or f"{_LENGTHS}, or {', '.join(WINDOWS)}"
        )
    if seconds < _SHORTEST:
        refuse(f"expected a window of a millisecond or more, found {shown(value)}")
    return _duration(value)


def _limit_window(value: object) -> Span:
    # Whether a limit may have it depends on its `align`.
    return Span(Decimal(_MONTH_AT_MOST), MONTH) if value == MONTH else _window(value)


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        expected("a number", value)
    return Decimal(value)


def _positive(value: object) -> Decimal:
    if (number := _number(value)) <= 0:
        refuse(f"expected a number above 0, found {shown(value)}")
    return number


def _not_negative(value: object) -> Decimal:
    if (number := _number(value)) < 0:
        refuse(f"expected 0 or more, found {shown(value)}")
    return number


def _cost(value: object) -> Cost:
    if not isinstance(value, dict):
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            refuse(f"expected a number or `{{from: path}}`, found {shown(value)}")
        return Cost(amount=_not_negative(value))
    for key in value:
        if key != "from":
            refuse(f"unknown key `{clipped(key)}`", "the only key here is `from`", (key,), of_key=True)
    if "from" not in value:
        refuse("`from` is missing", "write `{from: args.amount}`")
    source = value["from"]
    if not isinstance(source, str):
        refuse(f"expected a path, found {shown(source)}", "write for example `args.amount`", ("from",))
    return Cost(source=source)


def rate(value: object) -> object:
    """`10/minute` as the mapping that it is short for; a mapping stays what it is."""
    if isinstance(value, dict):
        return value
    parts = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not parts or not int(parts[1]):
        refuse(
            f"expected a rate, found {shown(value)}",
            "write for example `10/minute`, or `{max: 10, window: 60}`",
        )
    return {"max": int(parts[1]), "window": _window(parts[2]).text}


def texts(value: object, below: KeyPath = ()) -> list[str]:
    """One text or a list of them, as a list."""
    if not isinstance(value, list):
        if not isinstance(value, str):
            refuse(f"expected text or a list of texts, found {shown(value)}")
        return [value]
    for at, item in enumerate(value):
        if not isinstance(item, str):
            refuse(f"expected text, found {shown(item)}", rewritten("text", item), (*below, at))
    return value


def _mark(value: object) -> str:
    if not isinstance(value, str):
        expected("text", value)
    from ..detectors import has_invisible

    if not value.strip() or has_invisible(value):
        refuse("expected a mark that can be seen", "write for example `replace: '[redacted]'`")
    if _REFERENCE.search(value):
        refuse("`replace` is plain text: it cannot repeat what was found", "write a fixed mark")
    return value


def _zone(value: object) -> str:
    # Looking a zone up opens files and imports packages by its name, so that not any text may come that far.
    if not isinstance(value, str):
        expected("text", value)
    if not _ZONE.fullmatch(value):
        refuse(f"`{clipped(value)}` is not a time zone", "write a name like `America/Sao_Paulo`")
    return value


def _version(value: object) -> str:
    if value != "1" and (value != 1 or not isinstance(value, int) or isinstance(value, bool)):
        refuse(f'expected version `"1"`, found {shown(value)}', 'write `version: "1"`')
    return "1"


_TEXT: Final[Schema] = {"type": "string"}
_PATH_COST: Final[Schema] = {
    "type": "object",
    "properties": {"from": _TEXT},
    "required": ["from"],
    "additionalProperties": False,
}
_SOME: Final[Schema] = {"type": "number", "minimum": 0}
_A_MILLISECOND: Final[Schema] = {"type": "number", "minimum": 0.001}
_ABOVE_ZERO: Final[Schema] = {"type": "number", "exclusiveMinimum": 0}


def _or_text(number: Schema, pattern: str) -> Schema:
    return {"anyOf": [dict(number), {"type": "string", "pattern": f"^{pattern}$"}]}


Duration: Final = Notation(_duration, lambda: _or_text(_SOME, f"{_AMOUNT}[smhd]"))
Timeout: Final = Notation(_timeout, lambda: _or_text(_ABOVE_ZERO, f"{_AMOUNT}[smhd]"))
Window: Final = Notation(_window, lambda: _or_text(_A_MILLISECOND, f"({_WINDOW})"))
LimitWindow: Final = Notation(_limit_window, lambda: _or_text(_A_MILLISECOND, f"({_WINDOW}|{MONTH})"))
Positive: Final = Notation(_positive, lambda: dict(_ABOVE_ZERO))
NotNegative: Final = Notation(_not_negative, lambda: dict(_SOME))
Texts: Final = Notation(texts, lambda: {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]})
Price: Final = Notation(_cost, lambda: {"anyOf": [_SOME, _PATH_COST]})
Mark: Final = Notation(_mark, lambda: {"type": "string", "minLength": 1})
Version: Final = Notation(_version, lambda: {"enum": ["1", 1]})
Zone: Final = Notation(_zone, lambda: {"type": "string", "pattern": f"^{_ZONE.pattern}$"})
