from __future__ import annotations

from pathlib import Path

import pytest

from intercept.policy.loading import load_with_sources
from intercept.trial import Case, Failure, Report, play


def report(tmp_path: Path, rules: str, calls: str, *, grant: str = "") -> Report:
    """Plays one test that makes `calls` (items of a list) under `rules`."""
    path = tmp_path / "policy.yaml"
    lines = "".join(f"      - {line.strip()}\n" for line in calls.strip().splitlines())
    path.write_text(f"default: deny\n{rules.strip()}\ntests:\n  - name: it\n    calls:\n{lines}")
    return play(load_with_sources([str(path)]).sources[0], grant=grant)


def case(tmp_path: Path, rules: str, calls: str) -> Case:
    return report(tmp_path, rules, calls).cases[0]


def failure(tmp_path: Path, rules: str, calls: str) -> Failure:
    found = case(tmp_path, rules, calls).failure
    assert found
    return found


TEN_A_MINUTE = "tools: {send: {rate_limit: {max: 10, window: 60}}}"


def test_calls_are_counted_and_time_passes_only_as_the_test_says(tmp_path: Path) -> None:
    played = case(
        tmp_path,
        TEN_A_MINUTE,
        """
        {tool: send, repeat: 10, expect: allow}
        {tool: send, at: 59.999999s, expect: deny, rule: "send#1"}
        {tool: send, at: 1m, repeat: 10, expect: allow}
        {tool: send, expect: deny}
        """,
    )

    assert played.failure is None
    assert played.calls == 22


def test_a_failure_names_the_line_the_call_and_which_of_its_repetitions(tmp_path: Path) -> None:
    found = failure(tmp_path, TEN_A_MINUTE, "{tool: send, at: 5, repeat: 12, expect: allow}")

    assert (found.line, found.column) == (6, 9)
    assert found.call == "call of `send` at 5s, 11 of 12"
    assert found.expected == "allow"
    assert found.found == (
        "deny by `send#1` (`Policy violation: limit of 10 calls per minute for `send` is used up. "
        "Retry in 60 seconds.`)"
    )


@pytest.mark.parametrize("window", ["0.1s", "0.2s", "0.7s", "1.1s", "2.3s", "60", "1d"])
@pytest.mark.parametrize("start", ["0.1s", "0.3s", "1.7s", "1000.1s"])
def test_a_charge_ends_exactly_when_its_window_does_whatever_binary_fractions_add_up_to(
    tmp_path: Path, window: str, start: str
) -> None:
    length = 86400.0 if window == "1d" else float(window.rstrip("s"))
    begin = float(start.rstrip("s"))

    played = case(
        tmp_path,
        f"tools: {{send: {{rate_limit: {{max: 1, window: {window}}}}}}}",
        f"""
        {{tool: send, at: {start}, expect: allow}}
        {{tool: send, at: {begin + length - 0.001:.3f}s, expect: deny, retry_after: 0.001s}}
        {{tool: send, at: {begin + length:.3f}s, expect: allow}}
        """,
    )

    assert played.failure is None


def test_each_test_has_counters_and_a_session_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        """
        default: deny
        tools:
          read: {}
          send: {rate_limit: 1/day}
          leak: {action: deny, after: read}
          "leak*": {}
        tests:
          - calls: [{tool: send, expect: allow}, {tool: read, expect: allow}, {tool: leak, expect: deny}]
          - calls: [{tool: send, expect: allow}, {tool: leak, expect: allow}]
        """
    )

    cases = play(load_with_sources([str(path)]).sources[0]).cases

    assert [(case.name, case.failure) for case in cases] == [("test 1", None), ("test 2", None)]


def test_only_a_call_that_was_allowed_is_answered(tmp_path: Path) -> None:
    rules = "tools: {read: {require: [{path: args.id, op: exists, value: true}]}, send: {action: deny, after: read}}"

    played = case(
        tmp_path,
        rules + "\nall_tools: {}",
        """
        {tool: read, expect: deny}
        {tool: send, expect: allow}
        {tool: read, arguments: {id: 1}, expect: allow}
        {tool: send, expect: deny, rule: "send#1"}
        """,
    )

    assert played.failure is None


def test_the_rule_must_be_among_those_that_decided(tmp_path: Path) -> None:
    rules = "tools: {send: {rules: [{name: size, rate_limit: 1/day}, {name: never, action: deny, after: x}]}}"

    assert case(tmp_path, rules, "{tool: send, expect: allow, rule: size}").failure is None
    assert failure(tmp_path, rules, "{tool: send, expect: allow, rule: never}").found == "`size`"
    assert failure(tmp_path, rules, "{tool: send, expect: allow, rule: sise}").found == (
        "`size`; no rule is called so, did you mean `size`?"
    )
    assert failure(tmp_path, rules, "{tool: other, expect: deny, rule: size}").found == "no rule that decided"


