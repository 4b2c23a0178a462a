"""What would become of a call, and why: which line of which policy says so.

The decision is the proxy's own, played by a `Rehearsal`; this package only looks for the reasons that a decision leaves
out, because the model shall not read them and nobody needs them while calls pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from ..limits import Granted, Refused
from ..limits.memory import MemoryStore
from ..policy import Charge, Circumstances, Decision, Effect, InFlight, Kind, RuleRef, ToolCall, reasons
from ..rehearsal import Rehearsal, Settled
from .conditions import Part
from .names import Place, hiding, listing, misspelt, near_misses
from .rules import Account, accounts

if TYPE_CHECKING:
    from ..actions import Judge
    from ..policy.loading import Loaded, Source
    from ..values import Json
    from ..wire import Request

__all__ = ["Account", "Explanation", "LimitState", "Part", "Place", "Situation", "explain"]


@dataclass(frozen=True, slots=True)
class Situation:
    """Under which circumstances a call is made."""

    now: float
    """Seconds since the epoch."""
    grant: str = ""
    annotations: dict[str, Json] | None = None
    """Of the tool, as the upstream lists them; None: its definition was not seen."""
    answered: AbstractSet[str] = frozenset()
    """Tools that were answered in this session."""
    after: int = 0
    """How many equal calls were made just before."""


@dataclass(frozen=True, slots=True)
class LimitState:
    """A limit that the call counts against."""

    charge: Charge
    used: Decimal
    """Before the call."""
    refuses: bool
    retry_after: int | None
    """Whole seconds, as the model is told; None if it does not refuse, or the call can never pass."""

    @property
    def left(self) -> Decimal:
        """Before the call."""
        return max(Decimal(0), self.charge.max - self.used)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision with all its reasons."""

    decision: Decision
    told: str
    """What the model reads instead of an answer; empty if the call is let through."""
    is_judged: bool
    """False: no policy speaks of things of this kind."""
    rules: tuple[Account, ...]
    """Those that decided. `hide`, `default` and `name` stand for what is no rule and refuses all the same."""
    also: tuple[Account, ...]
    """Other rules that would refuse or ask, were it not for the first."""
    skipped: tuple[Account, ...]
    shadow: tuple[Account, ...]
    """What would refuse or ask, were it not for shadow mode."""
    limits: tuple[LimitState, ...]
    """Empty if a rule refused: nothing is counted then."""
    listed: tuple[Place, ...]
    near: tuple[Place, ...]
    in_list: bool
    """Whether the name stays in `tools/list` (or the list of its kind)."""
    list_reason: str
    """Why not; a clause for people."""


def explain(loaded: Loaded, request: Request, kind: Kind, situation: Situation) -> Explanation:
    """What would become of `request`, which uses a `kind` of thing."""
    store = _Tally()
    rehearsal = Rehearsal(loaded.policy, store, grant=situation.grant, now=situation.now)
    for _ in range(situation.after):
        rehearsal.use(request, annotations=situation.annotations, answered=situation.answered)
    used = dict(store.used)
    settled = rehearsal.use(request, annotations=situation.annotations, answered=situation.answered)
    decision, judge = settled.decision, settled.judge
    if judge is None:
        return Explanation(decision, "", False, (), (), (), (), (), (), (), True, "")  # noqa: FBT003
    call = judge.uses[0]
    # Who was answered before was answered the grant, too.
    circumstances = Circumstances(situation.now, situation.grant, judge.annotations, judge.answered, frozenset())
    told = {account.key: account for source in loaded.sources for account in accounts(source, call, circumstances)}
    unruled = [pair for source in loaded.sources for pair in _unruled(source, call, circumstances)]
    shadowed = {source.policy.path for source in loaded.sources if source.policy.shadow}
    rules = [_account(told, rule) for rule in decision.rules]
    rules += [account for account in unruled if account.rule.path not in shadowed]
    shadow = [_account(told, rule) for rule in decision.shadow if rule.line]
    shadow += [account for account in unruled if account.rule.path in shadowed]
    named = {account.key for account in (*rules, *shadow)}
    in_list, list_reason = _in_list(loaded, kind, call.name)
    return Explanation(
        decision,
        settled.told,
        is_judged=True,
        rules=tuple(rules),
        also=tuple(account for account in told.values() if account.stops and account.key not in named),
        skipped=tuple(account for account in told.values() if account.skipped),
        shadow=tuple(shadow),
        limits=tuple(_limits(loaded, settled, judge, circumstances, used)),
        listed=tuple(place for source in loaded.sources for place in listing(source, kind, call.name)),
        near=tuple(place for source in loaded.sources for place in near_misses(source, kind, call.name)),
        in_list=in_list,
        list_reason=list_reason,
    )


