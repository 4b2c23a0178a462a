"""The policy file as people write it: one model a mapping, one field a key (POLICY sections 2 to 5 and 9).

Checked here is the shape: which keys there are, which go together, of what type a value is, and with `notations` the
small languages in it (`90s`, `10/minute`). What needs more than one look (paths, globs, patterns, addresses, argument
schemas, time zones, `state` conditions, references from one part to another) is for `compile`. Every spelling is a
field; `Entry.each_rule`, `Rule.each_limit`, `Limit.charge` and `Rule.reason_given` give the one reading of them.

How a shape is declared is in `shape`. `document.read` makes these models of a file, `compile` turns them into its own
values. Numbers are `int` or `Decimal`, never binary fractions.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, TypeAlias

from .notations import (
    MONTH,
    PERIODS,
    WINDOWS,
    Cost,
    Duration,
    LimitWindow,
    Mark,
    NotNegative,
    Positive,
    Price,
    Span,
    Texts,
    Timeout,
    Version,
    Window,
    Zone,
    rate,
    texts,
)
from .shape import (
    Anything,
    Flag,
    Later,
    Model,
    Name,
    Notation,
    Object,
    Schema,
    Text,
    field,
    many,
    named,
    one_of,
    refuse,
    whole,
)
from .tree import KeyPath
from .wording import listed, rewritten, shown

__all__ = [
    "OPERANDS",
    "Approval",
    "Approvals",
    "Call",
    "Clause",
    "Concurrency",
    "Condition",
    "Cost",
    "DenyIf",
    "Entries",
    "Entry",
    "KeyPath",
    "Limit",
    "PolicyFile",
    "RateLimit",
    "Requirement",
    "Rule",
    "ServerRequests",
    "Span",
    "State",
    "Test",
]

_Permission: Final = one_of("allow", "deny")
_Mode: Final = one_of("enforce", "shadow")

OPERANDS: Final[dict[str, str]] = {
    "eq": "any", "neq": "any", "in": "list", "not_in": "list",
    "lt": "number", "lte": "number", "gt": "number", "gte": "number",
    "regex": "text", "not_regex": "text", "contains": "any", "not_contains": "any", "exists": "boolean",
    "starts_with": "text", "ends_with": "text", "glob": "text", "length_lte": "length", "length_gte": "length",
    "host_in": "texts", "path_within": "texts", "cidr_in": "texts",
}  # fmt: skip
"""Every op, and what `value` it takes: checked here, so that `compile` may rely on it. `texts` is a text or a list of
them."""
_OPERAND_NAMES: Final = {
    "list": "a list", "number": "a number", "length": "a whole number, 0 or more", "text": "text",
    "texts": "text or a list of texts", "boolean": "true or false",
}  # fmt: skip


def _fits(value: object, operand: str) -> bool:
    match operand:
        case "list":
            return isinstance(value, list)
        case "number":
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case "length":
            return isinstance(value, int) and not isinstance(value, bool) and value >= 0
        case "text":
            return isinstance(value, str)
        case "texts":
            return isinstance(value, str | list)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return value is not None


_A_WINDOW: Final = "write for example `window: 60` or `window: minute`"
_GROUPS: Final = ("all_", "any_", "not_")
_COMPARISON: Final = ("path", "op", "value")


class Condition(Model):
    """`{path, op, value}`, or `{all: [...]}`, `{any: [...]}`, `{not: ...}` (POLICY section 4)."""

    path = field(Text, "", "what is looked at, for example `args.amount` or `args.to[*]`")
    op = field(one_of(*OPERANDS, called="an operator"), None, "how it is compared")
    value = field(Anything, None, "what it is compared with; which type depends on `op`")
    all_: list[Condition] = field(many(Later(lambda: Condition)), [], "every one of these must hold")
    any_: list[Condition] = field(many(Later(lambda: Condition)), [], "one of these is enough")
    not_: Condition | None = field(Later(lambda: Condition), None, "this must not hold")

    def check(self) -> None:
        """Hold a condition to one form."""
        groups = [key.rstrip("_") for key in _GROUPS if self.has(key)]
        if not groups:
            self._is_a_comparison()
            return
        if self.has("optional"):
            refuse("only a condition with a path can be `optional`", "write it there", ("optional",), of_key=True)
        forms = groups + [key for key in _COMPARISON if self.has(key)][:1]
        if len(forms) > 1:
            message = f"`{forms[0]}` and `{forms[1]}` cannot stand in one condition"
            refuse(message, "make them two conditions", (forms[1],), of_key=True)

    def _is_a_comparison(self) -> None:
        missing = [key for key in _COMPARISON if not self.has(key)]
        if missing or self.op is None:
            refuse(f"`{missing[0]}` is missing", "a condition is `{path, op, value}`, or `all`, `any` or `not`")
        if self.value is None:
            advice = "for absence write `op: exists` with `value: false`"
            refuse("expected a value, found nothing", advice, ("value",))
        operand = OPERANDS[self.op]
        if not _fits(self.value, operand):
            name = _OPERAND_NAMES[operand]
            refuse(f"`{self.op}` expects {name}, found {shown(self.value)}", rewritten(name, self.value), ("value",))
        if operand == "texts":
            texts(self.value, ("value",))


class Clause(Condition):
    """A condition inside `require`, which may let an absent value pass."""

    optional = field(Flag, default=False, description="an absent value passes")
    all_: list[Clause] = field(many(Later(lambda: Clause)), [])  # type: ignore[assignment]  # lists are read-only here
    any_: list[Clause] = field(many(Later(lambda: Clause)), [])  # type: ignore[assignment]


class Requirement(Clause):
    """An item of `require`, which may carry its own sentence."""

    on_deny = field(Text, "", "one line for the model if this does not hold")


class RateLimit(Model):
    """At most `max` in any interval of the length of `window` (POLICY section 5)."""

    max = field(Positive, missing="write for example `max: 10`")
    window = field(Window, missing=_A_WINDOW)


class _Counted(Model):
    counter = field(Name, None, "limits with the same counter share their use; default: its own")
    scope = field(one_of("session", "grant", "global"), "session", "who shares the counter")
    per = field(Texts, [], "paths whose values get a count of their own; `args` and `tool` too")


class Limit(_Counted):
    """At most `max` in a window (POLICY section 5)."""

    max = field(Positive, missing="write for example `max: 10`")
    window = field(LimitWindow, missing=_A_WINDOW)
    align = field(
        one_of("sliding", "calendar"), "sliding", "`calendar`: counts from the start of each minute, day, month"
    )
    timezone = field(Zone, None, "of a calendar window; default: that of the policy")
    cost = field(Price, None, "what a call costs; default 1")
    increment = field(NotNegative, None, "Intercept's word for a fixed `cost`")
    increment_from = field(Text, None, "Intercept's word for `cost: {from: ...}`")

    def check(self) -> None:
        """Hold a limit to one cost, and to a window that its `align` can have."""
        _at_most_one(self, "cost", "increment", "increment_from")
        if self.align == "calendar":
            if self.window.text not in PERIODS:
                same = next((word for word, length in WINDOWS.items() if length == self.window.seconds), "")
                message = f"expected {listed([*PERIODS])} beside `align: calendar`, found `{self.window.text}`"
                refuse(message, f"write `{same}`" if same else "", ("window",))
            return
        if self.window.text == MONTH:
            refuse("a month has no fixed length", "add `align: calendar`, or write for example `30d`", ("window",))
        if self.timezone is not None:
            advice = "add `align: calendar`, or take it out"
            refuse("a sliding window takes no `timezone`", advice, ("timezone",), of_key=True)

    @property
    def charge(self) -> Cost:
        """What a call costs, however it was written."""
        return self.cost or _increment(self)


class Concurrency(_Counted):
    """At most `max_concurrent` calls at a time (POLICY section 5)."""

    max_concurrent = field(whole(1), description="calls that may be in flight at a time")


def _limit(value: object) -> Limit | Concurrency:
    is_concurrency = isinstance(value, dict) and "max_concurrent" in value
    return Concurrency.read(value) if is_concurrency else Limit.read(value)


_AnyLimit: Final = Notation(_limit, lambda: {"oneOf": [Limit.json_schema(), Concurrency.json_schema()]})


class State(Model):
    """Intercept 1.x: a counter, whose limit is in a `state` condition of the same rule."""

    counter = field(Name, missing="write for example `counter: daily_spend`")
    window = field(Window, missing=_A_WINDOW)
    increment = field(NotNegative, None)
    increment_from = field(Text, None)

    def check(self) -> None:
        """Hold a counter to one cost."""
        _at_most_one(self, "increment", "increment_from")

    @property
    def charge(self) -> Cost:
        """What a call costs."""
        return _increment(self)


def _increment(model: Limit | State) -> Cost:
    if model.increment is not None:
        return Cost(amount=model.increment, key="increment")
    if model.increment_from is not None:
        return Cost(source=model.increment_from, key="increment_from")
    return Cost()


def _at_most_one(model: Model, *keys: str) -> None:
    given = [key for key in keys if model.has(key)]
    if len(given) > 1:
        refuse(f"`{given[0]}` and `{given[1]}` say the same thing", "keep one of them", (given[1],), of_key=True)


class Approval(Model):
    """How a person is asked about a call (POLICY section 7)."""

    timeout = field(Timeout, None, "how long there is to answer; default: `approvals`, then 5m")
    remember = field(Duration, None, "how long the same call may pass again; default: not at all")


_CHANNELS: Final = many(one_of("elicitation", "operator"))


def _channels(written: object) -> list[str]:
    value = _CHANNELS.read(written)
    if not value:
        refuse("expected a channel, found an empty list", "write `elicitation`, `operator` or both")
    for at, channel in enumerate(value):
        if channel in value[:at]:
            refuse(f"`{channel}` stands here twice", "keep one of them", (at,))
    return value


class Approvals(Approval):
    """How people are asked, unless a rule says otherwise (POLICY section 2)."""

    via = field(
        Notation(_channels, lambda: {**_CHANNELS.json_schema(), "minItems": 1, "uniqueItems": True}),
        ["elicitation", "operator"],
        "channels in their order; the next one is tried only where one is not available",
    )


_EFFECTS: Final = frozenset({"action", "require", "conditions", "arguments", "rate_limit", "limits", "state"})
"""Keys of a rule with which it does something by itself."""


class Rule(Model):
    """One rule (POLICY section 3)."""

    name = field(Name, None, "shown in denials and logs")
    action = field(one_of("allow", "evaluate", "deny", "require_approval"), "allow")
    when = field(many(Condition), [], "the rule applies only while all of these hold")
    require = field(many(Requirement), [], "the call is denied unless all of these hold")
    after = field(Texts, [], "names or globs: the rule applies once such a tool was answered")
    after_scope = field(one_of("session", "grant"), "session", "`grant`: answered in any session of the grant")
    conditions = field(many(Condition), [], "`require` of an allow rule, otherwise the same as `when`")
    arguments = field(Object, None, "JSON Schema 2020-12 of the arguments")
    rate_limit = field(Notation(lambda value: RateLimit.read(rate(value)), RateLimit.json_schema), None, "`10/minute`")
    limits = field(many(_AnyLimit), [])
    on_deny = field(Text, None, "one line for the model: why, and what would work")
    reason = field(Text, None, "the same as `on_deny`")
    approval = field(Approval, None, "of `require_approval`: how a person is asked")
    approval_timeout = field(Timeout, None, "older spelling of `approval.timeout`")
    mode = field(_Mode, "enforce")
    state = field(State, None, "Intercept 1.x; `limits` is the word today")

    def check(self) -> None:
        """Hold a rule to keys that go together."""
        _at_most_one(self, "on_deny", "reason")
        if self.denies:
            for key in ("require", "arguments", "rate_limit", "limits", "state"):
                if self.has(key):
                    advice = "make it a rule of its own, without `action: deny`"
                    refuse(f"a `deny` rule takes no `{key}`", advice, (key,), of_key=True)
        if self.has("after_scope") and not self.has("after"):
            refuse("`after_scope` says nothing without `after`", "add `after`", ("after_scope",), of_key=True)
        self._asks_in_one_way()

    def _asks_in_one_way(self) -> None:
        if not self.asks:
            for key in ("approval", "approval_timeout"):
                if self.has(key):
                    advice = "write `action: require_approval` beside it, or take it out"
                    refuse(f"this rule asks nobody, so it takes no `{key}`", advice, (key,), of_key=True)
            return
        if self.has("state"):
            # Its conditions say when it applies, so that none of them could be the limit of the counter.
            advice = "write `limits`, or make it a rule of its own, without `action: require_approval`"
            refuse("a `require_approval` rule takes no `state`", advice, ("state",), of_key=True)
        if self.approval_timeout is not None and self.approval is not None and self.approval.has("timeout"):
            message = "`approval.timeout` and `approval_timeout` say the same thing"
            refuse(message, "keep the first", ("approval_timeout",), of_key=True)

    @property
    def denies(self) -> bool:
        """Whether the rule refuses each call that it applies to; `allow` and `evaluate` are one word."""
        return self.action == "deny"

    @property
    def asks(self) -> bool:
        """Whether a person has to agree to each call that the rule applies to."""
        return self.action == "require_approval"

    @property
    def stops(self) -> bool:
        """Whether a call that the rule applies to does not simply pass; `conditions` then mean `when`."""
        return self.denies or self.asks

    @property
    def reason_given(self) -> str:
        """The author's sentence for the model; empty if there is none."""
        return self.on_deny or self.reason or ""

    def each_limit(self) -> Iterator[tuple[KeyPath, Limit | Concurrency]]:
        """Every limit but that of `state`, with its place below the rule; `rate_limit` is one like the others."""
        if self.rate_limit is not None:
            # Not validated again, and no key but these two was written.
            yield ("rate_limit",), Limit.of(**vars(self.rate_limit))
        for at, limit in enumerate(self.limits):
            yield ("limits", at), limit


