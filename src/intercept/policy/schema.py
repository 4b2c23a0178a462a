"""The policy file as people write it: one model a mapping, one field a key (POLICY sections 2 to 5 and 9).

Checked here is the shape: which keys there are, which go together, of what type a value is, and with `notations` the
small languages in it (`90s`, `10/minute`). What needs more than one look (paths, globs, patterns, addresses, argument
schemas, time zones, `state` conditions, references from one part to another) is for `compile`. Every spelling is a
field; `Entry.each_rule`, `Rule.each_limit`, `Limit.charge` and `Rule.reason_given` give the one reading of them.

Pydantic ends here: `document.read` validates, `compile` turns these into its own values. Numbers are `int` or
`Decimal`, never binary fractions. Every model is strict, refuses unknown keys, and is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from .notations import (
    MONTH,
    PERIODS,
    WINDOWS,
    Cost,
    Duration,
    LimitWindow,
    Name,
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
    refuse,
    texts,
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

if TYPE_CHECKING:
    _T = TypeVar("_T")
    Maybe: TypeAlias = _T | None
    """May be left out, and is then None; written, it cannot be null: `rate_limit:` with nothing behind it limits
    nothing, and its author believes that it does."""
else:

    class Maybe:  # pydantic sees the type without None, and does not look at defaults
        def __class_getitem__(cls, kind: object) -> object:
            return kind


Permission: TypeAlias = Literal["allow", "deny"]
Mode: TypeAlias = Literal["enforce", "shadow"]

Op: TypeAlias = Literal[
    "eq", "neq", "in", "not_in", "lt", "lte", "gt", "gte", "regex", "not_regex", "contains", "not_contains", "exists",
    "starts_with", "ends_with", "glob", "length_lte", "length_gte", "host_in", "path_within", "cidr_in",
]  # fmt: skip
OPERANDS: Final[dict[str, str]] = {
    "eq": "any", "neq": "any", "contains": "any", "not_contains": "any",
    "in": "list", "not_in": "list",
    "lt": "number", "lte": "number", "gt": "number", "gte": "number",
    "length_lte": "length", "length_gte": "length",
    "regex": "text", "not_regex": "text", "starts_with": "text", "ends_with": "text", "glob": "text",
    "host_in": "texts", "path_within": "texts", "cidr_in": "texts",
    "exists": "boolean",
}  # fmt: skip
"""What `value` each op takes; checked here, so that `compile` may rely on it. `texts` is a text or a list of them."""
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


def _entry(value: object) -> object:
    # `list_charges:` with nothing behind it reads as listed, like `{}`; whatever is indented wrongly under it
    # becomes a neighbour with the wrong type and is an error there.
    return {} if value is None else value


def _no_items() -> list[Any]:
    # Pydantic looks at the factory's signature each time, which for the built-in `list` takes a third of a millisecond.
    return []


def _list(description: str) -> Any:  # noqa: ANN401  # as `Field`, which it is
    """The default of a list: empty, and not copied each time as `[]` would be."""
    return Field(default_factory=_no_items, description=description)


class _Model(BaseModel):
    # Built once, from `PolicyFile`, when the first file is read: half the cost of building each by itself.
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)

    def has(self, key: str) -> bool:
        """Whether the author wrote `key` (the name of the field)."""
        return key in self.model_fields_set


_GROUPS: Final = ("all_", "any_", "not_")
_COMPARISON: Final = ("path", "op", "value")


class Condition(_Model):
    """`{path, op, value}`, or `{all: [...]}`, `{any: [...]}`, `{not: ...}` (POLICY section 4)."""

    path: str = Field("", description="what is looked at, for example `args.amount` or `args.to[*]`")
    op: Maybe[Op] = Field(None, description="how it is compared")
    value: Any = Field(None, description="what it is compared with; which type depends on `op`")
    all_: list[Condition] = Field(default_factory=_no_items, alias="all", description="every one of these must hold")
    any_: list[Condition] = Field(default_factory=_no_items, alias="any", description="one of these is enough")
    not_: Maybe[Condition] = Field(None, alias="not", description="this must not hold")

    @model_validator(mode="after")
    def _has_one_form(self) -> Self:
        written = self.model_fields_set
        if written.isdisjoint(_GROUPS):
            self._is_a_comparison()
            return self
        groups = [key.rstrip("_") for key in _GROUPS if key in written]
        if "optional" in written:
            refuse("only a condition with a path can be `optional`", "write it there", ("optional",), of_key=True)
        forms = groups + [key for key in _COMPARISON if key in written][:1]
        if len(forms) > 1:
            message = f"`{forms[0]}` and `{forms[1]}` cannot stand in one condition"
            refuse(message, "make them two conditions", (forms[1],), of_key=True)
        return self

    def _is_a_comparison(self) -> None:
        missing = [key for key in _COMPARISON if key not in self.model_fields_set]
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

    optional: bool = Field(default=False, description="an absent value passes")
    all_: list[Clause] = Field(default_factory=_no_items, alias="all")  # type: ignore[assignment]  # lists are read-only here
    any_: list[Clause] = Field(default_factory=_no_items, alias="any")  # type: ignore[assignment]


class Requirement(Clause):
    """An item of `require`, which may carry its own sentence."""

    on_deny: str = Field("", description="one line for the model if this does not hold")


class RateLimit(_Model):
    """At most `max` in any interval of the length of `window` (POLICY section 5)."""

    max: Positive
    window: Window


class _Counted(_Model):
    counter: Maybe[Name] = Field(None, description="limits with the same counter share their use; default: its own")
    scope: Literal["session", "grant", "global"] = Field("session", description="who shares the counter")
    per: Texts = Field(
        default_factory=_no_items, description="paths whose values get a count of their own; `args` and `tool` too"
    )


class Limit(_Counted):
    """At most `max` in a window (POLICY section 5)."""

    max: Positive
    window: LimitWindow
    align: Literal["sliding", "calendar"] = Field(
        "sliding", description="`calendar`: counts from the start of each minute, day, month"
    )
    timezone: Maybe[Zone] = Field(None, description="of a calendar window; default: that of the policy")
    cost: Maybe[Price] = Field(None, description="what a call costs; default 1")
    increment: Maybe[NotNegative] = Field(None, description="Intercept's word for a fixed `cost`")
    increment_from: Maybe[str] = Field(None, description="Intercept's word for `cost: {from: ...}`")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        _one_of(self, "cost", "increment", "increment_from")
        if self.align == "calendar":
            if self.window.text not in PERIODS:
                same = next((word for word, length in WINDOWS.items() if length == self.window.seconds), "")
                message = f"expected {listed([*PERIODS])} beside `align: calendar`, found `{self.window.text}`"
                refuse(message, f"write `{same}`" if same else "", ("window",))
            return self
        if self.window.text == MONTH:
            refuse("a month has no fixed length", "add `align: calendar`, or write for example `30d`", ("window",))
        if self.timezone is not None:
            advice = "add `align: calendar`, or take it out"
            refuse("a sliding window takes no `timezone`", advice, ("timezone",), of_key=True)
        return self

    @property
    def charge(self) -> Cost:
        """What a call costs, however it was written."""
        return self.cost or _increment(self)


class Concurrency(_Counted):
    """At most `max_concurrent` calls at a time (POLICY section 5)."""

    max_concurrent: Annotated[int, Field(ge=1, description="calls that may be in flight at a time")]


BY_WINDOW: Final = "by window"
IN_FLIGHT: Final = "in flight"


def _form(value: object) -> str:
    is_concurrency = isinstance(value, Concurrency) or (isinstance(value, dict) and "max_concurrent" in value)
    return IN_FLIGHT if is_concurrency else BY_WINDOW


AnyLimit: TypeAlias = Annotated[
    Annotated[Limit, Tag(BY_WINDOW)] | Annotated[Concurrency, Tag(IN_FLIGHT)], Discriminator(_form)
]


class State(_Model):
    """Intercept 1.x: a counter, whose limit is in a `state` condition of the same rule."""

    counter: Name
    window: Window
    increment: Maybe[NotNegative] = None
    increment_from: Maybe[str] = None

    @model_validator(mode="after")
    def _has_one_cost(self) -> Self:
        _one_of(self, "increment", "increment_from")
        return self

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


def _one_of(model: _Model, *keys: str) -> None:
    written = model.model_fields_set
    given = [key for key in keys if key in written]
    if len(given) > 1:
        refuse(f"`{given[0]}` and `{given[1]}` say the same thing", "keep one of them", (given[1],), of_key=True)


class Approval(_Model):
    """How a person is asked about a call (POLICY section 7)."""

    timeout: Maybe[Timeout] = Field(None, description="how long there is to answer; default: `approvals`, then 5m")
    remember: Maybe[Duration] = Field(None, description="how long the same call may pass again; default: not at all")


def _channels(value: list[str]) -> list[str]:
    if not value:
        refuse("expected a channel, found an empty list", "write `elicitation`, `operator` or both")
    for at, channel in enumerate(value):
        if channel in value[:at]:
            refuse(f"`{channel}` stands here twice", "keep one of them", (at,))
    return value


class Approvals(Approval):
    """How people are asked, unless a rule says otherwise (POLICY section 2)."""

    via: Annotated[list[Literal["elicitation", "operator"]], AfterValidator(_channels)] = Field(
        ["elicitation", "operator"],
        description="channels in their order; the next one is tried only where one is not available",
        json_schema_extra={"minItems": 1, "uniqueItems": True},
    )


_EFFECTS: Final = frozenset({"action", "require", "conditions", "arguments", "rate_limit", "limits", "state"})
"""Keys of a rule with which it does something by itself."""


class Rule(_Model):
    """One rule (POLICY section 3)."""

    name: Maybe[Name] = Field(None, description="shown in denials and logs")
    action: Literal["allow", "evaluate", "deny", "require_approval"] = "allow"
    when: list[Condition] = _list("the rule applies only while all of these hold")
    require: list[Requirement] = _list("the call is denied unless all of these hold")
    after: Texts = Field(
        default_factory=_no_items, description="names or globs: the rule applies once such a tool was answered"
    )
    after_scope: Literal["session", "grant"] = Field(
        "session", description="`grant`: answered in any session of the grant"
    )
    conditions: list[Condition] = Field(
        default_factory=_no_items, description="`require` of an allow rule, otherwise the same as `when`"
    )
    arguments: Maybe[dict[str, Any]] = Field(None, description="JSON Schema 2020-12 of the arguments")
    rate_limit: Maybe[Annotated[RateLimit, BeforeValidator(rate)]] = Field(None, description="`10/minute`")
    limits: list[AnyLimit] = Field(default_factory=_no_items)
    on_deny: Maybe[str] = Field(None, description="one line for the model: why, and what would work")
    reason: Maybe[str] = Field(None, description="the same as `on_deny`")
    approval: Maybe[Approval] = Field(None, description="of `require_approval`: how a person is asked")
    approval_timeout: Maybe[Timeout] = Field(None, description="older spelling of `approval.timeout`")
    mode: Mode = "enforce"
    state: Maybe[State] = Field(None, description="Intercept 1.x; `limits` is the word today")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        _one_of(self, "on_deny", "reason")
        if self.denies:
            for key in ("require", "arguments", "rate_limit", "limits", "state"):
                if self.has(key):
                    advice = "make it a rule of its own, without `action: deny`"
                    refuse(f"a `deny` rule takes no `{key}`", advice, (key,), of_key=True)
        if self.has("after_scope") and not self.has("after"):
            refuse("`after_scope` says nothing without `after`", "add `after`", ("after_scope",), of_key=True)
        self._asks_in_one_way()
        return self

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
            yield ("rate_limit",), Limit.model_construct({"max", "window"}, per=[], **dict(self.rate_limit))
        for at, limit in enumerate(self.limits):
            yield ("limits", at), limit


class DenyIf(_Model):
    """PolicyLayer's deny rule: no conditions, always."""

    name: Maybe[Name] = None
    conditions: list[Condition] = Field(default_factory=_no_items)
    on_deny: Maybe[str] = None
    reason: Maybe[str] = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        _one_of(self, "on_deny", "reason")
        return self


