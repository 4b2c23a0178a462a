from __future__ import annotations

import pytest

from .conftest import Explain


def parts(explained: Explain, require: str, arguments: str) -> list[str]:
    """What the rule on `send` found: one line each, as people read it."""
    policy = f"tools:\n  send:\n    require:\n{require}"
    return [str(part) for account in explained(policy, "send", arguments).rules for part in account.parts]


@pytest.mark.parametrize(
    ("condition", "arguments", "finding"),
    [
        ("{path: args.n, op: lte, value: 0.30}", '{"n": 0.4}', "`args.n lte 0.30` does not hold: found 0.4"),
        ("{path: args.n, op: lte, value: 5}", '{"n": "4"}', 'cannot be judged: found "4", which cannot be compared so'),
        ("{path: args.n, op: lte, value: 5}", "{}", "does not hold: found nothing"),
        ("{path: args.n, op: lte, value: 5}", '{"n": null}', "does not hold: found nothing"),
        ("{path: args.amount, op: lte, value: 5}", '{"amont": 1}', "found nothing; the call has `amont`"),
        ("{path: args.a.amount, op: eq, value: 5}", '{"a": {"Amount": 1}}', "found nothing; the call has `Amount`"),
        ("{path: args.a.amount, op: eq, value: 5}", '{"a": [1], "amount": 1}', "found nothing"),
        ("{path: 'args.to[*]', op: eq, value: a}", '{"to": ["a", "b", "a"]}', 'found "b" (of 3 values)'),
        (
            "{path: 'args.to[*]', op: eq, value: a}",
            '{"to": ["b", "c", "d", "e", "f"]}',
            'found "b", "c", "d" and 2 more (of 5 values)',
        ),
        ("{path: 'args.to[*]', op: lt, value: 5}", '{"to": [1, "2", 9]}', 'found "2" (of 3 values), which cannot'),
        ("{path: 'args.to[*].x', op: eq, value: 5}", '{"to": [[{"x": 5}]]}', "found what can be read in two ways"),
        ("{path: args.u, op: host_in, value: [a.com]}", '{"u": "b.com"}', '`args.u host_in ["a.com"]` does not hold'),
        ("{path: args.u, op: eq, value: {k: [1, true]}}", '{"u": 1}', '`args.u eq {"k": [1, true]}` does not hold'),
        ("{path: args.t, op: eq, value: x}", '{"t": "a\\nb\\u001b"}', 'found "a\\nb\\u001b"'),
        (
            "{path: tool.annotations.readOnlyHint, op: eq, value: true}",
            "{}",
            "cannot be judged: found nothing yet: the definition of the tool was not seen",
        ),
        ("{path: grant, op: eq, value: ana}", "{}", '`grant eq "ana"` does not hold: found nothing'),
        ("{path: now.weekday, op: eq, value: monday}", "{}", 'does not hold: found "friday"'),
    ],
)
def test_a_comparison_that_failed_comes_with_what_it_found(
    explained: Explain, condition: str, arguments: str, finding: str
) -> None:
    (found,) = parts(explained, f"      - {condition}", arguments)

    assert finding in found


def test_a_long_value_is_cut(explained: Explain) -> None:
    (found,) = parts(explained, "      - {path: args.t, op: eq, value: x}", '{"t": "' + "y" * 5000 + '"}')

    assert len(found) < 300
    assert "(5002 characters)" in found


def test_every_requirement_that_failed_is_told_and_none_that_holds(explained: Explain) -> None:
    require = """
      - {path: args.a, op: eq, value: 1}
      - {path: args.b, op: eq, value: 1}
      - {path: args.c, op: eq, value: 1}
      - {path: args.d, op: eq, value: 1, optional: true}
"""

    found = parts(explained, require, '{"a": 2, "b": 1, "c": 3}')

    assert found == ["`args.a eq 1` does not hold: found 2", "`args.c eq 1` does not hold: found 3"]


def test_of_all_only_the_parts_that_failed_are_told(explained: Explain) -> None:
    require = "      - all: [{path: args.a, op: eq, value: 1}, {path: args.b, op: eq, value: 1}]"

    assert parts(explained, require, '{"a": 1, "b": 2}') == ["`args.b eq 1` does not hold: found 2"]


def test_of_any_every_part_is_told(explained: Explain) -> None:
    require = "      - any: [{path: args.a, op: eq, value: 1}, {path: args.b, op: eq, value: 1}]"

    assert parts(explained, require, '{"a": 3, "b": 2}') == [
        "`args.a eq 1` does not hold: found 3",
        "`args.b eq 1` does not hold: found 2",
    ]


def test_of_a_group_that_cannot_be_judged_only_what_cannot_be_judged_is_told(explained: Explain) -> None:
    require = "      - any: [{path: args.a, op: lt, value: 1}, {path: args.b, op: lt, value: 1}]"

    (found,) = parts(explained, require, '{"a": 3, "b": "2"}')

    assert found.startswith("`args.b lt 1` cannot be judged")


def test_of_not_what_holds_inside_is_told(explained: Explain) -> None:
    require = """
      - not:
          any:
            - {path: args.a, op: eq, value: 1}
            - {all: [{path: args.b, op: eq, value: 1}, {not: {path: args.c, op: eq, value: 1}}]}
"""

    assert parts(explained, require, '{"a": 2, "b": 1, "c": 3}') == [
        "`args.b eq 1` holds: found 1",
        "`args.c eq 1` does not hold: found 3",
    ]


def test_each_part_has_its_own_line(explained: Explain) -> None:
    policy = """
tools:
  send:
    when:
      - path: args.x
        op: exists
        value: true
    conditions:
      - any:
          - {path: args.a, op: eq, value: 1}
          - not:
              path: args.b
              op: eq
              value: 1
"""

    (account,) = explained(policy, "send", '{"x": 1, "b": 1}').rules

    assert [part.line for part in account.parts] == [10, 12]
