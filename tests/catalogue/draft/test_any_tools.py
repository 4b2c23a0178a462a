"""Whatever a server says of its tools, scanning it neither fails nor writes a policy that does not load."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from intercept.catalogue.draft.document import document
from intercept.catalogue.draft.entries import entries
from intercept.catalogue.draft.update import update
from intercept.catalogue.report import Listing, as_json, markdown, table
from intercept.policy.compile import compile_policy
from intercept.policy.document import parse
from intercept.values import Json

WORDS = st.sampled_from(
    [
        "get",
        "delete",
        "action",
        "list",
        "sql",
        "path",
        "url",
        "enum",
        "refund",
        "*",
        "a: b",
        "\u202e",
        "\ud800",
        "#",
        "",
    ]
)
TEXT = (
    WORDS | st.text(max_size=8) | st.lists(WORDS, max_size=4).map("_".join) | st.lists(WORDS, max_size=6).map(" ".join)
)
LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
KEYS = TEXT | st.sampled_from(
    ["type", "properties", "required", "enum", "const", "anyOf", "items", "maximum", "maxLength", "pattern", "$ref"]
)
ANY: st.SearchStrategy[Json] = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
PROPERTY = ANY | st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["string", "integer", "array", "boolean"]),
        "enum": st.lists(TEXT, max_size=4),
        "maximum": st.integers(-5, 5),
        "maxLength": st.integers(-1, 200),
        "pattern": st.sampled_from(["^[a-z]+$", "^(", "^a{2}$", "x"]),
        "description": TEXT,
    },
)
SCHEMA = ANY | st.fixed_dictionaries(
    {"properties": st.dictionaries(TEXT, PROPERTY, max_size=4)}, optional={"required": st.lists(TEXT, max_size=3)}
)
TOOL = ANY | st.fixed_dictionaries(
    {"name": TEXT}, optional={"description": TEXT, "inputSchema": SCHEMA, "annotations": ANY}
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TOOL, max_size=5), st.lists(TOOL, max_size=3), TEXT)
def test_any_tools_can_be_reported_and_drafted_and_added(tools: list[Json], more: list[Json], server: str) -> None:
    listing = Listing(server, "", tools)
    for report in (table(listing), markdown(listing)):
        assert all(c.isprintable() or c == "\n" for c in report)
    as_json(listing)

    text = document(server, server, entries(tools, ["/srv"]), tools)
    for each in (
        text,
        *([update("p.yaml", text, entries(more, ["/srv"]), more).text] if entries(tools, ["/srv"]) else []),
    ):
        read = parse(each.encode(), "p.yaml")
        assert read.problems == ()
        assert read.file is not None
        assert compile_policy(read, "p.yaml")[1] == ()
