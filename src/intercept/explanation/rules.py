"""What each rule of a policy says about a call, and because of which of its parts.

What a rule says comes from the compiled rule itself; here only the reasons are looked for that its sentence for the
model leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..policy import Effect, Kind, RuleRef, legacy
from ..policy.names import is_glob
from ..policy.violations import violations
from ..values import Gap
from .conditions import Case, Part, against, sent_text

if TYPE_CHECKING:
    from ..policy import Circumstances, ToolCall, schema
    from ..policy.conditions import Condition
    from ..policy.loading import Source
    from ..policy.rules import Limit, Rule
    from ..policy.schema import KeyPath

KEYS: Final = {Kind.TOOL: "tools", Kind.RESOURCE: "resources", Kind.PROMPT: "prompts"}
"""Where in a file the entries of a kind stand."""


@dataclass(frozen=True, slots=True)
class Account:
    """What one rule said."""

    rule: RuleRef
    """As it decided; with a reason if it refused or asks."""
    skipped: bool = False
    """It did not apply."""
    refused: bool = False
    is_no_rule: bool = False
    """It stands for `hide`, `default` or the spelling of the name, which refuse and are no rules."""
    parts: tuple[Part, ...] = ()
    """Why: of a rule that refused, what did not hold; of a `deny` and of one that asks, what did; of a skipped one,
    what did not."""

    @property
    def stops(self) -> bool:
        """Whether it refused, or asks."""
        return self.refused or self.rule.effect is Effect.ASK

    @property
    def key(self) -> tuple[str, int, str]:
        """What identifies the rule."""
        return self.rule.path, self.rule.line, self.rule.name


@dataclass(frozen=True, slots=True)
class EntryOf:
    """An entry of a file with the rules that were made of it."""

    name: str
    at: KeyPath
    written: schema.Entry
    rules: tuple[Rule, ...]
    covers: bool
    """Whether its rules apply to the name that was asked for."""
    lists: bool
    """Whether it lists that name under `default: deny`."""


def entries(source: Source, kind: Kind, name: str) -> Iterator[EntryOf]:
    """Every entry for things of `kind`, in file order, as seen from `name`."""
    section = source.policy.sections.get(kind)
    if section is None:
        return
    key = KEYS[kind]
    globs = iter(section.globs)
    for text, written in (getattr(source.file, key) or {}).items():
        at = (key, text)
        if text == "*":
            yield EntryOf(text, at, written, section.everyone, covers=True, lists=False)
        elif is_glob(text):
            glob, rules = next(globs)
            yield EntryOf(text, at, written, rules, covers=glob.matches(name), lists=glob.lists(name))
        else:
            yield EntryOf(text, at, written, section.exact[text], covers=text == name, lists=text == name)
    if kind is Kind.TOOL and source.file.all_tools is not None:
        yield EntryOf("*", ("all_tools",), source.file.all_tools, section.everyone, covers=True, lists=False)


def accounts(source: Source, call: ToolCall, circumstances: Circumstances) -> Iterator[Account]:
    """What every rule says whose entry covers the name, in file order."""
    case = Case(source.document, call, circumstances)
    for entry in entries(source, call.kind, call.name):
        if entry.covers:
            for (below, written), rule in zip(entry.written.each_rule(), entry.rules, strict=True):
                yield _account(_Asked(case, entry.name, rule, written, (*entry.at, *below)))


@dataclass(frozen=True, slots=True)
class _Asked:
    case: Case
    entry: str
    rule: Rule
    written: schema.Rule
    at: KeyPath

    def gates(self) -> Iterator[tuple[Condition, schema.Condition, KeyPath]]:
        """The conditions under which the rule applies."""
        pairs: list[tuple[schema.Condition, KeyPath]] = [
            (written, (*self.at, "when", index)) for index, written in enumerate(self.written.when)
        ]
        if self.written.stops:
            pairs += self._conditions()
        for condition, (written, at) in zip(self.rule.when, pairs, strict=True):
            yield condition, written, at

    def requirements(self) -> Iterator[tuple[Condition, schema.Condition, KeyPath]]:
        """The conditions that must hold then."""
        pairs: list[tuple[schema.Condition, KeyPath]] = [
            (written, (*self.at, "require", index)) for index, written in enumerate(self.written.require)
        ]
        if not self.written.stops:
            pairs += self._conditions()
        for requirement, (written, at) in zip(self.rule.require, pairs, strict=True):
            yield requirement.condition, written, at

    def _conditions(self) -> list[tuple[schema.Condition, KeyPath]]:
        counted = legacy.limiting(self.written, self.entry)
        return [
            (written, (*self.at, "conditions", index))
            for index, written in enumerate(self.written.conditions)
            if index != counted
        ]

    def limits(self) -> Iterator[tuple[Limit, KeyPath]]:
        """What is counted, and where it is written."""
        places = [(*self.at, *below) for below, _ in self.written.each_limit()]
        if self.written.state is not None:
            places.append((*self.at, "state"))
        yield from zip(self.rule.limits, places, strict=True)


def _account(asked: _Asked) -> Account:
    case, rule = asked.case, asked.rule
    outcome = rule.judge(case.call, case.circumstances)
    if outcome is None:
        return Account(rule.ref, skipped=True, parts=tuple(_closed(asked)))
    if isinstance(outcome, RuleRef):
        return Account(outcome, refused=True, parts=tuple(_refusing(asked)))
    if rule.asks:
        return Account(rule.request(), parts=tuple(_open(asked)))
    return Account(rule.ref)


def _closed(asked: _Asked) -> Iterator[Part]:
    """Why the rule does not apply."""
    after = _after(asked)
    if after is not None and not after.holds:
        yield after
        return
    for condition, written, at in asked.gates():
        yield from against(asked.case, condition, written, at, wanted=True)


def _open(asked: _Asked) -> Iterator[Part]:
    """Why the rule applies."""
    after = _after(asked)
    if after is not None:
        yield after
    for condition, written, at in asked.gates():
        yield from against(asked.case, condition, written, at, wanted=False)


def _refusing(asked: _Asked) -> Iterator[Part]:
    """Why the rule refuses."""
    case, rule = asked.case, asked.rule
    gates = [*asked.gates()]
    unclear = [gate for gate in gates if gate[0].holds(case.call, case.circumstances) is None]
    for condition, written, at in unclear:
        yield from against(case, condition, written, at, wanted=True)
    if unclear:
        return
    if rule.denies:
        yield from _open(asked)
        return
    for condition, written, at in asked.requirements():
        yield from against(case, condition, written, at, wanted=True)
    yield from _violations(asked)
    for limit, at in asked.limits():
        if isinstance(limit.charges(case.call, case.circumstances), str):
            yield from _uncounted(case, limit, at)


def _after(asked: _Asked) -> Part | None:
    after, answered = asked.rule.after, asked.case.circumstances.answered
    if after is None or answered is None:
        return None
    met = [name for name in sorted(answered) if name in after]
    where = "to this grant" if asked.rule.after_in_grant else "in this session"
    found = f"{', '.join(f'`{printable(name)}`' for name in met) or 'none of them'} was answered {where}"
    text = f"after {printable(', '.join(asked.written.after))}"
    return Part(asked.case.line((*asked.at, "after")), text, bool(met), found, is_value=False)


def _violations(asked: _Asked) -> Iterator[Part]:
    written = asked.written.arguments
    if asked.rule.arguments is None or written is None:
        return
    for where, place, message in violations(written, asked.case.call.arguments):
        value = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
        text = f"args{value} {where[-1] if where else 'false'}"
        line = asked.case.line((*asked.at, "arguments", *where))
        yield Part(line, printable(text), holds=False, found=printable(message), is_value=False)


def _uncounted(case: Case, limit: Limit, at: KeyPath) -> Iterator[Part]:
    """What a limit counts by, where that cannot be counted."""
    for reading in (*limit.per, *([limit.cost] if limit.cost else [])):
        values = reading.each(case.call, case.circumstances)
        found = ", ".join("nothing" if isinstance(value, Gap) else sent_text(value) for value in values[:_SHOWN])
        if len(values) > _SHOWN:
            found += f" and {len(values) - _SHOWN} more"
        yield Part(case.line(at), f"{'cost' if reading is limit.cost else 'per'} {reading.path.text}", None, found)


_SHOWN: Final = 3
"""Values of a list that are shown."""
