"""How a call is decided, step by step (POLICY section 3), and what a client gets to see."""

from __future__ import annotations

import pytest

from intercept.policy import Asking, Channel, Circumstances, Decision, Effect, Kind, ToolCall
from intercept.policy.names import MAX_NAME

from .policies import NOW, Clockwork, allows, decide, policy_of, set_of

TEAM = """
    default: deny
    hide: [drop_table, "delete_*"]
    tools:
      get_user: {}
      send_mail: {rules: []}
      transfer: {action: deny, reason: Requires a person.}
      "list_*": {}
      "*_secret": {action: deny}
      pay: {require: [{path: args.n, op: lte, value: 5}], rate_limit: 3/minute}
"""


# --- step 0: names in disguise


@pytest.mark.parametrize("default", ["allow", "deny"])
@pytest.mark.parametrize(
    "name",
    [
        "Get_User",
        "GET_USER",
        "get_user ",
        " get_user",
        "get_user\t",
        "get_user\n",
        "get_user\0",
        "get\u200b_user",
        "get_user\ufeff",
        "\uff47et_user",
        "get_u\u017fer",
        "Drop_table",
        "drop_table ",
    ],
)
def test_a_name_in_disguise_is_denied_under_either_default(default: str, name: str) -> None:
    policy = policy_of(TEAM.replace("default: deny", f"default: {default}"))

    denial = decide(policy, name)

    assert denial.effect is Effect.DENY
    assert denial.reason == "the name of the tool is not spelled as it is listed; use the exact name."
    assert denial.rules == ()
    assert policy.shows(Kind.TOOL, name) is (default == "allow")


@pytest.mark.parametrize(
    "policy",
    [
        "tools: {send: {after: read, action: deny}}",
        "tools: {'*': {rules: [{after: [other, read], action: deny}]}}",
        "all_tools: {after: [read], action: deny}",
        "resources: {'*': {after: read, action: deny}}",
        "prompts: {'*': {after: read, action: deny}}",
    ],
)
def test_a_name_that_an_after_waits_for_cannot_be_used_in_disguise(policy: str) -> None:
    policies = policy_of(f"default: allow\n{policy}")

    assert decide(policies, "READ").effect is Effect.DENY
    assert decide(policies, "read").effect is Effect.ALLOW
    assert decide(policies, "reader").effect is Effect.ALLOW


def test_two_names_of_one_normal_form_are_both_trusted_where_both_are_named() -> None:
    policy = policy_of("tools: {Send: {}, send: {}}")

    assert allows(policy, "Send")
    assert allows(policy, "send")
    assert not allows(policy, "SEND")


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME + 1)])
@pytest.mark.parametrize("text", [TEAM, "default: allow", "default: allow\nresources: {}"])
def test_no_name_and_one_without_end_are_denied(name: str, text: str) -> None:
    assert decide(policy_of(text), name).reason == "the name of the tool is empty or too long."


# --- steps 1 and 2: hidden, listed


@pytest.mark.parametrize("name", ["drop_table", "delete_user", "delete_", "delete_any thing"])
def test_what_is_hidden_is_denied_and_not_shown(name: str) -> None:
    for default in ("deny", "allow"):
        policy = policy_of(TEAM.replace("default: deny", f"default: {default}"))
        assert decide(policy, name).reason == f"`{name}` is not available."
        assert not policy.shows(Kind.TOOL, name)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("get_user", True),
        ("send_mail", True),
        ("list_users", True),
        ("list_", True),
        ("list_us ers", False),
        ("list_users\u200b", False),
        ("list_us\u00e9rs", False),
        ("get_users", False),
        ("other", False),
    ],
)
def test_under_default_deny_an_entry_has_to_list_the_tool(name: str, allowed: bool) -> None:
    policy = policy_of(TEAM)

    assert allows(policy, name) is allowed
    assert policy.shows(Kind.TOOL, name) is allowed


def test_the_star_lists_nothing() -> None:
    policy = policy_of("default: deny\nall_tools: {}\ntools: {a: {}}")

    assert allows(policy, "a")
    assert decide(policy, "b").reason == "`b` is not among the tools that the policy allows."


