"""What a path in a policy means: the arguments of the call, the tool, the grant, the time.

A reading is compiled once and does nothing but look up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Final, NamedTuple, TypeAlias

from ..values import MISSING, UNCLEAR, Each, Found, Json, MalformedError, Path, Step, find, find_each
from .model import Circumstances, Kind, ToolCall

Read: TypeAlias = Callable[[ToolCall, Circumstances], Found]
ReadEach: TypeAlias = Callable[[ToolCall, Circumstances], list[Found]]

HINTS: Final[dict[str, Json]] = {
    "readOnlyHint": False,
    "destructiveHint": True,
    "idempotentHint": False,
    "openWorldHint": True,
}
"""What a hint means that a tool does not give (MCP schema, `ToolAnnotations`); what is no boolean is not given."""

WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK: Final = ("hour", "minute", "weekday")
_LENGTHS: Final[dict[tuple[Step, ...], int]] = {("hour",): 24, ("minute",): 60}


class Reading(NamedTuple):
    """How to get what a path stands for; `each` gives one value or more, `one` is for paths without `[*]`."""

    path: Path
    one: Read
    each: ReadEach
    is_fixed: bool = False
    """Whether it depends on the name of the tool alone."""


def reading(path: Path, kind: Kind, zone: tzinfo) -> Reading:
    """How to read `path` in a rule about `kind`; `zone` is the policy's time zone.

    Raises:
        MalformedError: there is nothing at such a path.
    """
    match path.root, path.steps:
        case "args", steps:
            if path.is_plural:
                return Reading(path, _many_at_once, lambda call, _: find_each(call.arguments, steps))
            return _single(path, _argument(path))
        case "tool", ("name",):
            return _single(path, lambda call, _: call.name, is_fixed=True)
        case "tool", ("annotations", str(), *rest) if Each.EACH not in rest:
            if kind is not Kind.TOOL:
                raise MalformedError(f"`{path.text}` is for tools: a {kind} has no such annotations")
            return _single(path, _annotation(path))
        case "grant", ():
            return _single(path, lambda _, circumstances: circumstances.grant or MISSING)
        case "now", (str(unit),) if unit in CLOCK:
            return _single(path, _clock(unit, zone))
        case "tool", _:
            raise MalformedError(f"`{path.text}` is not a path", "write `tool.name` or `tool.annotations.readOnlyHint`")
        case "now", _:
            raise MalformedError(f"`{path.text}` is not a path", f"`now` has {', '.join(CLOCK)}")
        case "grant", _:
            raise MalformedError(f"`{path.text}` is not a path", "`grant` is a text and has nothing below it")
        case _:
            raise MalformedError(
                f"`{path.text}` is not a path: nothing is called `{path.root}`",
                "a path starts with `args`, `tool`, `grant` or `now`",
            )


def check_operand(path: Path, op: str, operand: object) -> None:
    """Refuse to compare the time with what it never is: a misspelt day would make a rule that never applies.

    Raises:
        MalformedError: no time is `operand`.
    """
    if path.root != "now" or op not in {"eq", "neq", "in", "not_in"}:
        return
    for item in operand if isinstance(operand, list) else [operand]:
        if path.steps == ("weekday",) and item not in WEEKDAYS:
            raise MalformedError(f"`{item}` is not a day of the week", f"days are {', '.join(WEEKDAYS)}")
        if path.steps != ("weekday",) and (item is True or item is False or item not in range(_LENGTHS[path.steps])):
            raise MalformedError(f"`{item}` is not a time of `{path.text}`", "hours are 0 to 23, minutes 0 to 59")


def _single(path: Path, read: Read, *, is_fixed: bool = False) -> Reading:
    return Reading(path, read, lambda call, circumstances: [read(call, circumstances)], is_fixed)


def _many_at_once(_: ToolCall, __: Circumstances) -> Found:
    return UNCLEAR


def _argument(path: Path) -> Read:
    steps = path.steps
    if len(steps) == 1 and isinstance(name := steps[0], str):

        def top(call: ToolCall, _: Circumstances) -> Found:
            value = call.arguments.get(name)
            return MISSING if value is None else value

        return top
    return lambda call, _: find(call.arguments, steps)


def _annotation(path: Path) -> Read:
    hint, *rest = path.steps[1:]

    def annotation(_: ToolCall, circumstances: Circumstances) -> Found:
        if circumstances.annotations is None:
            return UNCLEAR  # the definition was not seen yet
        value = circumstances.annotations.get(str(hint))
        if hint in HINTS and not isinstance(value, bool):
            value = HINTS[str(hint)]
        return find(value, rest)

    return annotation


def _clock(unit: str, zone: tzinfo) -> Read:
    def clock(_: ToolCall, circumstances: Circumstances) -> Found:
        local = datetime.fromtimestamp(circumstances.now, zone)
        match unit:
            case "hour":
                return local.hour
            case "minute":
                return local.minute
            case _:
                return WEEKDAYS[local.weekday()]

    return clock
