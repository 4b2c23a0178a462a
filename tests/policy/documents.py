"""Policy documents for property tests: what an author could write, and what one could get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from intercept.policy.schema import OPERANDS

Data = Any
Path = tuple[str | int, ...]

TOOLS = ["read", "send", "send_text", "pay", "get_*", "*_all", "*"]
WORDS = ["a", "x.com", "/srv", "10.0.0.0/8", "read", "2"]
NUMBERS = [0, 1, 7, 0.5, 1000000, -3]
TEXT = st.sampled_from(WORDS)
NUMBER = st.sampled_from(NUMBERS)
PATH = st.sampled_from(["args.to", "args.to[*]", "args.amount", "args['a b'][0]", "tool.name", "grant", "now.hour"])
VALUES: dict[str, st.SearchStrategy[Data]] = {
    "any": TEXT | NUMBER | st.booleans() | st.lists(TEXT, max_size=2) | st.just({"a": [1, None]}),
    "list": st.lists(TEXT | NUMBER, max_size=3),
    "number": NUMBER,
    "length": st.integers(0, 9),
    "text": TEXT,
    "texts": TEXT | st.lists(TEXT, min_size=1, max_size=2),
    "boolean": st.booleans(),
}
WINDOW = st.sampled_from(["second", "minute", "hour", "day", "week", "90s", "5m", "0.5h", "1d", 60, 0.25])
TIME = st.sampled_from(["0s", "1.5m", "2h", 0, 59, 59.5])
MAX = st.sampled_from([1, 2, 10, 0.5, 1000])


def _some(
    required: dict[str, st.SearchStrategy[Data]], optional: dict[str, st.SearchStrategy[Data]]
) -> st.SearchStrategy[Data]:
    return st.fixed_dictionaries(required, optional=optional)


@st.composite
def leaves(draw: st.DrawFn, *, in_require: bool = False) -> Data:
    op = draw(st.sampled_from(sorted(OPERANDS)))
    optional = {"optional": st.booleans()} if in_require else {}
    return draw(_some({"path": PATH, "op": st.just(op), "value": VALUES[OPERANDS[op]]}, optional))


def conditions(*, in_require: bool = False) -> st.SearchStrategy[Data]:
    def groups(part: st.SearchStrategy[Data]) -> st.SearchStrategy[Data]:
        plain = part if not in_require else conditions()
        some = st.lists(part, min_size=1, max_size=2)
        return _some({"all": some}, {}) | _some({"any": some}, {}) | _some({"not": plain}, {})

    return st.recursive(leaves(in_require=in_require), groups, max_leaves=3)


def requirements() -> st.SearchStrategy[Data]:
    return st.tuples(conditions(in_require=True), st.booleans()).map(
        lambda pair: {**pair[0], "on_deny": "No."} if pair[1] else pair[0]
    )


def _few(item: st.SearchStrategy[Data]) -> st.SearchStrategy[Data]:
    return st.lists(item, max_size=2)


COSTS = st.sampled_from(
    [{}, {"cost": 0.5}, {"cost": {"from": "args.amount"}}, {"increment": 1}, {"increment_from": "args.n"}]
)
COUNTED: dict[str, st.SearchStrategy[Data]] = {
    "counter": TEXT,
    "scope": st.sampled_from(["session", "grant", "global"]),
    "per": PATH | st.lists(PATH, max_size=2) | st.just("tool"),
}
ZONE = st.sampled_from(["UTC", "America/Sao_Paulo"])
PERIOD = st.sampled_from(["second", "minute", "hour", "day", "week", "month"])
SLIDING = _some({"max": MAX, "window": WINDOW}, COUNTED | {"align": st.just("sliding")})
CALENDAR = _some({"max": MAX, "window": PERIOD, "align": st.just("calendar")}, COUNTED | {"timezone": ZONE})
LIMITS = st.builds(lambda limit, cost: limit | cost, SLIDING | CALENDAR, COSTS) | _some(
    {"max_concurrent": st.integers(1, 3)}, COUNTED
)
RATES = st.sampled_from(["10/minute", "1/90s", "3/0.5h"]) | _some({"max": MAX, "window": WINDOW}, {})
SCHEMAS = st.sampled_from([{}, {"type": "object", "required": ["to"]}, {"properties": {"to": {"type": "string"}}}])
REASONS = st.sampled_from([{}, {"on_deny": "No."}, {"reason": "No."}])
GATES: dict[str, st.SearchStrategy[Data]] = {
    "name": TEXT,
    "when": _few(conditions()),
    "after": TEXT | _few(TEXT),
    "conditions": _few(conditions()),
    "mode": st.sampled_from(["enforce", "shadow"]),
}
ALLOWING = _some(
    {},
    GATES
    | {
        "action": st.sampled_from(["allow", "evaluate"]),
        "require": _few(requirements()),
        "arguments": SCHEMAS,
        "rate_limit": RATES,
        "limits": _few(LIMITS),
    },
)
DENYING = _some({"action": st.just("deny")}, GATES)
APPROVAL = {"timeout": st.sampled_from([0.5, 60, "5m"]), "remember": TIME}
ASKING = st.builds(
    lambda rule, approval: rule | approval,
    _some(
        {"action": st.just("require_approval")},
        GATES | {"require": _few(requirements()), "arguments": SCHEMAS, "rate_limit": RATES, "limits": _few(LIMITS)},
    ),
    _some({}, {"approval": _some({}, APPROVAL)})
    | _some({"approval_timeout": APPROVAL["timeout"]}, {"approval": _some({}, {"remember": TIME})}),
)
AFTER_SCOPES = _some({}, {"after_scope": st.sampled_from(["session", "grant"])})
RULES = st.builds(
    lambda rule, reason, scope: rule | reason | (scope if "after" in rule else {}),
    ALLOWING | DENYING | ASKING,
    REASONS,
    AFTER_SCOPES,
)
DENY_IF = st.builds(
    lambda rule, reason: rule | reason, _some({}, {"name": TEXT, "conditions": _few(conditions())}), REASONS
)


@st.composite
def entries(draw: st.DrawFn) -> Data:
    entry: dict[str, Data] = dict(draw(RULES)) if draw(st.booleans()) else {}
    several = draw(_some({}, {"rules": _few(RULES), "deny_if": _few(DENY_IF)}))
    if several and entry:
        entry.setdefault("action", "allow")
    return entry | several


TESTS = _some(
    {
        "calls": _few(
            _some(
                {
                    "tool": st.sampled_from(["read", "send", "other"]),
                    "expect": st.sampled_from(["allow", "deny", "ask"]),
                },
                {
                    "arguments": st.just({"to": ["a"], "amount": 2}),
                    "at": TIME,
                    "repeat": st.integers(1, 3),
                    "rule": TEXT,
                    "reason": TEXT,
                    "retry_after": TIME,
                },
            )
        )
    },
    {"name": TEXT},
)


@st.composite
def documents(draw: st.DrawFn) -> Data:
    """A document without mistakes of shape; nearly all of them load."""
    of_entries = st.dictionaries(st.sampled_from(TOOLS), st.none() | entries(), max_size=3)
    permission = st.sampled_from(["allow", "deny"])
    document = draw(
        _some(
            {},
            {
                "version": st.sampled_from(["1", 1]),
                "description": TEXT,
                "default": permission,
                "mode": st.sampled_from(["enforce", "shadow"]),
                "timezone": ZONE,
                "hide": _few(st.sampled_from(["drop", "drop_*"])),
                "hide_denied": st.booleans(),
                "tools": of_entries,
                "resources": of_entries,
                "prompts": of_entries,
                "server_requests": _some({}, dict.fromkeys(["sampling", "elicitation", "roots"], permission)),
                "unknown_methods": permission,
                "approvals": _some(
                    {},
                    APPROVAL | {"via": st.lists(st.sampled_from(["elicitation", "operator"]), min_size=1, unique=True)},
                ),
                "tests": _few(TESTS),
            },
        )
    )
    if "*" not in document.get("tools", {}) and draw(st.booleans()):
        document["all_tools"] = draw(entries())
    return document


def places(document: Data, at: Path = ()) -> Iterator[Path]:
    """The way to every value in `document`."""
    yield at
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(value, (*at, key))


WRONG = [
    None,
    True,
    0,
    1,
    0.5,
    -1,
    "",
    "text",
    "0s",
    "10/minute",
    [],
    [1],
    ["a"],
    ["operator"] * 2,
    "require_approval",
    {},
    {"a": 1},
    {"path": "args.a"},
]
STRAY: list[tuple[str, Data]] = [
    ("zzz", 1),
    ("rate_limits", "1/s"),
    ("action", "deny"),
    ("on_deny", "No."),
    ("reason", "No."),
    ("all", []),
    ("not", {"path": "args.a", "op": "eq", "value": 1}),
    ("optional", True),
    ("value", None),
    ("op", "lt"),
    ("require", []),
    ("rules", []),
    ("limits", []),
    ("name", "n"),
    ("increment", 1),
    ("cost", 1),
    ("max", 0),
    ("window", "0m"),
    ("at", -1),
    ("approval", {}),
    ("approval_timeout", "5m"),
    ("timeout", "0s"),
    ("state", {"counter": "c", "window": "day"}),
    ("max_concurrent", 1),
    ("align", "calendar"),
    ("window", "month"),
    ("timezone", "UTC"),
    ("after_scope", "grant"),
]


@st.composite
def mutants(draw: st.DrawFn) -> Data:
    """A document in which something was replaced, added, or left out; most are mistakes."""
    document = deepcopy(draw(documents()))
    at = draw(st.sampled_from([*places(document)]))
    parent, value = None, document
    for key in at:
        parent, value = value, value[key]
    change = draw(st.sampled_from(["replace", "add", "leave out"]))
    if change == "add" and isinstance(value, dict):
        key, new = draw(st.sampled_from(STRAY))
        value[key] = new
    elif change == "leave out" and parent is not None:
        del parent[at[-1]]
    elif parent is not None:
        parent[at[-1]] = draw(st.sampled_from(WRONG))
    return document
