from __future__ import annotations

from pathlib import Path

import pytest

from intercept.limits.memory import MemoryStore
from intercept.limits.scoped import ScopedStore
from intercept.limits.sqlite import SQLiteStore
from intercept.values import Json
from tests.harness import Conversation, call, denied, request

SPEND = """
default: deny
tools:
  pay:
    limits:
      - {counter: spend, max: 100, window: 1h, cost: {from: args.amount}}
      - {max: 3, window: 60}
"""


def text_of(talk: Conversation) -> str:
    text: str = talk.to_client[-1]["result"]["content"][0]["text"]
    return text


def test_limits_are_reserved_all_or_none() -> None:
    talk = Conversation(SPEND)
    talk.client(call(1, "pay", amount=60))
    talk.client(call(2, "pay", amount=60))  # refused by the first limit, and must not use up the second
    talk.client(call(3, "pay", amount=20))
    talk.client(call(4, "pay", amount=20))
    talk.client(call(5, "pay", amount=0))

    assert [message["id"] for message in talk.to_upstream] == [1, 3, 4]
    assert [answer["id"] for answer in talk.to_client] == [2, 5]


def test_a_limit_of_amounts_says_what_is_left_and_not_what_the_call_asked_for() -> None:
    talk = Conversation(SPEND)
    talk.client(call(1, "pay", amount=60.5))
    talk.client(call(2, "pay", amount=77.25))

    assert text_of(talk) == (
        "Policy violation: limit of 100 per hour for `pay` has 39.5 left, and this call takes more, as `args.amount` "
        "says. Retry in 3600 seconds."
    )
    details = denied(talk.to_client[0])
    assert (details["cost"], details["left"], details["max"], details["window_s"]) == (77.25, 39.5, 100, 3600)


def test_a_limit_of_amounts_that_is_used_up_does_not_speak_of_calls() -> None:
    talk = Conversation(SPEND)
    talk.client(call(1, "pay", amount=100))
    talk.client(call(2, "pay", amount=1))

    assert text_of(talk) == "Policy violation: limit of 100 per hour for `pay` is used up. Retry in 3600 seconds."
    assert (denied(talk.to_client[0])["cost"], denied(talk.to_client[0])["left"]) == (1, 0)


def test_a_cost_that_the_policy_fixes_is_told() -> None:
    talk = Conversation("tools: {render: {limits: [{max: 10, window: 1h, cost: 2.5}, {max: 9, window: 1h, cost: 4}]}}")
    for number in range(3):
        talk.client(call(number, "render"))

    assert text_of(talk) == (
        "Policy violation: limit of 9 per hour for `render` has 1 left, and this call takes 4. Retry in 3600 seconds."
    )


def test_a_counter_that_one_call_names_twice_is_told_with_the_higher_cost() -> None:
    limits = "[{counter: c, max: 10, window: 1h}, {counter: c, max: 20, window: 1h, cost: 6}]"
    talk = Conversation(f"tools: {{render: {{limits: {limits}}}}}")
    for number in range(2):
        talk.client(call(number, "render"))

    assert "has 4 left, and this call takes 6." in text_of(talk)
    assert denied(talk.to_client[0])["cost"] == 6


def test_a_calendar_window_says_when_the_next_period_begins() -> None:
    limits = "[{max: 1, window: day, align: calendar, timezone: America/Sao_Paulo}]"
    talk = Conversation(f"tools: {{pay: {{limits: {limits}}}}}")
    talk.now = 1_800_025_200  # 2027-01-15 12:00 there
    for number in range(2):
        talk.client(call(number, "pay"))

    assert text_of(talk) == (
        "Policy violation: limit of 1 call per calendar day (America/Sao_Paulo) for `pay` is used up. "
        "Retry in 43200 seconds, when the next day begins."
    )
    details = denied(talk.to_client[0])
    assert (details["window_s"], details["period"], details["timezone"]) == (None, "day", "America/Sao_Paulo")
    assert details["retry_after_s"] == 43_200


def test_calls_at_a_time_are_free_again_when_one_is_answered() -> None:
    talk = Conversation("tools: {render: {limits: [{max_concurrent: 2}]}}")
    for number in range(3):
        talk.client(call(number, "render"))

    assert text_of(talk) == (
        "Policy violation: limit of 2 calls at a time for `render` is used up. "
        "Retry when a call in flight has been answered."
    )
    details = denied(talk.to_client[0])
    assert (details["max"], details["window_s"], details["cost"], details["left"]) == (2, None, 1, 0)
    talk.upstream({"jsonrpc": "2.0", "id": 0, "error": {"code": -32603, "message": "failed"}})
    talk.client(call(4, "render"))
    assert [message["id"] for message in talk.to_upstream] == [0, 1, 4]


def test_large_and_small_amounts_add_up_exactly() -> None:
    talk = Conversation(f"tools: {{pay: {{limits: [{{max: {2**60}, window: 1h, cost: {{from: args.amount}}}}]}}}}")
    for number, amount in enumerate((2**60 - 1, 0.1, 0.9, 1e-7, 0)):
        talk.client(call(number, "pay", amount=amount))

    assert [message["id"] for message in talk.to_upstream] == [0, 1, 2, 4]
    assert denied(talk.to_client[0])["left"] == 0


