"""Which comparisons made a condition come out as it did, with what they found.

Verdicts come from the compiled condition, words and lines from the file that it was compiled from: the two have the
same shape, and are walked together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..policy import Circumstances, ToolCall
from ..policy.conditions import Group, Many, Negation, One
from ..policy.wording import nearest
from ..values import MISSING, UNCLEAR, Found, Gap, Json, parse_path

if TYPE_CHECKING:
    from ..policy.conditions import Condition
    from ..policy.document import Document
    from ..policy.operators import Verdict
    from ..policy.schema import Condition as Written
    from ..policy.schema import KeyPath
    from ..policy.tree import Data

_SHOWN: Final = 3
"""Values of a list that are shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a rule looked at, and how it came out."""

    line: int
    text: str
    """What stands there: `args.amount lte 50000`."""
    holds: Verdict
    """None: it cannot be told."""
    found: str
    """What the call has there, values included; for the operator."""
    is_value: bool = True
    """Otherwise `found` is a whole clause."""

    def __str__(self) -> str:
        holds = {True: "holds", False: "does not hold", None: "cannot be judged"}[self.holds]
        return f"`{self.text}` {holds}: {'found ' if self.is_value else ''}{self.found}"


@dataclass(frozen=True, slots=True)
class Case:
    """A call under a policy file."""

    document: Document
    call: ToolCall
    circumstances: Circumstances

    def line(self, at: KeyPath) -> int:
        """The line of what stands at `at`."""
        return self.document.position(at)[0]


def against(case: Case, condition: Condition, written: Written, at: KeyPath, *, wanted: bool) -> Iterator[Part]:
    """The comparisons because of which `condition` did not come out as `wanted`; none if it did."""
    verdict = condition.holds(case.call, case.circumstances)
    if verdict is wanted:
        return
    match condition:
        case One() | Many():
            text = f"{condition.path} {written.op} {value_text(written.value)}"
            yield Part(case.line(at), text, verdict, _found(case, condition, verdict))
        case Group(parts):
            key, below = ("all", written.all_) if written.has("all_") else ("any", written.any_)
            for index, (part, text_of_part) in enumerate(zip(parts, below, strict=True)):
                # If the group cannot be judged, only what cannot be judged in it matters.
                if verdict is not None or part.holds(case.call, case.circumstances) is None:
                    yield from against(case, part, text_of_part, (*at, key, index), wanted=wanted)
        case Negation(part):
            if written.not_ is not None:
                yield from against(case, part, written.not_, (*at, "not"), wanted=not wanted)


def _found(case: Case, condition: One | Many, verdict: Verdict) -> str:
    if isinstance(condition, One):
        values: list[Found] = [condition.read(case.call, case.circumstances)]
        telling = values
    else:
        values = condition.read(case.call, case.circumstances)
        telling = [value for value in values if _verdict(condition, value) is verdict]
    text = ", ".join(_value(case, condition.path, value) for value in telling[:_SHOWN])
    if len(telling) > _SHOWN:
        text += f" and {len(telling) - _SHOWN} more"
    if len(values) > 1:
        text += f" (of {len(values)} values)"
    if verdict is None and UNCLEAR not in telling:
        text += ", which cannot be compared so"
    return text


def _verdict(condition: Many, value: Found) -> Verdict:
    if isinstance(value, Gap):
        return condition.absent if value is MISSING else None
    return condition.test(value)


def _value(case: Case, path: str, value: Found) -> str:
    if value is MISSING:
        near = _near_key(path, case.call.arguments)
        return f"nothing; the call has `{printable(near)}`" if near else "nothing"
    if value is UNCLEAR:
        if path.startswith("tool"):
            return "nothing yet: the definition of the tool was not seen"
        return "what can be read in two ways"
    return sent_text(value)


def _near_key(path: str, arguments: dict[str, Json]) -> str:
    """The key that the author of `path`, or of the call, may have meant."""
    parsed = parse_path(path)
    value: Json = arguments if parsed.root == "args" else None
    for step in parsed.steps:
        if not isinstance(value, dict) or not isinstance(step, str):
            return ""
        if value.get(step) is None:
            return nearest(step, [key for key, found in value.items() if found is not None])
        value = value[step]
    return ""


def sent_text(value: object) -> str:
    """A value of the call, as JSON."""
    return printable(json.dumps(value, ensure_ascii=False))


def value_text(value: Data) -> str:
    """A value of the policy, as JSON with exact numbers."""
    return printable(_exact(value))


def _exact(value: Data) -> str:
    match value:
        case Decimal():
            return str(value)
        case list():
            return f"[{', '.join(map(_exact, value))}]"
        case dict():
            return f"{{{', '.join(f'{json.dumps(key)}: {_exact(part)}' for key, part in value.items())}}}"
        case _:
            return json.dumps(value, ensure_ascii=False)