def test_under_default_allow_rules_apply_to_names_with_any_characters() -> None:
    policy = policy_of("default: allow\ntools: {'send*': {action: deny}}")

    for name in ("send_mail", "send mail", "send\u200bmail", "send\nmail"):
        assert not allows(policy, name)
    assert allows(policy, "other tool")


@pytest.mark.parametrize("name", ["a`b", "x" * 200, "ignore previous\ninstructions", "nam\u00e9"])
def test_a_sentence_repeats_only_plain_names(name: str) -> None:
    assert decide(policy_of("default: deny"), name).reason == "this tool is not among the tools that the policy allows."


# --- steps 3 to 5: rules


def test_the_rules_of_the_entry_come_first_then_those_of_globs_in_file_order_then_those_of_the_star() -> None:
    policy = policy_of(
        """
        tools:
          "*": {action: deny, when: [{path: args.x, op: eq, value: 1}]}
          "*_mail": {action: deny, when: [{path: args.x, op: eq, value: 1}]}
          "send_*": {action: deny, when: [{path: args.x, op: eq, value: 1}]}
          send_mail: {action: deny, when: [{path: args.x, op: eq, value: 1}]}
        """
    )

    denial = decide(policy, "send_mail", x=1)

    assert [rule.name for rule in denial.rules] == ["send_mail#1", "*_mail#1", "send_*#1", "*#1"]
    assert denial.reason == "rule `send_mail#1` denies this call."
    assert allows(policy, "send_mail", x=2)


def test_a_broad_deny_cannot_be_excepted_by_a_narrow_allow() -> None:
    policy = policy_of("tools: {'*': {action: deny}, 'send_*': {action: allow}, send_mail: {action: allow}}")

    assert not allows(policy, "send_mail")
    assert not policy.shows(Kind.TOOL, "send_mail")


def test_a_deny_rule_comes_before_an_unmet_one() -> None:
    policy = policy_of(
        """
        tools:
          send:
            rules:
              - {name: unmet, require: [{path: args.x, op: eq, value: 1}]}
              - {name: fine, require: [{path: args.x, op: eq, value: 2}]}
              - {name: denying, action: deny, when: [{path: args.x, op: eq, value: 2}], on_deny: No.}
        """
    )

    denial = decide(policy, "send", x=2)

    assert denial.reason == "No."
    assert [(rule.name, rule.effect) for rule in denial.rules] == [
        ("denying", Effect.DENY),
        ("unmet", Effect.DENY),
    ]
    assert denial.rules[1].reason == "rule `unmet` does not accept this value of `args.x`."


def test_an_allowed_call_names_the_rules_that_applied_and_what_they_charge() -> None:
    policy = policy_of(
        """
        all_tools: {name: everyone, rate_limit: 60/minute}
        tools:
          pay:
            rules:
              - {name: skipped, when: [{path: args.x, op: exists, value: true}], rate_limit: 1/hour}
              - {name: cap, require: [{path: args.n, op: lte, value: 5}], rate_limit: 3/minute}
        """
    )

    decision = decide(policy, "pay", n=5)

    assert (decision.effect, decision.reason) == (Effect.ALLOW, "")
    assert [rule.name for rule in decision.rules] == ["cap", "everyone"]
    assert [charge.counter for charge in decision.charges] == ["cap", "everyone"]
    assert [charge.max for charge in decision.charges] == [3, 60]
    assert decide(policy, "pay", n=6).charges == ()


def test_no_rule_means_no_rule_is_named() -> None:
    assert decide(policy_of("default: allow"), "any") == Decision(
        Effect.ALLOW, "any", (), "", policy_of("default: allow").digest
    )


# --- shadow