class DenyIf(Model):
    """PolicyLayer's deny rule: no conditions, always."""

    name = field(Name, None)
    conditions = field(many(Condition), [])
    on_deny = field(Text, None)
    reason = field(Text, None)

    def check(self) -> None:
        """Hold it to one sentence."""
        _at_most_one(self, "on_deny", "reason")


class Entry(Rule):
    """What holds for the names that one key covers: a rule, a list of rules, `deny_if`, or a mix (POLICY section 3)."""

    rules = field(many(Rule), [])
    deny_if = field(many(DenyIf), [], "conditions under which the call is denied")

    def check(self) -> None:
        """Hold what modifies the entry's own rule to there being one."""
        super().check()
        # Beside `rules` these belong to the entry's own rule, which must then do something: an author who
        # writes `mode: shadow` above a list means the list.
        if (self.rules or self.deny_if) and _EFFECTS.isdisjoint(vars(self)):
            for key in ("name", "when", "after", "on_deny", "reason", "mode"):
                if self.has(key):
                    message = f"`{key}` does not hold for the rules beside it"
                    refuse(message, "write it in each rule", (key,), of_key=True)

    def each_rule(self) -> Iterator[tuple[KeyPath, Rule]]:
        """Every rule in the order of its number (`<entry>#1`, ...), with its place below the entry.

        The entry's own rule comes first, if any of its keys was written, then `rules`, then `deny_if`.
        """
        if vars(self).keys() - {"rules", "deny_if"}:
            yield (), self
        for at, rule in enumerate(self.rules):
            yield ("rules", at), rule
        for at, deny in enumerate(self.deny_if):
            yield ("deny_if", at), Rule.of(action="deny", **vars(deny))


