"""What a person is asked about a call, and what counts as yes. Pure.

Everything that a peer has written is shown as JSON on a line of its own in which every character can be seen, so that
no argument can look like a line of ours or like another argument.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ..errors import visible
from ..policy import Approval, Decision, ToolCall
from ..values import Json

MAX_SHOWN: Final = 200
"""Arguments, or uses, that a person is asked about at a time. Nobody reads more, and what is not shown is not agreed
to: such a call is refused."""
_ALL_VALUES: Final = 16_000
_LONGEST_VALUE: Final = 2_000
_SHORTEST_VALUE: Final = 80
"""Characters of the values of all arguments together, and of one where there are few or many of them."""
_LONGEST_NAME: Final = 200

_DENY: Final = "deny"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.-]+")


class Question(NamedTuple):
    """What a person is asked."""

    text: str
    """Several lines."""
    allow: str
    """The one answer that approves, as the person reads it."""

    @property
    def schema(self) -> dict[str, Json]:
        """What the client's form asks for (2025-11-25 client/elicitation, requested schema)."""
        decision: dict[str, Json] = {"type": "string", "title": "Decision", "enum": [self.allow, _DENY]}
        return {"type": "object", "properties": {"decision": decision}, "required": ["decision"]}

    def read(self, answer: Json) -> Approval:
        """What an `ElicitResult` says; only one that was accepted with the exact value approves."""
        action = answer.get("action") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or action not in ("accept", "decline", "cancel"):
            return Approval.FAILED
        if action == "cancel":
            return Approval.CANCELLED
        content = answer.get("content")
        accepted = action == "accept" and isinstance(content, dict) and content.get("decision") == self.allow
        return Approval.APPROVED if accepted else Approval.DECLINED


def question(uses: Sequence[ToolCall], server: str, decision: Decision) -> Question | None:
    """The question about `uses`; None if there is more to it than a person can look at.

    `server` is what the upstream calls itself, empty if that is not known.
    """
    if len(uses) > MAX_SHOWN or any(len(use.arguments) > MAX_SHOWN for use in uses):
        return None
    remember = decision.asking.remember if decision.asking else 0
    allow = f"allow for {in_words(remember)}" if remember else "allow once"
    risk = decision.asking.risk if decision.asking else ""
    lines = [
        "Allow this call?",
        "",
        *described(uses, server, risk),
        "",
        f"Why you are asked: {visible(decision.reason)}",
    ]
    return Question("\n".join(lines), allow)


def described(uses: Sequence[ToolCall], server: str, risk: str) -> Iterator[str]:
    """Lines that say what is to be used, with which arguments, and the `risk` of it, empty if that is not known."""
    if server:
        yield f"Server: {_name(server)}"
    for use in uses:
        yield f"{use.kind.capitalize()}: {_name(use.name)}"
        if risk:
            yield f"By its definition: {_cut(visible(risk), _LONGEST_NAME)}"
        if use.arguments:
            yield "Arguments:"
            longest = max(_SHORTEST_VALUE, min(_LONGEST_VALUE, _ALL_VALUES // len(use.arguments)))
            for name, value in use.arguments.items():
                yield f"  {_name(name)}: {_cut(_json(value), longest)}"
        elif len(uses) == 1:
            yield "Arguments: none"


def in_words(seconds: float) -> str:
    """A length of time for people: `15 minutes`, `90 seconds`."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length and seconds % length == 0:
            count = int(seconds // length)
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds:g} second{'' if seconds == 1 else 's'}"


def _name(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and len(text) <= _LONGEST_NAME else _cut(_json(text), _LONGEST_NAME)


def _json(value: Json) -> str:
    return visible(json.dumps(value, ensure_ascii=False))


def _cut(text: str, longest: int) -> str:
    """`text`, or its beginning and end with the number of characters between them."""
    if len(text) <= longest:
        return text
    start, end = text[: longest * 3 // 4], text[-(longest // 4) :]
    return f"{start} [… {len(text) - len(start) - len(end)} of {len(text)} characters are not shown …] {end}"
