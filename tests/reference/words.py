"""What generated policies and calls are made of: few names and values, so that rules meet their boundary often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

GRANTS: Final = ("ana", "ben")
TOOLS: Final = ("send_text", "send_file", "get_a", "get_b", "pay", "a.b")
TOOL_GLOBS: Final = ("get_*", "send_*", "*_text", "s*t", "*a*", "p*y", "*")
NAMES: Final = {
    "tool": (TOOLS, TOOL_GLOBS),
    "resource": (("file:///srv/a", "file:///srv/b", "db://x"), ("file:///*", "file:///srv/*", "*b*", "*")),
    "prompt": (("summarize", "review"), ("s*", "re*w", "*")),
}
LOOKALIKES: Final[Sequence[Callable[[str], str]]] = (
    lambda name: name.upper(),
    lambda name: name + " ",
    lambda name: " " + name,
    lambda name: name + "\u200b",
    lambda name: name[0] + "\u00ad" + name[1:],
    lambda name: chr(ord(name[0]) + 0xFEE0) + name[1:],
    lambda name: name + "\ufe0f",
    lambda name: name.replace("s", "\u017f"),
    lambda name: name + "\n",
)
"""Spellings that look or fold the same. Where nothing is replaced it is the name itself."""
ODD_NAMES: Final = (
    *("get_c", "get_ c", "get_c\u00e9", "get_\u4e2d", "other", "*", "get_*", "send_", "GET_A", "payy", "s\nt"),
)
RULE_NAMES: Final = ("one", "two", "pay#2", "get_a#2", "get_*#2", "*#2", "send_text#1")
TIMEZONES: Final = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe")
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WINDOWS: Final = (1, 30, "30s", 60, "minute", "1m", "1h", "hour", Decimal("0.5"), "day")
PERIODS: Final = ("second", "minute", "hour", "hour", "day", "day", "week", "month", "month")
MIDNIGHTS: Final = (
    *(1_711_846_800, 1_729_990_800),  # the clocks of Berlin change
    *(1_712_415_600, 1_728_142_200),  # those of Lord Howe, by half an hour
    *(1_709_164_800, 1_709_251_200, 1_735_689_600),  # before and after a leap day, and a new year, in UTC
    *(1_709_262_000, 1_709_231_400),  # the first of March in Sao Paulo and in Kolkata
)
"""Times at which periods of some calendar begin or are of another length."""
STEPS: Final = (
    (0, 0, 1, 30),
    (0, 0.5, 0.5, 1),
    (0, 0, 10, 29.5, 30),
    (0, 0, 59, 1, 60),
    (0, 1800, 3600, 30),
    (0, 0, 0, 86400, 43200),
    (0, 0, 0, 1),
)
"""Seconds between two calls: windows end exactly, just before and just after."""
BIG: Final = 2**53 + 1
"""No binary fraction of 64 bits is this number."""

# --- arguments that calls bring ---------------------------------------------------------------------------------------

OFTEN: Final[dict[str, Sequence[Any]]] = {
    "amount": (1, 5, 10),
    "to": ("a@x.org", ["a@x.org"], ["a@x.org", "b@x.org"], ["b@y.org", "a@x.org"]),
    "text": ("hello",),
    "flag": (True,),
    "tags": (["x", "y"], [1], [{"k": 1}, {"k": "x"}, {}]),
    "obj": ({"a": 1}, {"a": 5, "b": "x"}, {"a": [1, 5]}),
    "url": ("https://api.example.com/",),
    "file": ("/srv/data/x",),
    "ip": ("10.0.0.5",),
}
USUAL: Final[dict[str, Sequence[Any]]] = {
    "amount": (0, 1, 5, 5.0, 9.99, 10, 10.0, 10.01, 0.1, 0.3, 0.1 + 0.2, BIG, BIG - 1, -1, 1e300),
    "to": (
        *("a@x.org", "b@x.org", "c@y.org", []),
        *(["a@x.org"], ["a@x.org", "b@x.org"], ["a@x.org", "a@x.org"], ["b@y.org"]),
    ),
    "text": ("hello", "hello world", "x", "", "DROP TABLE", "hell", "line\nhello", "hello\n", "5", "\u00e9t\u00e9"),
    "flag": (True, False),
    "tags": (
        *([1, "1"], [1.0], [True], ["x", "y"], [None], "x", 1, []),
        *([{"k": 1}], [{"k": 1}, {"k": "x"}], [{"k": 1}, {}], [{"k": [1]}]),
    ),
    "obj": (
        *({"a": 1}, {"a": 5, "b": "x"}, {"b": "x", "a": 5.0}, {"a": [1, 5], "any key": "v"}),
        *({"any key": None}, {}),
    ),
    "url": (
        *("https://example.com/x", "http://EXAMPLE.com:8080", "wss://api.example.com?x", "http://[::1]/"),
        *("https://example.com.evil.org/", "https://evil.org/?https://example.com", "https://notexample.com"),
        *("https://u@example.com/", "https://example.com\\@evil.org", " https://example.com", "http://127.0.0.1:1/"),
        *("ftp://example.com/", "//example.com/", "example.com"),
        *("https://xn--bcher-kva.example/", "https://b\u00fccher.example"),
    ),
    "file": (
        *("/srv/data/x", "/srv/data", "/srv/data/", "/srv/database", "/srv/data/../etc", "/srv//data/x", "/etc", "/"),
        *("/srv/data/a/../b", "/srv/data/%2e%2e/etc", "file:///srv/data/x", "/srv/data\\..\\..\\etc"),
        *("~/x", "srv/data/x", "./x"),
    ),
    "ip": (
        *("10.0.0.5", "10.0.0.0/24", "10.0.0.0/7", "10.0.0.0/8", "11.0.0.1", "::1", "2001:db8::1"),
        *("nonsense", "10.0.0.256"),
    ),
}
ODD: Final[Sequence[Any]] = (None, "10", "5", True, [], {}, [[1]], {"x": 1}, "", 0, ["x"], [None], [[]])
"""What any argument may be instead."""
KEYS: Final = tuple(USUAL)

# --- what policies say of them ----------------------------------------------------------------------------------------

AMOUNTS: Final = (1, 5, 10, 10, Decimal("10.00"), Decimal("0.3"), Decimal("9.99"), BIG, 0)
NUMBER_PATHS: Final = ("args.amount", "args.amount", "args['amount']", "args.obj.a", "args.tags[0]")
"""For costs."""
PER: Final[Sequence[Any]] = (
    *("args", "tool", "args.to", "args['to']", "args.to[*]", "args.tags[*].k", "args.obj", "now.hour"),
    *(["tool", "args.to[*]"], ["args.to[*]", "tool"], ["args.to[*]", "args.tags[*]"], ["grant"]),
    ["args.obj.a", "tool.name"],
)
COMPARISONS: Final[dict[str, tuple[Sequence[str], Sequence[tuple[str, Any]]]]] = {
    "amount": (
        ("args.amount", "args['amount']", "args.amount[*]"),
        (
            *((op, number) for op in ("lt", "lte", "lte", "gt", "gte", "eq", "neq") for number in AMOUNTS),
            *((op, [number, 1, "5"]) for op in ("in", "not_in") for number in AMOUNTS),
        ),
    ),
    "to": (
        ("args.to[*]", "args.to[*]", "args.to[*]", "args.to", "args.to[0]", "args['to'][*]"),
        (
            *(("eq", "a@x.org"), ("neq", "b@x.org"), ("ends_with", "@x.org"), ("ends_with", "@y.org")),
            *(("in", ["a@x.org", "b@x.org"]), ("not_in", ["b@y.org"]), ("contains", "b@x.org"), ("glob", "*@x.*")),
            *(("regex", r"^[a-z]+@x\.org$"), ("not_contains", "@y"), ("length_lte", 1)),
        ),
    ),
    "text": (
        ("args.text", "args.text", "args.text[*]"),
        (
            *(("regex", "^hello$"), ("regex", "o"), ("regex", r"\d"), ("not_regex", "[A-Z]+ TABLE"), ("neq", "x")),
            *(("contains", "hell"), ("not_contains", "DROP"), ("starts_with", "he"), ("starts_with", "")),
            *(("ends_with", "o"), ("glob", "h*o"), ("glob", "*"), ("glob", "*\n*"), ("eq", "hello")),
            *(("length_lte", 5), ("length_lte", 3), ("length_gte", 1)),
        ),
    ),
    "flag": (
        ("args.flag",),
        (("eq", True), ("neq", True), ("in", [True]), ("in", [1]), ("eq", 1), ("not_in", [False])),
    ),
    "tags": (
        (
            *("args.tags[*]", "args.tags[*]", "args.tags", "args.tags[1]"),
            *("args.tags[*].k", "args.tags[*].k", "args.tags[0].k", "args.tags[*].k[*]"),
        ),
        (
            *(("eq", 1), ("eq", "x"), ("neq", True), ("in", ["x", "y", 1]), ("in", [[1, "1"], 1]), ("eq", {"k": 1})),
            *(("contains", "x"), ("contains", 1), ("not_contains", "y"), ("contains", {"k": Decimal("1.0")})),
            *(("length_lte", 1), ("length_gte", 2), ("gt", 0)),
        ),
    ),
    "obj": (
        (
            *("args.obj.a", "args.obj.a", "args.obj", "args.obj['any key']"),
            *("args.obj.a[*]", "args.obj[*].a", 'args["obj"].b'),
        ),
        (
            *(("eq", 5), ("eq", {"a": 5, "b": "x"}), ("eq", "x"), ("neq", "v"), ("lte", 5), ("gte", 1), ("eq", {})),
            *(("in", [1, 5]), ("not_in", ["v"])),
        ),
    ),
    "url": (
        ("args.url",),
        (
            *(("host_in", host) for host in (".example.com", "example.com", "b\u00fccher.example", "127.0.0.1")),
            *(("host_in", ["[::1]", ".example.com"]), ("host_in", ["api.example.com", "example.com"])),
        ),
    ),
    "file": (
        ("args.file",),
        (
            *(("path_within", "/srv/data"), ("path_within", ["/srv/data/", "/etc"])),
            *(("path_within", ["/srv"]), ("path_within", "/")),
        ),
    ),
    "ip": (
        ("args.ip",),
        (
            *(("cidr_in", "10.0.0.0/8"), ("cidr_in", ["10.0.0.0/8", "::1"]), ("cidr_in", ["2001:db8::/32"])),
            *(("cidr_in", "10.0.0.5"), ("cidr_in", ["0.0.0.0/0"])),
        ),
    ),
}
ANY_COMPARISONS: Final[Sequence[tuple[str, Any]]] = (
    *(("eq", 10), ("neq", "hello"), ("in", [1, "x", None, True]), ("eq", [1, "1"]), ("not_in", []), ("lt", 5)),
    *(("contains", 1), ("not_contains", "x"), ("regex", "^h"), ("not_regex", "o$")),
    *(("length_lte", 1), ("length_gte", 1)),
)
"""What may be asked of any argument, whatever it is."""
TEXT_SCHEMAS: Final[Sequence[Any]] = (
    {"type": "string", "maxLength": 5},
    {"pattern": "^[a-z]"},
    {"enum": ["hello", "x", None]},
    {"type": ["string", "null"], "minLength": 1},
)
SCHEMAS: Final[dict[str, Sequence[Any]]] = {
    "amount": (
        *({"type": "number", "maximum": 10}, {"type": "integer"}, {"exclusiveMinimum": 0}, {"maximum": BIG - 1}),
        *({"minimum": Decimal("0.3"), "exclusiveMaximum": 10}, {"enum": [1, 5, "10"]}, {"const": 10}),
        {"not": {"type": "string"}},
    ),
    "to": (
        {"type": "array", "maxItems": 1},
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        {"items": {"pattern": "@x"}},
        {"uniqueItems": True},
    ),
    "flag": ({"const": True}, {"type": "boolean"}, True, False),
    "tags": (
        *({"type": "array", "minItems": 1}, {"items": {"type": ["integer", "string"]}}, {"uniqueItems": True}),
        *({"items": {"required": ["k"]}}, {"not": {"const": [1]}}),
    ),
    "obj": (
        *({"required": ["a"]}, {"properties": {"a": {"type": "integer", "maximum": 5}}}),
        {"additionalProperties": False, "properties": {"a": True, "b": {"const": "x"}}},
    ),
}