class ServerRequests(Model):
    """What the upstream may ask of the client (POLICY section 2)."""

    sampling = field(_Permission, "allow")
    elicitation = field(_Permission, "allow")
    roots = field(_Permission, "allow")


DETECTORS: Final = ("secrets", "emails", "cards")


class Pattern(Model):
    """What matches is taken out of results, and a mark put in its place."""

    regex = field(Text, missing="write for example `{regex: 'CUST-[0-9]+', replace: '[customer]'}`")
    replace = field(Mark, "[redacted]", "stands in the place of each match")


def _redact(value: object) -> str | Pattern:
    if isinstance(value, dict):
        return Pattern.read(value)
    if not isinstance(value, str):
        known = ", ".join(f"`{name}`" for name in DETECTORS)
        refuse(f"expected a detector or a pattern, found {shown(value)}", f"write {known}, or `{{regex: ...}}`")
    return one_of(*DETECTORS).read(value)


_Redact: Final = Notation(_redact, lambda: {"anyOf": [{"enum": [*DETECTORS]}, Pattern.json_schema()]})


class Results(Model):
    """What may come back from the upstream (POLICY section 8)."""

    max_bytes = field(whole(1), None, "longest answer that passes, in bytes")
    strip_invisible = field(Flag, False, "take out what shows nothing: controls, tags, zero-width")  # noqa: FBT003
    redact = field(many(_Redact), [], "put a mark in the place of what detectors or patterns find")