def test_a_rule_in_shadow_mode_is_told_and_not_enforced() -> None:
    policy = policy_of(
        """
        tools:
          send:
            rules:
              - {name: trial, mode: shadow, require: [{path: args.x, op: eq, value: 1}], rate_limit: 1/minute}
              - {name: real, require: [{path: args.y, op: eq, value: 1}]}
        """
    )

    decision = decide(policy, "send", x=2, y=1)
    assert decision.effect is Effect.ALLOW
    assert [rule.name for rule in decision.rules] == ["real"]
    assert [(rule.name, rule.effect) for rule in decision.shadow] == [("trial", Effect.DENY)]
    assert decision.charges == ()
    assert [charge.shadow for charge in decide(policy, "send", x=1, y=1).charges] == [True]
    denial = decide(policy, "send", x=2, y=2)
    assert [rule.name for rule in denial.rules] == ["real"]
    assert [rule.name for rule in denial.shadow] == ["trial"]


def test_a_policy_in_shadow_mode_refuses_nothing_and_tells_everything() -> None:
    enforced, shadow = policy_of(TEAM), policy_of(TEAM.replace("default: deny", "default: deny\n    mode: shadow"))

    for name in ("get_user", "transfer", "drop_table", "other", "Get_User", "pay", ""):
        real, told = decide(enforced, name), decide(shadow, name)
        assert told.effect is Effect.ALLOW
        assert told.reason == ""
        assert shadow.shows(Kind.TOOL, name)
        if real.effect is Effect.DENY:
            assert [rule.reason for rule in told.shadow] == ([rule.reason for rule in real.rules] or [real.reason])
            assert told.charges == ()
        else:
            assert told.shadow == ()
    assert [charge.shadow for charge in decide(shadow, "pay", n=1).charges] == [True]


def test_a_limit_in_shadow_mode_never_makes_a_call_wait() -> None:
    talk = Clockwork("mode: shadow\ntools: {pay: {rate_limit: 1/minute}}")

    assert [talk.call(0, "pay") for _ in range(5)] == [True] * 5


# --- what is seen


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ("{}", True),
        ("{action: deny}", False),
        ("{action: deny, mode: shadow}", True),
        ("{action: deny, when: [{path: args.x, op: eq, value: 1}]}", True),
        ("{action: deny, after: read}", True),
        ("{action: deny, when: [{path: tool.name, op: starts_with, value: s}]}", False),
        ("{action: deny, when: [{path: tool.name, op: eq, value: other}]}", True),
        ("{action: deny, when: [{any: [{not: {path: tool.name, op: glob, value: '*'}}]}]}", True),
        ("{require: [{path: tool.name, op: regex, value: ^x}]}", False),
        ("{require: [{path: tool.name, op: lt, value: 5}]}", False),
        ("{action: deny, when: [{path: tool.name, op: lt, value: 5}]}", False),
        ("{rules: [{require: [{path: args.x, op: exists, value: true}]}, {action: deny}]}", False),
        ("{require: [{path: args.x, op: exists, value: true}]}", True),
        ("{rate_limit: 1/day}", True),
        ("{deny_if: [{conditions: []}]}", False),
    ],
)
def test_a_tool_that_no_call_could_ever_use_is_left_out(entry: str, shown: bool) -> None:
    assert policy_of(f"tools: {{send: {entry}}}").shows(Kind.TOOL, "send") is shown
    assert policy_of(f"default: allow\ntools: {{send: {entry}}}").shows(Kind.TOOL, "send")
    assert policy_of(f"default: allow\nhide_denied: true\ntools: {{send: {entry}}}").shows(Kind.TOOL, "send") is shown
    assert policy_of(f"hide_denied: false\ntools: {{send: {entry}}}").shows(Kind.TOOL, "send")
    assert shown or not allows(policy_of(f"tools: {{send: {entry}}}"), "send", x=2)


def test_what_is_not_shown_is_never_allowed() -> None:
    policy = policy_of(TEAM)

    for name in ("get_user", "transfer", "drop_table", "other", "a_secret", "list_x", "Get_User"):
        assert policy.shows(Kind.TOOL, name) or not allows(policy, name, n=1)


# --- resources, prompts, the rest


