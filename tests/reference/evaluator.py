"""A second evaluator of the policy language, naive on purpose: what POLICY sections 2 to 5 say, and nothing clever.

It shares no code with the package and was written from the text alone, so that where the two agree on millions of
generated cases, a mistake would have to be made twice. Where the text leaves a choice (which of several refusing rules
are told, a list within a list under `[*]`, a text that is no address), it makes the package's, which denies.

Policies are plain trees as a JSON reader gives them (numbers `int` or `Decimal`). Every admitted charge is kept for
ever in one list, and a limit sums those that still count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from itertools import product
from typing import Any, NamedTuple, TypeAlias

from .clock import NEVER, Window, end_of, window_of
from .conditions import MISSING, Situation, Undecidable, exact, globbed, holds, is_number, plain, same, steps_of, valid

RuleName: TypeAlias = tuple[int, str]
"""The number of the policy, and what denials call the rule."""
SECTIONS = {"tool": "tools", "resource": "resources", "prompt": "prompts"}
AGAIN = Decimal(1)
"""Seconds after which to ask again for what is free when some call ends."""
OUTRIGHT = "(name)"
"""In the place of a rule where a policy in shadow mode would have refused the name."""


@dataclass(frozen=True)
class Call:
    """One call; `at` in seconds since the epoch.

    If it is let through it ends when `lasts` more calls were made, with an answer or, unless `answered`, an error.
    """

    kind: str
    name: str
    arguments: dict[str, Any]
    annotations: dict[str, Any] | None
    at: float
    answered: bool = True
    lasts: int = 0
    session: int = 0


class Rule(NamedTuple):
    """A rule with the names that it has for people."""

    policy: int
    section: str
    entry: str
    number: int
    tree: dict[str, Any]
    denies: bool
    asks: bool
    shadow: bool
    timezone: str

    @property
    def name(self) -> str:
        """What denials call it."""
        return str(self.tree.get("name", f"{self.entry}#{self.number}"))


class Charge(NamedTuple):
    """What a call takes from a counter because of one limit."""

    rule: Rule
    key: Any
    max: Decimal
    window: Window
    cost: Decimal


class Refusal(NamedTuple):
    """A limit that is used up, and the seconds until it is not; None: never. Of several the last to pass is told."""

    rule: RuleName
    max: Decimal
    window: Window
    retry_after: Decimal | None
    left: Decimal


class Taken(NamedTuple):
    """What a call took."""

    key: Any
    cost: Decimal
    end: Decimal
    call: int


@dataclass(frozen=True)
class Said:
    """What one policy says of a call."""

    cause: str = ""
    """Why it denies; empty if it does not."""
    rules: AbstractSet[RuleName] = frozenset()
    """Those that deny, or that ask, or all that applied and allow."""
    asks: bool = False
    always: AbstractSet[RuleName] = frozenset()
    shadow: AbstractSet[RuleName] = frozenset()
    charges: Sequence[Charge] = ()


@dataclass(frozen=True)
class Verdict:
    """What comes of a call."""

    effect: str
    cause: str
    """In one word, for statistics."""
    rules: frozenset[RuleName] = frozenset()
    """Those that made it a denial, those that ask, or all that allowed it; (policy, name)."""
    always: frozenset[RuleName] = frozenset()
    """Rules that deny every call of this tool; one of them is reason enough to name, whatever else denies."""
    refused: tuple[Refusal, ...] = ()
    shadow: frozenset[RuleName] = frozenset()
    """Rules in shadow mode that would have refused."""
    doubted: tuple[tuple[Refusal, ...], ...] = ()
    """Limits in shadow mode that would have refused, those of sessions and those of scope `grant` and `global` apart:
    of whose group one would have refused, none is charged."""


@dataclass
class Reference:
    """Sessions under `policies`, each of a grant."""

    policies: list[dict[str, Any]]
    grants: Sequence[str]
    taken: list[Taken] = field(default_factory=list)
    """Every charge that was ever admitted, but those of calls in flight that have ended."""

    def ended(self, number: int) -> None:
        """The call with this number is not in flight any more."""
        self.taken = [one for one in self.taken if one.call != number or one.end != NEVER]

    def judge(self, number: int, call: Call, answered: AbstractSet[str], before: AbstractSet[str]) -> Verdict:
        """Decide about call number `number`; if it is allowed, it is charged.

        The tools in `answered` were answered in its session, those in `before` in any session of its grant.
        """
        history = {"session": answered, "grant": before}
        said = [self._one(number, policy, call, history) for number, policy in enumerate(self.policies)]
        denials = [one for one in said if one.cause]
        always, shadow = union(one.always for one in said), union(one.shadow for one in said)
        if denials:
            return Verdict("deny", denials[0].cause, union(one.rules for one in denials), always, shadow=shadow)
        charges = [charge for one in said for charge in one.charges]
        now = Decimal(call.at)
        enforced, doubtful = self._taken(charges, now, shadow=False), self._taken(charges, now, shadow=True)
        refused = tuple(refusal for refusal, _ in enforced if refusal)
        if refused:
            return Verdict("deny", "limit", refused=refused, shadow=shadow)
        if asking := [one for one in said if one.asks]:
            return Verdict("ask", "ask", union(one.rules for one in asking), always, shadow=shadow)
        kept = {taken.key: taken for _, taken in enforced}
        doubted = []
        for is_stored in (False, True):
            group = [(refusal, taken) for refusal, taken in doubtful if (taken.key[0][3][0] != "session") is is_stored]
            if refusals := tuple(refusal for refusal, _ in group if refusal):
                doubted.append(refusals)
            else:
                kept |= {taken.key: taken for _, taken in group}
        self.taken += [taken._replace(call=number) for taken in kept.values()]
        cause = "allow after limits" if charges else "allow"
        return Verdict("allow", cause, union(one.rules for one in said), always, shadow=shadow, doubted=tuple(doubted))

    def _one(self, number: int, policy: dict[str, Any], call: Call, history: dict[str, AbstractSet[str]]) -> Said:
        """What one policy says."""
        section = policy.get(SECTIONS[call.kind])
        if call.kind == "tool":
            section = dict(section or {})
            if "all_tools" in policy:
                section["*"] = policy["all_tools"]
        if section is None:
            return Said()
        hide = policy.get("hide", []) if call.kind == "tool" else []
        shadow = policy.get("mode") == "shadow"
        if cause := self._cause(policy, section, hide, call):
            return Said(shadow=frozenset({(number, OUTRIGHT)})) if shadow else Said(cause)
        timezone = policy.get("timezone", "UTC")
        situation = Situation(call, self.grants[call.session], timezone)
        causes: dict[tuple[int, str], str] = {}
        said: dict[str, set[RuleName]] = {"pass": set(), "doubt": set(), "always": set(), "ask": set()}
        charges: list[Charge] = []
        for entry, tree in section.items():
            if not globbed(entry, call.name, "any"):
                continue
            for rule in rules_of(number, call.kind, entry, tree, timezone, shadow=shadow):
                who = (number, rule.name)
                try:
                    word = says(rule, situation, history)
                    taken = list(charges_of(rule, situation)) if word == "pass" else []
                except Undecidable:
                    word, taken = "undecidable", []
                trial = rule.tree.get("mode") == "shadow"
                if word not in ("pass", "skip") and denies_always(rule, situation):
                    said["always"].add(who)
                charges += taken
                if word == "pass" and rule.asks:
                    said["doubt" if trial else "ask"].add(who)
                elif word == "pass" and not trial:
                    said["pass"].add(who)
                elif word not in ("pass", "skip") and trial:
                    said["doubt"].add(who)
                elif word not in ("pass", "skip"):
                    causes[who] = word
        if not causes and said["ask"] and shadow:
            return Said(shadow=said["doubt"] | said["ask"], charges=charges)
        if not causes:
            asks = bool(said["ask"])
            return Said("", said["ask"] if asks else said["pass"], asks=asks, shadow=said["doubt"], charges=charges)
        if shadow:
            return Said(always=said["always"], shadow=said["doubt"] | set(causes))
        return Said(next(iter(causes.values())), set(causes), always=said["always"], shadow=said["doubt"])

    @staticmethod
    def _cause(policy: dict[str, Any], section: dict[str, Any], hide: list[str], call: Call) -> str:
        """Why the name alone is refused: steps 0 to 2 of POLICY section 3."""
        named = {key for key in (*section, *hide) if "*" not in key}
        if call.kind == "tool":
            named |= set(names_after(policy))
        # A URI has more spellings: capitals in its scheme, white space.
        respelt = call.kind == "resource" and re.search(r"^[^:/]*[A-Z][^:/]*:|\s", call.name)
        if call.name not in named and (respelt or plain(call.name) in {plain(name) for name in named}):
            return "look-alike"
        if any(globbed(pattern, call.name, "any") for pattern in hide):
            return "hidden"
        if policy.get("default", "deny") == "allow":
            return ""
        lists = any(globbed(key, call.name, "visible") for key in section if key != "*")
        return "" if lists else "unlisted"

    def _taken(self, charges: list[Charge], now: Decimal, *, shadow: bool) -> list[tuple[Refusal | None, Taken]]:
        """For each charge whether it is refused, and what would be taken: once a counter, with the higher cost."""
        highest: dict[Any, Decimal] = {}
        for charge in charges:
            highest[charge.key] = max(charge.cost, highest.get(charge.key, charge.cost))
        taken = []
        for charge in charges:
            if charge.rule.shadow == shadow:
                one = Taken(charge.key, highest[charge.key], end_of(charge.window, now), -1)
                taken.append((self._refusal(charge, one.cost, now), one))
        return taken

    def _refusal(self, charge: Charge, cost: Decimal, now: Decimal) -> Refusal | None:
        def used(at: Decimal) -> Decimal:
            return sum((one.cost for one in self.taken if one.key == charge.key and at < one.end), Decimal(0))

        if used(now) + cost <= charge.max:
            return None
        ends = sorted({one.end for one in self.taken if one.key == charge.key and now < one.end})
        waits = [AGAIN if end == NEVER else end - now for end in ends if used(end) + cost <= charge.max]
        rule = (charge.rule.policy, charge.rule.name)
        left = max(Decimal(0), charge.max - used(now))
        return Refusal(rule, charge.max, charge.window, waits[0] if waits else None, left)


def union(sets: Iterable[AbstractSet[RuleName]]) -> frozenset[RuleName]:
    """All of them."""
    return frozenset().union(*sets)


def names_after(tree: Any) -> Iterator[str]:
    """Every exact name that an `after` in `tree` has."""
    for key in ("tools", "resources", "prompts"):
        for entry in (tree.get(key) or {}).values():
            yield from _after(entry or {})
    yield from _after(tree.get("all_tools", {}))


def _after(entry: dict[str, Any]) -> Iterator[str]:
    for rule in (entry, *entry.get("rules", [])):
        yield from (name for name in listed(rule.get("after", [])) if "*" not in name)


def listed(value: Any) -> list[Any]:
    """One, or several."""
    return value if isinstance(value, list) else [value]


def rules_of(
    policy: int, kind: str, entry: str, tree: dict[str, Any] | None, timezone: str, *, shadow: bool
) -> Iterator[Rule]:
    """The rules of an entry: its own, those under `rules`, those under `deny_if`."""
    tree = tree or {}
    own = {key: value for key, value in tree.items() if key not in ("rules", "deny_if")}
    trees = [own] if own else []
    trees += tree.get("rules", [])
    trees += [{**one, "action": "deny"} for one in tree.get("deny_if", [])]
    for number, rule in enumerate(trees, start=1):
        action, trial = rule.get("action"), shadow or rule.get("mode") == "shadow"
        yield Rule(policy, kind, entry, number, rule, action == "deny", action == "require_approval", trial, timezone)


def says(rule: Rule, situation: Situation, history: dict[str, AbstractSet[str]]) -> str:
    """`skip`, `pass`, or why the rule denies.

    Raises:
        Undecidable: a condition cannot be evaluated.
    """
    tree = rule.tree
    after, answered = listed(tree.get("after", [])), history[tree.get("after_scope", "session")]
    if after and not any(globbed(pattern, name, "any") for pattern in after for name in answered):
        return "skip"
    stated = [one for one in tree.get("conditions", []) if not is_state(one)]
    stops = rule.denies or rule.asks
    when = tree.get("when", []) + (stated if stops else [])
    require = tree.get("require", []) + ([] if stops else stated)
    applies = [holds(condition, situation, every=False) for condition in when]
    if not all(applies):
        return "skip"
    if rule.denies:
        return "deny rule"
    met = [holds(condition, situation, every=True) for condition in require]
    if not all(met):
        return "unmet"
    schema = tree.get("arguments", True)
    return "pass" if valid(schema, situation.arguments, schema) else "arguments"


def denies_always(rule: Rule, situation: Situation) -> bool:
    """Whether the rule denies every call of this tool; such rules are given as the reason, and no other beside them."""
    tree = rule.tree
    if tree.get("after") or not all(settled(one, situation, every=False) for one in tree.get("when", [])):
        return False
    settles = [settled(one, situation, every=not (rule.denies or rule.asks)) for one in tree.get("conditions", [])]
    if rule.denies:
        return all(settles)
    if rule.asks:
        return all(settles) and False in [settled(one, situation, every=True) for one in tree.get("require", [])]
    return False in settles + [settled(one, situation, every=True) for one in tree.get("require", [])]


def settled(condition: dict[str, Any], situation: Situation, *, every: bool) -> bool | None:
    """Whether `condition` holds, if the name of the tool alone says so."""
    if "not" in condition:
        inner = settled(condition["not"], situation, every=not every)
        return None if inner is None else not inner
    parts = [settled(part, situation, every=every) for part in condition.get("all", condition.get("any", []))]
    if "all" in condition:
        return False if False in parts else None if None in parts else True
    if "any" in condition:
        return True if True in parts else None if None in parts else False
    return holds(condition, situation, every=every) if condition["path"] == "tool.name" else None


def is_state(condition: dict[str, Any]) -> bool:
    """Whether this is Intercept 1.x's condition on a counter."""
    return str(condition.get("path", "")).startswith("state.")


