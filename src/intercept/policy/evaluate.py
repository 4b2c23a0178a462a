"""Deciding: POLICY section 3, step by step. Pure: no clock, no counter, no file.

*Every rule that applies must be satisfied, the strongest effect wins, and what cannot be evaluated denies.*

What a name alone decides is worked out once a name and kept as a plan, so that deciding costs the same however many
tools a policy lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from ..values import normal_form
from . import reasons
from .model import Asking, Charge, Circumstances, Decision, Effect, Kind, RuleRef, ToolCall, together
from .names import MAX_NAME, Glob, Names, is_disguised
from .rules import Rule

if TYPE_CHECKING:
    from .results import Results

_PLANS: Final = 1024
"""Plans kept for names that the policy does not name exactly: a peer can think of any number of them."""
_LONGEST_KEPT: Final = 256
"""Characters of a name whose plan is kept."""


class Plan(NamedTuple):
    """What is known about a name before the arguments are."""

    decision: Decision | None
    """The whole answer, where nothing but the name takes part."""
    rules: tuple[Rule, ...] = ()
    """Otherwise the rules that may apply, in the order of POLICY section 3 step 3."""

    @property
    def needs_history(self) -> bool:
        """Whether some rule looks at `Circumstances.grant_answered`."""
        return any(rule.after_in_grant for rule in self.rules)

    @property
    def is_usable(self) -> bool:
        """Whether any call could be allowed, be it by a person."""
        return self.decision is None or self.decision.effect is not Effect.DENY


class Section(NamedTuple):
    """The entries for tools, resources or prompts, and what holds for all of them."""

    kind: Kind
    exact: Mapping[str, tuple[Rule, ...]]
    globs: tuple[tuple[Glob, tuple[Rule, ...]], ...]
    """In file order."""
    everyone: tuple[Rule, ...]
    """The rules of `"*"`."""
    allows_unlisted: bool
    hidden: Names
    hides_denied: bool
    named: frozenset[str]
    """All names that the policy gives exactly: as an entry, under `hide`, or in an `after`."""
    normal_forms: frozenset[str]
    """Of all of these."""
    refuses_invisible: bool = False
    """Whether a name may not have characters that show nothing, even if the policy names it."""

    def plan(self, name: str, policy: str) -> Plan:
        """Work out what `name` alone decides; `policy` is the digest that decisions carry."""
        kind = self.kind
        if not 0 < len(name) <= MAX_NAME:
            return _refused(name, reasons.not_a_name(kind), policy)
        if name not in self.named and (
            normal_form(name) in self.normal_forms or (kind is Kind.RESOURCE and is_disguised(name))
        ):
            return _refused(name, reasons.misspelt(kind), policy)
        if name in self.hidden:
            return _refused(name, reasons.hidden(kind, name), policy)
        if self.refuses_invisible and not (name.isascii() and name.isprintable()):
            from ..detectors import has_invisible

            if has_invisible(name):
                return _refused(name, reasons.invisible(kind), policy)
        if not self.allows_unlisted and name not in self.exact and not any(glob.lists(name) for glob, _ in self.globs):
            return _refused(name, reasons.unlisted(kind, name), policy)
        return self._plan_of_rules(ToolCall(name, {}, kind), policy)

    def _plan_of_rules(self, probe: ToolCall, policy: str) -> Plan:
        nothing = Circumstances(0.0)
        rules = tuple(
            rule for rule in self._rules(probe.name) if not (rule.has_fixed_gate and rule.gate(probe, nothing) is False)
        )
        fixed = [rule for rule in rules if rule.is_fixed]
        decision = combine(fixed, probe, nothing, policy)
        if decision.effect is Effect.DENY or len(fixed) == len(rules):
            return Plan(decision)
        return Plan(None, rules)

    def _rules(self, name: str) -> Iterable[Rule]:
        yield from self.exact.get(name, ())
        for glob, rules in self.globs:
            if glob.matches(name):
                yield from rules
        yield from self.everyone


def _refused(name: str, reason: str, policy: str) -> Plan:
    return Plan(Decision(Effect.DENY, name, (), reason, policy))


def combine(rules: Iterable[Rule], call: ToolCall, circumstances: Circumstances, policy: str) -> Decision:
    """Ask every rule, and let the strongest effect win."""
    satisfied: list[RuleRef] = []
    asking: list[RuleRef] = []
    how: Asking | None = None
    denying: list[RuleRef] = []
    unmet: list[RuleRef] = []
    shadow: list[RuleRef] = []
    charges: list[Charge] = []
    for rule in rules:
        outcome = rule.judge(call, circumstances)
        if outcome is None:
            continue
        if isinstance(outcome, RuleRef):
            (shadow if rule.shadow else denying if rule.denies else unmet).append(outcome)
        else:
            charges += outcome
            if rule.asks and not rule.shadow:
                asking.append(rule.request())
                how = how.and_also(rule.asks) if how else rule.asks
            elif rule.asks:
                shadow.append(rule.request())
            elif not rule.shadow:
                satisfied.append(rule.ref)
    if refusing := denying + unmet:
        reason = refusing[0].reason
        return Decision(Effect.DENY, call.name, tuple(refusing), reason, policy, shadow=tuple(shadow))
    effect, deciding, reason = (Effect.ASK, asking, asking[0].reason) if asking else (Effect.ALLOW, satisfied, "")
    return Decision(
        effect, call.name, tuple(deciding), reason, policy, tuple(charges), shadow=tuple(shadow), asking=how
    )


class Policy:
    """One policy file, compiled. Frozen."""

    def __init__(
        self,
        path: str,
        digest: str,
        sections: Mapping[Kind, Section],
        *,
        shadow: bool,
        denied_requests: frozenset[str] = frozenset(),
        allows_unknown_methods: bool = False,
        needs_annotations: bool = False,
        asks: bool = False,
        needs_state: bool = False,
        remembered: tuple[Names, ...] = (),
        notes: tuple[str, ...] = (),
        results: Results | None = None,
    ) -> None:
        self.path = path
        """As the user named it."""
        self.digest = digest
        self.sections = sections
        """Kinds that are not here all pass."""
        self.shadow = shadow
        """Nothing is refused or asked about; what would have been is in `Decision.shadow`."""
        self.denied_requests = denied_requests
        self.allows_unknown_methods = allows_unknown_methods
        self.needs_annotations = needs_annotations
        self.asks = asks and not shadow
        """Whether it has a person asked about anything."""
        self.needs_state = needs_state
        """Whether it counts or looks at what outlives a session."""
        self.remembered = remembered
        """Tools for which some `after` looks at all sessions of the grant."""
        self.notes = notes
        self.results = results
        """What may come back; None: anything."""
        self._named: dict[tuple[Kind, str], Plan] = {}
        self._others: dict[tuple[Kind, str], Plan] = {}

    def evaluate(self, call: ToolCall, circumstances: Circumstances) -> Decision:
        """Decide `call` by this file alone."""
        decision = self.enforced(call, circumstances)
        return self.shadowed(decision) if self.shadow else decision

    def enforced(self, call: ToolCall, circumstances: Circumstances) -> Decision:
        """As `evaluate`, were the whole file not in shadow mode."""
        if call.kind not in self.sections:
            return Decision(Effect.ALLOW, call.name, (), "", self.digest)
        plan = self.plan(call.kind, call.name)
        return plan.decision or combine(plan.rules, call, circumstances, self.digest)

    def shows(self, kind: Kind, name: str) -> bool:
        """Whether `name` stays in a list: it is not hidden, and under `hide_denied` some call could use it."""
        section = self.sections.get(kind)
        if section is None or self.shadow:
            return True
        if name in section.hidden:
            return False
        return not section.hides_denied or self.plan(kind, name).is_usable

    def filters(self, kind: Kind) -> bool:
        """Whether `shows` could be false for some name."""
        section = self.sections.get(kind)
        return (
            section is not None
            and not self.shadow
            and (section.hides_denied or bool(section.hidden.exact or section.hidden.globs))
        )

    def asks_about(self, tool: str) -> bool:
        """Whether a person may be asked about some call of `tool`."""
        if not self.asks:
            return False
        decision, rules = self.plan(Kind.TOOL, tool)
        if decision is not None:
            return decision.effect is Effect.ASK
        return any(rule.asks is not None and not rule.shadow for rule in rules)

    def needs_history(self, call: ToolCall) -> bool:
        """Whether what becomes of `call` depends on what was answered in other sessions of the grant."""
        return call.kind in self.sections and self.plan(call.kind, call.name).needs_history

    def plan(self, kind: Kind, name: str) -> Plan:
        """What is known about `name`; the file has to judge this kind."""
        key = (kind, name)
        plan = self._named.get(key) or self._others.get(key)
        if plan is None:
            section = self.sections[kind]
            plan = section.plan(name, self.digest)
            if name in section.exact:
                self._named[key] = plan
            elif len(name) <= _LONGEST_KEPT:
                if len(self._others) >= _PLANS:
                    self._others.clear()
                self._others[key] = plan
        return plan

    def shadowed(self, decision: Decision) -> Decision:
        """`decision` as it is were the whole file in shadow mode."""
        if decision.effect is Effect.ALLOW:
            return decision
        refusing = decision.rules or (RuleRef("default", self.path, 0, Effect.DENY, decision.reason),)
        return decision._replace(effect=Effect.ALLOW, rules=(), reason="", shadow=decision.shadow + refusing)


def _together(asked: list[Results]) -> Results | None:
    if not asked:
        return None
    from .results import together

    return together(asked)


class PolicySet:
    """All policies of a proxy; every one of them must allow, in whatever order they are."""

    def __init__(self, policies: Sequence[Policy], digest: str) -> None:
        """`digest` names the policies together; it does not depend on their order."""
        self.policies = tuple(policies)
        self.digest = digest
        self.paths = tuple(policy.path for policy in policies)
        self.notes = tuple(note for policy in policies for note in policy.notes)
        """Lines for the operator at the start."""
        self.allows_unknown_methods = all(policy.allows_unknown_methods for policy in policies)
        self.needs_annotations = any(policy.needs_annotations for policy in policies)
        self.needs_state = any(policy.needs_state for policy in policies)
        self._remembered = tuple(names for policy in policies for names in policy.remembered)
        self.looks_back = bool(self._remembered)
        """Whether anything depends on what was answered in other sessions of the grant."""
        self.results = _together([policy.results for policy in policies if policy.results is not None])
        """What may come back; None: anything."""
        self._only = self.policies[0] if len(self.policies) == 1 else None

    def evaluate(self, call: ToolCall, circumstances: Circumstances) -> Decision:
        """Decide `call`. What is not denied may still have charges to reserve, all or none of them."""
        if self._only is not None:
            return self._only.evaluate(call, circumstances)
        return self.joined(call.name, [policy.evaluate(call, circumstances) for policy in self.policies])

    def joined(self, name: str, decisions: Sequence[Decision]) -> Decision:
        """What the decisions of all files about `name` come to."""
        shadow = tuple(ref for decision in decisions for ref in decision.shadow)
        refusing = [decision for decision in decisions if decision.effect is Effect.DENY]
        if refusing:
            rules = tuple(ref for decision in refusing for ref in decision.rules)
            return Decision(Effect.DENY, name, rules, refusing[0].reason, self.digest, shadow=shadow)
        asking = [decision for decision in decisions if decision.effect is Effect.ASK]
        return Decision(
            Effect.ASK if asking else Effect.ALLOW,
            name,
            tuple(ref for decision in asking or decisions for ref in decision.rules),
            asking[0].reason if asking else "",
            self.digest,
            charges=tuple(charge for decision in decisions for charge in decision.charges),
            shadow=shadow,
            asking=together([decision.asking for decision in asking]),
        )

    def shows(self, kind: Kind, name: str) -> bool:
        """Whether `name` stays in the lists that the client gets."""
        return all(policy.shows(kind, name) for policy in self.policies)

    def filters(self, kind: Kind) -> bool:
        """Whether something could be left out of the lists that the client gets."""
        return any(policy.filters(kind) for policy in self.policies)

    def asks_about(self, tool: str) -> bool:
        """Whether a person may be asked about some call of `tool`."""
        return any(policy.asks_about(tool) for policy in self.policies)

    def judges(self, kind: Kind) -> bool:
        """Whether anything of this kind could be refused; if not, calls and lists pass untouched."""
        return any(kind in policy.sections for policy in self.policies)

    def needs_history(self, call: ToolCall) -> bool:
        """Whether `Circumstances.grant_answered` is looked at for `call`."""
        return self.looks_back and any(policy.needs_history(call) for policy in self.policies)

    def remembers(self, call: ToolCall) -> bool:
        """Whether it has to be kept for the grant that `call` was answered (`after_scope: grant`)."""
        return call.kind is Kind.TOOL and any(call.name in names for names in self._remembered)

    def allows_unlisted(self, kind: Kind) -> bool:
        """Whether what no entry lists may be used."""
        return all(
            policy.shadow or (section := policy.sections.get(kind)) is None or section.allows_unlisted
            for policy in self.policies
        )

    def allows_server_request(self, kind: str) -> bool:
        """Whether the upstream may ask the client for `sampling`, `elicitation` or `roots`."""
        return all(kind not in policy.denied_requests for policy in self.policies)
