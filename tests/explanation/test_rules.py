from __future__ import annotations

from intercept.policy import Effect, Kind

from .conftest import Explain


def test_a_rule_that_denies_tells_what_made_it_apply(explained: Explain) -> None:
    policy = """
default: allow
tools:
  send:
    rules:
      - action: deny
        after: [read_*, fetch]
        when: [{path: args.to, op: ends_with, value: .ru}]
        conditions: [{path: args.n, op: gt, value: 1}]
"""

    (account,) = explained(policy, "send", '{"to": "a.ru", "n": 2}', answered={"read_mail", "other"}).rules

    assert (account.rule.effect, account.rule.name, account.rule.line) == (Effect.DENY, "send#1", 6)
    assert [(part.line, str(part)) for part in account.parts] == [
        (7, "`after read_*, fetch` holds: `read_mail` was answered in this session"),
        (8, '`args.to ends_with ".ru"` holds: found "a.ru"'),
        (9, "`args.n gt 1` holds: found 2"),
    ]


def test_a_skipped_rule_tells_what_did_not_hold(explained: Explain) -> None:
    policy = """
tools:
  send:
    rules:
      - {name: hot, action: deny, after: read}
      - {name: big, when: [{path: args.n, op: gt, value: 9}], rate_limit: 1/hour}
      - {name: plain}
"""

    explanation = explained(policy, "send", '{"n": 2}', answered={"other"})

    assert [account.rule.name for account in explanation.rules] == ["plain"]
    assert [(account.rule.name, *map(str, account.parts)) for account in explanation.skipped] == [
        ("hot", "`after read` does not hold: none of them was answered in this session"),
        ("big", "`args.n gt 9` does not hold: found 2"),
    ]


def test_a_rule_that_cannot_be_judged_denies_with_what_is_unclear(explained: Explain) -> None:
    policy = "tools: {send: {action: deny, when: [{path: args.n, op: gt, value: 9}, {path: args.m, op: gt, value: 9}]}}"

    (account,) = explained(policy, "send", '{"n": "10", "m": 1}').rules

    assert [str(part) for part in account.parts] == [
        '`args.n gt 9` cannot be judged: found "10", which cannot be compared so'
    ]


def test_an_argument_schema_tells_keyword_value_and_line(explained: Explain) -> None:
    policy = """
tools:
  send:
    arguments:
      type: object
      required: [to]
      properties:
        items:
          type: array
          items:
            type: integer
            maximum: 5
"""

    (account,) = explained(policy, "send", '{"items": [1, 9]}').rules

    assert [(part.line, part.text, part.found) for part in account.parts] == [
        (6, "args required", '"to" is a required property'),
        (12, "args.items[1] maximum", "9 is greater than the maximum of 5"),
    ]


def test_a_limit_that_cannot_be_counted_tells_by_what(explained: Explain) -> None:
    policy = """
tools:
  send:
    limits:
      - {max: 1, window: day}
      - {max: 9, window: day, per: [args.to], cost: {from: args.n}}
"""

    (account,) = explained(policy, "send", '{"n": -1}').rules

    assert [(part.line, str(part)) for part in account.parts] == [
        (6, "`per args.to` cannot be judged: found nothing"),
        (6, "`cost args.n` cannot be judged: found -1"),
    ]


def test_rules_are_looked_for_in_every_entry_that_covers_the_name(explained: Explain) -> None:
    policy = """
all_tools: {name: everyone}
tools:
  send_mail: {deny_if: [{conditions: [{path: args.n, op: eq, value: 1}], on_deny: No.}]}
  "send_*": {name: sending}
  "*_mail": {rules: [{name: mailing}, {name: mailing too}]}
  read: {name: reading}
"""

    allowed, denied = explained(policy, "send_mail"), explained(policy, "send_mail", '{"n": 1}')

    names = [account.rule.name for account in allowed.rules]
    assert names == ["sending", "mailing", "mailing too", "everyone"]
    assert [account.rule.name for account in allowed.skipped] == ["send_mail#1"]
    assert [(account.rule.name, account.rule.reason) for account in denied.rules] == [("send_mail#1", "No.")]
    assert [str(part) for part in denied.rules[0].parts] == ["`args.n eq 1` holds: found 1"]


