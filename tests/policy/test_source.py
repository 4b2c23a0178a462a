"""Bytes to a tree: what is read, what is refused, and how much of it can be asked of us."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from intercept.errors import Problem
from intercept.policy import source
from intercept.policy.source import parse, read_bytes
from intercept.policy.tree import Data, Node


def _value(text: str) -> Data:
    read = parse(text.encode())
    assert read.mistakes == ()
    assert read.root is not None
    return read.root.value


def _mistake(data: str | bytes, *, as_json: bool = False) -> str:
    read = parse(data if isinstance(data, bytes) else data.encode(), as_json=as_json)
    assert len(read.mistakes) == 1
    return read.mistakes[0].message


# What scalars mean


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-0", 0),
        ("17", 17),
        ("-17", -17),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ("0.1", Decimal("0.1")),
        ("10000.00", Decimal("10000.00")),
        ("-1.5e3", Decimal(-1500)),
        ("1e3", Decimal(1000)),
        ("1E-2", Decimal("0.01")),
    ],
)
def test_the_plain_scalars_that_are_not_text(text: str, value: Data) -> None:
    read = _value(f"a: {text}")

    assert read == {"a": value}
    assert isinstance(read, dict)
    assert type(read["a"]) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "yes", "on", "off", "y", "n", "No", "YES", "On", "nil", "none", "None", "1:30", "190:20:30", "0o7"),
        *("0x1F", "0b1", "1_000", "10,000", "2024-01-01", "2024-01-01T00:00:00Z", "1.2.3", "1-2", "5m", "--1"),
        *("e3", "1e", "=", "<", "10/minute", "a#b", "1.", "+"),
    ],
)
def test_everything_else_is_text(text: str) -> None:
    if text == "1.":  # the one that YAML 1.2 takes for a number
        assert _mistake(f"a: {text}") == "`1.` may be a number or text"
    else:
        assert _value(f"a: {text}") == {"a": text}


@pytest.mark.parametrize("text", ["true", "no", "1", "1.0", "~", "null", "<<", "+1", "True"])
def test_quotes_make_text_of_anything(text: str) -> None:
    assert _value(f"a: '{text}'\nb: \"{text}\"\nc: !!str {text}\nd: |-\n  {text}\n") == dict.fromkeys("abcd", text)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert _value("on: 1\n1: 2\ntrue: 3\n1.0: 4\nnull: 5\n2024-01-01: 6") == {
        "on": 1,
        "1": 2,
        "true": 3,
        "1.0": 4,
        "null": 5,
        "2024-01-01": 6,
    }


def test_a_key_is_the_same_with_and_without_quotes() -> None:
    assert _mistake("1: a\n'1': b") == "`1` is here for the second time"


def test_core_tags_that_say_what_is_there_are_fine() -> None:
    text = "a: !!int 1\nb: !!float 1.5\nc: !!bool true\nd: !!null ~\ne: !!map {}\nf: !!seq []\ng: !!float 2\n!!str h: i"

    assert _value(text) == {
        "a": 1,
        "b": Decimal("1.5"),
        "c": True,
        "d": None,
        "e": {},
        "f": [],
        "g": 2,
        "h": "i",
    }


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
))  # fmt: skip
def test_json_is_read_as_the_standard_reader_does(value: object) -> None:
    text = json.dumps(value)

    read = parse(text.encode(), as_json=True)

    assert read.mistakes == ()
    assert read.root is not None
    assert read.root.value == json.loads(text)


# Where things stand


def _places(node: Node, read: source.Source) -> object:
    def place(at: int) -> tuple[int, int]:
        return read.places[at]

    return place(node.at), {
        key: (
            place(node.keys[key]) if key in node.keys else None,
            place(at),
            _places(node.children[key], read) if key in node.children else None,
        )
        for key, at in node.places.items()
    }


def _all_places(text: str) -> object:
    read = parse(text.encode())
    assert read.root is not None
    return _places(read.root, read)


def test_every_key_and_value_knows_its_line_and_column() -> None:
    read = parse(b"a:\n  - b: 'x'\n    c:\n  - |\n    text\n")

    assert read.root is not None
    listed = read.root.children["a"]
    first = listed.children[0]
    assert [read.places[at] for at in (listed.at, listed.places[0], listed.places[1])] == [(2, 3), (2, 5), (4, 5)]
    assert [read.places[at] for at in (first.keys["b"], first.places["b"])] == [(2, 5), (2, 8)]
    assert [read.places[at] for at in (first.keys["c"], first.places["c"])] == [(3, 5), (3, 5)]


def test_json_indented_with_tabs_has_the_places_of_json_indented_with_spaces() -> None:
    value = {"tools": {"a": {"rules": [{"name": "one"}, {"limits": [{"max": 1, "window": 60}]}]}}, "hide": []}
    with_tabs = json.dumps(value, indent="\t")

    assert parse(with_tabs.encode()).mistakes == ()
    assert _all_places(with_tabs) == _all_places(json.dumps(value, indent=1))


def test_json_has_the_places_of_the_same_text_as_yaml() -> None:
    text = json.dumps({"tools": {"a": {"rules": [{"name": "one"}]}}, "hide": ["x", "y"], "b": True, "n": [1.5, None]})

    as_yaml = parse(("# not JSON\n" + text).encode())
    as_json = parse(("\n" + text).encode(), as_json=True)

    assert as_yaml.root is not None
    assert as_json.root is not None
    assert _places(as_yaml.root, as_yaml) == _places(as_json.root, as_json)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_counted_alike_with_either_line_end(end: str) -> None:
    read = parse(end.join(["# comment", "a: 1", "b:", "  c: 2", ""]).encode())

    assert read.root is not None
    assert read.places[read.root.children["b"].keys["c"]] == (4, 3)


def test_columns_count_characters_not_bytes() -> None:
    read = parse('{"€😀": {"b": 1}}'.encode())

    assert read.root is not None
    assert read.places[read.root.children["€😀"].keys["b"]] == (1, 9)


def test_a_value_behind_an_alias_stands_where_it_was_written() -> None:
    read = parse(b"a: &x {b: 1}\nc: *x\n")

    assert read.root is not None
    assert read.root.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert read.places[read.root.children["c"].places["b"]] == (1, 11)


# What is bounded


def test_a_file_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    rest = "description: " + "x" * (source.MAX_BYTES - len("description: "))

    assert parse(rest.encode()).mistakes == ()
    assert _mistake(rest + "x") == "is larger than 1 MiB"


def _nested(depth: int, *, flow: bool) -> str:
    if flow:
        return "[" * depth + "]" * depth
    return "".join(f"{' ' * level}a:\n" for level in range(depth))


@pytest.mark.parametrize("flow", [True, False])
@pytest.mark.parametrize("comment", ["", "# so that it is not JSON\n"])
def test_the_deepest_nesting_is_read_and_one_level_more_is_not(*, flow: bool, comment: str) -> None:
    assert parse((comment + _nested(64, flow=flow)).encode()).mistakes == ()
    assert _mistake(comment + _nested(65, flow=flow)) == "nested deeper than 64 levels"


@pytest.mark.parametrize(
    "unit", ["[", "{", "- ", "? ", "[{", "{a: ", "[a, ", "&a [", '{"a":', "!!seq [", "- - \n", "[\n"]
)
@pytest.mark.parametrize("comment", ["", "# so that it is not JSON\n"])
def test_fifty_thousand_brackets_are_refused(unit: str, comment: str) -> None:
    read = parse((comment + unit * 50_000).encode())

    assert read.root is None
    assert len(read.mistakes) == 1


def test_as_many_values_as_allowed_are_read_and_one_more_is_not() -> None:
    assert parse(("a:" + "\n- b" * 99_998).encode()).mistakes == ()
    assert _mistake("a:" + "\n- b" * 99_999) == "more than 100,000 values up to here"


def test_what_aliases_stand_for_counts_each_time() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
    )

    assert _mistake(bomb) == "more than 100,000 values up to here"


def test_what_aliases_stand_for_counts_for_the_depth() -> None:
    ladder = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 80))

    assert _mistake(ladder) == "nested deeper than 64 levels"


def test_reading_takes_no_longer_for_hostile_text_than_for_ordinary_text() -> None:
    """Processor time, compared within this process: each of these once took libyaml or us more than linear time."""

    def seconds(text: str) -> float:
        begin = time.process_time()
        parse(text.encode()[: source.MAX_BYTES])
        return time.process_time() - begin

    ordinary = max(seconds("tools:\n" + "  a_tool:\n    rate_limit: 3/minute\n" * 25_000) for _ in range(2))
    for unit in (
        "[",
        "{",
        "&a ",
        "*a ",
        "? ",
        '"a',
        "'",
        "- ",
        "a: ",
        "%a\n",
        "!a ",
        "# ",
        "[]",
        ",",
        "{}{",
        "<<: ",
        "\\",
    ):
        assert seconds(unit * (source.MAX_BYTES // len(unit))) < 20 * ordinary + 1


# What is no text at all


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is empty"),
        (b" \n\t\r\n", "is empty"),
        (b"# nothing\n", "holds nothing but comments"),
        (b"\xef\xbb\xbfdefault: deny\n", "begins with a byte order mark"),
        ("default: deny\n".encode("utf-16"), "is UTF-16"),
        ("default: deny\n".encode("utf-16-be"), "a NUL cannot stand in YAML"),
        ("description: ü\n".encode("latin-1"), "is not UTF-8 in line 1, column 14"),
        (b"default: deny\ndescription: \xff\xfe\n", "is not UTF-8 in line 2, column 14"),
        (b"a: \xed\xa0\x80\n", "is not UTF-8 in line 1, column 4"),
        (b"a: \xc0\xaf\n", "is not UTF-8 in line 1, column 4"),
    ],
)
def test_bytes_that_are_not_a_text_are_refused(data: bytes, message: str) -> None:
    assert _mistake(data) == message


def test_a_file_that_is_there_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_bytes(b"default: deny\n")

    assert read_bytes(str(path)) == b"default: deny\n"


def test_no_more_of_a_file_is_read_than_could_be_used() -> None:
    data = read_bytes("/dev/zero")

    assert isinstance(data, bytes)
    assert len(data) == source.MAX_BYTES + 1


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.yaml", "no such file"),
        (".", "is a directory"),
        ("a\0b", "no file can have this name"),
        ("a" * 300, "cannot be read: file name too long"),
        ("policy.yaml/x", "cannot be read: not a directory"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    path: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy.yaml").write_text("default: deny\n")

    problem = read_bytes(path)

    assert isinstance(problem, Problem)
    assert problem.message == message
    assert (problem.line, problem.column) == (0, 0)


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(source, "open", refuse, raising=False)  # who runs the tests may read everything

    problem = read_bytes(str(tmp_path / "policy.yaml"))

    assert isinstance(problem, Problem)
    assert problem.message == "cannot be read: permission denied"


# JSON or YAML


def test_a_yaml_file_may_hold_json_with_all_that_yaml_forbids() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00\\/",\n\t"' + "k" * 2000 + '": 1,"b":2\n}'

    assert _value(text) == json.loads(text)


def test_a_yaml_file_may_begin_with_a_bracket_and_not_be_json() -> None:
    assert _value("{a: [b, c], # comment\n d: 'e'}") == {"a": ["b", "c"], "d": "e"}


def test_a_json_file_is_json_only() -> None:
    assert _mistake("a: 1", as_json=True) == "expected a value, found `a`"
    assert _mistake("{a: 1}", as_json=True) == "expected a key, found `a`"


def test_text_that_is_neither_is_explained_as_what_its_first_key_is() -> None:
    assert _mistake('{\n\t"a": 1\n\t"b": 2\n}') == 'expected `,` or `}`, found `"`'
    assert _mistake("{a: 1, b: [c, d}") == "the list that begins here is not closed with `]`"


# Without libyaml


@pytest.fixture
def _without_libyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "CSafeLoader")


_SAMPLES = [
    "a:\n  - b: 'x'\n    c: &y {d: 1.5, e: [~, true, no]}\n  - |\n    text\n  - *y\n",
    "tools:\n  'get_*': {rate_limit: 3/minute}  # comment\n  \"€😀\":\n    rules: []\n",
    "a: 1\na: 2\n<<: {b: c}\nd: !x y\n",
    "# only\n",
    "a: [*b]\n",
    "--- {a: b}\n...\n",
    "a: 1\n---\nb: 2\n",
]


@pytest.mark.usefixtures("_without_libyaml")
@pytest.mark.parametrize("text", _SAMPLES)
def test_without_libyaml_the_same_text_gives_the_same_tree(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = parse(text.encode())
    monkeypatch.undo()
    fast = parse(text.encode())

    assert hasattr(yaml, "CSafeLoader")
    assert slow.mistakes == fast.mistakes
    assert (slow.root is None) == (fast.root is None)
    if slow.root is not None and fast.root is not None:
        assert slow.root.value == fast.root.value
        assert _places(slow.root, slow) == _places(fast.root, fast)


@pytest.mark.usefixtures("_without_libyaml")
@pytest.mark.parametrize(
    "text", ["[" * 50_000, "a: [b", "a:\n\tb", 'a: "b', "a: b: c", 'a: "\\ud800"', "%YAML 9.9\n---\na"]
)
def test_without_libyaml_the_same_text_is_refused(text: str) -> None:
    assert len(parse(text.encode()).mistakes) == 1