class Entry(Rule):
    """What holds for the names that one key covers: a rule, a list of rules, `deny_if`, or a mix (POLICY section 3)."""

    rules: list[Rule] = Field(default_factory=_no_items)
    deny_if: list[DenyIf] = _list("conditions under which the call is denied")

    @model_validator(mode="after")
    def _modifies_its_own_rule(self) -> Self:
        # Beside `rules` these belong to the entry's own rule, which must then do something: an author who
        # writes `mode: shadow` above a list means the list.
        if (self.rules or self.deny_if) and _EFFECTS.isdisjoint(self.model_fields_set):
            for key in ("name", "when", "after", "on_deny", "reason", "mode"):
                if self.has(key):
                    message = f"`{key}` does not hold for the rules beside it"
                    refuse(message, "write it in each rule", (key,), of_key=True)
        return self

    def each_rule(self) -> Iterator[tuple[KeyPath, Rule]]:
        """Every rule in the order of its number (`<entry>#1`, ...), with its place below the entry.

        The entry's own rule comes first, if any of its keys was written, then `rules`, then `deny_if`.
        """
        if self.model_fields_set - {"rules", "deny_if"}:
            yield (), self
        for at, rule in enumerate(self.rules):
            yield ("rules", at), rule
        for at, deny in enumerate(self.deny_if):
            yield (
                ("deny_if", at),
                Rule.model_construct({*deny.model_fields_set, "action"}, action="deny", **dict(deny)),
            )