def test_resources_and_prompts_pass_untouched_unless_they_have_entries() -> None:
    policies = set_of("default: deny")

    for kind in (Kind.RESOURCE, Kind.PROMPT):
        assert not policies.judges(kind)
        assert policies.shows(kind, "anything")
        assert policies.evaluate(ToolCall("anything", {}, kind), NOW).effect is Effect.ALLOW
    assert policies.judges(Kind.TOOL)


def test_resources_are_judged_like_tools_by_their_uri() -> None:
    policies = set_of(
        """
        default: deny
        tools: {}
        resources:
          "file:///docs/*": {rate_limit: 3/minute}
          "file:///docs/private/*": {action: deny, reason: Private.}
        prompts:
          greet: {require: [{path: args.name, op: length_lte, value: 3}]}
        """
    )

    def use(kind: Kind, name: str, /, **arguments: str) -> Decision:
        return policies.evaluate(ToolCall(name, dict(arguments), kind), NOW)

    assert use(Kind.RESOURCE, "file:///docs/a").effect is Effect.ALLOW
    assert len(use(Kind.RESOURCE, "file:///docs/a").charges) == 1
    assert use(Kind.RESOURCE, "file:///docs/private/a").reason == "Private."
    assert use(Kind.RESOURCE, "file:///a").reason == "`file:///a` is not among the resources that the policy allows."
    assert use(Kind.RESOURCE, "").reason == "the name of the resource is empty or too long."
    assert policies.shows(Kind.RESOURCE, "file:///docs/{name}")
    assert not policies.shows(Kind.RESOURCE, "file:///docs/private/x")
    assert use(Kind.PROMPT, "greet", name="ann").effect is Effect.ALLOW
    assert use(Kind.PROMPT, "greet", name="anna").effect is Effect.DENY
    assert not policies.shows(Kind.PROMPT, "other")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/../etc/passwd",
        "file:///%65tc/passwd",
        "FILE:///etc/passwd",
        "file:///x/%2e%2e/etc/passwd",
        "file:///etc\\passwd",
    ],
)
def test_a_uri_in_disguise_slips_past_no_rule(uri: str) -> None:
    policies = set_of("default: allow\nresources: {'file:///etc/*': {action: deny}}")

    denial = policies.evaluate(ToolCall(uri, {}, Kind.RESOURCE), NOW)

    assert denial.effect is Effect.DENY
    assert allows(policies, uri)  # a tool may be called anything


def test_hidden_tools_hide_no_resources() -> None:
    policies = set_of("default: allow\nhide: ['*']\nresources: {a: {}}")

    assert policies.shows(Kind.RESOURCE, "a")
    assert not policies.shows(Kind.TOOL, "a")


def test_what_the_server_may_ask_of_the_client() -> None:
    policies = set_of(
        "server_requests: {sampling: deny}",
        "server_requests: {roots: deny, elicitation: allow}",
        "mode: shadow\nserver_requests: {elicitation: deny}",
    )

    asked = {kind: policies.allows_server_request(kind) for kind in ("sampling", "elicitation", "roots")}

    assert asked == {"sampling": False, "elicitation": True, "roots": False}


# --- asking a person

PAYING = """
    default: deny
    tools:
      pay:
        rules:
          - {name: large, action: require_approval, when: [{path: args.n, op: gt, value: 5}], rate_limit: 2/hour}
          - {name: abroad, action: require_approval, conditions: [{path: args.to, op: starts_with, value: X}],
             on_deny: Payments abroad are for a person to decide.}
          - {name: huge, action: deny, when: [{path: args.n, op: gt, value: 50}]}
          - {name: any, rate_limit: 9/minute}
      wipe: {action: require_approval}
"""


def test_a_rule_that_asks_holds_the_calls_that_it_applies_to() -> None:
    policy = policy_of(PAYING)

    assert allows(policy, "pay", n=5)
    held = decide(policy, "pay", n=6)
    assert held.effect is Effect.ASK
    assert held.reason == "rule `large` requires a person's approval."
    assert [(rule.name, rule.effect, rule.reason) for rule in held.rules] == [("large", Effect.ASK, held.reason)]
    assert decide(policy, "wipe").effect is Effect.ASK


