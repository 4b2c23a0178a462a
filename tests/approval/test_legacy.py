"""A call that a person has to approve, with a client of the handshake era: it is held, and the client is asked."""

from __future__ import annotations

import os

import pytest

from intercept.actions import Judge
from intercept.approval.elicitation import GIVEN_UP_AFTER, KEEP_ALIVE, MAX_HELD, Questions
from intercept.approval.question import Question
from intercept.policy import Decision, Effect
from intercept.wire import Request
from tests.harness import Body, Conversation, call, denied, request, result

ASKS = """
default: deny
tools:
  pay: {action: require_approval, reason: Payments are for people., rate_limit: 2/day}
  read: {}
resources:
  "mail://*": {action: require_approval}
"""
FORM: Body = {"elicitation": {}}
DECISION = Decision(Effect.ASK, "pay", (), "", "")
YES = {"action": "accept", "content": {"decision": "allow once"}}


def started(policy: str = ASKS, offers: Body = FORM) -> Conversation:
    talk = Conversation(policy)
    talk.initialize(offers=offers, name="bank")
    return talk


def asked(message: Body, talk: Conversation | None = None) -> Conversation:
    """A conversation in which the client was just asked about `message`."""
    talk = talk or started()
    talk.client(message)
    assert talk.to_client[-1]["method"] == "elicitation/create"
    return talk


def pay(id: object = 1, token: object = None, **arguments: object) -> Body:  # noqa: A002
    message = call(id, "pay", **arguments or {"amount": 5})
    if token is not None:
        message["params"]["_meta"] = {"progressToken": token}
    return message


def question(talk: Conversation) -> Body:
    return [message for message in talk.to_client if message.get("method") == "elicitation/create"][-1]


def answer(talk: Conversation, value: object = YES, **members: object) -> None:
    talk.client({"jsonrpc": "2.0", "id": question(talk)["id"], **(members or {"result": value})})


def refusal(talk: Conversation, id: object = 1) -> tuple[object, object, str]:  # noqa: A002
    """Decision, approval, and the sentence about it."""
    [message] = [message for message in talk.to_client if message.get("id") == id]
    details = denied(message)
    return details["decision"], details["approval"], message["result"]["content"][0]["text"]


def test_the_client_s_user_is_asked_and_the_call_waits() -> None:
    talk = asked(pay())

    assert talk.to_upstream == []
    [message] = talk.to_client
    assert message["id"].startswith("intercept-")
    assert len(message["id"]) == len("intercept-") + 32
    assert "mode" not in message["params"]
    assert message["params"]["requestedSchema"] == {
        "type": "object",
        "properties": {"decision": {"type": "string", "title": "Decision", "enum": ["allow once", "deny"]}},
        "required": ["decision"],
    }
    for part in ("Server: bank", "Tool: pay", "amount: 5", "Payments are for people."):
        assert part in message["params"]["message"]


def test_an_approved_call_is_made_as_it_came_and_answered_as_always() -> None:
    talk = asked(pay())
    answer(talk)
    assert talk.to_upstream == [pay()]

    talk.upstream(result(1, content=[]))
    assert talk.to_client[-1] == result(1, content=[])


@pytest.mark.parametrize(
    ("value", "approval"),
    [
        ({"action": "decline"}, "declined"),
        ({"action": "cancel"}, "cancelled"),
        ({"action": "accept"}, "declined"),
        ({"action": "accept", "content": {"decision": "deny"}}, "declined"),
        ({"action": "accept", "content": {"decision": "yes"}}, "declined"),
        ({}, "failed"),
        ([], "failed"),
    ],
)
def test_any_other_answer_denies_at_once_and_says_what_it_was(value: object, approval: str) -> None:
    talk = asked(pay())
    answer(talk, value)

    assert talk.to_upstream == []
    assert refusal(talk)[:2] == ("deny", approval)
    assert refusal(talk)[2].startswith("Policy violation: Payments are for people. ")


def test_an_error_for_an_answer_denies() -> None:
    talk = asked(pay())
    answer(talk, error={"code": -32600, "message": "Elicitation not supported"})

    assert talk.to_upstream == []
    assert refusal(talk)[:2] == ("deny", "failed")