def test_the_reason_must_hold_the_text(tmp_path: Path) -> None:
    rules = "tools: {send: {action: deny, reason: Ask the user.}}"

    assert case(tmp_path, rules, "{tool: send, expect: deny, reason: the user}").failure is None
    found = failure(tmp_path, rules, "{tool: send, expect: deny, reason: nobody}")
    assert (found.expected, found.found) == ("a reason with `nobody`", "`Policy violation: Ask the user.`")
    assert (
        failure(tmp_path, "all_tools: {}\ntools: {send: {}}", "{tool: send, expect: allow, reason: x}").found == "none"
    )


def test_the_time_to_wait_is_exact_or_as_the_model_is_told(tmp_path: Path) -> None:
    rules = "tools: {send: {rate_limit: 1/minute}}"
    before = "{tool: send, at: 0.1s, expect: allow}\n"

    assert case(tmp_path, rules, before + "{tool: send, at: 48.1s, expect: deny, retry_after: 12s}").failure is None
    assert case(tmp_path, rules, before + "{tool: send, at: 48.2s, expect: deny, retry_after: 11.9s}").failure is None
    assert case(tmp_path, rules, before + "{tool: send, at: 48.2s, expect: deny, retry_after: 12s}").failure is None
    found = failure(tmp_path, rules, before + "{tool: send, at: 48.2s, expect: deny, retry_after: 11}")
    assert (found.expected, found.found) == ("11s to wait", "11.9s")
    found = failure(tmp_path, rules, "{tool: other, expect: deny, retry_after: 1s}")
    assert found.found == "no time to wait"


def test_numbers_are_judged_as_a_client_sends_them(tmp_path: Path) -> None:
    rules = "tools: {pay: {require: [{path: args.amount, op: lte, value: 0.3}]}}"

    assert case(tmp_path, rules, "{tool: pay, arguments: {amount: 0.30}, expect: allow}").failure is None
    assert case(tmp_path, rules, "{tool: pay, arguments: {amount: 0.30000001}, expect: deny}").failure is None
    assert case(tmp_path, rules, "{tool: pay, arguments: {amount: '0.1'}, expect: deny}").failure is None


def test_what_no_client_can_send_fails(tmp_path: Path) -> None:
    found = failure(tmp_path, "tools: {pay: {}}", "{tool: pay, arguments: {in: [{amount: 1e400}]}, expect: deny}")

    assert (found.expected, found.found) == (
        "a call that a client can send",
        "a number that is too large for a double",
    )


def test_a_call_before_the_one_above_it_fails_instead_of_happening_later(tmp_path: Path) -> None:
    found = failure(tmp_path, TEN_A_MINUTE, "{tool: send, at: 1m, expect: allow}\n{tool: send, at: 30, expect: allow}")

    assert (found.line, found.expected, found.found) == (7, "a time that is not before", "30s after 1m")


def test_a_call_without_a_time_happens_at_that_of_the_one_before(tmp_path: Path) -> None:
    played = case(
        tmp_path,
        TEN_A_MINUTE,
        "{tool: send, at: 30, repeat: 10, expect: allow}\n{tool: send, expect: deny, retry_after: 60}",
    )

    assert played.failure is None


def test_time_begins_with_a_thursday_at_midnight_in_utc(tmp_path: Path) -> None:
    rules = """
timezone: America/Sao_Paulo
tools:
  work:
    require: [{path: now.hour, op: gte, value: 9}, {path: now.weekday, op: eq, value: thursday}]
"""

    assert case(tmp_path, rules, "{tool: work, at: 12h, expect: allow}").failure is None
    assert case(tmp_path, rules, "{tool: work, at: 11h, expect: deny}").failure is None
    assert case(tmp_path, rules, "{tool: work, at: 36h, expect: deny}").failure is None


def test_a_calendar_day_ends_at_midnight_where_the_policy_is(tmp_path: Path) -> None:
    rules = """
timezone: America/Sao_Paulo
tools:
  pay: {limits: [{max: 1, window: day, align: calendar, scope: grant}]}
"""

    played = case(
        tmp_path,
        rules,
        """
        {tool: pay, at: 1h, expect: allow}
        {tool: pay, at: 2h, expect: deny, retry_after: 1h}
        {tool: pay, at: 3h, expect: allow}
        {tool: pay, at: 26.9999h, expect: deny, rule: "pay#1", reason: when the next day begins}
        {tool: pay, at: 27h, expect: allow}
        """,
    )

    assert played.failure is None


def test_a_calendar_month_is_as_long_as_it_is(tmp_path: Path) -> None:
    rules = "tools: {pay: {limits: [{max: 2, window: month, align: calendar, scope: global}]}}"

    played = case(
        tmp_path,
        rules,
        """
        {tool: pay, at: 30d, repeat: 2, expect: allow}
        {tool: pay, at: 30.5d, expect: deny, retry_after: 12h}
        {tool: pay, at: 31d, repeat: 2, expect: allow}
        {tool: pay, at: 58d, expect: deny, retry_after: 1d}
        {tool: pay, at: 59d, expect: allow}
        """,
    )

    assert played.failure is None


def test_every_call_is_answered_before_the_next_is_made_so_none_is_in_flight(tmp_path: Path) -> None:
    rules = "tools: {render: {limits: [{max_concurrent: 1, scope: grant}, {max_concurrent: 1}]}}"

    assert case(tmp_path, rules, "{tool: render, repeat: 9, expect: allow, rule: 'render#1'}").failure is None


