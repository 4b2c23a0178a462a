"""What a decision obliges us to do, in one place: evaluate, look at limits, and say yes or no.

The only way for a tool call to become allowed is through `Enforcer.admit`. Whatever goes wrong in here denies the call.
What `admit` says is on record already (DESIGN section 6).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING, Final

from .actions import Ended, Judge, Outcome, Unapproved
from .errors import AuditError, StoreBusy, StoreUnavailable
from .limits import CounterStore, Granted, Refused
from .limits.history import History
from .policy import Approval, Asked, Asking, Channel, Circumstances, Decision, Effect, Exhausted, InFlight, reasons
from .policy.model import together
from .wire import sorted_arguments

if TYPE_CHECKING:
    from .approval.operator import Operator
    from .audit import Recorded, Recorder
    from .pins.watch import Drift

AT_ONCE: Final = 0.005
"""Seconds that whoever relays other messages too may spend on one call."""
PATIENT: Final = 5.0
"""Seconds that a call may wait for a store before it is denied."""

# Looking up a member of an enumeration takes 0.1 µs in Python 3.11, twelve times what a name takes: every call does.
_ALLOW: Final = Effect.ALLOW
_ASK: Final = Effect.ASK
_DENY: Final = Effect.DENY
_CANCELLED: Final = Outcome.CANCELLED
_ANSWERED: Final = frozenset({Outcome.OK, Outcome.TOOL_ERROR})
"""What makes the rules apply that wait for a tool: anything but a JSON-RPC error (POLICY section 3)."""
_BUSY: Final = "the limits of this call could not be looked at in time. Retry in a few seconds."
_OVERLOADED: Final = "too many calls are waiting for a decision. Retry when one of them was answered."


_AGREED: Final = (Approval.APPROVED, Approval.REMEMBERED)


class Admission:
    """A call that was let through, and what it holds until it has ended. Made and read here only."""

    __slots__ = ("ended", "granted", "recorded", "remembered")

    def __init__(self, granted: Granted | None = None, remembered: tuple[str, ...] = ()) -> None:
        self.granted = granted
        self.remembered = remembered
        """Tools of which the grant's other sessions have to know once they are answered."""
        self.recorded: Recorded | None = None
        self.ended = 0.0
        """When what it holds began to be freed, in seconds since the epoch."""


class Verdict:
    """What enforcement says about one `Judge`."""

    __slots__ = ("admission", "decision")

    def __init__(self, decision: Decision, admission: Admission | None = None) -> None:
        self.decision: Final = decision
        self.admission: Final = admission
        """To be given to `ended` or to `withdraw`, once; None if the call holds nothing."""