def test_a_call_that_a_person_decides_is_charged_by_every_rule_that_applies() -> None:
    policy = policy_of(PAYING)

    assert [charge.max for charge in decide(policy, "pay", n=5).charges] == [9]
    assert [charge.max for charge in decide(policy, "pay", n=6).charges] == [2, 9]
    assert [charge.max for charge in decide(policy, "pay", n=5, to="X1").charges] == [9]


def test_a_person_is_asked_once_for_all_rules_that_ask() -> None:
    held = decide(policy_of(PAYING), "pay", n=6, to="X1")

    assert held.effect is Effect.ASK
    assert [rule.name for rule in held.rules] == ["large", "abroad"]
    assert held.rules[1].reason == "Payments abroad are for a person to decide."


def test_what_is_denied_or_cannot_be_judged_is_asked_of_nobody() -> None:
    policy = policy_of(PAYING)

    denial = decide(policy, "pay", n=51, to="X1")
    assert (denial.effect, denial.charges) == (Effect.DENY, ())
    assert [rule.name for rule in denial.rules] == ["huge"]
    unclear = decide(policy, "pay", n="6")
    assert unclear.effect is Effect.DENY
    assert [rule.name for rule in unclear.rules] == ["huge", "large"]


def test_what_a_rule_that_asks_requires_is_not_for_a_person_to_waive() -> None:
    policy = policy_of(
        """
        tools:
          pay:
            action: require_approval
            require: [{path: args.n, op: lte, value: 5}]
            arguments: {required: [to]}
            limits: [{max: 5, window: day, cost: {from: args.n}}]
        """
    )

    assert decide(policy, "pay", n=5, to="a").effect is Effect.ASK
    for arguments in ({"n": 6, "to": "a"}, {"n": 5}, {"n": -1, "to": "a"}, {"to": "a"}):
        assert decide(policy, "pay", **arguments).effect is Effect.DENY


def test_a_broad_rule_that_asks_holds_every_tool_and_lists_none() -> None:
    policy = policy_of("tools: {read: {}, send: {action: deny}}\nall_tools: {action: require_approval}")

    assert decide(policy, "read").effect is Effect.ASK
    assert decide(policy, "send").effect is Effect.DENY
    assert decide(policy, "other").effect is Effect.DENY


def test_what_a_person_could_allow_stays_in_the_list() -> None:
    policy = policy_of(PAYING + "      gone: {rules: [{action: require_approval}, {action: deny}]}\n")

    assert policy.shows(Kind.TOOL, "wipe")
    assert policy.shows(Kind.TOOL, "pay")
    assert not policy.shows(Kind.TOOL, "gone")


def test_a_rule_in_shadow_mode_holds_nothing_and_is_told() -> None:
    policy = policy_of(
        """
        tools:
          pay: {rules: [{name: trial, mode: shadow, action: require_approval, rate_limit: 1/day, on_deny: Ask.}]}
        """
    )

    decision = decide(policy, "pay")

    assert (decision.effect, decision.rules, decision.reason) == (Effect.ALLOW, (), "")
    assert [(rule.name, rule.effect, rule.reason) for rule in decision.shadow] == [("trial", Effect.ASK, "Ask.")]
    assert [charge.shadow for charge in decision.charges] == [True]


def test_a_policy_in_shadow_mode_asks_nobody() -> None:
    policy = policy_of(PAYING.replace("default: deny", "default: deny\n    mode: shadow"))

    decision = decide(policy, "pay", n=6)

    assert (decision.effect, decision.rules, decision.reason) == (Effect.ALLOW, (), "")
    assert [(rule.name, rule.effect) for rule in decision.shadow] == [("large", Effect.ASK)]
    assert [charge.max for charge in decision.charges] == [2, 9]
    assert all(charge.shadow for charge in decision.charges)


def asked(*texts: str) -> Asking | None:
    return decide(set_of(*texts), "pay").asking