def test_a_state_condition_of_intercept_1_is_a_limit_and_not_a_condition(explained: Explain) -> None:
    policy = """
tools:
  create_charge:
    rules:
      - name: daily spend cap
        conditions:
          - {path: args.currency, op: eq, value: usd}
          - {path: state.create_charge.daily_spend, op: lte, value: 100}
          - {path: args.amount, op: lte, value: 50}
        state: {counter: daily_spend, window: day, increment_from: args.amount}
"""

    (denied,) = explained(policy, "create_charge", '{"currency": "usd", "amount": 51}').rules
    (uncounted,) = explained(policy, "create_charge", '{"currency": "usd", "amount": -1}').rules
    limited = explained(policy, "create_charge", '{"currency": "usd", "amount": 40}', after=2)

    assert [(part.line, part.text) for part in denied.parts] == [(9, "args.amount lte 50")]
    assert [(part.line, part.text) for part in uncounted.parts] == [(10, "cost args.amount")]
    assert [(int(limit.used), int(limit.charge.max)) for limit in limited.limits] == [(80, 100)]


def test_resources_and_prompts_have_rules_of_their_own(explained: Explain) -> None:
    policy = """
tools: {x: {name: tool}}
resources: {"file:*": {action: deny, reason: Not here.}}
prompts: {x: {require: [{path: args.n, op: exists, value: true}]}}
"""

    resource = explained(policy, "file:///x", kind=Kind.RESOURCE)
    prompt = explained(policy, "x", '{"n": "1"}', kind=Kind.PROMPT)

    assert [(account.rule.name, account.rule.line) for account in resource.rules] == [("file:*#1", 3)]
    assert [(account.rule.name, account.rule.line) for account in prompt.rules] == [("x#1", 4)]


ASKING = """
default: allow
tools:
  pay:
    rules:
      - name: large
        action: require_approval
        after: [read_*]
        when: [{path: args.to, op: starts_with, value: X}]
        conditions: [{path: args.n, op: gt, value: 1}]
        limits: [{max: 100, window: day, cost: {from: args.n}}]
      - {name: never, action: deny, when: [{path: args.n, op: gt, value: 50}]}
"""


def test_a_rule_that_asks_tells_what_made_it_apply_and_what_its_limits_have_left(explained: Explain) -> None:
    explanation = explained(ASKING, "pay", '{"to": "X1", "n": 2}', answered={"read_mail"}, after=3)

    (account,) = explanation.rules
    assert (account.rule.effect, account.rule.name, account.refused) == (Effect.ASK, "large", False)
    assert [(part.line, str(part)) for part in account.parts] == [
        (8, "`after read_*` holds: `read_mail` was answered in this session"),
        (9, '`args.to starts_with "X"` holds: found "X1"'),
        (10, "`args.n gt 1` holds: found 2"),
    ]
    # Whatever was asked for before was charged to nobody.
    assert [(str(limit.used), limit.refuses) for limit in explanation.limits] == [("0", False)]
    assert explanation.in_list


def test_a_rule_that_asks_tells_why_it_does_not_apply_and_why_it_refuses(explained: Explain) -> None:
    skipped = explained(ASKING, "pay", '{"to": "X1", "n": 1}', answered={"read_mail"}).skipped
    refused = explained(ASKING, "pay", '{"to": "X1", "n": "2"}', answered={"read_mail"}).rules

    assert [str(part) for part in skipped[0].parts] == ["`args.n gt 1` does not hold: found 1"]
    assert [(account.rule.name, account.rule.effect) for account in refused] == [
        ("never", Effect.DENY),
        ("large", Effect.DENY),
    ]


def test_a_rule_that_would_ask_is_told_beside_the_one_that_denies(explained: Explain) -> None:
    explanation = explained(ASKING, "pay", '{"to": "X1", "n": 51}', answered={"read_mail"})

    assert [account.rule.name for account in explanation.rules] == ["never"]
    assert [(account.rule.name, account.rule.effect) for account in explanation.also] == [("large", Effect.ASK)]


def test_a_shadow_rule_that_asks_holds_nothing(explained: Explain) -> None:
    explanation = explained("tools: {pay: {rules: [{mode: shadow, action: require_approval}]}}", "pay")

    assert explanation.decision.effect is Effect.ALLOW
    assert [(account.rule.name, account.rule.effect) for account in explanation.shadow] == [("pay#1", Effect.ASK)]


def test_a_rule_about_all_sessions_of_a_grant_tells_that_it_is_about_them(explained: Explain) -> None:
    policy = "tools: {read: {}, send: {action: deny, after: read, after_scope: grant}}"

    (denies,) = explained(policy, "send", answered={"read"}).rules
    (skipped,) = explained(policy, "send").skipped

    assert [str(part) for part in denies.parts] == ["`after read` holds: `read` was answered to this grant"]
    assert [str(part) for part in skipped.parts] == [
        "`after read` does not hold: none of them was answered to this grant"
    ]