class Enforcer:
    """Decides about uses of tools, resources and prompts, and charges the limits that they count against.

    `clock` gives seconds since the epoch and never runs backwards while the process lives. Thread-safe as far as
    `store` is.
    """

    def __init__(
        self,
        store: CounterStore,
        *,
        grant: str,
        clock: Callable[[], float],
        recorder: Recorder | None = None,
        note: Callable[[str], None] | None = None,
        operator: Callable[[], Operator] | None = None,
        risk_of: Callable[[bytes], str] = lambda _: "",
    ) -> None:
        """With a `recorder` every decision is on record before it is known to anybody; what cannot be is a denial.

        `note` takes a line for the operator that nobody else is told. `operator` is called once, when a person is first
        to be asked; without it nobody but the client's user can be, and nothing is remembered. `risk_of` says for
        people how dangerous a tool is, by its definition as JSON.
        """
        self._note = note
        self._open_operator = operator
        self._opening = Lock()
        self._risk_of = risk_of
        self._opened: Operator | None = None
        self._store = store
        self._history = History(store, self._troubled)
        self._grant = grant
        self._clock = clock
        self._recorder = recorder

    def admit(self, judge: Judge, *, patience: float = PATIENT) -> Verdict:
        """Decide about `judge`: all of its uses have to be allowed and all their limits to hold, or none is charged.

        What a person has to agree to is charged once that has happened; a limit that is used up refuses it before
        anybody is bothered (POLICY section 3 step 6).

        Raises:
            StoreBusy: the store does not answer within `patience` seconds. Nothing was changed.
        """
        now = self._clock()
        looks_back = judge.policy.looks_back
        before = None
        if looks_back and not judge.withheld and any(map(judge.policy.needs_history, judge.uses)):
            before = self._history.answered(patience)
        verdict = self._decide(judge, now, before, patience)
        if looks_back:
            verdict = self._remembering(judge, verdict)
        return verdict if self._recorder is None else self._recorded(judge, verdict, now, before)

    def _remembering(self, judge: Judge, verdict: Verdict) -> Verdict:
        """`verdict` with what has to be kept once the call is answered."""
        remembered = tuple(use.name for use in judge.uses if judge.policy.remembers(use))
        if not remembered or verdict.decision.effect is not _ALLOW:
            return verdict
        granted = verdict.admission.granted if verdict.admission else None
        return Verdict(verdict.decision, Admission(granted, remembered))

    def _decide(self, judge: Judge, now: float, before: AbstractSet[str] | None, patience: float) -> Verdict:
        if judge.withheld:
            return Verdict(_unjudged(judge, judge.withheld))
        policy = judge.policy
        circumstances = Circumstances(now, self._grant, judge.annotations, judge.answered, before)
        decision = (
            policy.evaluate(judge.uses[0], circumstances)
            if len(judge.uses) == 1
            else _together([policy.evaluate(use, circumstances) for use in judge.uses])
        )
        if judge.continues and decision.effect is not _DENY:
            decision = _again(decision)
        if decision.effect is _ASK and judge.approved:
            decision = _approved(decision, judge.approved)
        if decision.effect is _DENY:
            return Verdict(decision)
        asking = decision.asking if decision.effect is _ASK or judge.approved else None
        if asking is None and not decision.charges:
            return Verdict(decision)
        if asking is not None and self._open_operator is not None and patience < PATIENT:
            raise StoreBusy("this takes several steps, and a person takes longer")
        try:
            verdict = self._reserve(judge, decision, now, patience)
        except StoreUnavailable as error:
            self._troubled(error)
            return Verdict(refusal(decision, f"the limits of this call cannot be looked at: {error}."))
        if judge.approved and verdict.decision.effect is _ALLOW:
            self._remember(judge, verdict.decision, now, patience)
        return verdict

    def _troubled(self, error: StoreBusy | StoreUnavailable) -> None:
        if self._note is not None and isinstance(error, StoreUnavailable) and error.remedy:
            self._note(f"{error}: {error.remedy}")

    def _reserve(self, judge: Judge, decision: Decision, now: float, patience: float) -> Verdict:
        granted = self._store.reserve(decision.charges, now, patience=patience)
        if isinstance(granted, Refused):
            return Verdict(refused(decision, granted))
        if decision.effect is _ASK:
            asked = self._standing(judge, decision, now, patience)
            if asked is None or asked.approval not in _AGREED:
                self._store.release(granted)
                return Verdict(self._ask(judge, decision, asked, now, patience))
            decision = decision._replace(effect=_ALLOW, reason="", asked=asked)
        if granted.shadow:
            rules = tuple(exhausted.charge.rule for exhausted in granted.shadow)
            decision = decision._replace(shadow=decision.shadow + rules)
        return Verdict(decision, Admission(granted))

    def _operator(self) -> Operator | None:
        if self._open_operator is None:
            return None
        with self._opening:
            if self._opened is None:
                self._opened = self._open_operator()
            return self._opened

    def _standing(self, judge: Judge, decision: Decision, now: float, patience: float) -> Asked | None:
        """What was said about this call before, or waits to be."""
        operator = self._operator()
        if operator is None:
            return None
        try:
            return operator.standing(judge.uses, decision, now, patience=patience)
        except (StoreBusy, StoreUnavailable) as error:
            self._troubled(error)
            return None  # then nobody has agreed; a channel that does not need the store may still be there

    def _ask(self, judge: Judge, decision: Decision, asked: Asked | None, now: float, patience: float) -> Decision:
        """`decision`, which asks a person, with what came of the first channel that is there.

        As it is, if the client's user is to be asked.
        """
        if asked is not None and asked.approval is Approval.DECLINED:
            return decision._replace(effect=_DENY, charges=(), asked=asked)
        asking = decision.asking or Asking(0.0, via=())
        if judge.definition:
            asking = asking._replace(risk=self._risk_of(judge.definition))
            decision = decision._replace(asking=asking)
        for channel in asking.via:
            if channel is Channel.ELICITATION and judge.elicits:
                return decision
            if channel is Channel.OPERATOR and (operator := self._operator()) is not None:
                server = judge.peers.server
                try:
                    asked = asked or operator.ask(judge.uses, decision, asking, server, now, patience=patience)
                except (StoreBusy, StoreUnavailable) as error:
                    self._troubled(error)
                    return refusal(decision, f"an operator cannot be asked about this call: {error}.")
                return decision._replace(asked=asked)
        return decision._replace(asked=Asked(Approval.UNAVAILABLE))

    def _remember(self, judge: Judge, decision: Decision, now: float, patience: float) -> None:
        """Let the call pass again as long as the policy says; if that cannot be kept, it is asked about again."""
        operator, asking = self._operator(), decision.asking
        if operator is not None and asking is not None and asking.remember:
            with suppress(StoreBusy, StoreUnavailable):
                operator.remember(judge.uses, decision, asking, now, patience=patience)

    def _recorded(self, judge: Judge, verdict: Verdict, now: float, before: AbstractSet[str] | None = None) -> Verdict:
        """`verdict`, which is on record now; if that cannot be, a denial that charges nothing."""
        if self._recorder is None:
            return verdict
        decision, admission = verdict.decision, verdict.admission
        asked = judge.asked_as.recorded if isinstance(judge.asked_as, Admission) else None
        try:
            if asked is not None:
                unasked = Approval.APPROVED if judge.approved else Approval.UNAVAILABLE
                answer = decision.asked.approval if decision.asked else unasked
                channel = Channel.OPERATOR if decision.asked and decision.asked.id else Channel.ELICITATION
                self._recorder.approval(asked, decision, channel=channel, answer=answer, now=now)
            recorded = asked or self._recorder.decision(
                judge.uses,
                decision,
                judge.peers,
                policy=judge.policy,
                now=now,
                took=round((self._clock() - now) * 1e6),
                annotations=judge.annotations,
                answered=judge.answered,
                before=before,
                continues=judge.continues,
                withheld=bool(judge.withheld),
                written=sorted_arguments(judge.request),
            )
        except AuditError as error:
            if admission is not None and admission.granted is not None:
                self._store.release(admission.granted)
            return Verdict(decision if decision.effect is _DENY else refusal(decision, str(error)))
        if decision.effect is _ALLOW or _is_asked(decision):
            admission = admission or Admission()
            admission.recorded = recorded
        return Verdict(decision, admission)

    def busy(self, judge: Judge) -> Decision:
        """The denial of a call whose limits could not be looked at in time."""
        return self._recorded(judge, Verdict(_unjudged(judge, _BUSY)), self._clock()).decision

    def overloaded(self, judge: Judge) -> Decision:
        """The denial of a call for which there is no room to wait."""
        return self._recorded(judge, Verdict(_unjudged(judge, _OVERLOADED)), self._clock()).decision

    def withdraw(self, admission: Admission) -> None:
        """Take back an admission whose call never reached the upstream."""
        ended = self._clock()
        if admission.granted is not None:
            self._store.release(admission.granted)
        if self._recorder is not None and admission.recorded is not None:
            self._recorder.outcome(admission.recorded, Outcome.CANCELLED, now=ended, forwarded=False)

    def drifted(self, drift: Sequence[Drift]) -> None:
        """Put on record what is not as it was reviewed."""
        if self._recorder is not None:
            for each in drift:
                self._recorder.pin(each.name, each.text)

    def message_refused(self, sender: str, what: str) -> None:
        """Put on record what was done about a message of `sender`, `client` or `server`, that is no call."""
        if self._recorder is not None:
            self._recorder.refusal(sender, what)

    def ended(self, ended: Ended | Unapproved) -> None:
        """Free what an admitted call held, and record what became of it."""
        self.free(ended)
        self.record(ended)

    def free(self, ended: Ended | Unapproved) -> None:
        """Free what an admitted call held. One that was only cancelled may still run, and holds it on.

        The call counts as ended from before that on, so that none which gets its place has an earlier record.
        """
        admission = ended.admission
        if not isinstance(admission, Admission) or isinstance(ended, Unapproved):
            return
        if ended.outcome in _ANSWERED:
            for tool in admission.remembered:
                self._history.remember(tool, AT_ONCE)
        granted = admission.granted
        admission.ended = self._clock()
        if granted is not None and ended.outcome is not _CANCELLED and granted.holds:
            self._store.finish(granted)

    def record(self, ended: Ended | Unapproved, *, later: bool = False) -> None:
        """Record what became of a call, or of asking a person about it, after `free`. Nothing has to wait for this.

        `later`: what became of a call is recorded when `catch_up` is called, or the session ends.
        """
        admission = ended.admission
        if self._recorder is None or not isinstance(admission, Admission) or admission.recorded is None:
            return
        if isinstance(ended, Ended):
            if later:
                self._recorder.outcome_later(admission.recorded, ended.outcome, now=admission.ended)
            else:
                self._recorder.outcome(admission.recorded, ended.outcome, now=admission.ended)
        elif ended.decision.asked is not None:
            self._recorder.approval(
                admission.recorded,
                ended.decision,
                channel=Channel.ELICITATION,
                answer=ended.decision.asked.approval,
                now=self._clock(),
                needed=False,
            )

    def catch_up(self) -> None:
        """Record what was left for later."""
        if self._recorder is not None:
            self._recorder.catch_up()


