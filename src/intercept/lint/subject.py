"""What the rules look at: the policy as it was written, flattened, beside the policy as it decides.

Everything a rule needs to ask about a policy is answered here, so that rules hold nothing but their own question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..policy import legacy, schema
from ..policy.model import Kind, RuleRef
from ..policy.names import Glob, is_glob
from ..policy.operators import OPERATORS
from ..values import Path, parse_path
from .tools import Absent, Tool, Unclear, types_of
from .words import words

if TYPE_CHECKING:
    from ..policy.document import Document
    from ..policy.evaluate import Policy
    from ..policy.loading import Source
    from ..policy.schema import KeyPath

_SECTIONS: Final = {Kind.TOOL: "tools", Kind.RESOURCE: "resources", Kind.PROMPT: "prompts"}
NEGATIVE: Final = frozenset({"neq", "not_in", "not_regex", "not_contains"})
"""Operators that hold for everything but what they name."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """The rules for the names that one key covers."""

    kind: Kind
    name: str
    """A name, a glob, or `*`."""
    at: KeyPath
    rules: tuple[Rule, ...]
    _glob: Glob

    @property
    def is_exact(self) -> bool:
        """Whether it is for one name."""
        return not is_glob(self.name)

    def covers(self, name: str) -> bool:
        """Whether its rules apply to `name`, or to all that the glob `name` matches."""
        return self._glob.matches(name)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule as it was written."""

    kind: Kind
    entry: str
    """The key that it stands under."""
    at: KeyPath
    name: str
    written: schema.Rule
    limits: tuple[tuple[KeyPath, schema.Limit | schema.Concurrency | schema.State], ...]
    """Every limit with its place."""

    @property
    def is_enforced(self) -> bool:
        """Whether it is more than recorded."""
        return self.written.mode == "enforce"

    @property
    def is_ungated(self) -> bool:
        """Whether it applies to every call."""
        written = self.written
        return not (written.when or written.after or (written.stops and written.conditions))

    @property
    def always_denies(self) -> bool:
        """Whether no call passes it."""
        return self.written.denies and self.is_ungated and self.is_enforced

    @property
    def can_refuse(self) -> bool:
        """Whether there is a call that it would refuse, or ask about."""
        written = self.written
        return written.stops or bool(
            written.require or written.conditions or written.arguments is not None or self.limits
        )


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One `{path, op, value}` as it was written."""

    rule: Rule
    at: KeyPath
    written: schema.Condition
    path: Path
    requires: bool
    """Whether it stands in what has to hold; otherwise in what makes the rule apply."""
    negated: bool
    """Whether it stands inside `not` (an odd number of times)."""
    in_any: bool
    """Whether it is an alternative: inside `any`, or inside `not` around several."""

    @property
    def op(self) -> str:
        """The operator."""
        return str(self.written.op)

    @property
    def optional(self) -> bool:
        """Whether an absent value passes."""
        return isinstance(self.written, schema.Clause) and self.written.optional

    @property
    def argument(self) -> str:
        """The name of the argument that it looks at, the innermost one; empty if it looks at something else."""
        names = [step for step in self.path.steps if isinstance(step, str)]
        return names[-1] if names and self.path.root == "args" else ""

    @property
    def admits(self) -> bool:
        """Whether a call passes because this holds: the values it names are the good ones."""
        return self._decides and (self.requires is not self.negated) and self.op not in NEGATIVE

    @property
    def refuses(self) -> bool:
        """Whether a call is refused because of what this names: the values it names are the bad ones."""
        if not self._decides:
            return False
        return (self.requires is not self.negated) is (self.op in NEGATIVE)

    @property
    def _decides(self) -> bool:
        # In the `when` of a rule that allows it only says when other checks are made.
        return self.requires or self.rule.written.stops

    def holds(self, value: str) -> bool | None:
        """What the operator says about `value`, whatever stands around the condition."""
        return OPERATORS[self.op](self.written.value)(value)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One policy to be looked at."""

    document: Document
    file: schema.PolicyFile
    policy: Policy
    tools: tuple[Tool, ...] | None
    """What the server offers; None if that is not known."""
    uncovered: tuple[RuleRef, ...]
    """Rules that no test of the policy decides."""
    entries: tuple[Entry, ...]
    conditions: tuple[Condition, ...]
    """All that look at arguments, tool, grant or time; those of Intercept 1.x that limit a counter do not."""
    _exact: Mapping[tuple[Kind, str], Entry]
    _wide: tuple[Entry, ...]
    """The entries for more than one name."""
    _of_rule: Mapping[Rule, tuple[Condition, ...]]
    _covering: dict[tuple[Kind, str], tuple[Rule, ...]] = field(default_factory=dict)
    _usable: dict[str, bool] = field(default_factory=dict)

    @property
    def rules(self) -> Iterator[Rule]:
        """Every rule, in the order of the file."""
        return (rule for entry in self.entries for rule in entry.rules)

    @property
    def tool_entries(self) -> tuple[Entry, ...]:
        """The entries for tools."""
        return tuple(entry for entry in self.entries if entry.kind is Kind.TOOL)

    @property
    def allowed_tools(self) -> Iterator[Entry]:
        """The entries for one tool that some call could use."""
        return (entry for entry in self.tool_entries if entry.is_exact and self.is_usable(entry.name))

    def conditions_of(self, rule: Rule) -> tuple[Condition, ...]:
        """The conditions of `rule`."""
        return self._of_rule.get(rule, ())

    def covering(self, kind: Kind, name: str) -> tuple[Rule, ...]:
        """The rules that apply to `name`, or to all that the glob `name` matches, in the order of evaluation."""
        found = self._covering.get((kind, name))
        if found is None:
            exact = self._exact.get((kind, name))
            wide = [entry for entry in self._wide if entry is not exact and entry.kind is kind and entry.covers(name)]
            found = tuple(rule for entry in ([exact] if exact else []) + wide for rule in entry.rules)
            self._covering[kind, name] = found
        return found

    def is_bounded(self, entry: Entry) -> bool:
        """Whether something counts how often the tool is used, or how much, or a person is asked each time.

        How many calls there are at a time says nothing of how many there are.
        """
        return any(
            rule.is_enforced
            and (
                any(not isinstance(limit, schema.Concurrency) for _, limit in rule.limits)
                or (rule.written.asks and rule.is_ungated)
            )
            for rule in self.covering(entry.kind, entry.name)
        )

    def checks_arguments(self, entry: Entry) -> bool:
        """Whether some rule looks at what the tool is asked to do, or a person does each time."""
        return any(
            rule.written.arguments is not None
            or (rule.written.asks and rule.is_ungated)
            or any(each.path.root == "args" for each in self.conditions_of(rule))
            for rule in self.covering(entry.kind, entry.name)
            if rule.is_enforced and rule.can_refuse
        )

    def is_usable(self, name: str) -> bool:
        """Whether any call of the tool `name` could be allowed."""
        if name not in self._usable:
            self._usable[name] = self.policy.sections[Kind.TOOL].plan(name, "").is_usable
        return self._usable[name]

    def tools_of(self, kind: Kind, entry: str) -> tuple[Tool, ...]:
        """The tools of the server that the entry called `entry` covers; empty if they are not known."""
        if kind is not Kind.TOOL or not self.tools:
            return ()
        if not is_glob(entry):
            return tuple(tool for tool in self.tools if tool.name == entry)
        matches = Glob.parse(entry).matches
        return tuple(tool for tool in self.tools if matches(tool.name))

    def takes(self, entry: Entry, names: AbstractSet[str]) -> bool:
        """Whether the tools of `entry` have an argument with one of these words in its name, or are not known."""
        tools = self.tools_of(entry.kind, entry.name)
        return not tools or any(not names.isdisjoint(words(name)) for tool in tools for name in tool.arguments)

    def types_at(self, condition: Condition) -> frozenset[str]:
        """The JSON types that the tools of the entry take where `condition` looks; empty if one does not tell."""
        found: set[str] = set()
        for tool in self.tools_of(condition.rule.kind, condition.rule.entry) if condition.path.root == "args" else ():
            schema = tool.look(condition.path.steps)
            if isinstance(schema, Absent):
                continue
            types = frozenset[str]() if isinstance(schema, Unclear) else types_of(schema)
            if not types:
                return frozenset()
            found |= types
        return frozenset(found)

    def lets_through(self, condition: Condition, value: str) -> bool:
        """Whether `value` passes `condition` and all else that is always asked about the same path."""
        if condition.holds(value) is condition.negated:
            return False
        for rule in self.covering(condition.rule.kind, condition.rule.entry):
            for other in self.conditions_of(rule):
                if str(other.path) == str(condition.path) and not other.in_any and _refuses(rule, other, value):
                    return False
        return True


