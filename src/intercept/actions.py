"""What a session says is to be done about a message: the vocabulary between it, enforcement and the relay."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from .policy import Decision, PolicySet, ToolCall
from .uses import Peers
from .values import Json
from .wire import Request

if TYPE_CHECKING:
    from .pins.watch import Drift


class Outcome(StrEnum):
    """What became of a call that reached the upstream (DESIGN section 6)."""

    OK = "ok"
    TOOL_ERROR = "tool_error"
    RPC_ERROR = "rpc_error"
    CANCELLED = "cancelled"
    """The client gave it up. The upstream may still work on it: another outcome follows if it answers or ends."""
    UPSTREAM_EXIT = "upstream_exit"
    UNKNOWN = "unknown"
    """The answer could not be read."""


class Ended(NamedTuple):
    """Tell enforcement what became of a call that it admitted."""

    admission: object
    """As it was given to `settle`."""
    outcome: Outcome


class Unapproved(NamedTuple):
    """Tell enforcement that nobody agreed to a call about which a person was asked."""

    admission: object
    """As it was given to `settle`."""
    decision: Decision
    """What is decided by that."""


class Forward(NamedTuple):
    """Send `data` on, to the other side."""

    data: bytes
    note: str = ""
    """For the operator; empty if nothing out of the ordinary happened."""
    ended: Ended | Unapproved | None = None
    drift: tuple[Drift, ...] = ()
    """What is not as it was reviewed, for the record."""


class Answer(NamedTuple):
    """Send `data` back to where the message came from."""

    data: bytes
    note: str = ""
    ended: Unapproved | None = None


class Ask(NamedTuple):
    """Send `data` back: a question, and what it is about waits, so `Session.tick` has to be called in time."""

    data: bytes
    note: str = ""


class Judge(NamedTuple):
    """Ask enforcement about `uses`, all of which must be allowed, and give the decision to `settle`."""

    request: Request
    uses: tuple[ToolCall, ...]
    policy: PolicySet
    """The policy in force when the message came; read once, so that a reload never splits a decision."""
    annotations: dict[str, Json] | None
    answered: frozenset[str] | None
    entry: object = None
    """The session's own mark of the request: one that was cancelled meanwhile is not the next one under its id."""
    continues: bool = False
    """It carries on a call that was admitted and then needed input: the same call, neither asked about nor charged
    again (POLICY section 5)."""
    elicits: bool = False
    """The client can ask its user about this request."""
    approved: str = ""
    """A person has agreed, asked under the policy with this digest."""
    asked_as: object = None
    """As it was given to `settle` when that person was to be asked."""
    peers: Peers = Peers()
    withheld: str = ""
    """Why it is refused whatever the policy says, as a sentence: it is not what was reviewed."""
    definition: bytes = b""
    """Of the tool, as JSON, where a person may be asked about it; empty if the upstream has not listed it."""


class Drop(NamedTuple):
    """Send nothing."""

    note: str = ""
    ended: Ended | Unapproved | None = None


Done: TypeAlias = Forward | Answer | Ask | Drop
"""What the relay can carry out at once."""
Action: TypeAlias = Done | Judge