def test_an_answer_that_cannot_be_read_denies() -> None:
    talk = asked(pay())
    twice = b'{"action":"accept","content":{"decision":"deny","decision":"allow once"}}'
    talk.client(b'{"jsonrpc":"2.0","id":"%s","result":%s}' % (question(talk)["id"].encode(), twice))

    assert talk.to_upstream == []
    assert refusal(talk)[:2] == ("deny", "failed")


def test_a_second_answer_changes_nothing() -> None:
    talk = asked(pay())
    answer(talk)
    answer(talk)
    assert len(talk.to_upstream) == 1

    talk = asked(pay())
    answer(talk, {"action": "decline"})
    answer(talk)
    assert talk.to_upstream == []
    assert len(talk.to_client) == 2


def test_an_answer_under_an_id_of_ours_never_reaches_the_upstream() -> None:
    talk = started()
    talk.client({"jsonrpc": "2.0", "id": "intercept-" + "0" * 32, "result": YES})
    talk.client({"jsonrpc": "2.0", "id": "intercept-", "error": {"code": 1, "message": ""}})

    assert (talk.to_upstream, talk.to_client) == ([], [])


def test_two_calls_wait_side_by_side_and_other_messages_pass() -> None:
    talk = asked(pay(1, amount=1))
    first = question(talk)["id"]
    asked(pay(2, amount=2), talk)
    talk.client(call(3, "read"))
    talk.client(request(4, "ping"))
    assert [message["id"] for message in talk.to_upstream] == [3, 4]

    answer(talk)
    talk.client({"jsonrpc": "2.0", "id": first, "result": {"action": "decline"}})
    assert [message["id"] for message in talk.to_upstream] == [3, 4, 2]
    assert refusal(talk, 1)[1] == "declined"


def test_the_upstream_cannot_answer_a_call_that_waits() -> None:
    talk = asked(pay())
    talk.upstream(result(1, content=[]))

    assert len(talk.to_client) == 1
    answer(talk)
    assert len(talk.to_upstream) == 1


def test_a_call_that_waits_keeps_its_id() -> None:
    talk = asked(pay(1))
    talk.client(call("1", "read"))

    assert talk.to_upstream == []
    assert "in flight" in talk.to_client[-1]["error"]["message"]


def test_a_cancelled_call_is_dropped_the_question_is_taken_back_and_a_late_yes_runs_nothing() -> None:
    talk = asked(pay())
    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})

    ours = question(talk)["id"]
    assert talk.to_client[1:] == [
        {
            "jsonrpc": "2.0",
            "method": "notifications/cancelled",
            "params": {"requestId": ours, "reason": "the call was cancelled"},
        }
    ]
    answer(talk)
    assert talk.to_upstream == []
    assert len(talk.to_client) == 2
    asked(pay(1), talk)


def test_a_call_that_is_cancelled_while_its_approval_is_judged_is_not_made() -> None:
    talk = asked(pay())
    judge = talk.judge({"jsonrpc": "2.0", "id": question(talk)["id"], "result": YES})
    assert isinstance(judge, Judge)
    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    talk.resume(judge)

    assert talk.to_upstream == []
    # The limit was given back too: two more fit into the day.
    for number in (2, 3):
        asked(pay(number), talk)
        answer(talk)
    assert [message["id"] for message in talk.to_upstream] == [2, 3]


@pytest.mark.parametrize("timeout", ["30", "10m"])
def test_a_call_without_a_progress_token_waits_no_longer_than_clients_do(timeout: str) -> None:
    talk = asked(pay(), started(ASKS + f"approvals: {{timeout: {timeout}}}"))
    wait = 30.0 if timeout == "30" else GIVEN_UP_AFTER
    talk.tick(wait - 0.001)
    assert len(talk.to_client) == 1

    talk.tick(0.001)
    assert refusal(talk)[:2] == ("deny", "timed_out")
    assert talk.to_client[-1]["method"] == "notifications/cancelled"
    assert talk.to_client[-1]["params"]["requestId"] == question(talk)["id"]
    answer(talk)
    assert talk.to_upstream == []
    assert talk.session.due_in is None


def test_a_call_with_a_progress_token_waits_as_long_as_the_policy_says_and_shows_that_it_lives() -> None:
    talk = asked(pay(token="t"), started(ASKS + "approvals: {timeout: 2m}"))
    talk.tick(119)
    beats = talk.to_client[1:]
    assert len(beats) == 119 // KEEP_ALIVE
    assert all(beat["method"] == "notifications/progress" for beat in beats)
    assert all(beat["params"]["progressToken"] == "t" for beat in beats)
    progress = [beat["params"]["progress"] for beat in beats]
    assert progress == sorted(set(progress))
    assert progress[-1] < 0.001

    talk.tick(1)
    assert refusal(talk)[:2] == ("deny", "timed_out")


