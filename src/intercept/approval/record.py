"""What waits for an operator, as it is kept in the state store; pure.

A record says what is to be used, in full, so that whoever answers it looks at the very thing that the answer is for:
`subject` is recomputed from it and from nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..policy import Kind, ToolCall
from ..values import Json, digest

MAX_WAITING: Final = 1_000
"""Approvals that may wait at a time; nobody looks at more, and more are refused."""
KEPT: Final = 7 * 86_400
"""Seconds that an approval which is over can still be looked at."""


class State(StrEnum):
    """Where an approval stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    """The same call passes once."""
    DENIED = "denied"
    USED = "used"
    """It has passed."""


@dataclass(frozen=True, slots=True)
class Record:
    """One approval. Times are seconds since the epoch."""

    id: str
    """As people and models call it; it authorises nobody."""
    grant: str
    policy: str
    """Digest of the policy that asked."""
    uses: tuple[ToolCall, ...]
    server: str
    """What the server calls itself."""
    reason: str
    process: str
    """A secret-free name of the proxy that asked, which no other has."""
    created: float
    expires: float
    """When it is too late to answer, and once it is answered, to make the call."""
    window: float
    """Seconds that there are to make the call once it was approved."""
    remember: float = 0.0
    """Seconds from the approval in which the same call passes again and again."""
    state: State = State.WAITING
    until: float = 0.0
    """When what was approved to be remembered is forgotten."""
    who: str = ""
    """Who has answered."""
    signature: str = ""
    """Of `signed`, in hex; empty where no key was used."""
    risk: str = ""
    """How dangerous the tool is by its definition, for people; empty if that is not known."""

    @property
    def subject(self) -> str:
        """What it is about; equal for equal calls under one policy."""
        return subject_of(self.uses, self.policy)

    @property
    def signed(self) -> bytes:
        """What an approver signs: this call of this grant, by this process, up to these times."""
        signed: list[Json] = [
            "intercept approval 1", self.id, self.grant, self.subject, self.process, self.expires, self.until,
        ]  # fmt: skip
        return json.dumps(signed, separators=(",", ":")).encode()

    def answered(self, state: State, who: str, now: float) -> Record:
        """The record as `who` has answered it at `now`: from then on there is time to make the call."""
        until = now + self.remember if self.remember and state is State.APPROVED else 0.0
        return replace(self, state=state, who=who, expires=now + self.window, until=until)

    def as_json(self) -> dict[str, Json]:
        """For programs; see policies/README.md."""
        return {
            "id": self.id,
            "state": str(self.state),
            "server": self.server,
            "tool": self.uses[0].name,
            "uses": list[Json](uses_as_json(self.uses)),
            "reason": self.reason,
            "risk": self.risk,
            "grant": self.grant,
            "policy": self.policy,
            "created": self.created,
            "expires": self.expires,
            "remember_s": self.remember,
            "who": self.who,
        }


def subject_of(uses: Sequence[ToolCall], policy: str) -> str:
    """What an approval is about: everything that is used, with every argument, under one policy."""
    return digest([[[use.kind, use.name, use.arguments] for use in uses], policy])


def uses_as_json(uses: Sequence[ToolCall]) -> list[dict[str, Json]]:
    """`uses` as they are kept."""
    return [{"kind": str(use.kind), "name": use.name, "arguments": use.arguments} for use in uses]


def uses_from_json(kept: Json) -> tuple[ToolCall, ...]:
    """What `uses_as_json` gave.

    Raises:
        ValueError: it did not.
    """
    uses = []
    for use in kept if isinstance(kept, list) else ():
        if not isinstance(use, dict):
            raise ValueError("not a use")
        name, arguments = use.get("name"), use.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise ValueError("not a use")
        uses.append(ToolCall(name, arguments, Kind(str(use.get("kind")))))
    if not uses:
        raise ValueError("nothing is used")
    return tuple(uses)


def row_of(record: Record) -> tuple[str | float, ...]:
    """`record` as stores keep it: texts and numbers."""
    first, *others = uses_as_json(record.uses)
    # With what is used, where stores of older versions have room for it.
    uses = [{**first, "risk": record.risk} if record.risk else first, *others]
    return (
        record.id, record.grant, record.subject, record.policy, json.dumps(uses), record.server, record.reason,
        record.process, record.created, record.expires, record.window, record.remember, str(record.state),
        record.until, record.who, record.signature,
    )  # fmt: skip


def record_of(row: Sequence[object]) -> Record | None:
    """What `row_of` gave; None if somebody else has written it."""
    try:
        name, grant, subject, policy, uses, server, reason, process, *times, state, until, who, signature = row
        created, expires, window, remember = (float(str(time)) for time in times)
        texts = (name, grant, policy, server, reason, process, who, signature)
        if not all(isinstance(text, str) for text in texts):
            return None
        kept = json.loads(str(uses))
        record = Record(
            str(name), str(grant), str(policy), uses_from_json(kept), str(server), str(reason),
            str(process), created, expires, window, remember, State(str(state)), float(str(until)), str(who),
            str(signature), str(kept[0].get("risk", "")),
        )  # fmt: skip
    except (ValueError, TypeError, RecursionError):
        return None
    return record if record.subject == subject else None
