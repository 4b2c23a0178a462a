"""What may be written in a policy file and the one reading that each spelling has; what may not is in `test_broken`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from intercept.policy.document import parse
from intercept.policy.schema import OPERANDS, Cost, Entry, Limit, PolicyFile, Rule, Span

INTERCEPT = """\
tools:
  fb_send_message:
    rules:
      - action: allow
        rate_limit:
          max: 30
          window: 60
"""
JSON = """\
{"version": "1", "default": "deny",
 "tools": {"send_interactive_flow": {"limits": [
    {"counter": "send_interactive_flow_rate", "window": "minute", "max": 30, "scope": "grant"}]}}}
"""
INTERCEPT_1 = """\
version: "1"
hide: [delete_customer]
tools:
  create_charge:
    rules:
      - name: max single charge
        conditions: [{path: args.amount, op: lte, value: 50000}]
        on_deny: Single charge cannot exceed $500.00
      - name: daily spend cap
        conditions: [{path: state.create_charge.daily_spend, op: lte, value: 1000000}]
        state: {counter: daily_spend, window: day, increment_from: args.amount}
  create_refund:
    rules: [{name: refund limit, rate_limit: 10/day}]
  "*":
    rules: [{rate_limit: 60/minute}]
"""
HOSTED = """\
version: "1"
default: deny
hide: [drop_table]
all_tools: {limits: [{counter: all, window: minute, max: 60, scope: grant}]}
tools:
  list_charges: {}                                    # listed: allowed
  refund: {deny_if: [{conditions: [{path: args.amount, op: gt, value: 50000}], on_deny: Refund too large.}]}
  transfer: {deny_if: [{conditions: [], on_deny: Requires a person.}]}     # no conditions: always
"""
SHORTHAND = """\
tools:
  send_button_list: {rate_limit: {max: 10, window: 60}}
  send_button_actions: {action: deny, reason: Buttons that place calls are off limits.}
