"""What a person is shown of a difference."""

from __future__ import annotations

from typing import Any

from intercept.pins.changes import compare, described, remarks
from intercept.pins.lock import Lock, Server, collect
from intercept.policy import Kind

TAGS = "".join(chr(0xE0000 + ord(c)) for c in "evil")


def lock(*tools: Any, server: Server | None = None, prompts: tuple[Any, ...] = ()) -> Lock:
    pins = {Kind.TOOL: collect(Kind.TOOL, tools)[0], Kind.PROMPT: collect(Kind.PROMPT, prompts)[0]}
    return Lock(server or Server("s", "1", "Be kind."), pins)


ADD = {"name": "add", "description": "Adds.\nNumbers.", "inputSchema": {"type": "object"}, "annotations": {"x": True}}


def test_nothing_changed() -> None:
    assert compare(lock(ADD), lock(dict(reversed(ADD.items())))) == []


def test_every_change_is_told_with_what_comes_of_it() -> None:
    before = lock(ADD, {"name": "old"}, prompts=({"name": "p", "description": "P"},))
    after = lock(
        dict(ADD, description="Adds.", inputSchema={}, annotations={}),
        {"name": "new"},
        server=Server("s", "2", "Be bad."),
        prompts=({"name": "p", "description": "Q"},),
    )

    found = [(change.title, change.withheld) for change in compare(before, after)]

    assert found == [
        ("server: version changed (not withheld)", False),
        ("server: instructions changed", True),
        ("tool `add`: description changed", True),
        ("tool `add`: inputSchema changed", True),
        ("tool `add`: annotations changed (not withheld)", False),
        ("tool `new`: new", False),
        ("tool `old`: gone", False),
        ("prompt `p`: description changed", True),
    ]


def test_a_difference_is_shown_line_by_line_with_everything_visible() -> None:
    (change,) = compare(lock(ADD), lock(dict(ADD, description=f"Adds.\nNumbers.{TAGS}\u202e\x1b[31m")))

    assert list(described(change)) == [
        "tool `add`: description changed",
        "  @@ -1,2 +1,2 @@",
        "   Adds.",
        "  -Numbers.",
        r"  +Numbers.\U000e0065\U000e0076\U000e0069\U000e006c\u202e\x1b[31m",
    ]


def test_a_changed_schema_is_shown_as_json() -> None:
    (change,) = compare(lock(ADD), lock(dict(ADD, inputSchema={"type": "object", "title": "x\u200b"})))

    lines = list(described(change))
    assert r'  +  "title": "x\u200b",' in lines
    assert all(line.isprintable() for line in lines)


def test_what_a_review_should_know() -> None:
    told = remarks(
        lock(
            dict(ADD, description=f"Adds.{TAGS}"),
            {"name": "read_file", "inputSchema": {"properties": {"a\u200b": {}}}},
            {"name": "re\u0430d_file"},
            server=Server("s", "1", "Hi\u2060"),
        )
    )

    assert told == [
        "tool `add`: invisible characters in its description",
        "tool `read_file`: invisible characters in its inputSchema",
        "tools `read_file` and `re\u0430d_file` look alike",
        "server: invisible characters in its instructions",
    ]