class _Tally:
    """The store of a rehearsal in which no time passes, and what each counter has used."""

    def __init__(self) -> None:
        self.used: dict[tuple[str, ...], Decimal] = {}
        self._store = MemoryStore()

    def reserve(self, charges: Sequence[Charge], now: float, *, patience: float) -> Granted | Refused:
        answer = self._store.reserve(charges, now, patience=patience)
        if isinstance(answer, Granted):
            self._count(answer, 1)
        return answer

    def release(self, granted: Granted) -> None:
        self._store.release(granted)
        self._count(granted, -1)

    def answered(self, *, patience: float) -> AbstractSet[str] | None:
        return self._store.answered(patience=patience)

    def remember_answered(self, tool: str, *, patience: float) -> None:
        self._store.remember_answered(tool, patience=patience)

    def finish(self, granted: Granted) -> None:
        self._store.finish(granted)
        held = tuple(charge for charge in granted.charges if isinstance(charge.window, InFlight))
        self._count(Granted(held, granted.made, granted.shadow), -1)

    def _count(self, granted: Granted, sign: int) -> None:
        costs: dict[tuple[str, ...], Decimal] = {}
        for charge in granted.charges:
            if not (charge.shadow and granted.shadow):
                costs[charge.key] = max(charge.cost, costs.get(charge.key, Decimal(0)))
        for key, cost in costs.items():
            self.used[key] = self.used.get(key, Decimal(0)) + sign * cost


def _account(told: dict[tuple[str, int, str], Account], rule: RuleRef) -> Account:
    """The account of a rule that decided, which a limit of it may have done."""
    known = told.get((rule.path, rule.line, rule.name), Account(rule))
    return replace(known, rule=rule, refused=rule.effect is Effect.DENY)


def _unruled(source: Source, call: ToolCall, circumstances: Circumstances) -> Iterator[Account]:
    """What in a file refuses the call without being a rule (POLICY section 3 steps 0 to 2)."""
    if call.kind not in source.policy.sections:
        return
    decision = source.policy.enforced(call, circumstances)
    if decision.effect is not Effect.DENY or decision.rules:
        return
    kind, name, reason, document = call.kind, call.name, decision.reason, source.document
    places: list[tuple[str, int]] = []
    if reason == reasons.hidden(kind, name):
        places = [("hide", place.line) for place in hiding(source, name)]
    elif reason == reasons.unlisted(kind, name):
        line = document.position(("default",), of_key=True)[0] if source.file.default else 0
        places = [("default", line)]
    elif reason == reasons.misspelt(kind):
        places = [("name", place.line) for place in misspelt(source, kind, name)]
    for word, line in places or [("name", 0)]:
        yield Account(RuleRef(word, document.path, line, Effect.DENY, reason), refused=True, is_no_rule=True)


def _limits(
    loaded: Loaded, settled: Settled, judge: Judge, circumstances: Circumstances, used: dict[tuple[str, ...], Decimal]
) -> Iterator[LimitState]:
    exhausted = settled.decision.exhausted
    if settled.decision.effect is Effect.DENY and exhausted is None:
        return
    wait = settled.details.get("retry_after_s")
    for charge in loaded.policy.evaluate(judge.uses[0], circumstances).charges:
        refuses = exhausted is not None and (exhausted.charge.key, exhausted.charge.max) == (charge.key, charge.max)
        retry = wait if refuses and isinstance(wait, int) else None
        yield LimitState(charge, used.get(charge.key, Decimal(0)), refuses, retry)


def _in_list(loaded: Loaded, kind: Kind, name: str) -> tuple[bool, str]:
    if loaded.policy.shows(kind, name):
        return True, ""
    if kind is Kind.TOOL and any(any(hiding(source, name)) for source in loaded.sources):
        return False, "it is hidden"
    return False, "no call of it could ever be allowed"