"""


def _file(text: str) -> PolicyFile:
    document = parse(text.encode(), "policy.yaml")
    assert document.problems == ()
    assert document.file is not None
    return document.file


def _entry(text: str) -> Entry:
    return _file(f"tools: {{x: {text}}}").tools["x"]


def _limit(text: str) -> Limit:
    limit = _entry(f"{{limits: [{text}]}}").limits[0]
    assert isinstance(limit, Limit)
    return limit


def _limits(entry: Entry) -> list[tuple[int, str, Decimal]]:
    rules = enumerate((rule for _, rule in entry.each_rule()), 1)
    limits = [(n, limit) for n, rule in rules for _, limit in rule.each_limit()]
    return [(n, limit.window.text, limit.max) for n, limit in limits if isinstance(limit, Limit)]


# The forms that people have


def test_a_rule_with_max_and_a_window_in_seconds() -> None:
    assert _limits(_file(INTERCEPT).tools["fb_send_message"]) == [(1, "60", Decimal(30))]


def test_an_entry_with_limits_only() -> None:
    file = _file(JSON)

    (limit,) = file.tools["send_interactive_flow"].limits
    assert isinstance(limit, Limit)
    assert file.default == "deny"
    assert (limit.counter, limit.scope) == ("send_interactive_flow_rate", "grant")
    assert (limit.window, limit.max) == (Span(Decimal(60), "minute"), Decimal(30))


def test_rules_with_conditions_state_and_rates() -> None:
    file = _file(INTERCEPT_1)

    single, daily = file.tools["create_charge"].rules
    assert file.hide == ["delete_customer"]
    assert (single.conditions[0].path, single.conditions[0].op, single.conditions[0].value) == (
        "args.amount",
        "lte",
        50000,
    )
    assert single.reason_given == "Single charge cannot exceed $500.00"
    assert daily.state is not None
    assert (daily.state.counter, daily.state.window.seconds) == ("daily_spend", Decimal(86_400))
    assert daily.state.charge == Cost(source="args.amount", key="increment_from")
    assert _limits(file.tools["create_refund"]) == [(1, "day", Decimal(10))]
    assert _limits(file.tools["*"]) == [(1, "minute", Decimal(60))]


def test_deny_if_and_all_tools() -> None:
    file = _file(HOSTED)

    assert file.all_tools is not None
    assert _limits(file.all_tools) == [(1, "minute", Decimal(60))]
    assert list(file.tools["list_charges"].each_rule()) == []
    ((place, refund),) = file.tools["refund"].each_rule()
    assert place == ("deny_if", 0)
    assert (refund.denies, refund.reason_given, refund.conditions[0].value) == (True, "Refund too large.", 50000)
    ((_, transfer),) = file.tools["transfer"].each_rule()
    assert (transfer.denies, transfer.conditions) == (True, [])


def test_an_entry_that_is_itself_a_rule() -> None:
    file = _file(SHORTHAND)

    assert _limits(file.tools["send_button_list"]) == [(1, "60", Decimal(10))]
    ((place, rule),) = file.tools["send_button_actions"].each_rule()
    assert place == ()
    assert (rule.denies, rule.reason_given) == (True, "Buttons that place calls are off limits.")


def test_an_entry_may_mix_all_of_them_and_its_own_rule_comes_first() -> None:
    entry = _entry("{rate_limit: 1/day, rules: [{rate_limit: 2/day}, {rate_limit: 3/day}], deny_if: [{on_deny: No.}]}")

    assert [place for place, _ in entry.each_rule()] == [(), ("rules", 0), ("rules", 1), ("deny_if", 0)]
    assert _limits(entry) == [(n, "day", Decimal(n)) for n in (1, 2, 3)]


@pytest.mark.parametrize("text", ["{}", "{rules: []}", "{deny_if: []}", "", "~"])
def test_an_entry_that_says_nothing_has_no_rules(text: str) -> None:
    assert list(_file(f"tools:\n  x: {text}\n").tools["x"].each_rule()) == []


def test_resources_and_prompts_have_the_shape_of_tools() -> None:
    file = _file("resources: {'file:///srv/*': {rate_limit: 3/minute}}\nprompts: {greet: }")

    assert file.resources is not None
    assert _limits(file.resources["file:///srv/*"]) == [(1, "minute", Decimal(3))]
    assert file.prompts is not None
    assert list(file.prompts) == ["greet"]


def test_what_is_left_out_is_told_apart_from_what_is_written() -> None:
    file = _file("description: nothing else")

    assert (file.default, file.hide_denied, file.unknown_methods, file.resources, file.prompts) == (None,) * 5
    assert (file.version, file.mode, file.timezone, file.hide, file.tools) == ("1", "enforce", "UTC", [], {})
    assert (file.server_requests.sampling, file.server_requests.elicitation, file.server_requests.roots) == (
        "allow",
    ) * 3
    assert not file.has("default")
    assert _file("default: deny").has("default")


@pytest.mark.parametrize("version", ['"1"', "'1'", "1"])
def test_the_version_is_text_or_number(version: str) -> None:
    assert _file(f"version: {version}").version == "1"


# Notations


@pytest.mark.parametrize(
    ("window", "seconds"),
    [
        ("60", Decimal(60)),
        ("0.5", Decimal("0.5")),
        ("90s", Decimal(90)),
        ("1.5s", Decimal("1.5")),
        ("5m", Decimal(300)),
        ("2h", Decimal(7200)),
        ("1d", Decimal(86_400)),
        ("30d", Decimal(2_592_000)),
        ("second", Decimal(1)),
        ("minute", Decimal(60)),
        ("hour", Decimal(3600)),
        ("day", Decimal(86_400)),
        ("week", Decimal(604_800)),
    ],
)
def test_a_window_is_exact_and_keeps_its_text(window: str, seconds: Decimal) -> None:
    assert _limit(f"{{max: 1, window: {window}}}").window == Span(seconds, window)
    if not window[-1].isdigit():
        assert _entry(f"{{rate_limit: 7/{window}}}").rate_limit is not None
        assert _limits(_entry(f"{{rate_limit: 7/{window}}}")) == [(1, window, Decimal(7))]


def test_a_test_may_happen_at_once_and_at_fractions_of_a_second() -> None:
    (test,) = _file("tests: [{calls: [{tool: x, at: 0, expect: allow}, {tool: x, at: 59.5s, expect: deny}]}]").tests

    assert [call.at and call.at.seconds for call in test.calls] == [0, Decimal("59.5")]


@pytest.mark.parametrize(
    ("text", "cost"),
    [
        ("", Cost()),
        (", cost: 0", Cost(Decimal(0))),
        (", cost: 2.50", Cost(Decimal("2.5"))),
        (", cost: {from: args.amount}", Cost(source="args.amount")),
        (", increment: 3", Cost(Decimal(3), key="increment")),
        (", increment_from: args.n", Cost(source="args.n", key="increment_from")),
    ],
)
def test_every_spelling_of_a_cost(text: str, cost: Cost) -> None:
    assert _limit(f"{{max: 10, window: day{text}}}").charge == cost


def test_money_is_exact() -> None:
    limit = _limit("{max: 0.3, window: day, cost: 0.1}")

    assert limit.max == Decimal("0.3")
    assert limit.charge.amount * 3 == limit.max


@pytest.mark.parametrize(
    ("text", "paths"), [("args.to", ["args.to"]), ("[args.to, tool]", ["args.to", "tool"]), ("[]", [])]
)
def test_per_is_one_path_or_several(text: str, paths: list[str]) -> None:
    assert _limit(f"{{max: 1, window: 60, per: {text}}}").per == paths


@pytest.mark.parametrize(("text", "names"), [("read_mail", ["read_mail"]), ("[read_*, fetch]", ["read_*", "fetch"])])
def test_after_is_one_name_or_several(text: str, names: list[str]) -> None:
    assert _entry(f"{{after: {text}, action: deny}}").after == names


@pytest.mark.parametrize(("action", "denies"), [("allow", False), ("evaluate", False), ("deny", True)])
def test_evaluate_is_another_word_for_allow(action: str, *, denies: bool) -> None:
    assert _entry(f"{{action: {action}}}").denies is denies


@pytest.mark.parametrize("key", ["on_deny", "reason"])
def test_reason_is_another_word_for_on_deny(key: str) -> None:
    assert _entry(f"{{action: deny, {key}: Not now.}}").reason_given == "Not now."


# Conditions

_OPERAND = {
    "any": "5",
    "list": "[a, 5, true]",
    "number": "5.5",
    "length": "5",
    "text": "a",
    "texts": "[a, b]",
    "boolean": "false",
}


@pytest.mark.parametrize("op", OPERANDS)
def test_every_op_takes_its_operand(op: str) -> None:
    (condition,) = _entry(f"{{require: [{{path: args.a, op: {op}, value: {_OPERAND[OPERANDS[op]]}}}]}}").require

    assert condition.op == op


@pytest.mark.parametrize("op", [op for op, operand in OPERANDS.items() if operand == "texts"])
def test_what_takes_a_list_of_texts_takes_one_text(op: str) -> None:
    (condition,) = _entry(f"{{require: [{{path: args.a, op: {op}, value: a}}]}}").require

    assert condition.value == "a"


def test_conditions_nest() -> None:
    (outer,) = _entry(
        "{require: [{any: [{not: {path: args.a, op: eq, value: 1}}, {all: [{path: args.b, op: eq, value: 2}]}]}]}"
    ).require

    negated, together = outer.any_
    assert negated.not_ is not None
    assert negated.not_.path == "args.a"
    assert together.all_[0].value == 2


def test_optional_and_a_sentence_of_its_own_belong_to_require() -> None:
    (item,) = _entry("{require: [{path: args.a, op: eq, value: 1, optional: true, on_deny: Only 1.}]}").require

    assert item.optional
    assert item.on_deny == "Only 1."


def test_optional_may_stand_inside_groups_of_require() -> None:
    (item,) = _entry("{require: [{any: [{path: args.a, op: eq, value: 1, optional: true}]}]}").require

    assert item.any_[0].optional


# The models themselves


def test_models_cannot_be_changed() -> None:
    file = _file(HOSTED)

    with pytest.raises(AttributeError):
        file.default = "allow"


def test_reading_a_rule_anew_keeps_what_was_written() -> None:
    ((_, rule),) = _entry("{deny_if: [{name: big, conditions: [{path: args.a, op: gt, value: 1}]}]}").each_rule()

    assert isinstance(rule, Rule)
    assert rule.has("conditions")
    assert rule.has("action")
    assert not rule.has("when")
    assert rule.name == "big"