def _refuses(rule: Rule, condition: Condition, value: str) -> bool:
    """Whether `value` alone is enough for `rule` to refuse a call."""
    verdict = condition.holds(value)
    if verdict is None:
        return True
    holds = verdict is not condition.negated
    if condition.requires:
        return rule.is_ungated and not holds
    return rule.written.stops and len(rule.written.when) + len(rule.written.conditions) == 1 and holds


def subject_of(source: Source, tools: tuple[Tool, ...] | None, uncovered: tuple[RuleRef, ...]) -> Subject:
    """Flatten a policy that loads."""
    entries = tuple(_entries(source.file))
    of_rule = {rule: tuple(_conditions(rule)) for entry in entries for rule in entry.rules}
    return Subject(
        source.document,
        source.file,
        source.policy,
        tools,
        uncovered,
        entries,
        tuple(condition for conditions in of_rule.values() for condition in conditions),
        {(entry.kind, entry.name): entry for entry in entries},
        tuple(entry for entry in entries if not entry.is_exact),
        of_rule,
    )


def _entries(file: schema.PolicyFile) -> Iterator[Entry]:
    if file.all_tools is not None:
        yield _entry(Kind.TOOL, "*", ("all_tools",), file.all_tools)
    for kind, key in _SECTIONS.items():
        entries: schema.Entries = getattr(file, key) or {}
        for name, written in entries.items():
            yield _entry(kind, name, (key, name), written)


