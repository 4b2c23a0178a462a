"""From the policy file as it was written to rules that can be evaluated; and all that is wrong with it, with positions.

The shape was checked before (`schema`). Here names, paths, patterns, addresses, schemas and references from one part
to another become what evaluation needs, so that it never parses or compiles anything. A mistake does not keep the rest
from being read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import Problem
from ..values import Json, MalformedError, normal_form, parse_path
from . import legacy, schema
from .conditions import Condition, Group, Negation, leaf
from .evaluate import Policy, Section
from .model import Asking, CalendarWindow, Channel, Charge, InFlight, Kind, RuleRef, Scope, Window
from .names import Glob, Names, is_glob
from .reading import Reading, check_operand, reading
from .rules import Limit, Requirement, Rule
from .windows import window_of, zone_of

if TYPE_CHECKING:
    from .document import Document
    from .results import Results
    from .schema import KeyPath

_EVERYONE: Final = "*"
_ANSWER_WITHIN: Final = 300.0
"""Seconds that there are to answer unless the file says otherwise (POLICY section 2)."""
_NAMELESS: Final = Names(frozenset(), ())


def compile_policy(document: Document, origin: str, *, shadow: bool = False) -> tuple[Policy, tuple[Problem, ...]]:
    """The policy that `document` describes, and every mistake of meaning in it; to be used only if there is none.

    `origin` is a name for the file that stays the same between starts: counters are kept under it. `shadow` puts it in
    shadow mode whatever it says.
    """
    if document.file is None:
        raise ValueError("nothing to compile")
    compiler = _Compiler(document, document.file, origin, shadow=shadow or document.file.mode == "shadow")
    return compiler.policy(), tuple(compiler.problems)


class _Compiler:
    def __init__(self, document: Document, file: schema.PolicyFile, origin: str, *, shadow: bool) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._file = file
        self._origin = origin
        self._shadow = shadow
        self._zone: tzinfo = UTC
        self._uses: set[str] = set()
        """What the policy makes use of, as `Policy.needs_...` and the notes tell it."""
        self._waited_for: set[str] = set()
        """Tools that an `after` names, wherever it stands."""
        self._remembered: list[Names] = []
        """Of every `after` that looks at the other sessions of the grant."""

    @contextmanager
    def _at(self, *at: str | int) -> Iterator[None]:
        """Turn a mistake in the text at `at` into a problem with a position."""
        try:
            yield
        except MalformedError as error:
            self._wrong(at, str(error), error.advice)

    def _wrong(self, at: KeyPath, message: str, advice: str = "", *, of_key: bool = False) -> None:
        self.problems.append(self._document.problem(at, message, advice, of_key=of_key))

    # --- the file -----------------------------------------------------------------------------------------------------

    def policy(self) -> Policy:
        file = self._file
        with self._at("timezone"):
            self._zone = zone_of(file.timezone)
        sections: dict[Kind, Section] = {}
        if file.resources is not None:
            sections[Kind.RESOURCE] = self._section(Kind.RESOURCE, "resources", file.resources)
        if file.prompts is not None:
            sections[Kind.PROMPT] = self._section(Kind.PROMPT, "prompts", file.prompts)
        # Last, because the others may name tools too.
        sections[Kind.TOOL] = self._section(Kind.TOOL, "tools", file.tools)
        requests = file.server_requests
        shadow = self._shadow
        return Policy(
            self._document.path,
            self._document.digest,
            shadow=shadow,
            sections=sections,
            denied_requests=frozenset(
                name
                for name in ("sampling", "elicitation", "roots")
                if getattr(requests, name) == "deny" and not shadow
            ),
            allows_unknown_methods=(file.unknown_methods or file.default) == "allow" or shadow,
            needs_annotations="annotations" in self._uses,
            asks="asks" in self._uses,
            needs_state="state" in self._uses,
            remembered=tuple(self._remembered),
            notes=tuple(self._notes()),
            results=None if shadow else self._results(file.results),
        )

    def _results(self, written: schema.Results | None) -> Results | None:
        if written is None:
            return None
        from ..detectors import DETECTORS
        from .results import Redaction, Results

        found: list[Redaction] = [Redaction(name, find) for name, find in DETECTORS.items() if name in written.redact]
        for index, each in enumerate(written.redact):
            if isinstance(each, schema.Pattern):
                from .substitution import substitution

                with self._at("results", "redact", index, "regex"):
                    found.append(Redaction(each.regex, substitution(each.regex, each.replace), is_pattern=True))
        return Results(written.max_bytes, written.strip_invisible, tuple(found))

    def _notes(self) -> Iterator[str]:
        if self._shadow:
            yield f"{self._document.path}: shadow mode: decisions are recorded and nothing is refused"
        if self._file.default is None:
            yield f"{self._document.path}: no `default`, so what no entry lists is denied"

    def _section(self, kind: Kind, key: str, entries: Mapping[str, schema.Entry]) -> Section:
        exact: dict[str, tuple[Rule, ...]] = {}
        globs: list[tuple[Glob, tuple[Rule, ...]]] = []
        everyone: tuple[Rule, ...] = ()
        for name, entry in entries.items():
            rules = self._entry(kind, name, entry, (key, name))
            if name == _EVERYONE:
                everyone = rules
            elif is_glob(name):
                try:
                    globs.append((Glob.parse(name), rules))
                except MalformedError as error:
                    self._wrong((key, name), str(error), error.advice, of_key=True)
            elif name:
                exact[name] = rules
            else:
                self._wrong((key, name), "an entry has an empty name", f"name a {kind}, or write `*` for all of them")
        hidden = _NAMELESS
        named = frozenset(exact)
        if kind is Kind.TOOL:
            everyone += self._all_tools(entries)
            hidden = self._names("hide", self._file.hide)
            named |= hidden.exact | self._waited_for
        denies = self._file.default != "allow"
        hides_denied = self._file.hide_denied
        return Section(
            kind,
            exact,
            tuple(globs),
            everyone,
            allows_unlisted=not denies,
            hidden=hidden,
            hides_denied=denies if hides_denied is None else hides_denied,
            named=named,
            normal_forms=frozenset(map(normal_form, named)),
            refuses_invisible=self._file.results is not None and self._file.results.strip_invisible,
        )

    def _all_tools(self, entries: Mapping[str, schema.Entry]) -> tuple[Rule, ...]:
        entry = self._file.all_tools
        if entry is None:
            return ()
        if _EVERYONE in entries:
            self._wrong(("all_tools",), "`all_tools` and the entry `*` are the same", "put all rules into one of them")
        return self._entry(Kind.TOOL, _EVERYONE, entry, ("all_tools",))

    def _names(self, key: str, texts: Sequence[str], *above: str | int) -> Names:
        names: list[str] = []
        for index, text in enumerate(texts):
            with self._at(*above, key, index):
                Names.parse([text])
                names.append(text)
        return Names.parse(names)

    # --- rules --------------------------------------------------------------------------------------------------------

    def _entry(self, kind: Kind, name: str, entry: schema.Entry, at: KeyPath) -> tuple[Rule, ...]:
        rules = []
        taken: set[str] = set()
        for index, (below, rule) in enumerate(entry.each_rule(), 1):
            numbered = f"{name}#{index}"
            # Counters are kept under the author's name for a rule, so that they survive a change of order; otherwise
            # under a number, which no name is, whatever it looks like.
            identity = rule.name if rule.name and rule.name not in taken else index
            taken.add(rule.name or "")
            rules.append(self._rule(_Context(kind, name, identity, rule, (*at, *below)), rule.name or numbered))
        return tuple(rules)

    def _rule(self, context: _Context, name: str) -> Rule:
        rule, at = context.rule, context.at
        ref = RuleRef(name, self._document.path, self._document.position(at)[0])
        when = self._conditions(context, rule.when, "when", every=False)
        require = [
            Requirement(condition, written.on_deny)
            for index, written in enumerate(rule.require)
            if (condition := self._condition(context, written, (*at, "require", index), every=True))
        ]
        counted = legacy.limiting(rule, context.entry)
        conditions = self._conditions(context, rule.conditions, "conditions", every=not rule.stops, but=counted)
        if rule.stops:
            when += conditions
        else:
            require += map(Requirement, conditions)
        after = None
        if rule.after:
            after = self._names("after", rule.after, *at)
            self._waited_for |= after.exact
            if rule.after_scope == "grant":
                self._uses.add("state")
                self._remembered.append(after)
        return Rule(
            ref,
            denies=rule.denies,
            asks=self._asking(rule) if rule.asks else None,
            on_deny=rule.reason_given,
            shadow=rule.mode == "shadow",
            when=tuple(when),
            after=after,
            after_in_grant=rule.after_scope == "grant",
            require=tuple(require),
            arguments=self._arguments(rule, at),
            limits=tuple(self._limits(context, ref)) if rule.rate_limit or rule.limits or rule.state else (),
        )

    def _asking(self, rule: schema.Rule) -> Asking:
        self._uses.add("asks")
        everywhere = self._file.approvals
        written = [approval for approval in (rule.approval, everywhere) if approval is not None]
        timeouts = [rule.approval_timeout, *(approval.timeout for approval in written)]
        timeout = next((float(span.seconds) for span in timeouts if span is not None), _ANSWER_WITHIN)
        spans = [approval.remember for approval in written if approval.remember is not None]
        remember = float(spans[0].seconds) if spans else 0.0
        return Asking(timeout, remember, tuple(map(Channel, everywhere.via)) if everywhere else tuple(Channel))

    def _arguments(self, rule: schema.Rule, at: KeyPath) -> Callable[[dict[str, Json]], bool] | None:
        if rule.arguments is None:
            return None
        from .validators import argument_schema

        accepts = argument_schema(rule.arguments)
        if not isinstance(accepts, list):
            return accepts
        for where, message, advice in accepts:
            self._wrong((*at, "arguments", *where), message, advice)
        return None

    # --- conditions ---------------------------------------------------------------------------------------------------

    def _conditions(
        self, context: _Context, written: Sequence[schema.Condition], key: str, *, every: bool, but: int | None = None
    ) -> list[Condition]:
        if not written:
            return []
        return [
            condition
            for index, each in enumerate(written)
            if index != but
            if (condition := self._condition(context, each, (*context.at, key, index), every=every))
        ]

    def _condition(self, context: _Context, written: schema.Condition, at: KeyPath, *, every: bool) -> Condition | None:
        """`every` says how `[*]` is meant: in what has to hold every element, in what makes a rule apply one."""
        if written.not_ is not None:
            part = self._condition(context, written.not_, (*at, "not"), every=not every)
            return Negation(part, part.is_fixed) if part else None
        for key, parts in (("all", written.all_), ("any", written.any_)):
            if not written.has(f"{key}_"):
                continue
            if not parts:
                self._wrong((*at, key), f"`{key}` has no conditions", "leave it out, or write one")
            made = [self._condition(context, part, (*at, key, i), every=every) for i, part in enumerate(parts)]
            sound = tuple(part for part in made if part)
            return Group(sound, key == "all", all(part.is_fixed for part in sound))
        if legacy.is_state(written):
            self._wrong(
                (*at, "path"),
                "`state` can only limit the counter of its own rule",
                legacy.advice(context.rule, written),
            )
            return None
        found = self._reading(context, written.path, (*at, "path"))
        if found is None or written.op is None:
            return None
        with self._at(*at, "value"):
            check_operand(found.path, written.op, written.value)
            optional = isinstance(written, schema.Clause) and written.optional
            return leaf(found, written.op, written.value, every=every, optional=optional)
        return None

    def _reading(self, context: _Context, text: str, at: KeyPath) -> Reading | None:
        with self._at(*at):
            found = reading(parse_path(text), context.kind, self._zone)
            if found.path.root == "tool" and not found.is_fixed:
                self._uses.add("annotations")
            return found
        return None

    # --- limits -------------------------------------------------------------------------------------------------------

    def _limits(self, context: _Context, ref: RuleRef) -> Iterator[Limit]:
        for index, (below, written) in enumerate((*context.rule.each_limit(), *self._state(context))):
            at = (*context.at, *below)
            per = [
                found
                for i, text in enumerate(written.per)
                if (found := self._reading(context, "tool.name" if text == "tool" else text, (*at, "per", i)))
            ]
            if written.scope != "session":
                self._uses.add("state")
            if isinstance(written, schema.Concurrency):
                highest, amount, price = Decimal(written.max_concurrent), Decimal(1), None
            else:
                highest = written.max
                cost, price = written.charge, self._cost(context, written, at)
                amount = cost.amount
                if not cost.source and amount > highest:
                    self._wrong((*at, cost.key), "a call costs more than `max`, so none could ever pass")
            counted = self._window(written, at)
            if counted is None:
                continue
            window, kind = counted
            shadow = self._shadow or context.rule.mode == "shadow"
            key = (
                self._origin,
                f"{written.scope}, shadow" if shadow else written.scope,
                f"counter {written.counter}" if written.counter else f"rule {context.counter(index)}",
                kind,
                " ".join(sorted(str(reading.path) for reading in per)),
                "",
            )
            yield Limit(
                Charge(
                    key,
                    written.counter or ref.name,
                    Scope(written.scope),
                    highest,
                    window,
                    amount,
                    ref,
                    context.rule.reason_given,
                    shadow,
                    price.path.text if price else "",
                ),
                tuple(sorted(per, key=lambda reading: str(reading.path))),
                price,
            )

    def _window(
        self, written: schema.Limit | schema.Concurrency, at: KeyPath
    ) -> tuple[Window | CalendarWindow | InFlight, str] | None:
        with self._at(*at, "timezone"):
            return window_of(written, self._file.timezone)
        return None

    def _cost(self, context: _Context, written: schema.Limit, at: KeyPath) -> Reading | None:
        cost = written.charge
        if not cost.source:
            return None
        place = (*at, cost.key, "from") if cost.key == "cost" else (*at, cost.key)
        found = self._reading(context, cost.source, place)
        if found and (found.path.root != "args" or found.path.is_plural):
            self._wrong(place, f"`{cost.source}` is not one argument", "a cost is read from a path like `args.amount`")
        return found

    def _state(self, context: _Context) -> Iterator[tuple[KeyPath, schema.Limit]]:
        rule = context.rule
        if rule.state is None:
            return
        counter = legacy.counter_of(rule, context.entry)
        index = legacy.limiting(rule, context.entry)
        if index is None:
            missing = f"no condition limits this counter: none has the path `state.{counter}` and the op `lt` or `lte`"
            self._wrong((*context.at, "state"), missing, legacy.advice(rule))
            return
        with self._at(*context.at, "conditions", index, "value"):
            yield ("state",), legacy.as_limit(rule.state, counter, rule.conditions[index])


class _Context(NamedTuple):
    """The rule that is being compiled."""

    kind: Kind
    entry: str
    identity: str | int
    """A name for the rule within its entry; no other rule there has it."""
    rule: schema.Rule
    at: KeyPath

    def counter(self, index: int) -> str:
        """A name for the counter of the rule's limit number `index`; no other limit of the file has it."""
        return json.dumps([self.kind, self.entry, self.identity, index])
