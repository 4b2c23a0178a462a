"""Paths into untrusted data, exact numbers, equality, and the normal form of names."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.values import (
    MISSING,
    UNCLEAR,
    Found,
    Gap,
    Json,
    MalformedError,
    canonical_text,
    find,
    find_each,
    normal_form,
    number,
    parse_path,
)

JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


# --- paths


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("args", "args"),
        ("args.amount", 'args["amount"]'),
        ("args.user-id", 'args["user-id"]'),
        ("args.2fa", 'args["2fa"]'),
        ("args.naïve.ключ", 'args["na\\u00efve"]["\\u043a\\u043b\\u044e\\u0447"]'),
        ("args['any key']", 'args["any key"]'),
        ('args["a.b"][0]', 'args["a.b"][0]'),
        ("args['it\\'s']", 'args["it\'s"]'),
        ("args['\\u00e9\\n']", 'args["\\u00e9\\n"]'),
        ("args['[*]']", 'args["[*]"]'),
        ("args.to[*].email", 'args["to"][*]["email"]'),
        ("args.rows[*][*]", 'args["rows"][*][*]'),
        ("tool.annotations.readOnlyHint", 'tool["annotations"]["readOnlyHint"]'),
    ],
)
def test_a_path_has_one_spelling_however_it_was_written(text: str, spelled: str) -> None:
    assert str(parse_path(text)) == spelled
    assert str(parse_path(spelled)) == spelled


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is not a path"),
        ("$.args.a", "is not a path"),
        (".a", "is not a path"),
        ("args.", "cannot read `.`"),
        ("args..a", "cannot read `..a`"),
        ("args.a b", "cannot read ` b`"),
        ("args[", "cannot read `[`"),
        ("args[a]", "cannot read `[a]`"),
        ("args[-1]", "cannot read `[-1]`"),
        ("args[01]", "cannot read `[01]`"),
        ("args[1:2]", "cannot read `[1:2]`"),
        ("args[?(@.a)]", "cannot read `[?(@.a)]`"),
        ("args.*", "cannot read `.*`"),
        ("args['a]", "cannot read `['a]`"),
        ("args['\\x']", "is not an escape"),
        ("args.items.0", "neither a key nor an element"),
    ],
)
def test_what_is_no_path_is_refused_with_the_place_where_reading_ended(text: str, part: str) -> None:
    with pytest.raises(MalformedError) as refused:
        parse_path(text)

    assert part in str(refused.value)
    assert refused.value.advice


@given(st.text(max_size=30).map(lambda rest: f"args{rest}") | st.text(max_size=10))
def test_any_text_is_a_path_or_malformed(text: str) -> None:
    try:
        path = parse_path(text)
    except MalformedError:
        return
    assert parse_path(str(path)).steps == path.steps


ARGUMENTS: Json = {
    "amount": 5,
    "nothing": None,
    "zero": 0,
    "no": False,
    "text": "",
    "empty": [],
    "one": "a",
    "list": ["a", None, "b"],
    "people": [{"name": "ann", "tags": ["x", "y"]}, {"tags": []}, "carl"],
    "object": {"name": "ann", "0": "zero"},
    "nested": [["a"], "b"],
    "deep": [[{"name": "ann"}]],
    "a b": {"c.d": [1, [2, 3]]},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("args.amount", 5),
        ("args.zero", 0),
        ("args.no", False),
        ("args.text", ""),
        ("args.empty", []),
        ("args.nothing", MISSING),
        ("args.other", MISSING),
        ("args.amount.more", MISSING),
        ("args.list[0]", "a"),
        ("args.list[1]", MISSING),
        ("args.list[9]", MISSING),
        ("args.one[0]", MISSING),
        ("args.object[0]", MISSING),
        ("args.object['0']", "zero"),
        ("args.list.name", MISSING),
        ("args['a b']['c.d'][1][0]", 2),
    ],
)
def test_a_path_finds_one_value_and_null_is_missing(text: str, found: Found) -> None:
    assert find(ARGUMENTS, parse_path(text).steps) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("args.list[*]", ["a", MISSING, "b"]),
        ("args.one[*]", ["a"]),
        ("args.object[*].name", ["ann"]),
        ("args.empty[*]", [MISSING]),
        ("args.nothing[*]", [MISSING]),
        ("args.other[*].name", [MISSING]),
        ("args.people[*].name", ["ann", MISSING, MISSING]),
        ("args.people[*].tags[*]", ["x", "y", MISSING, MISSING]),
        ("args.people[*].tags[0]", ["x", MISSING, MISSING]),
        ("args.nested[*]", [["a"], "b"]),
        ("args.nested[*][*]", ["a", "b"]),
        ("args.nested[*][0]", ["a", MISSING]),
        ("args.deep[*].name", [UNCLEAR]),
        ("args.deep[*][*].name", ["ann"]),
    ],
)
def test_each_element_is_found_and_a_plain_value_is_a_list_of_one(text: str, found: list[Found]) -> None:
    assert find_each(ARGUMENTS, parse_path(text).steps) == found


@given(JSON, st.sampled_from(["args[*]", "args.a[*]", "args[*].a", "args[*][*]", "args[*][0].b[*]"]))
def test_looking_for_each_element_always_finds_something_or_a_gap(value: Json, text: str) -> None:
    found = find_each(value, parse_path(text).steps)

    assert found
    assert None not in found


# --- numbers and equality


@pytest.mark.parametrize(
    ("value", "exact"),
    [(0.1, Decimal("0.1")), (1e22, Decimal(10) ** 22), (2**70, 2**70), (-0.0, Decimal(0)), (5e-324, Decimal("5e-324"))],
)
def test_a_float_is_its_shortest_decimal_form(value: Json, exact: Decimal | int) -> None:
    assert number(value) == exact


@pytest.mark.parametrize("value", [True, False, None, "5", [5], {}, float("inf"), float("nan"), Gap.MISSING])
def test_only_numbers_are_numbers(value: Found) -> None:
    assert number(value) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, Decimal("1.00")),
        (0.1, Decimal("0.1")),
        (100, 1e2),
        (0, -0.0),
        (10**400, Decimal("1e400")),
        ({"a": 1, "b": [2.0]}, {"b": [2], "a": 1.0}),
    ],
)
def test_equal_values_have_one_text(one: object, other: object) -> None:
    assert canonical_text(one) == canonical_text(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, "1"),
        (1, True),
        (0, False),
        (None, "null"),
        (True, "true"),
        ([1], 1),
        ([], {}),
        (["a", "b"], ["a,b"]),
        ({"a": None}, {}),
        ({"a": 1}, [["a", 1]]),
        (2**53, 2**53 + 1),
        (Decimal("0.1"), Decimal("0.10000000000000000000000000000000000001")),
        (10, 1),
        (-1, 1),
        ("é", "e\u0301"),
    ],
)
def test_different_values_have_different_texts(one: object, other: object) -> None:
    assert canonical_text(one) != canonical_text(other)


@given(JSON)
def test_the_text_of_a_value_does_not_depend_on_the_order_of_keys(value: Json) -> None:
    def turned(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return [turned(item) for item in value] if isinstance(value, list) else value

    assert canonical_text(turned(value)) == canonical_text(value)


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], {"a": Decimal("Infinity")}, object()])
def test_what_is_no_value_of_json_has_no_text(value: object) -> None:
    with pytest.raises(ValueError, match="not"):
        canonical_text(value)


# --- names


@pytest.mark.parametrize(
    "disguise",
    [
        "send_mail",
        "Send_Mail",
        "send_mail ",
        " send_mail",
        "send_mail\0",
        "send\u200b_mail",
        "send_\ufeffmail",
        "\uff53end\uff3fmail",
        "\u017fend_mail",
        "send_mail\N{VARIATION SELECTOR-16}",
        "se\N{COMBINING GRAPHEME JOINER}nd_mail",
        "send_mail" + "\u2060" * 5_000,
    ],
)
def test_disguises_of_a_name_have_its_normal_form(disguise: str) -> None:
    assert normal_form(disguise) == "send_mail"


@pytest.mark.parametrize("name", ["send-mail", "sendmail", "send_mails", "s\u0435nd_mail"])
def test_other_names_keep_their_own_normal_form(name: str) -> None:
    assert normal_form(name) != "send_mail"
