"""What a session says is to be done about a message: the vocabulary between it, enforcement and the relay."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

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


# These, like the messages of `wire`, are made for every message. A plain class is made in two thirds of the time that a
# named tuple takes and read in a third, in a quarter and a half of it where it is compiled; `Final` keeps it frozen.


class Ended:
    """Tell enforcement what became of a call that it admitted."""

    __slots__ = ("admission", "outcome")

    def __init__(self, admission: object, outcome: Outcome) -> None:
        self.admission: Final = admission
        """As it was given to `settle`."""
        self.outcome: Final = outcome


class Unapproved:
    """Tell enforcement that nobody agreed to a call about which a person was asked."""

    __slots__ = ("admission", "decision")

    def __init__(self, admission: object, decision: Decision) -> None:
        self.admission: Final = admission
        """As it was given to `settle`."""
        self.decision: Final = decision
        """What is decided by that."""


class Forward:
    """Send `data` on, to the other side."""

    __slots__ = ("data", "drift", "ended", "note")

    def __init__(
        self, data: bytes, note: str = "", ended: Ended | Unapproved | None = None, drift: tuple[Drift, ...] = ()
    ) -> None:
        self.data: Final = data
        self.note: Final = note
        """For the operator; empty if nothing out of the ordinary happened."""
        self.ended: Final = ended
        self.drift: Final = drift
        """What is not as it was reviewed, for the record."""


class Answer:
    """Send `data` back to where the message came from."""

    __slots__ = ("data", "ended", "note")

    def __init__(self, data: bytes, note: str = "", ended: Unapproved | None = None) -> None:
        self.data: Final = data
        self.note: Final = note
        self.ended: Final = ended


class Ask:
    """Send `data` back: a question, and what it is about waits, so `Session.tick` has to be called in time."""

    __slots__ = ("data", "note")

    def __init__(self, data: bytes, note: str = "") -> None:
        self.data: Final = data
        self.note: Final = note


_NOBODY: Final = Peers()


class Judge:
    """Ask enforcement about `uses`, all of which must be allowed, and give the decision to `settle`."""

    __slots__ = (
        "annotations",
        "answered",
        "approved",
        "asked_as",
        "continues",
        "definition",
        "elicits",
        "entry",
        "peers",
        "policy",
        "request",
        "uses",
        "withheld",
    )

    def __init__(
        self,
        request: Request,
        uses: tuple[ToolCall, ...],
        policy: PolicySet,
        annotations: dict[str, Json] | None,
        answered: frozenset[str] | None,
        entry: object = None,
        continues: bool = False,  # noqa: FBT001, FBT002 - an argument by name takes longer
        elicits: bool = False,  # noqa: FBT001, FBT002
        approved: str = "",
        asked_as: object = None,
        peers: Peers = _NOBODY,
        withheld: str = "",
        definition: bytes = b"",
    ) -> None:
        self.request: Final = request
        self.uses: Final = uses
        self.policy: Final = policy
        """The policy in force when the message came; read once, so that a reload never splits a decision."""
        self.annotations: Final = annotations
        self.answered: Final = answered
        self.entry: Final = entry
        """The session's own mark of the request: one that was cancelled meanwhile is not the next one under its id."""
        self.continues: Final = continues
        """It carries on a call that was admitted and then needed input: the same call, neither asked about nor charged
        again (POLICY section 5)."""
        self.elicits: Final = elicits
        """The client can ask its user about this request."""
        self.approved: Final = approved
        """A person has agreed, asked under the policy with this digest."""
        self.asked_as: Final = asked_as
        """As it was given to `settle` when that person was to be asked."""
        self.peers: Final = peers
        self.withheld: Final = withheld
        """Why it is refused whatever the policy says, as a sentence: it is not what was reviewed."""
        self.definition: Final = definition
        """Of the tool, as JSON, where a person may be asked about it; empty if the upstream has not listed it."""

    def asked(self, admission: object, *, elicits: bool) -> Judge:
        """The same, now that a person is to be asked about it, `admission` being what was given to `settle`."""
        return self._but(
            self.policy,
            self.annotations,
            self.answered,
            elicits=elicits,
            approved=self.approved,
            asked_as=admission,
            withheld=self.withheld,
        )

    def anew(
        self,
        policy: PolicySet,
        annotations: dict[str, Json] | None,
        answered: frozenset[str] | None,
        *,
        approved: str,
        withheld: str,
    ) -> Judge:
        """The same, to be judged by what holds now."""
        return self._but(
            policy,
            annotations,
            answered,
            elicits=self.elicits,
            approved=approved,
            asked_as=self.asked_as,
            withheld=withheld,
        )

    def _but(
        self,
        policy: PolicySet,
        annotations: dict[str, Json] | None,
        answered: frozenset[str] | None,
        *,
        elicits: bool,
        approved: str,
        asked_as: object,
        withheld: str,
    ) -> Judge:
        return Judge(
            self.request,
            self.uses,
            policy,
            annotations,
            answered,
            self.entry,
            self.continues,
            elicits,
            approved,
            asked_as,
            self.peers,
            withheld,
            self.definition,
        )


class Drop:
    """Send nothing."""

    __slots__ = ("ended", "note")

    def __init__(self, note: str = "", ended: Ended | Unapproved | None = None) -> None:
        self.note: Final = note
        self.ended: Final = ended


Done: TypeAlias = Forward | Answer | Ask | Drop
"""What the relay can carry out at once."""
Action: TypeAlias = Done | Judge


def noted(done: Done, note: str) -> Done:
    """`done` with this note, unless it has one."""
    if done.note or not note:
        return done
    if isinstance(done, Forward):
        return Forward(done.data, note, done.ended, done.drift)
    if isinstance(done, Answer):
        return Answer(done.data, note, done.ended)
    if isinstance(done, Ask):
        return Ask(done.data, note)
    return Drop(note, done.ended)
