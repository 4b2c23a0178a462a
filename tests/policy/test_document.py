"""A file, read: where things stand, what is told together, and what is left for compiling when parts are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercept.policy.document import Document, key_text, parse, read
from intercept.policy.schema import KeyPath, Limit


def _read(text: str, path: str = "policy.yaml") -> Document:
    return parse(text.encode(), path)


_POLICY = """\
version: "1"
tools:
  send:
    rate_limit: 3/minute
    rules:
      - name: one
        limits:
          - {max: 3, window: 60}
"""


@pytest.mark.parametrize(
    ("path", "of_value", "of_key"),
    [
        ((), (1, 1), (1, 1)),
        (("version",), (1, 10), (1, 1)),
        (("tools",), (3, 3), (2, 1)),
        (("tools", "send"), (4, 5), (3, 3)),
        (("tools", "send", "rate_limit"), (4, 17), (4, 5)),
        (("tools", "send", "rules", 0), (6, 9), (6, 9)),
        (("tools", "send", "rules", 0, "limits", 0, "max"), (8, 19), (8, 14)),
    ],
)
def test_everything_has_a_place(path: KeyPath, of_value: tuple[int, int], of_key: tuple[int, int]) -> None:
    document = _read(_POLICY)

    assert document.position(path) == of_value
    assert document.position(path, of_key=True) == of_key


def test_what_was_not_written_has_the_place_of_what_is_around_it() -> None:
    document = _read(_POLICY)

    assert document.position(("tools", "send", "on_deny")) == (4, 5)
    assert document.position(("tools", "send", "rate_limit", "max")) == (4, 17)
    assert document.position(("resources", "x")) == (1, 1)


def test_a_problem_names_file_place_and_key() -> None:
    problem = _read(_POLICY, "some/policy.yaml").problem(("tools", "send", "rules", 0), "this is wrong", "write that")

    assert str(problem) == "some/policy.yaml:6:9: error: tools.send.rules[0]: this is wrong; write that"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("tools", "get_*", "rules", 0), "tools.get_*.rules[0]"),
        (("tools", "*"), "tools.*"),
        (("resources", "file:///a b", "when"), "resources['file:///a b'].when"),
        (("tools", ""), "tools['']"),
        (("tools", "a\u200bb\nc"), "tools['a\N{REPLACEMENT CHARACTER}b c']"),
        (("tools", "x" * 100), f"tools['{'x' * 57}...']"),
    ],
)
def test_a_key_path_is_one_printable_line(path: KeyPath, text: str) -> None:
    assert key_text(path) == text


def test_the_digest_is_that_of_the_bytes() -> None:
    document = _read("default: deny\n")

    # sha256sum of the same text
    assert document.digest == "f9b0bb885f6b55d65039dbd21e2051b883c623db853bc5e127bed691dc799e60"
    assert _read("default: deny").digest != document.digest


def test_a_file_is_read_from_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("policy.json").write_text('{\n\t"default": "allow"\n}')

    document = read("policy.json")

    assert document.problems == ()
    assert document.file is not None
    assert document.file.default == "allow"
    assert not document.is_partial


def test_a_file_that_is_not_there_is_a_problem_and_not_an_exception() -> None:
    document = read("nowhere.yaml")

    assert [str(problem) for problem in document.problems] == ["nowhere.yaml: error: no such file"]
    assert document.file is None
    assert document.digest == ""


def test_text_that_cannot_be_read_has_no_models() -> None:
    document = _read("tools: [")

    assert document.file is None
    assert document.position(("tools",)) == (0, 0)


def test_the_sound_parts_of_a_file_are_there_with_their_numbers_though_others_are_wrong() -> None:
    document = _read("""\
defalt: allow
hide: [secret, 5]
tools:
  first: {rulez: []}
  second:
    rules:
      - {rate_limit: 3/fortnight, name: bad limit}
      - 5
      - {conditions: [{path: args.a, op: eqq, value: 1}, {path: args.b, op: eq, value: 2}]}
      - {limits: [{max: 3}, {max: 4, window: 60}]}
  third: yes
""")

    assert document.is_partial
    assert len(document.problems) == 8
    file = document.file
    assert file is not None
    assert list(file.tools) == ["first", "second", "third"]
    rules = file.tools["second"].rules
    assert [rule.name for rule in rules] == ["bad limit", None, None, None]
    assert rules[0].rate_limit is None
    assert rules[2].conditions[1].path == "args.b"
    limit = rules[3].limits[1]
    assert isinstance(limit, Limit)
    assert limit.max == 4
    assert document.position(("tools", "second", "rules", 2, "conditions", 1, "path")) == (9, 65)


def test_a_rule_with_state_is_left_out_whole_because_its_parts_are_read_together() -> None:
    document = _read("""\
tools:
  pay:
    rules:
      - conditions: [{path: state.pay.n, op: lte, value: 5}]
        state: {counter: n, window: dya}
""")

    assert [problem.key_path for problem in document.problems] == ["tools.pay.rules[0].state.window"]
    assert document.file is not None
    assert document.file.tools["pay"].rules[0].conditions == []


def test_what_a_part_lacks_is_told_although_another_part_is_wrong_too() -> None:
    document = _read("""\
tools:
  send: {action: deny, limits: [{max: 3, window: 60}]}
  post: {rulez: []}
""")

    assert [problem.line for problem in document.problems] == [2, 3]


def test_a_mistake_that_only_follows_from_another_is_not_told() -> None:
    document = _read("tools: {send: {limits: [{maxx: 3, window: 60}]}}")

    assert [problem.message for problem in document.problems] == ["unknown key `maxx`"]


def test_a_scalar_that_is_refused_is_not_told_again_for_its_type() -> None:
    document = _read("hide_denied: True")

    assert [problem.message for problem in document.problems] == ["`True` may be a boolean or text"]


def test_problems_come_in_the_order_of_the_text() -> None:
    document = _read("zzz: 1\ntools: {b: {c: 1}, a: 5}\nversion: 2\ndefault: x\n")

    places = [(problem.line, problem.column) for problem in document.problems]
    assert places == sorted(places)
    assert len(places) == 5