def test_no_sign_of_life_is_sent_that_nobody_asked_for() -> None:
    talk = asked(pay())
    talk.tick(54)

    assert len(talk.to_client) == 1


def test_progress_goes_on_from_ours() -> None:
    talk = asked(pay(token=7))
    talk.tick(25)
    answer(talk)
    talk.to_client.clear()

    def report(progress: object, token: object = 7) -> None:
        params = {"progressToken": token, "progress": progress}
        talk.upstream({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

    for progress in (0, 0.000001, 0.000002, 0.000003, 1):
        report(progress)
    report(0, token="7")
    seen = [(message["params"]["progressToken"], message["params"]["progress"]) for message in talk.to_client]
    assert seen == [(7, 0.000003), (7, 1), ("7", 0)]

    talk.upstream(result(1, content=[]))
    talk.forget()
    report(0)
    assert len(talk.to_client) == 1


@pytest.mark.parametrize("token", [True, None, 1.5, [], {}])
def test_what_is_no_progress_token_is_none(token: object) -> None:
    talk = asked(pay() | {"params": pay()["params"] | {"_meta": {"progressToken": token}}})
    talk.tick(GIVEN_UP_AFTER)

    assert refusal(talk)[1] == "timed_out"
    assert all(message.get("method") != "notifications/progress" for message in talk.to_client)


@pytest.mark.parametrize(
    ("offers", "version", "can_be_asked"),
    [
        ({"elicitation": {}}, "2025-11-25", True),
        ({"elicitation": {}}, "2025-06-18", True),
        ({"elicitation": {"form": {}}}, "2025-11-25", True),
        ({"elicitation": {"form": {}, "url": {}}}, "2025-11-25", True),
        ({"elicitation": {"url": {}}}, "2025-11-25", False),
        ({"elicitation": {}}, "2025-03-26", False),
        ({"elicitation": {}}, "2024-11-05", False),
        ({"elicitation": {}}, "2099-01-01", False),
        ({"elicitation": True}, "2025-11-25", False),
        ({"sampling": {}}, "2025-11-25", False),
        ({}, "2025-11-25", False),
    ],
)
def test_only_a_client_that_says_it_can_is_asked(offers: Body, version: str, can_be_asked: bool) -> None:
    talk = Conversation(ASKS)
    talk.initialize(offers=offers, version=version)
    talk.client(pay())

    assert talk.to_upstream == []
    if can_be_asked:
        assert question(talk)
    else:
        assert refusal(talk)[:2] == ("ask", "unavailable")


def test_a_client_is_not_asked_before_its_handshake_is_over() -> None:
    talk = Conversation(ASKS)
    talk.client(pay(1))
    talk.client(request("init", "initialize", protocolVersion="2025-11-25", capabilities=FORM))
    talk.client(pay(2))
    talk.upstream(result("init", protocolVersion="2025-11-25", capabilities={}))
    talk.client(pay(3))
    for number in (1, 2, 3):
        assert refusal(talk, number)[1] == "unavailable"

    talk.client({"jsonrpc": "2.0", "method": "notifications/initialized"})
    asked(pay(4), talk)


def test_what_a_failed_handshake_offers_counts_for_nothing() -> None:
    talk = started(offers={})
    talk.client(request(8, "initialize", protocolVersion="2025-11-25", capabilities=FORM))
    talk.upstream({"jsonrpc": "2.0", "id": 8, "error": {"code": -32600, "message": "once is enough"}})
    talk.client(pay())

    assert refusal(talk)[1] == "unavailable"


def test_the_policy_may_name_no_channel_that_reaches_this_client() -> None:
    talk = started(ASKS + "approvals: {via: [operator]}")
    talk.client(pay())

    assert refusal(talk)[:2] == ("ask", "unavailable")
    assert "Nobody can be asked" in refusal(talk)[2]


def test_a_limit_that_is_used_up_bothers_nobody_and_is_charged_by_an_approval_only() -> None:
    talk = started()
    for number in range(3):
        asked(pay(number), talk)
        answer(talk, {"action": "decline"})
    for number in (3, 4):
        asked(pay(number), talk)
        answer(talk)
    talk.forget()
    talk.client(pay(5))

    assert talk.to_upstream == []
    assert denied(talk.to_client[0])["retry_after_s"] == 86_400


def test_a_limit_that_is_used_up_while_a_person_thinks_denies() -> None:
    talk = started()
    ids = []
    for number in range(3):
        asked(pay(number), talk)
        ids.append(question(talk)["id"])
    for our_id in ids:
        talk.client({"jsonrpc": "2.0", "id": our_id, "result": YES})

    assert [message["id"] for message in talk.to_upstream] == [0, 1]
    assert denied(talk.to_client[-1])["retry_after_s"] == 86_400


def test_another_policy_judges_again_and_needs_another_approval() -> None:
    talk = asked(pay())
    talk.reload(ASKS + "description: another")
    answer(talk)
    assert talk.to_upstream == []
    assert refusal(talk)[:2] == ("deny", "changed")

    talk = asked(pay())
    talk.reload("tools: {pay: {action: deny, reason: Closed.}}")
    answer(talk)
    assert talk.to_upstream == []
    assert denied(talk.to_client[-1])["reason"] == "Closed."

    talk = asked(pay())
    talk.reload("tools: {pay: {}}")
    answer(talk)
    assert talk.to_upstream == [pay()]


def test_a_rule_that_came_to_apply_while_a_person_thought_denies() -> None:
    policy = ASKS + '  "file:*": {}\nall_tools: {rules: [{action: deny, after: read, reason: Not after reading.}]}\n'
    talk = asked(pay(), started(policy))
    talk.client(call(2, "read"))
    talk.upstream(result(2, content=[]))
    answer(talk)

    assert [message["id"] for message in talk.to_upstream] == [2]
    assert denied(talk.to_client[-1])["reason"] == "Not after reading."


def test_an_upstream_that_is_gone_ends_the_question_and_the_call() -> None:
    talk = asked(pay())
    talk.upstream_exits()

    ended = [message.get("method") for message in talk.to_client]
    assert ended == ["elicitation/create", "notifications/cancelled", None]
    assert talk.to_client[-1]["error"]["message"] == "the server gave no answer: it exited with code 3"
    answer(talk)
    assert talk.to_upstream == []
    assert talk.session.due_in is None


def test_more_calls_than_a_person_can_look_at_are_refused() -> None:
    talk = started("tools: {pay: {action: require_approval}}")
    for number in range(MAX_HELD):
        asked(pay(number), talk)
    talk.client(pay(MAX_HELD))

    assert refusal(talk, MAX_HELD)[1] == "unavailable"
    answer(talk)
    asked(pay(MAX_HELD), talk)


def test_large_calls_are_held_within_a_bound() -> None:
    questions: Questions[int] = Questions(lambda: 0.0, os.urandom, max_size=10_000)
    asking = Question("?", "allow once"), 300.0

    def hold(number: int, size: int) -> bool:
        message = Request(number, "tools/call", {}, {"params": "x" * size})
        return questions.hold(number, message, DECISION, *asking) is not None

    assert hold(1, 20_000)
    assert not hold(2, 10)
    assert questions.withdraw(lambda case: case == 1)
    assert hold(2, 4_000)
    assert not hold(3, 6_000)


def test_a_call_with_more_arguments_than_a_person_can_look_at_is_refused() -> None:
    talk = started()
    talk.client(pay(1, **{f"a{n}": n for n in range(201)}))

    assert refusal(talk)[1] == "unavailable"


def test_a_resource_is_asked_about_too() -> None:
    talk = started()
    asked(request(1, "resources/read", uri="mail://1"), talk)
    assert 'Resource: "mail://1"' in question(talk)["params"]["message"]
    answer(talk, {"action": "decline"})
    assert talk.to_client[-1]["error"]["data"]["intercept/decision"]["approval"] == "declined"

    asked(request(2, "resources/read", uri="mail://1"), talk)
    answer(talk)
    assert [message["id"] for message in talk.to_upstream] == [2]


def test_questions_are_told_apart_by_ids_that_nobody_can_guess() -> None:
    talk = asked(pay(1))
    asked(pay(2), talk)
    first, second = (message["id"] for message in talk.to_client)

    assert first != second
    assert {first, second} == {f"intercept-{n.to_bytes(16, 'big').hex()}" for n in (1, 2)}