def test_a_test_without_calls_fails(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("tests: [{name: empty, calls: []}]")

    found = play(load_with_sources([str(path)]).sources[0]).cases[0].failure

    assert found
    assert str(found) == "the test: expected at least one call, found none"


def test_a_grant_is_there_if_it_is_given(tmp_path: Path) -> None:
    rules = "tools: {pay: {require: [{path: grant, op: eq, value: ana}]}}"
    calls = "{tool: pay, expect: allow}"

    assert report(tmp_path, rules, calls, grant="ana").cases[0].failure is None
    assert report(tmp_path, rules, calls).cases[0].failure


def test_rules_on_tools_that_decided_nowhere_are_told_in_the_order_of_their_lines(tmp_path: Path) -> None:
    rules = """
tools:
  "*": {rate_limit: 5/minute}
  send: {rules: [{action: deny, when: [{path: args.to, op: eq, value: x}]}, {name: used, rate_limit: 1/minute}]}
  "get_*": {action: deny}
  loose: {}
resources:
  "file:*": {action: deny}
"""

    played = report(tmp_path, rules, "{tool: send, expect: allow}\n{tool: send, expect: deny}")

    assert played.cases[0].failure is None
    assert played.rules == 4
    assert [(rule.name, rule.line) for rule in played.uncovered] == [("send#1", 4), ("get_*#1", 5)]


def test_a_shadow_rule_is_tested_by_what_it_would_have_done(tmp_path: Path) -> None:
    rules = "tools: {send: {rules: [{name: later, mode: shadow, action: deny}]}}"

    played = report(tmp_path, rules, "{tool: send, expect: allow, rule: later}")
    refused = failure(tmp_path, rules, "{tool: send, expect: deny}")

    assert (played.cases[0].failure, played.uncovered) == (None, ())
    assert refused.found == "allow; `later` would refuse but for shadow mode"


def test_a_shadow_limit_refuses_nothing_and_is_tested_by_what_it_would_have_refused(tmp_path: Path) -> None:
    rules = (
        "tools: {send: {rules: [{name: hard, rate_limit: 3/minute}, {name: soft, mode: shadow, rate_limit: 1/1.5s}]}}"
    )

    played = report(
        tmp_path,
        rules,
        """
        {tool: send, at: 0.1s, expect: allow, rule: hard}
        {tool: send, at: 1.599s, expect: allow, rule: soft}
        {tool: send, at: 1.6s, expect: allow, rule: hard}
        {tool: send, expect: deny, rule: hard, retry_after: 58.5s}
        """,
    )

    assert (played.cases[0].failure, played.uncovered) == (None, ())


ASKING = """
tools:
  pay:
    rules:
      - {name: large, action: require_approval, when: [{path: args.n, op: gt, value: 500}], on_deny: Large ones wait.}
      - {name: daily, rate_limit: 2/day}
"""


def test_a_call_that_a_person_would_be_asked_about_is_expected_to_ask(tmp_path: Path) -> None:
    played = report(
        tmp_path,
        ASKING,
        """
        {tool: pay, arguments: {n: 500}, expect: allow, rule: daily}
        {tool: pay, arguments: {n: 500.01}, expect: ask, rule: large, reason: Large ones wait.}
        {tool: pay, arguments: {n: "501"}, expect: deny, rule: large}
        """,
    )

    assert (played.cases[0].failure, played.uncovered) == (None, ())


def test_a_call_that_a_person_would_be_asked_about_is_not_made_and_charges_nothing(tmp_path: Path) -> None:
    played = case(
        tmp_path,
        ASKING.replace("  pay:", "  other: {action: deny, after: pay}\n  pay:"),
        """
        {tool: pay, arguments: {n: 501}, repeat: 9, expect: ask}
        {tool: other, expect: allow}
        {tool: pay, arguments: {n: 500}, repeat: 2, expect: allow}
        {tool: other, expect: deny}
        {tool: pay, arguments: {n: 501}, at: 1h, expect: deny, rule: daily, retry_after: 23h}
        """,
    )

    assert played.failure is None


def test_to_ask_is_neither_to_allow_nor_to_deny(tmp_path: Path) -> None:
    call = "{tool: pay, arguments: {n: %s}, expect: %s}"

    assert failure(tmp_path, ASKING, call % (501, "allow")).found.startswith(
        "ask by `large` (`Policy violation: Large ones wait.`)"
    )
    assert failure(tmp_path, ASKING, call % (501, "deny")).found.startswith("ask by `large`")
    assert failure(tmp_path, ASKING, call % (500, "ask")).found == "allow"


def test_a_shadow_rule_that_would_ask_says_so(tmp_path: Path) -> None:
    rules = "tools: {send: {rules: [{name: later, mode: shadow, action: require_approval}]}}"

    played = report(tmp_path, rules, "{tool: send, expect: allow, rule: later}")
    held = failure(tmp_path, rules, "{tool: send, expect: ask}")

    assert (played.cases[0].failure, played.uncovered) == (None, ())
    assert held.found == "allow; `later` would ask but for shadow mode"