class Call(Model):
    """One call of a test and what must come of it (POLICY section 9)."""

    tool = field(Name, missing="write for example `tool: read_file`")
    arguments = field(Object, {})
    at = field(Duration, None, "time since the start of the test; default: that of the call before")
    repeat = field(whole(1, 100_000), 1)
    expect = field(one_of("allow", "ask", "deny"), missing="write `expect: allow` or `expect: deny`")
    rule = field(Text, None, "must be among the rules that decided")
    reason = field(Text, None, "must be part of the reason")
    retry_after = field(Duration, None, "the time to wait that the denial must name")


class Test(Model):
    """Calls in their order, from time 0 with empty counters and a new session (POLICY section 9)."""

    __test__ = False
    name = field(Text, "")
    calls = field(many(Call), missing="write for example `calls: [{tool: read_file, expect: allow}]`")


Entries: TypeAlias = dict[str, Entry]


def _entry(name: str, value: object) -> Entry:
    # `list_charges:` with nothing behind it reads as listed, like `{}`; whatever is indented wrongly under it
    # becomes a neighbour with the wrong type and is an error there.
    if not isinstance(value, dict | None):
        refuse(f"expected a mapping, found {shown(value)}", _instead_of_entry(name, value))
    return Entry.read(value or {})


def _instead_of_entry(name: str, value: object) -> str:
    if name in Entry.fields:
        return f"if `{name}` is not a name but belongs to the entry above, indent it"
    if value in ("allow", True):
        return "write `{}`"
    if value in ("deny", False):
        return "write `{action: deny}`"
    return Entry.instead_of(value)