def _is_asked(decision: Decision) -> bool:
    """Whether the client's user is to be asked now."""
    return decision.effect is _ASK and decision.asked is None


def _unjudged(judge: Judge, reason: str) -> Decision:
    """A denial for which no policy was asked."""
    return Decision(_DENY, judge.uses[0].name, (), reason, judge.policy.digest)


def _together(decisions: list[Decision]) -> Decision:
    """All of `decisions` as one: the first denial, or what all of them ask for."""
    for decision in decisions:
        if decision.effect is _DENY:
            return decision
    strongest = [decision for decision in decisions if decision.effect is _ASK] or decisions
    return strongest[0]._replace(
        rules=tuple(rule for decision in strongest for rule in decision.rules),
        charges=tuple(charge for decision in decisions for charge in decision.charges),
        shadow=tuple(rule for decision in decisions for rule in decision.shadow),
        asking=together([decision.asking for decision in decisions]),
    )


def _again(decision: Decision) -> Decision:
    """`decision` about a call that was admitted and charged already; it is in flight anew."""
    charges = tuple(charge for charge in decision.charges if isinstance(charge.window, InFlight))
    return decision._replace(effect=_ALLOW, reason="", charges=charges)


def _approved(decision: Decision, policy: str) -> Decision:
    """`decision`, which asks a person, after one has agreed under the policy with the digest `policy`."""
    if decision.policy != policy:
        return decision._replace(effect=_DENY, charges=(), asked=Asked(Approval.CHANGED))
    return decision._replace(effect=_ALLOW, reason="", asked=Asked(Approval.APPROVED))


def refusal(decision: Decision, reason: str) -> Decision:
    """`decision`, which did not deny a call, as a denial that no rule made."""
    return decision._replace(effect=_DENY, rules=(), reason=reason, charges=())


def refused(decision: Decision, refusal: Refused) -> Decision:
    """`decision`, which did not deny a call, as the denial that a used-up limit makes of it."""
    charge = refusal.charge
    # A counter that a call names twice is charged the higher cost.
    cost = max(other.cost for other in decision.charges if other.key == charge.key)
    exhausted = Exhausted(charge._replace(cost=cost), refusal.retry_after, refusal.left)
    reason = charge.on_deny or reasons.used_up(decision.tool, exhausted)
    return decision._replace(
        effect=_DENY,
        rules=(charge.rule._replace(effect=_DENY, reason=reason),),
        reason=reason,
        charges=(),
        exhausted=exhausted,
    )