def test_a_call_above_the_limit_is_told_that_it_can_never_pass() -> None:
    talk = Conversation(SPEND)
    talk.client(call(1, "pay", amount=101))

    assert (
        text_of(talk) == "Policy violation: the call is above the limit of 100 per hour for `pay` and can never pass."
    )
    assert denied(talk.to_client[0])["retry_after_s"] is None


def test_a_cost_that_is_no_amount_denies() -> None:
    talk = Conversation(SPEND)
    for number, amount in enumerate(["1", -1, None, True, [1]]):
        talk.client(call(number, "pay", amount=amount))

    assert talk.to_upstream == []


def test_what_the_author_says_replaces_the_sentence_and_never_the_details() -> None:
    talk = Conversation("tools: {send: {rate_limit: 1/minute, on_deny: Wait for the next batch.}}")
    talk.client(call(1, "send"))
    talk.client(call(2, "send"))

    assert text_of(talk) == "Policy violation: Wait for the next batch. Retry in 60 seconds."
    details = denied(talk.to_client[0])
    assert (details["rule"], details["counter"], details["max"]) == ("send#1", details["counter"], 1)
    assert details["reason"] == "Wait for the next batch."


def test_every_one_of_several_policies_must_allow() -> None:
    organisation = "default: allow\ntools: {send: {rate_limit: 1/minute}, wipe: {action: deny}}"
    team = "default: deny\ntools: {send: {}, wipe: {}, read: {}}"
    for policies in ((organisation, team), (team, organisation)):
        talk = Conversation(*policies)
        for number, name in enumerate(["send", "send", "wipe", "read", "other"]):
            talk.client(call(number, name))

        assert [message["id"] for message in talk.to_upstream] == [0, 3]


def test_a_policy_in_shadow_mode_refuses_nothing_and_tells_the_operator() -> None:
    talk = Conversation("mode: shadow\ndefault: deny\ntools: {send: {rate_limit: 1/minute}, wipe: {action: deny}}")
    for number, name in enumerate(["send", "send", "wipe"]):
        talk.client(call(number, name))

    assert len(talk.to_upstream) == 3
    assert talk.to_client == []
    assert [note.split(",")[0] for note in talk.notes] == ["allowed `send`", "allowed `wipe`"]


def test_a_request_that_uses_several_resources_needs_all_of_them_and_is_charged_once() -> None:
    talk = Conversation('default: deny\nresources: {"docs://*": {rate_limit: 2/minute}}')
    for number, uris in enumerate([["docs://a", "file:///b"], ["docs://a", "docs://b"], ["docs://c"], ["docs://d"]]):
        talk.client(request(number, "subscriptions/listen", notifications={"resourceSubscriptions": uris}))

    assert [message["id"] for message in talk.to_upstream] == [1, 2]


def test_a_rule_after_another_tool_applies_once_that_tool_was_answered() -> None:
    talk = Conversation("tools: {read: {}, send: {action: deny, after: read}}")
    talk.client(call(1, "send"))
    talk.client(call(2, "read"))
    talk.client(call(3, "send"))
    talk.upstream({"jsonrpc": "2.0", "id": 2, "error": {"code": -32603, "message": "failed"}})
    talk.client(call(4, "send"))
    talk.client(call(5, "read"))
    talk.upstream({"jsonrpc": "2.0", "id": 5, "result": {"content": [], "isError": True}})
    talk.client(call(6, "send"))

    assert [answer["id"] for answer in talk.to_client if "result" in answer] == [5, 6]


def test_annotations_are_unknown_until_the_tools_were_listed() -> None:
    talk = Conversation(
        'default: allow\ntools: {"*": {require: [{path: tool.annotations.destructiveHint, op: eq, value: false}]}}'
    )
    talk.client(call(1, "read"))
    talk.client(request(2, "tools/list"))
    tools = [{"name": "read", "annotations": {"destructiveHint": False}}, {"name": "wipe"}]
    talk.upstream({"jsonrpc": "2.0", "id": 2, "result": {"tools": tools}})
    talk.client(call(3, "read"))
    talk.client(call(4, "wipe"))

    assert [message["id"] for message in talk.to_upstream] == [2, 3]


ASKING = """
default: deny
tools:
  pay:
    rules:
      - {name: large, action: require_approval, when: [{path: args.amount, op: gt, value: 50}]}
      - {name: daily, rate_limit: 2/day}
"""


def test_a_call_that_needs_a_person_is_not_made_and_the_model_reads_why() -> None:
    talk = Conversation(ASKING)
    talk.client(call(1, "pay", amount=51))

    assert talk.to_upstream == []
    assert text_of(talk) == (
        "Policy violation: rule `large` requires a person's approval. "
        "Nobody can be asked for it here, so the call was refused."
    )
    details = denied(talk.to_client[0])
    assert (details["decision"], details["rule"]) == ("ask", "large")
    assert "counter" not in details


