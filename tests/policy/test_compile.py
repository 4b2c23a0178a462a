"""What becomes of a file: rules, the counters of their limits, and mistakes of meaning at their place."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from intercept.errors import PolicyError
from intercept.policy import CalendarWindow, Charge, Effect, InFlight, Kind, Scope, Unit, Window, load
from intercept.values import Json

from .policies import Clockwork, allows, decide, policy_of


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        policy_of(text)
    return [f"{p.line}:{p.column} {p.key_path}: {p.message}" for p in refused.value.problems]


# --- rules


def test_rules_are_numbered_through_an_entry_whatever_form_they_have() -> None:
    policy = policy_of(
        """
        default: deny
        tools:
          send:
            require: [{path: args.a, op: exists, value: true}]
            rules:
              - {rate_limit: 5/minute}
              - {name: cap, rate_limit: 9/hour}
            deny_if: [{conditions: [{path: args.b, op: eq, value: 1}]}]
        """
    )

    assert [rule.name for rule in decide(policy, "send", a=1).rules] == ["send#1", "send#2", "cap"]
    assert [rule.name for rule in decide(policy, "send", b=1).rules] == ["send#4", "send#1"]
    assert [rule.line for rule in decide(policy, "send", a=1).rules] == [5, 7, 8]


def test_all_tools_is_the_entry_of_the_star() -> None:
    for text in ("all_tools: {action: deny}", 'tools: {"*": {action: deny}}'):
        denial = decide(policy_of(f"default: allow\n{text}"), "send")
        assert [rule.name for rule in denial.rules] == ["*#1"]


def test_conditions_are_required_of_an_allow_rule_and_make_a_deny_rule_apply() -> None:
    policy = policy_of(
        """
        tools:
          pay: {conditions: [{path: "args.to[*]", op: eq, value: a}]}
          evaluate: {action: evaluate, conditions: [{path: "args.to[*]", op: eq, value: a}]}
          refuse: {action: deny, conditions: [{path: "args.to[*]", op: eq, value: a}]}
        """
    )

    for tool in ("pay", "evaluate"):
        assert allows(policy, tool, to=["a", "a"])
        assert not allows(policy, tool, to=["a", "b"])
        assert not allows(policy, tool)
    assert not allows(policy, "refuse", to=["b", "a"])
    assert allows(policy, "refuse", to=["b"])
    assert allows(policy, "refuse")


def test_not_turns_round_what_a_star_means() -> None:
    policy = policy_of(
        """
        tools:
          require: {require: [{not: {path: "args.to[*]", op: eq, value: evil}}]}
          deny: {action: deny, when: [{not: {path: "args.to[*]", op: eq, value: good}}]}
          twice: {require: [{not: {not: {path: "args.to[*]", op: eq, value: good}}}]}
        """
    )

    assert allows(policy, "require", to=["a", "b"])
    assert not allows(policy, "require", to=["a", "evil"])
    assert allows(policy, "deny", to=["good", "good"])
    assert not allows(policy, "deny", to=["good", "other"])
    assert allows(policy, "twice", to=["good", "good"])
    assert not allows(policy, "twice", to=["good", "other"])


def test_each_required_condition_may_have_its_own_sentence() -> None:
    policy = policy_of(
        """
        tools:
          send:
            on_deny: Not like this.
            require:
              - {path: args.a, op: eq, value: 1, on_deny: A has to be 1.}
              - {path: args.b, op: eq, value: 2}
        """
    )

    assert decide(policy, "send", a=0, b=2).reason == "A has to be 1."
    assert decide(policy, "send", a=1, b=0).reason == "Not like this."


def test_times_are_those_of_the_policys_zone() -> None:
    policy = policy_of(
        """
        timezone: America/Sao_Paulo
        tools: {send: {require: [{path: now.hour, op: eq, value: 5}]}}
        """
    )

    assert allows(policy, "send")  # 1,800,000,000 is 08:00 UTC


def test_what_a_policy_looks_at_is_known() -> None:
    plain = policy_of("default: allow")
    assert not plain.needs_annotations
    hint = "{path: tool.annotations.readOnlyHint, op: eq, value: true}"
    assert policy_of(f"tools: {{a: {{require: [{hint}]}}}}").needs_annotations
    assert policy_of("tools: {a: {limits: [{max: 1, window: 1s, per: tool.annotations.title}]}}").needs_annotations
    assert not policy_of("tools: {a: {limits: [{max: 1, window: 1s, per: tool}]}}").needs_annotations


def test_the_operator_is_told_what_is_easily_overlooked() -> None:
    notes = policy_of("mode: shadow\ntools: {a: {}}").notes

    assert [word for word, note in zip(("shadow", "default"), notes, strict=True) if word in note] == [
        "shadow", "default"
    ]  # fmt: skip
    assert policy_of("default: deny").notes == ()


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("{}", False),
        ("default: deny", False),
        ("default: allow", True),
        ("default: allow\nunknown_methods: deny", False),
        ("unknown_methods: allow", True),
        ("mode: shadow", True),
    ],
)
def test_unknown_methods_are_as_the_default_unless_they_are_named(text: str, allowed: bool) -> None:
    assert policy_of(text).allows_unknown_methods is allowed


# --- counters


def charges(entry: str, /, **arguments: object) -> tuple[Charge, ...]:
    return decide(policy_of(f"tools: {{send: {entry}}}"), "send", **arguments).charges  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("window", "seconds", "words"),
    [
        ("minute", 60, "minute"),
        ("60", 60, "minute"),
        ("90s", 90, "90 seconds"),
        ("5m", 300, "5 minutes"),
        ("60m", 3_600, "hour"),
        ("36h", 129_600, "36 hours"),
        ("1d", 86_400, "day"),
        ("7d", 604_800, "week"),
        ("0.5", 0.5, "0.5 seconds"),
        ("second", 1, "second"),
    ],
)
def test_a_window_is_named_as_people_say_it(window: str, seconds: float, words: str) -> None:
    [charge] = charges(f"{{limits: [{{max: 5, window: {window}}}]}}")

    assert charge.window == Window(seconds, words)


def test_equal_lengths_of_time_share_a_counter() -> None:
    entry = "{{limits: [{{counter: c, max: 5, window: {}}}]}}"

    assert len({charges(entry.format(window))[0].key for window in ("60", "60s", "1m", "minute", "60.0")}) == 1


def test_what_a_counter_is_kept_under_survives_a_reload_and_a_change_of_order() -> None:
    one = charges("{rules: [{name: cap, rate_limit: 5/minute}, {name: other, rate_limit: 5/minute}]}")
    two = charges("{rules: [{name: other, rate_limit: 9/minute}, {name: cap, rate_limit: 9/minute}]}")

    assert {charge.key for charge in one} == {charge.key for charge in two}
    assert len({charge.key for charge in one}) == 2


def test_limits_without_a_counter_have_one_of_their_own() -> None:
    limits = "limits: [{max: 5, window: 1m}, {max: 5, window: 1m}], rate_limit: 5/minute"
    text = f"""
        tools:
          a: {{{limits}}}
          b: {{rules: [{{name: n, {limits}}}, {{name: n, {limits}}}]}}
        resources: {{a: {{{limits}}}}}
    """
    policy = policy_of(text)
    made = [*decide(policy, "a").charges, *decide(policy, "b").charges]

    assert len({charge.key for charge in made}) == 9
    assert policy.sections[Kind.RESOURCE].exact["a"][0].limits[0].template.key not in {charge.key for charge in made}


@pytest.mark.parametrize(
    "rules",
    [
        "{name: 'a#2', rate_limit: 5/minute}, {rate_limit: 5/minute}",
        "{name: 'a#2', rate_limit: 5/minute}, {name: 'a#2', rate_limit: 5/minute}",
        "{rate_limit: 5/minute}, {name: 'a#1', rate_limit: 5/minute}",
        "{name: '2', rate_limit: 5/minute}, {rate_limit: 5/minute}",
    ],
)
def test_a_rule_called_like_another_shares_no_counter_with_it(rules: str) -> None:
    one, other = charges(f"{{rules: [{rules}]}}")

    assert one.key != other.key


def test_limits_share_a_counter_only_with_the_same_window_scope_and_per() -> None:
    keys = [
        charges(f"{{limits: [{{counter: c, max: 5, {rest}}}]}}", a=1, b=2)[0].key
        for rest in (
            "window: 1m",
            "window: 2m",
            "window: 1m, scope: grant",
            "window: 1m, scope: global",
            "window: minute, align: calendar",
            "window: minute, align: calendar, timezone: Europe/Berlin",
            "window: 1m, per: args.a",
            "window: 1m, per: args.b",
            "window: 1m, per: [args.a, args.b]",
            "window: 1m, per: args",
            "window: 1m, per: tool",
        )
    ]

    slots = charges("{limits: [{counter: c, max_concurrent: 5}]}")
    assert len({*keys, slots[0].key}) == 12
    same = charges("{limits: [{counter: c, max: 9, window: 60, per: [\"args['b']\", args.a]}]}", a=1.0, b=2)
    assert same[0].key == keys[8]
    same = charges("{limits: [{counter: c, max: 9, window: minute, align: calendar, timezone: UTC}]}")
    assert same[0].key == keys[4]
    assert charges("{limits: [{counter: c, max_concurrent: 9}]}")[0].key == slots[0].key


def test_two_files_never_share_a_counter() -> None:
    text = "tools: {a: {limits: [{counter: c, max: 5, window: 1m}]}}"

    assert (
        decide(policy_of(text, "one.yaml"), "a").charges[0].key
        != decide(policy_of(text, "two.yaml"), "a").charges[0].key
    )


@pytest.mark.parametrize("mode", ["mode: shadow", ""])
def test_shadow_limits_are_counted_apart(mode: str) -> None:
    shadow = "" if mode else ", mode: shadow"
    text = f"""
        {mode}
        tools: {{a: {{limits: [{{counter: c, max: 5, window: 1m}}]{shadow}}}}}
    """
    enforced = policy_of("tools: {a: {limits: [{counter: c, max: 5, window: 1m}]}}")

    [charge] = decide(policy_of(text), "a").charges

    assert charge.shadow
    assert charge.key != decide(enforced, "a").charges[0].key


def test_a_glob_counts_all_its_tools_together_unless_per_tool_separates_them() -> None:
    together = Clockwork("tools: {'get_*': {rate_limit: 1/minute}}")
    apart = Clockwork("tools: {'get_*': {limits: [{max: 1, window: 1m, per: tool}]}}")

    assert together.call(0, "get_a") is True
    assert together.call(0, "get_b") == 60.0
    assert apart.call(0, "get_a") is True
    assert apart.call(0, "get_b") is True
    assert apart.call(0, "get_a") == 60.0


def test_a_calendar_window_is_in_the_zone_of_the_limit_or_else_of_the_policy() -> None:
    limits = (
        "[{max: 5, window: day, align: calendar}, {max: 9, window: month, align: calendar, timezone: Asia/Kolkata}]"
    )
    policy = policy_of(f"timezone: America/Sao_Paulo\ntools: {{a: {{limits: {limits}}}}}")

    assert [charge.window for charge in decide(policy, "a").charges] == [
        CalendarWindow(Unit.DAY, "America/Sao_Paulo", "calendar day (America/Sao_Paulo)"),
        CalendarWindow(Unit.MONTH, "Asia/Kolkata", "calendar month (Asia/Kolkata)"),
    ]
    assert charges("{limits: [{max: 5, window: week, align: calendar}]}")[0].window == CalendarWindow(
        Unit.WEEK, "UTC", "calendar week (UTC)"
    )


def test_calls_at_a_time_are_counted_by_counter_scope_and_value() -> None:
    limits = "[{max_concurrent: 2}, {max_concurrent: 3, counter: slots, scope: global, per: [args.to, tool]}]"

    own, shared = charges(f"{{limits: {limits}, on_deny: Later.}}", to="a")

    assert (own.counter, own.scope, own.max, own.cost, own.window) == (
        "send#1",
        Scope.SESSION,
        Decimal(2),
        Decimal(1),
        InFlight(),
    )
    assert (shared.counter, shared.scope, shared.max, shared.on_deny) == ("slots", Scope.GLOBAL, Decimal(3), "Later.")
    assert shared.key != charges(f"{{limits: {limits}}}", to="b")[1].key
    assert decide(policy_of(f"tools: {{send: {{limits: {limits}}}}}"), "send").effect is Effect.DENY


def test_a_month_begins_where_the_policy_is() -> None:
    clockwork = Clockwork(
        """
        timezone: America/Sao_Paulo
        tools: {pay: {limits: [{max: 1, window: month, align: calendar}]}}
        """
    )
    midnight = 1_772_334_000  # 2026-03-01 00:00 there, 03:00 UTC

    assert clockwork.call(midnight - 3_600, "pay") is True
    assert clockwork.call(midnight - 1, "pay") == 1.0
    assert clockwork.call(midnight, "pay") is True
    assert clockwork.call(midnight + 1, "pay") == 31 * 86_400 - 1


def test_a_cost_may_be_a_number_or_an_argument() -> None:
    assert charges("{limits: [{max: 5, window: 1m, cost: 2.50}]}")[0].cost == Decimal("2.5")
    assert charges("{limits: [{max: 5, window: 1m, increment: 0}]}")[0].cost == 0
    assert charges("{limits: [{max: 5, window: 1m, cost: {from: args.n}}]}", n=0.1)[0].cost == Decimal("0.1")
    assert charges("{limits: [{max: 5, window: 1m, increment_from: args.n}]}", n=10**30)[0].cost == 10**30


@pytest.mark.parametrize(
    ("amount", "cost"),
    [
        (0.1, "0.1"), (1e-7, "0.0000001"), (2**60, str(2**60)), (2**60 + 1, str(2**60 + 1)), (0, "0"), (-0.0, "0"),
        (1e300, str(10**300)), (5e-324, "5e-324"),
    ],
)  # fmt: skip
def test_an_amount_costs_exactly_what_is_written(amount: float, cost: str) -> None:
    [charge] = charges("{limits: [{max: 1e308, window: 1m, cost: {from: args.n}}]}", n=amount)

    assert charge.cost == Decimal(cost)


@pytest.mark.parametrize(
    "amount",
    [-1, -1e-7, "1", "", "NaN", "Infinity", True, False, None, [], [1], {}, {"n": 1}, float("nan"), float("inf")],
)
def test_what_is_no_amount_denies(amount: Json) -> None:
    policy = policy_of("tools: {pay: {limits: [{max: 9, window: 1m, cost: {from: args.n}}]}}")

    assert decide(policy, "pay", n=amount).effect is Effect.DENY
    assert decide(policy, "pay").reason == "rule `pay#1` requires `args.n` to be a number that is not negative."


def test_amounts_add_up_to_the_last_digit() -> None:
    clockwork = Clockwork("tools: {pay: {limits: [{max: 1.0000001, window: 1m, cost: {from: args.n}}]}}")

    assert [clockwork.call(0, "pay", n=0.1) for _ in range(10)] == [True] * 10
    assert clockwork.call(0, "pay", n=1.1e-7) == 60.0
    assert clockwork.call(0, "pay", n=1e-7) is True
    assert clockwork.call(0, "pay", n=5e-324) == 60.0
    assert clockwork.call(0, "pay", n=0) is True

    clockwork = Clockwork(f"tools: {{pay: {{limits: [{{max: {2**60}, window: 1m, cost: {{from: args.n}}}}]}}}}")

    assert clockwork.call(0, "pay", n=2**60 - 1) is True
    assert clockwork.call(0, "pay", n=2) == 60.0
    assert clockwork.call(0, "pay", n=1) is True


# --- mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("timezone: Mars/Olympus", "1:11 timezone: `Mars/Olympus` is not a time zone"),
        ("timezone: America", "1:11 timezone: `America` is not a time zone"),
        ("timezone: /etc/passwd", "1:11 timezone: `/etc/passwd` is not a time zone"),
        ("hide: [a, 'b**']", "1:11 hide[1]: `**` in `b**` is more than a glob has"),
        ("tools: {'a**b': {}}", "1:9 tools.a**b: `**` in `a**b` is more than a glob has"),
        ("tools: {a: {after: [b, '**']}}", "1:24 tools.a.after[1]: `**` in `**` is more than a glob has"),
        (
            "tools: {a: {require: [{path: arg.x, op: eq, value: 1}]}}",
            "1:30 tools.a.require[0].path: `arg.x` is not a path: nothing is called `arg`",
        ),
        (
            "tools: {a: {when: [{any: [{not: {path: args.x, op: regex, value: (}}]}]}}",
            "1:66 tools.a.when[0].any[0].not.value: `(` is not a pattern",
        ),
        (
            "tools: {a: {require: [{path: args.x, op: host_in, value: ['http://x']}]}}",
            "1:58 tools.a.require[0].value: `http://x` is not a host",
        ),
        (
            "tools: {a: {require: [{path: now.weekday, op: in, value: [Sat]}]}}",
            "1:58 tools.a.require[0].value: `Sat` is not a day of the week",
        ),
        ("tools: {a: {when: [{any: []}]}}", "1:26 tools.a.when[0].any: `any` has no conditions"),
        ("tools: {a: {when: [{all: []}]}}", "1:26 tools.a.when[0].all: `all` has no conditions"),
        (
            "tools: {a: {limits: [{max: 5, window: 1m, per: [args.a, b]}]}}",
            "1:57 tools.a.limits[0].per[1]: `b` is not a path: nothing is called `b`",
        ),
        (
            "tools: {a: {limits: [{max: 5, window: 1m, cost: 6}]}}",
            "1:49 tools.a.limits[0].cost: a call costs more than `max`, so none could ever pass",
        ),
        (
            "tools: {a: {limits: [{max: 5, window: 1m, cost: {from: 'args.a[*]'}}]}}",
            "1:56 tools.a.limits[0].cost.from: `args.a[*]` is not one argument",
        ),
        (
            "tools: {a: {limits: [{max: 5, window: 1m, increment_from: now.hour}]}}",
            "1:59 tools.a.limits[0].increment_from: `now.hour` is not one argument",
        ),
        (
            "resources: {a: {require: [{path: tool.annotations.title, op: eq, value: x}]}}",
            "1:34 resources.a.require[0].path: "
            "`tool.annotations.title` is for tools: a resource has no such annotations",
        ),
        (
            "all_tools: {}\ntools: {'*': {}}",
            "1:12 all_tools: `all_tools` and the entry `*` are the same",
        ),
    ],
)
def test_a_mistake_of_meaning_is_told_at_its_place(text: str, expected: str) -> None:
    assert mistakes(text) == [expected]


def test_all_mistakes_are_told_at_once() -> None:
    found = mistakes(
        """
        tools:
          a: {require: [{path: "args[", op: eq, value: 1}, {path: args.x, op: regex, value: "("}]}
          "b**": {limits: [{max: 1, window: 1m, per: nothing}]}
        """
    )

    assert len(found) == 4


def test_a_policy_can_be_loaded_in_shadow_mode_whatever_it_says(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("default: deny\nhide: [b]\ntools: {a: {action: deny}}\nserver_requests: {sampling: deny}\n")
    policy = load([str(path)], shadow=True)

    assert decide(policy, "a").effect is Effect.ALLOW
    assert [rule.name for rule in decide(policy, "a").shadow] == ["a#1"]
    assert policy.shows(Kind.TOOL, "b")
    assert policy.allows_server_request("sampling")