def _entries(key: str) -> Notation[Entries]:
    def instead_of(value: object) -> str:
        return f"write each name as a key: `{key}: {{read_file: {{}}}}`" if isinstance(value, list | str) else ""

    def json_schema() -> Schema:
        return {"type": "object", "additionalProperties": {"anyOf": [Entry.json_schema(), {"type": "null"}]}}

    return Notation(lambda value: named(value, _entry, instead_of), json_schema)


class PolicyFile(Model):
    """A whole file (POLICY section 2)."""

    version = field(Version, "1")
    description = field(Text, "")
    default = field(_Permission, None, "what happens to a tool that no entry lists; default: deny")
    mode = field(_Mode, "enforce")
    timezone = field(Zone, "UTC", "IANA name for `now.*` and calendar windows")
    hide = field(many(Name), [], "names and globs left out of `tools/list`, and refused when called")
    hide_denied = field(Flag, None, "leave out what no call could use; default: under `default: deny`")
    tools = field(_entries("tools"), {})
    all_tools = field(Entry, None, "the same as the entry `*`")
    resources = field(_entries("resources"), None)
    prompts = field(_entries("prompts"), None)
    server_requests = field(ServerRequests, ServerRequests.of())
    unknown_methods = field(_Permission, None, "methods the protocol does not have; default: `default`")
    approvals = field(Approvals, None, "how people are asked, unless a rule says otherwise")
    results = field(Results, None, "what may come back from the server")
    tests = field(many(Test), [])

    @classmethod
    def instead_of(cls, value: object) -> str:
        """Whatever was meant."""
        return "the smallest policy is `default: deny`"