def test_the_author_s_sentence_for_a_call_that_needs_a_person_is_told_with_what_came_of_it() -> None:
    talk = Conversation("tools: {wipe: {action: require_approval, reason: Wiping is for a person to decide.}}")
    talk.client(call(1, "wipe"))

    assert text_of(talk) == (
        "Policy violation: Wiping is for a person to decide. Nobody can be asked for it here, so the call was refused."
    )


def test_a_call_that_needs_a_person_charges_nothing() -> None:
    talk = Conversation(ASKING)
    for number in range(5):
        talk.client(call(number, "pay", amount=51))
    for number in range(5, 8):
        talk.client(call(number, "pay", amount=50))

    assert [message["id"] for message in talk.to_upstream] == [5, 6]
    assert [denied(answer)["decision"] for answer in talk.to_client] == ["ask"] * 5 + ["deny"]


def test_a_limit_that_is_used_up_refuses_a_call_before_a_person_is_asked() -> None:
    talk = Conversation(ASKING)
    for number, amount in enumerate([50, 51, 50, 51]):
        talk.client(call(number, "pay", amount=amount))

    first, second = (denied(answer) for answer in talk.to_client)
    assert first["decision"] == "ask"
    assert (second["decision"], second["rule"], second["retry_after_s"]) == ("deny", "daily", 86_400)


def test_the_limits_of_the_rule_that_asks_are_looked_at_too() -> None:
    talk = Conversation(
        "tools: {pay: {action: require_approval, limits: [{max: 100, window: day, cost: {from: args.amount}}]}}"
    )
    talk.client(call(1, "pay", amount=101))
    talk.client(call(2, "pay", amount=100))

    assert [denied(answer)["decision"] for answer in talk.to_client] == ["deny", "ask"]


def test_a_request_that_uses_several_resources_is_denied_by_one_and_held_by_one() -> None:
    talk = Conversation(
        """
default: deny
resources:
  "docs://*": {rate_limit: 1/minute}
  "mail://*": {name: mail, action: require_approval}
"""
    )
    for number, uris in enumerate(
        [["docs://a", "mail://a"], ["mail://a", "file:///b"], ["mail://a", "mail://b"], ["docs://a"]]
    ):
        talk.client(request(number, "subscriptions/listen", notifications={"resourceSubscriptions": uris}))

    assert [message["id"] for message in talk.to_upstream] == [3]
    decisions = [answer["error"]["data"]["intercept/decision"]["decision"] for answer in talk.to_client]
    assert decisions == ["ask", "deny", "ask"]


def test_a_rule_in_shadow_mode_that_would_ask_holds_nothing_and_is_told_to_the_operator() -> None:
    talk = Conversation("tools: {pay: {rules: [{name: trial, mode: shadow, action: require_approval}]}}")
    talk.client(call(1, "pay"))

    assert [message["id"] for message in talk.to_upstream] == [1]
    assert talk.notes == ["allowed `pay`, which in enforce mode would have required a person's approval by `trial`"]


def test_what_a_grant_did_before_counts_as_done_while_nobody_can_look_it_up(tmp_path: Path) -> None:
    broken = tmp_path / "state.sqlite"
    broken.write_bytes(b"no database" * 1000)
    policy = "tools: {read: {}, other: {}, send: {action: deny, after: read, after_scope: grant}}"
    notes: list[str] = []
    store = ScopedStore(lambda: SQLiteStore(str(broken), grant="ana"))
    talk = Conversation(policy, store=store, note=notes.append)
    for number, name in enumerate(("other", "send", "read")):
        talk.client(call(number, name))
    talk.upstream({"jsonrpc": "2.0", "id": 2, "result": {"content": []}})
    broken.unlink()
    talk.client(call(3, "other"))
    talk.client(call(4, "send"))

    assert [message["id"] for message in talk.to_upstream] == [0, 2, 3]
    assert [message["id"] for message in talk.to_client] == [1, 2, 4]
    assert notes == [f"the state file is damaged: {notes[0].partition(': ')[2]}"] * 2
    assert SQLiteStore(str(broken), grant="ana").answered(patience=5) == {"read"}
    store.close()


@pytest.mark.parametrize(
    ("answer", "applies"), [({"result": {"content": []}}, True), ({"error": {"code": 1, "message": "no"}}, False)]
)
def test_only_what_was_answered_with_a_result_is_remembered_for_the_grant(
    answer: dict[str, Json], applies: bool
) -> None:
    policy = "tools: {read: {}, send: {action: deny, after: read, after_scope: grant}}"
    store = MemoryStore()
    first, second = Conversation(policy, store=store), Conversation(policy, store=store)
    first.client(call(1, "read"))
    second.client(call(1, "send"))
    first.upstream({"jsonrpc": "2.0", "id": 1, **answer})
    second.client(call(2, "send"))

    assert [message["id"] for message in second.to_upstream] == ([1] if applies else [1, 2])