def _entry(kind: Kind, name: str, at: KeyPath, written: schema.Entry) -> Entry:
    rules = tuple(
        Rule(kind, name, (*at, *below), rule.name or f"{name}#{number}", rule, tuple(_limits((*at, *below), rule)))
        for number, (below, rule) in enumerate(written.each_rule(), 1)
    )
    return Entry(kind, name, at, rules, Glob.parse(name))


def _limits(
    at: KeyPath, rule: schema.Rule
) -> Iterator[tuple[KeyPath, schema.Limit | schema.Concurrency | schema.State]]:
    for below, limit in rule.each_limit():
        yield (*at, *below), limit
    if rule.state is not None:
        yield (*at, "state"), rule.state


def _conditions(rule: Rule) -> Iterator[Condition]:
    written = rule.written
    counted = legacy.limiting(written, rule.entry)
    conditions = [each for index, each in enumerate(written.conditions) if index != counted]
    places = [index for index in range(len(written.conditions)) if index != counted]
    yield from _leaves(rule, (*rule.at, "when"), written.when, requires=False)
    yield from _leaves(rule, (*rule.at, "require"), written.require, requires=True)
    yield from _leaves(rule, (*rule.at, "conditions"), conditions, requires=not written.stops, places=places)


def _leaves(
    rule: Rule, at: KeyPath, written: Sequence[schema.Condition], *, requires: bool, places: Sequence[int] | None = None
) -> Iterator[Condition]:
    for index, each in zip(places or range(len(written)), written, strict=True):
        yield from _below(rule, (*at, index), each, requires=requires, negated=False, in_any=False)


def _below(
    rule: Rule, at: KeyPath, written: schema.Condition, *, requires: bool, negated: bool, in_any: bool
) -> Iterator[Condition]:
    if written.not_ is not None:
        yield from _below(rule, (*at, "not"), written.not_, requires=requires, negated=not negated, in_any=in_any)
        return
    for key, parts in (("all", written.all_), ("any", written.any_)):
        # What is one of several below `not` turns round with it: not all is any of not.
        alternative = in_any or (len(parts) > 1 and (key == "any") is not negated)
        for index, part in enumerate(parts):
            place = (*at, key, index)
            yield from _below(rule, place, part, requires=requires, negated=negated, in_any=alternative)
    if written.op is not None:
        yield Condition(rule, at, written, parse_path(written.path), requires, negated, in_any)
