"""The calls of recorded sessions under another policy: the same calls, with the same times and answers.

Each session is rehearsed in virtual time. Counters of a session begin with it, those of a grant go on from session to
session; a place in flight is free again when the record says that the call ended; what a person said is said again.
What the records do not tell (arguments, what was charged before them) is not guessed: such a call cannot be known.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple

from .actions import Outcome
from .audit.events import Decided, Type, time_of
from .audit.reading import Record
from .audit.selection import read_decision
from .enforcement import Verdict
from .errors import AuditFormatError, ProtocolError
from .limits import Granted, Refused
from .limits.memory import MemoryStore
from .policy import Charge, Decision, Effect, InFlight, Kind, PolicySet, RuleRef, Scope
from .policy.untold import AsFarAsKnown
from .rehearsal import Rehearsal, request_for
from .values import Json, Untold

EXAMPLES: Final = 3
"""Calls that are shown of those that changed in the same way."""
_LONGEST_WINDOW: Final = 31 * 86_400.0
"""Seconds, where a limit has no window of a fixed length: a month."""
_ANSWERED: Final = frozenset({"ok", "tool_error"})
_AGREED: Final = frozenset({"approved", "remembered"})
_ENDS: Final = frozenset({Type.OUTCOME, Type.END})
_DECIDING: Final = 1_000
"""Microseconds that deciding anew takes once a person has agreed, of which no record tells."""


class Why(StrEnum):
    """Why it cannot be known what becomes of a call."""

    ARGUMENTS = "their arguments were not recorded as they were; record with `--audit-arguments full`"
    ANNOTATIONS = "the tool's annotations were not recorded; the policy that was in force did not look at them"
    EARLIER = "what was charged before the log begins, or by others, is not in it"
    SEVERAL = "the request used several things at once"
    UNREADABLE = "the call is not one that a client can make"


class Change(NamedTuple):
    """A call that is decided otherwise."""

    decided: Decided
    before: Effect
    after: Effect
    rules: tuple[RuleRef, ...]
    """Those of the new policy that decide, or of the old one if the new one allows."""
    reason: str


@dataclass(slots=True)
class Replayed:
    """What became of all calls."""

    sessions: int = 0
    calls: int = 0
    changes: list[Change] = field(default_factory=list)
    unknown: list[tuple[Decided, Why]] = field(default_factory=list)
    unread: int = 0
    """Decisions of another format, which were left out."""

    @property
    def same(self) -> int:
        """Calls that are decided as they were."""
        return self.calls - len(self.changes) - len(self.unknown)

    @property
    def unknown_why(self) -> Counter[Why]:
        """How many calls cannot be known, by the reason."""
        return Counter(why for _, why in self.unknown)


class _Event(NamedTuple):
    time: int
    order: int
    """Its `seq`."""
    session: _Session
    type: Type
    call: int
    body: dict[str, Json]


class Stores:
    """One store for all sessions, in whose keys stands whoever owns a counter, and what each grant had answered."""

    def __init__(self) -> None:
        self.counters = MemoryStore()
        self.answered: dict[str, frozenset[str]] = {}

    def of(self, session: str, grant: str) -> KeyedStore:
        """What a session of a grant has of it."""
        return KeyedStore(self, session, grant)


class KeyedStore:
    """The `CounterStore` of one session."""

    def __init__(self, stores: Stores, session: str, grant: str) -> None:
        self._stores = stores
        self._grant = grant
        self._owners = {Scope.SESSION: f"session {session}", Scope.GRANT: f"grant {grant}", Scope.GLOBAL: "global"}
        self.before: frozenset[str] | None = None
        """What is known to have been answered in the grant when the next call is decided."""

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        """See `CounterStore.reserve`."""
        keyed = [charge._replace(key=(self._owners[charge.scope], *charge.key)) for charge in charges]
        answer = self._stores.counters.reserve(keyed, now, patience=patience)
        if isinstance(answer, Refused):
            return answer._replace(charge=charges[keyed.index(answer.charge)])
        return answer

    def release(self, granted: Granted) -> None:
        """See `CounterStore.release`."""
        self._stores.counters.release(granted)

    def finish(self, granted: Granted) -> None:
        """See `CounterStore.finish`."""
        self._stores.counters.finish(granted)

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        """See `CounterStore.answered`."""
        del patience
        return self._stores.answered.get(self._grant, frozenset()) if self.before is None else self.before

    def remember_answered(self, tool: str, *, patience: float) -> None:
        """See `CounterStore.remember_answered`."""
        del patience
        self._stores.answered[self._grant] = self._stores.answered.get(self._grant, frozenset()) | {tool}


def _in_order(event: _Event) -> tuple[int, bool]:
    """Of what happens at one microsecond, calls that end come last: what else got their places is found out."""
    return event.time, event.type in _ENDS


class _Open(NamedTuple):
    """A call that was decided and has not ended."""

    decided: Decided
    verdict: Verdict
    known: bool


class _Session:
    """One recorded session and its rehearsal."""

    def __init__(self, name: str, begin: int) -> None:
        self.name = name
        self.begin = begin
        """When the first thing that is known of it happened."""
        self.is_whole = False
        """The log has its beginning."""
        self.rehearsal: Rehearsal | None = None
        self.store: KeyedStore | None = None
        self.open: dict[int, _Open] = {}
        self.answers: list[tuple[int, str]] = []
        """Calls of tools that were answered with anything but a protocol error, with the tool, in order."""
        self.taken = 0
        """How many of them came before the event at hand."""
        self.refused: set[int] = set()
        """Calls that are refused now, so that they were not answered."""
        self.tools: dict[int, str] = {}

    def answered(self, count: int | None) -> frozenset[str] | None:
        """The tools that had been answered when there were `count` of them; None: too many to know."""
        if count is None:
            return None
        names: set[str] = set()
        kept: set[str] = set()
        for at, (call, tool) in enumerate(self.answers):
            # The answer comes before its record: what the decision knew may stand behind it.
            if at >= self.taken and len(names | {tool}) > count:
                break
            names.add(tool)
            if call not in self.refused:
                kept.add(tool)
        return frozenset(kept)


class _Replay:
    def __init__(self, policy: PolicySet) -> None:
        self.result = Replayed()
        self._policy = policy
        self._stores = Stores()
        self._first = 0
        self._events: list[_Event] = []
        self._at = 0

    def play(self, sessions: Sequence[tuple[_Session, list[_Event]]]) -> None:
        self._first = min((events[0].time for _, events in sessions if events), default=0)
        # Of two sessions at the same microsecond, the one that is over goes first.
        in_order = sorted(
            (events for _, events in sessions if events), key=lambda events: (events[0].time, events[-1].time)
        )
        self._events = list(merge(*in_order, key=_in_order))
        for at, event in enumerate(self._events):
            self._at = at
            if event.session.rehearsal is not None:
                event.session.rehearsal.now = event.time / 1e6
            match event.type:
                case Type.DECISION:
                    self._decision(event)
                case Type.APPROVAL:
                    self._approval(event)
                case Type.OUTCOME:
                    self._outcome(event)
                case _:
                    self._over(event.session)

    def _decision(self, event: _Event) -> None:
        try:
            one = read_decision(event.body)
        except AuditFormatError:
            self.result.unread += 1
            return
        self.result.calls += 1
        session = event.session
        if session.rehearsal is None:
            session.store = self._stores.of(session.name, one.grant)
            session.rehearsal = Rehearsal(self._policy, session.store, grant=one.grant, now=event.time / 1e6)
        if one.withheld:
            session.refused.add(one.call)
            return
        if session.store is not None:
            session.store.before = one.before
        if one.several:
            self.result.unknown.append((one, Why.SEVERAL))
            return
        try:
            request = request_for(one.kind, one.tool, json.dumps(one.arguments or {}))
        except ProtocolError:
            self.result.unknown.append((one, Why.UNREADABLE))
            return
        why: Why | None = None
        policy = self._policy
        annotations = one.annotations
        is_same_policy = one.policy == policy.digest
        if one.arguments is None and one.kind is not Kind.RESOURCE:
            request.params["arguments"] = Untold()
            why = Why.ARGUMENTS
        if annotations is None and not is_same_policy and one.kind is Kind.TOOL and policy.needs_annotations:
            annotations = Untold()
            why = why or Why.ANNOTATIONS
        if why is not None:
            charged = {limit.counter for limit in one.limits} if one.effect is Effect.ALLOW else set[str]()
            policy = AsFarAsKnown(policy, charged)
        admit = partial(
            session.rehearsal.admit,
            request,
            policy,
            annotations=annotations,
            answered=session.answered(one.answered),
            continues=one.continues,
            approved=one.approval in _AGREED,
        )
        verdict = admit()
        if one.effect is not Effect.DENY:
            verdict = self._with_place(verdict, admit, event.time + one.duration)
        effect = verdict.decision.effect
        if effect is Effect.DENY or not isinstance(policy, AsFarAsKnown) or not policy.open:
            why = None
        elif one.effect is not Effect.ALLOW:
            # It is taken to have been refused by what is not known.
            session.rehearsal.withdrawn(verdict)
            verdict = Verdict(verdict.decision)
        if effect is Effect.DENY and (why is None):
            session.refused.add(one.call)
        if why is None and effect is not one.effect and self._depends_on_earlier(one, verdict.decision, session):
            why = Why.EARLIER
        session.open[one.call] = _Open(one, verdict, why is None)
        if why is not None:
            self.result.unknown.append((one, why))
        elif effect is not one.effect:
            self._changed(one, one.effect, verdict.decision)

    def _depends_on_earlier(self, one: Decided, decision: Decision, session: _Session) -> bool:
        """Whether a limit refused the call then which has more left now because the log does not tell all."""
        if one.effect is not Effect.DENY or decision.effect is Effect.DENY or len(one.limits) != 1:
            return False
        limit = one.limits[0]
        if not any(charge.counter == limit.counter and charge.scope == limit.scope for charge in decision.charges):
            return False
        if limit.scope == Scope.SESSION and session.is_whole:
            return False
        begin = session.begin if limit.scope == Scope.SESSION else self._first
        return one.time - begin < (limit.window or _LONGEST_WINDOW) * 1e6

    def _approval(self, event: _Event) -> None:
        """A person agreed; a call about which nobody has to be asked now was decided when it was made."""
        session, body = event.session, event.body
        held = session.open.get(event.call)
        if held is None or session.rehearsal is None or body.get("answer") not in _AGREED:
            return
        if held.known and held.verdict.decision.effect is not Effect.ASK:
            return
        one = held.decided
        request = request_for(one.kind, one.tool, json.dumps(one.arguments or {}))
        policy = self._policy
        if one.arguments is None and one.kind is not Kind.RESOURCE:
            request.params["arguments"] = Untold()
            limits = body.get("limits")
            charged = [limit for limit in limits if isinstance(limit, dict)] if isinstance(limits, list) else []
            policy = AsFarAsKnown(policy, {str(limit.get("counter")) for limit in charged})
        answered = session.answered(one.answered)
        admit = partial(
            session.rehearsal.admit, request, policy, annotations=one.annotations, answered=answered, approved=True
        )
        before = Effect.ALLOW if body.get("decision") == Effect.ALLOW else Effect.DENY
        verdict = admit()
        if before is Effect.ALLOW:
            verdict = self._with_place(verdict, admit, event.time + _DECIDING)
        session.open[event.call] = held._replace(verdict=verdict)
        after = verdict.decision.effect
        if after is Effect.DENY:
            session.refused.add(one.call)
        if held.known and after is not before:
            self._changed(one, before, verdict.decision)

    def _outcome(self, event: _Event) -> None:
        session = event.session
        if session.taken < len(session.answers) and session.answers[session.taken][0] == event.call:
            session.taken += 1
        self._ended(event)

    def _ended(self, event: _Event) -> None:
        """Free what the call of `event` held."""
        session = event.session
        try:
            outcome = Outcome(str(event.body.get("outcome")))
        except ValueError:
            return
        held = session.open.get(event.call)
        if held is None or session.rehearsal is None:
            return
        if event.body.get("forwarded") is False:
            session.rehearsal.withdrawn(held.verdict)
            del session.open[event.call]
            return
        session.rehearsal.ended(held.verdict, outcome)
        if outcome is not Outcome.CANCELLED:
            del session.open[event.call]

    def _with_place(self, verdict: Verdict, admit: Callable[[], Verdict], until: int) -> Verdict:
        """`verdict` about a call that passed, once what ended while it was being decided has freed its place.

        A call is recorded with the time that it came; when in the time that deciding took it got a place, nobody knows.
        """
        for later in islice(self._events, self._at + 1, None):
            exhausted = verdict.decision.exhausted
            if later.time > until + 1 or exhausted is None or not isinstance(exhausted.charge.window, InFlight):
                break
            if later.type is Type.OUTCOME:
                self._ended(later)
                verdict = admit()
            elif later.type is Type.END:
                self._over(later.session)
                verdict = admit()
        return verdict

    def _over(self, session: _Session) -> None:
        """Whatever is in flight at the end of a session has lost its place."""
        for held in session.open.values():
            if session.rehearsal is not None:
                session.rehearsal.ended(held.verdict, Outcome.UPSTREAM_EXIT)
        session.open.clear()

    def _changed(self, one: Decided, before: Effect, decision: Decision) -> None:
        rules = decision.rules if decision.effect is not Effect.ALLOW else one.rules
        reason = decision.reason if decision.effect is not Effect.ALLOW else one.reason
        self.result.changes.append(Change(one, before, decision.effect, rules, reason))


def replay(records: Iterable[Record], policy: PolicySet) -> Replayed:
    """Decide about the calls in `records` by `policy`."""
    sessions: dict[str, tuple[_Session, list[_Event]]] = {}
    for record in records:
        event = _event(record, sessions)
        if event is not None:
            sessions[event.session.name][1].append(event)
    for session, events in sessions.values():
        # Decisions that several workers took stand in the order in which they were written.
        events.sort(key=lambda event: (*_in_order(event), event.order))
        for event in events:
            if event.type is Type.OUTCOME and event.body.get("outcome") in _ANSWERED and event.call in session.tools:
                session.answers.append((event.call, session.tools[event.call]))
        if events and events[-1].type is not Type.END:
            last = events[-1]
            events.append(last._replace(time=last.time + 1, type=Type.END))
        session.begin = events[0].time if events else 0
    run = _Replay(policy)
    run.result.sessions = len(sessions)
    run.play(list(sessions.values()))
    return run.result


def _event(record: Record, sessions: dict[str, tuple[_Session, list[_Event]]]) -> _Event | None:
    body = record.body
    name, order, call = body.get("session"), body.get("seq"), body.get("call")
    if not isinstance(name, str) or not isinstance(order, int):
        return None
    session, _ = sessions.setdefault(name, (_Session(name, 0), []))
    session.is_whole = session.is_whole or order == 0
    try:
        kind, time = Type(str(record.type)), time_of(str(body.get("time")))
    except ValueError:
        return None
    if kind is Type.END:
        return _Event(time, order, session, kind, 0, body)
    if not isinstance(call, int) or kind not in {Type.DECISION, Type.OUTCOME, Type.APPROVAL}:
        return None
    if kind is Type.DECISION and body.get("kind") == Kind.TOOL:
        session.tools[call] = str(body.get("tool"))
    return _Event(time, order, session, kind, call, body)
