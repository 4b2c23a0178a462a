"""What a policy is asked and what it answers: the vocabulary shared by every layer above `policy`.

Frozen values only. Nothing here reads files, clocks or counters: time, grant, history and tool definitions come in as
`Circumstances`, and what a decision obliges the caller to do (charges to reserve) goes out in `Decision`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

from ..values import Json


class Effect(StrEnum):
    """What a rule says, and what comes out. The strongest wins: deny over ask over allow."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


class Kind(StrEnum):
    """What is being used. Resources are named by URI, prompts and tools by name; the rules are the same."""

    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"

    __hash__ = str.__hash__  # that of an enumeration is written in Python, and asked several times a call


class Scope(StrEnum):
    """Who shares a counter (POLICY section 5)."""

    SESSION = "session"
    GRANT = "grant"
    GLOBAL = "global"


class ToolCall:  # noqa: PLW1641 - it has arguments, which have no hash
    """One use of a tool (or of a resource or prompt, see `kind`), as it was judged and will be forwarded."""

    __slots__ = ("arguments", "kind", "name")  # no named tuple: it is made for every call (see `actions`)

    def __init__(self, name: str, arguments: dict[str, Json], kind: Kind = Kind.TOOL) -> None:
        self.name: Final = name
        self.arguments: Final = arguments
        self.kind: Final = kind

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ToolCall):
            return NotImplemented
        return (self.name, self.arguments, self.kind) == (other.name, other.arguments, other.kind)


class Circumstances:
    """What else a rule may look at."""

    __slots__ = ("annotations", "answered", "grant", "grant_answered", "now")

    def __init__(
        self,
        now: float,
        grant: str = "",
        annotations: Mapping[str, Json] | None = None,
        answered: AbstractSet[str] | None = frozenset(),
        grant_answered: AbstractSet[str] | None = None,
    ) -> None:
        self.now: Final = now
        """Wall-clock time, seconds since the epoch (for `now.*`)."""
        self.grant: Final = grant
        self.annotations: Final = annotations
        """The tool's annotations as the upstream listed them; None while its definition was not seen."""
        self.answered: Final = answered
        """Tools answered in this session with anything but a JSON-RPC error; None: too many to remember, so every
        `after` holds (rules only ever restrict, so this fails closed)."""
        self.grant_answered: Final = grant_answered
        """Tools of which `PolicySet.remembers` says that they matter that were answered in any session of the grant;
        None: not known, so every `after` of scope `grant` holds."""


class RuleRef(NamedTuple):
    """A rule, as messages, logs and `explain` name it."""

    name: str
    """The author's name for it, or `<entry>#<n>`, counted from 1."""
    path: str
    """The policy file as the user named it."""
    line: int
    effect: Effect = Effect.ALLOW
    """What this rule said about the call at hand."""
    reason: str = ""


class Unit(StrEnum):
    """What the periods of a calendar window are made of."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Window(NamedTuple):
    """A charge counts for a length of time. Sliding and half-open: charged at t it is free again at t + seconds."""

    seconds: float
    """Stores count in whole microseconds."""
    text: str
    """As people say it, for messages: `minute`, `5 minutes`."""


class CalendarWindow(NamedTuple):
    """A charge counts until the period ends in which it was made.

    That is at local midnight, Monday, the first of the month, or the top of the hour, minute or second; the arithmetic
    is in `limits.windows`.
    """

    unit: Unit
    timezone: str
    """An IANA name that can be loaded."""
    text: str
    """As people say it, for messages: `calendar day`."""


class InFlight(NamedTuple):
    """A charge counts until the call has ended (`max_concurrent`)."""

    text: str = "calls at a time"
    """As people say it."""


class Charge(NamedTuple):
    """What one call takes from one counter. Equal `key`s share their use."""

    key: tuple[str, ...]
    """The policy file, scope, counter, window and `per` paths, and last the `per` values. Stable over reloads and
    restarts. The grant is not in it: a store is opened for one and tells the counters of scope `grant` apart."""
    counter: str
    scope: Scope
    max: Decimal
    window: Window | CalendarWindow | InFlight
    cost: Decimal
    rule: RuleRef
    on_deny: str = ""
    shadow: bool = False
    """Counted apart and never refused."""
    cost_path: str = ""
    """Where in the call the cost was found; empty if the policy fixes it."""


class Channel(StrEnum):
    """How a person is reached (POLICY section 7)."""

    ELICITATION = "elicitation"
    """The client asks its own user."""
    OPERATOR = "operator"
    """Somebody answers with `intercept approvals`."""


class Asking(NamedTuple):
    """How a person is asked about a call."""

    timeout: float
    """Seconds that there are to answer."""
    remember: float = 0.0
    """Seconds in which the same call passes again without asking."""
    via: tuple[Channel, ...] = (Channel.ELICITATION, Channel.OPERATOR)
    """The next one is tried where one is not available; empty where files that have to agree name no common one."""
    risk: str = ""
    """How dangerous the tool is by its definition, for the person: `Destructive, high risk`. Set by enforcement; empty
    if that is not known. The upstream wrote the definition, so nothing is decided by it."""

    def and_also(self, other: Asking) -> Asking:
        """What satisfies both: the shorter times, and the channels that both name in the order of this one."""
        via = tuple(channel for channel in self.via if channel in other.via)
        return Asking(min(self.timeout, other.timeout), min(self.remember, other.remember), via)


def together(askings: Iterable[Asking | None]) -> Asking | None:
    """What satisfies all of `askings`; None if nobody is to be asked."""
    found = None
    for asking in askings:
        found = found.and_also(asking) if found and asking else asking or found
    return found


class Approval(StrEnum):
    """What came of asking a person."""

    APPROVED = "approved"
    REMEMBERED = "remembered"
    """Approved before, and that still holds."""
    PENDING = "pending"
    """An operator can answer, and the same call can then be made again."""
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """The question was closed without an answer."""
    FAILED = "failed"
    """The client could not ask, though it said that it can."""
    TIMED_OUT = "timed_out"
    CHANGED = "changed"
    """Another policy is in force than the one under which was asked."""
    UNAVAILABLE = "unavailable"
    """No channel of the policy reaches anybody."""


class Asked(NamedTuple):
    """What came of asking a person about one call."""

    approval: Approval
    id: str = ""
    """Of the approval that waits for an operator or came from one; it authorises nobody."""
    who: str = ""
    """The operator who has answered, for the record."""


class Exhausted(NamedTuple):
    """A limit that refused a call."""

    charge: Charge
    retry_after: float | None
    """Seconds until the same call fits; None: it never can (its cost is above `max`). For a call that has to wait for
    another to end, when to ask again."""
    left: Decimal
    """What the counter had left for this call, 0 or more and less than its cost."""


class Decision(NamedTuple):
    """What is to be done with a call, and why."""

    effect: Effect
    tool: str
    rules: tuple[RuleRef, ...]
    """The determining rules: those that made the effect what it is. Empty if no rule did (`default`, `hide`)."""
    reason: str
    """One sentence for the model, without argument values; empty if allowed."""
    policy: str
    """Digest of the policy (or policies) that decided."""
    charges: tuple[Charge, ...] = ()
    """To be reserved together, all or none, before the call is forwarded; empty if denied."""
    exhausted: Exhausted | None = None
    """Set by enforcement when a reservation was refused."""
    shadow: tuple[RuleRef, ...] = ()
    """Rules in shadow mode that would have refused or asked."""
    asking: Asking | None = None
    """How a person is asked; None if none of the rules asks."""
    asked: Asked | None = None
    """Set by enforcement or the session once a person was asked, or could not be."""