def charges_of(rule: Rule, situation: Situation) -> Iterator[Charge]:
    """What the limits of `rule` take.

    Raises:
        Undecidable: a cost or a `per` value is missing or makes no sense.
    """
    for place, limit in enumerate(limits_of(rule)):
        window = window_of(limit, rule.timezone)
        paths = sorted({tuple(steps_of(path)): path for path in listed(limit.get("per", []))}.items())
        scope = limit.get("scope", "session")
        if "owner" in limit:
            whose: Any = ("state", limit["owner"])
            scope = "grant"  # Intercept 1.x keeps its counters in a file
        else:
            whose = ("named", limit["counter"]) if "counter" in limit else ("own", rule[1:4], place)
        key = (
            rule.policy,
            rule.shadow,
            whose,
            {"session": ("session", situation.session), "grant": ("grant", situation.grant)}.get(scope, (scope,)),
            window,
            tuple(steps for steps, _ in paths),
        )
        cost = cost_of(limit, situation)
        for values in product(*[per_values(path, situation) for _, path in paths]):
            most = limit["max_concurrent"] if window is None else limit["max"]
            yield Charge(rule, (key, values), exact(most), window, cost)


def limits_of(rule: Rule) -> Iterator[dict[str, Any]]:
    """Every limit of `rule`, however it is written."""
    tree = rule.tree
    if "rate_limit" in tree:
        rate = tree["rate_limit"]
        if isinstance(rate, str):
            most, window = rate.split("/")
            rate = {"max": Decimal(most), "window": window}
        yield rate
    yield from tree.get("limits", [])
    for condition in tree.get("conditions", []):
        if is_state(condition):
            highest = exact(condition["value"])
            if condition["op"] == "lt":  # Intercept 1.x counts in whole numbers
                highest = highest.to_integral_value(ROUND_CEILING) - 1
            yield {**tree["state"], "owner": condition["path"], "max": highest}


def per_values(path: str, situation: Situation) -> list[Any]:
    """The values that have a count of their own."""
    if path == "tool":
        return [same(situation.name)]
    found = situation.find(path)
    if MISSING in found:
        raise Undecidable
    return [same(value) for value in found]


def cost_of(limit: dict[str, Any], situation: Situation) -> Decimal:
    """What a call takes from this limit."""
    # Intercept 1.x takes an increment of 0 for one that was left out.
    cost = limit.get("cost", limit.get("increment", 1) or 1)
    if "increment_from" in limit:
        cost = {"from": limit["increment_from"]}
    if isinstance(cost, dict):
        found = situation.find(cost["from"])
        if len(found) != 1 or not is_number(found[0]) or exact(found[0]) < 0:
            raise Undecidable
        cost = found[0]
    return exact(cost)