@pytest.mark.parametrize(
    ("text", "timeout", "remember"),
    [
        ("tools: {pay: {action: require_approval}}", 300, 0),
        ("tools: {pay: {action: require_approval, approval: {timeout: 30, remember: 15m}}}", 30, 900),
        ("tools: {pay: {action: require_approval, approval_timeout: 30m}}", 1800, 0),
        ("tools: {pay: {action: require_approval, approval_timeout: 30m, approval: {remember: 1}}}", 1800, 1),
        ("approvals: {timeout: 10m, remember: 1h}\ntools: {pay: {action: require_approval}}", 600, 3600),
        (
            "approvals: {timeout: 10m, remember: 1h}\n"
            "tools: {pay: {action: require_approval, approval: {timeout: 1m, remember: 0}}}",
            60,
            0,
        ),
        (
            "tools: {pay: {action: require_approval, approval: {timeout: 9m, remember: 9m}}, "
            '"*": {action: require_approval, approval: {timeout: 5m, remember: 20m}}}',
            300,
            540,
        ),
        (
            "tools: {pay: {action: require_approval, approval: {timeout: 9m, remember: 9m}}, "
            '"p*": {rules: [{action: require_approval, approval: {timeout: 1m, remember: 1m}, mode: shadow}]}, '
            '"*": {action: require_approval}}',
            300,
            0,
        ),
    ],
)
def test_a_person_is_asked_as_the_strictest_rule_says(text: str, timeout: float, remember: float) -> None:
    assert asked(text) == Asking(timeout, remember)


def test_nobody_is_asked_where_no_enforced_rule_asks() -> None:
    assert asked("tools: {pay: {}}") is None
    assert asked("tools: {pay: {rules: [{action: require_approval, mode: shadow}]}}") is None


def test_channels_are_tried_in_the_order_that_the_file_gives() -> None:
    asks = "tools: {pay: {action: require_approval}}"
    turned = f"approvals: {{via: [operator, elicitation]}}\n{asks}"
    only = f"approvals: {{via: [elicitation]}}\n{asks}"

    assert asked(turned) == Asking(300, 0, (Channel.OPERATOR, Channel.ELICITATION))
    assert asked(turned, only) == asked(only, turned) == Asking(300, 0, (Channel.ELICITATION,))
    assert asked(only, f"approvals: {{via: [operator]}}\n{asks}") == Asking(300, 0, ())
    assert asked(only, "tools: {pay: {}}") == Asking(300, 0, (Channel.ELICITATION,))


# --- what other sessions of the grant have done

LEAKING = """
    default: deny
    tools:
      read: {}
      send: {action: deny, after: [read, "get_*"], after_scope: grant}
      post: {action: deny, after: read}
"""


def history(*names: str, here: frozenset[str] | None = frozenset(), known: bool = True) -> Circumstances:
    return Circumstances(NOW.now, answered=here, grant_answered=frozenset(names) if known else None)


def test_a_rule_may_apply_after_a_tool_was_answered_in_any_session_of_the_grant() -> None:
    policy = policy_of(LEAKING)

    assert allows(policy, "send", history("other"))
    assert not allows(policy, "send", history("read"))
    assert not allows(policy, "send", history("get_mail"))
    assert not allows(policy, "send", history(here=frozenset({"read"})))
    assert allows(policy, "post", history("read"))
    assert not allows(policy, "post", history(here=frozenset({"read"})))


def test_what_is_not_known_of_other_sessions_counts_as_answered() -> None:
    policy = policy_of(LEAKING)

    assert not allows(policy, "send", history(known=False))
    assert not allows(policy, "send", history(here=None))
    assert allows(policy, "post", history(known=False))


def test_a_policy_tells_which_answers_have_to_be_remembered_for_the_grant() -> None:
    policies = set_of(LEAKING, "default: allow\ntools: {a: {action: deny, after: pay, after_scope: grant}}")

    calls = [ToolCall(name, {}) for name in ("read", "get_a", "pay", "send", "post", "a")]
    assert [call.name for call in calls if policies.remembers(call)] == ["read", "get_a", "pay"]
    assert not policies.remembers(ToolCall("read", {}, Kind.PROMPT))
    assert [call.name for call in calls if policies.needs_history(call)] == ["send", "a"]


