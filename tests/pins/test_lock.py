"""The lock file: written for people, read with care."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.errors import PolicyError, UsageError
from intercept.pins.lock import Lock, Server, collect, dumps, loads, read, write
from intercept.policy import Kind

TOOLS: list[Any] = [
    {"name": "b", "description": "B\u200b, caf\u00e9\n\U000e0041\ud83d", "inputSchema": {"type": "object"}},
    {"name": "a", "description": "A", "outputSchema": None, "_meta": {"x": 1}},
]
LOCK = Lock(
    Server("files", "1", "Be\x1b kind."),
    {Kind.TOOL: collect(Kind.TOOL, TOOLS)[0], Kind.PROMPT: collect(Kind.PROMPT, [{"name": "p"}])[0]},
)


def test_what_is_written_is_read_again() -> None:
    assert loads(dumps(LOCK).encode(), "lock") == LOCK


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=4))
def test_whatever_texts_there_are(descriptions: dict[str, str]) -> None:
    pins, _ = collect(Kind.TOOL, [{"name": name, "description": text} for name, text in descriptions.items()])
    lock = Lock(Server(), {Kind.TOOL: pins, Kind.PROMPT: {}})

    text = dumps(lock)

    assert loads(text.encode(), "lock") == lock
    assert all(c.isprintable() or c == "\n" for c in text)


def test_it_is_sorted_and_shows_what_cannot_be_seen() -> None:
    text = dumps(LOCK)

    assert text.index('"a": {') < text.index('"b": {')
    assert r"B\u200b, café\n\udb40\udc41\ud83d" in text
    assert r"Be\u001b kind." in text
    assert "_meta" not in text
    assert text == dumps(loads(text.encode(), "lock"))


def test_one_changed_description_changes_two_lines_of_the_file() -> None:
    other = [dict(TOOLS[0], description="C"), TOOLS[1]]
    pins = {**LOCK.pins, Kind.TOOL: collect(Kind.TOOL, other)[0]}

    before, after = dumps(LOCK).split("\n"), dumps(Lock(LOCK.server, pins)).split("\n")

    assert len(before) == len(after)
    assert sum(one != two for one, two in zip(before, after, strict=True)) == 2


def test_what_cannot_be_pinned_is_left_out_and_told() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    tools = [
        {"name": "a"},
        {"name": "a"},
        {"name": "b"},
        {"name": "b", "title": "B"},
        {"name": "c", "inputSchema": deep},
    ]

    pins, remarks = collect(Kind.TOOL, [*tools, {"title": "nameless"}, {"name": 7}, "no tool"])

    assert list(pins) == ["a"]
    assert [("`b`" in remark, "`c`" in remark, "without a name" in remark) for remark in remarks] == [
        (True, False, False),
        (False, True, False),
        (False, False, True),
    ]


def edited(**members: object) -> bytes:
    return json.dumps(json.loads(dumps(LOCK)) | members).encode()


def with_tool(**members: object) -> bytes:
    value = json.loads(dumps(LOCK))
    value["tools"]["a"] |= members
    return json.dumps(value).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"nothing",
        b"[]",
        b"{}",
        b"[" * 100_000,
        edited(intercept_lock=2),
        edited(intercept_lock="1"),
        edited(server=None),
        edited(server={"name": 1}),
        edited(tools=None),
        edited(prompts=[]),
        edited(tools={"a": {}}),
        edited(tools={"a": {"digests": {}, "definition": {"name": "a"}}}),
        with_tool(definition={"name": "a", "description": "other"}),
        with_tool(definition={"name": "b", "description": "A"}),
        with_tool(definition={"name": "a", "description": "A", "extra": 1}),
        with_tool(digests={}),
    ],
)
def test_what_is_no_lock_file_or_was_edited_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(PolicyError) as refused:
        loads(data, "my.lock.json")

    assert str(refused.value).startswith("my.lock.json: error: ")
    assert "\n" not in str(refused.value)
    assert "intercept pin" in str(refused.value)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "lock.json"
    write(str(path), Lock())
    write(str(path), LOCK)

    assert read(str(path)) == LOCK
    assert [each.name for each in tmp_path.iterdir()] == ["lock.json"]
    with pytest.raises(UsageError):
        write(str(tmp_path / "nowhere" / "lock.json"), LOCK)
    with pytest.raises(PolicyError):
        read(str(tmp_path / "nowhere" / "lock.json"))
    with pytest.raises(PolicyError):
        read(str(tmp_path))