class ServerRequests(_Model):
    """What the upstream may ask of the client (POLICY section 2)."""

    sampling: Permission = "allow"
    elicitation: Permission = "allow"
    roots: Permission = "allow"


class Call(_Model):
    """One call of a test and what must come of it (POLICY section 9)."""

    tool: Name
    arguments: dict[str, Any] = Field(default_factory=dict)
    at: Maybe[Duration] = Field(None, description="time since the start of the test; default: that of the call before")
    repeat: Annotated[int, Field(ge=1, le=100_000)] = 1
    expect: Literal["allow", "ask", "deny"]
    rule: Maybe[str] = Field(None, description="must be among the rules that decided")
    reason: Maybe[str] = Field(None, description="must be part of the reason")
    retry_after: Maybe[Duration] = Field(None, description="the time to wait that the denial must name")


class Test(_Model):
    """Calls in their order, from time 0 with empty counters and a new session (POLICY section 9)."""

    __test__ = False
    name: str = ""
    calls: list[Call]


Entries: TypeAlias = dict[str, Annotated[Entry, BeforeValidator(_entry)]]


class PolicyFile(_Model):
    """A whole file (POLICY section 2)."""

    version: Version = "1"
    description: str = ""
    default: Maybe[Permission] = Field(None, description="what happens to a tool that no entry lists; default: deny")
    mode: Mode = "enforce"
    timezone: Zone = Field("UTC", description="IANA name for `now.*` and calendar windows")
    hide: list[Name] = Field(
        default_factory=_no_items, description="names and globs left out of `tools/list`, and refused when called"
    )
    hide_denied: Maybe[bool] = Field(
        None, description="leave out what no call could use; default: under `default: deny`"
    )
    tools: Entries = Field(default_factory=dict)
    all_tools: Maybe[Entry] = Field(None, description="the same as the entry `*`")
    resources: Maybe[Entries] = None
    prompts: Maybe[Entries] = None
    server_requests: ServerRequests = ServerRequests.model_construct()
    unknown_methods: Maybe[Permission] = Field(
        None, description="methods the protocol does not have; default: `default`"
    )
    approvals: Maybe[Approvals] = Field(None, description="how people are asked, unless a rule says otherwise")
    tests: list[Test] = Field(default_factory=_no_items)