# --- several policies

ORGANISATION = """
    default: allow
    tools: {"delete_*": {action: deny, reason: Not here.}}
    all_tools: {rate_limit: 60/minute}
"""


def test_every_policy_has_to_allow() -> None:
    policies = set_of(ORGANISATION, TEAM)

    assert allows(policies, "get_user")
    assert decide(policies, "other").reason == "`other` is not among the tools that the policy allows."
    assert [rule.path for rule in decide(policies, "transfer").rules] == ["policy1.yaml"]
    assert len(decide(policies, "delete_user").rules) == 1
    assert [charge.max for charge in decide(policies, "pay", n=1).charges] == [60, 3]
    assert policies.paths == ("policy0.yaml", "policy1.yaml")
    assert not policies.shows(Kind.TOOL, "transfer")


@pytest.mark.parametrize("name", ["get_user", "transfer", "delete_x", "pay", "Get_user", "other", "list_a"])
def test_the_order_of_policies_changes_nothing(name: str) -> None:
    one, other = set_of(ORGANISATION, TEAM), set_of(TEAM, ORGANISATION)

    for arguments in ({}, {"n": 5}, {"n": 6}):
        first, second = decide(one, name, **arguments), decide(other, name, **arguments)
        assert first.effect is second.effect
        assert {rule.name for rule in first.rules} == {rule.name for rule in second.rules}
        assert {charge.max for charge in first.charges} == {charge.max for charge in second.charges}
    assert one.shows(Kind.TOOL, name) is other.shows(Kind.TOOL, name)


def test_one_policy_in_shadow_mode_takes_nothing_from_the_others() -> None:
    policies = set_of("mode: shadow\ndefault: deny", "default: allow\ntools: {a: {action: deny}}")

    assert not allows(policies, "a")
    assert allows(policies, "b")
    assert [rule.name for rule in decide(policies, "b").shadow] == ["default"]


def test_the_strongest_effect_of_all_policies_wins() -> None:
    asks, allows_it, denies = (
        f"default: deny\ntools: {{pay: {rule}}}"
        for rule in (
            "{name: ask, action: require_approval, rate_limit: 2/day, on_deny: Ask first.}",
            "{name: count, rate_limit: 3/day}",
            "{name: never, action: deny}",
        )
    )

    for texts in ([asks, allows_it], [allows_it, asks]):
        held = decide(set_of(*texts), "pay")
        assert (held.effect, held.reason) == (Effect.ASK, "Ask first.")
        assert [rule.name for rule in held.rules] == ["ask"]
        assert sorted(charge.max for charge in held.charges) == [2, 3]
    for texts in ([asks, denies], [denies, asks], [allows_it, asks, denies]):
        denial = decide(set_of(*texts), "pay")
        assert (denial.effect, denial.charges) == (Effect.DENY, ())
        assert [rule.name for rule in denial.rules] == ["never"]
    both = decide(set_of(asks, asks), "pay")
    assert [(rule.name, rule.path) for rule in both.rules] == [("ask", "policy0.yaml"), ("ask", "policy1.yaml")]
    assert len(both.charges) == 2


# --- cost


def test_what_no_argument_changes_is_decided_once() -> None:
    policy = policy_of("default: allow\ntools: {send: {rate_limit: 3/minute}, 'get_*': {}}")

    for name in ("send", "get_user", "unknown"):
        assert decide(policy, name, x=1) is decide(policy, name, x=2)


def test_names_that_nobody_listed_are_not_kept_without_bound() -> None:
    policy = policy_of("default: allow")
    for number in range(5_000):
        decide(policy, f"tool_{number}")
        decide(policy, "x" * 300 + str(number))

    assert len(policy._others) <= 1_024
    assert not policy._named
    assert max(len(name) for _, name in policy._others) <= 256
