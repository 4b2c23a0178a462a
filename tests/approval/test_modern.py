"""A call that a person has to approve, in 2026-07-28: it is answered with a question and made again with it."""

from __future__ import annotations

import json
import os

import pytest

from intercept.approval.elicitation import MAX_HANDLES, Handles
from intercept.approval.question import Question
from intercept.policy import Decision, Effect
from intercept.wire import Request
from tests.harness import Body, Conversation, call, denied, modern, request, result

ASKS = """
default: deny
tools:
  pay: {action: require_approval, reason: Payments are for people., rate_limit: 2/day}
  wipe: {action: require_approval}
  read: {}
resources:
  "mail://*": {action: require_approval}
prompts:
  greet: {action: require_approval}
  pay: {action: require_approval}
"""
DECISION = Decision(Effect.ASK, "pay", (), "", "")
YES = {"action": "accept", "content": {"decision": "allow once"}}


def able(message: Body) -> Body:
    return modern(message, elicitation={})


def pay(id: object = 1, **arguments: object) -> Body:  # noqa: A002
    return able(call(id, "pay", **arguments or {"amount": 5}))


def asked(message: Body, talk: Conversation | None = None) -> tuple[Conversation, Body]:
    """A conversation in which `message` was answered with a question, and that answer."""
    talk = talk or Conversation(ASKS)
    talk.client(message)
    answer = talk.to_client[-1]["result"]
    assert answer["resultType"] == "input_required"
    return talk, answer


def again(message: Body, state: object, value: object = YES, **responses: object) -> Body:
    """`message` made again under a new id, with an answer."""
    answers = {**responses, **({} if value is None else {"intercept_approval": value})}
    params = message["params"] | {"requestState": state, "inputResponses": answers}
    return message | {"id": f"again {message['id']}", "params": params}


def test_the_call_is_answered_with_a_question_and_a_handle() -> None:
    talk, answer = asked(pay())

    assert talk.to_upstream == []
    assert talk.to_client[0].keys() == {"jsonrpc", "id", "result"}
    assert answer.keys() == {"resultType", "inputRequests", "requestState"}
    assert answer["requestState"].startswith("icpt1.")
    assert len(answer["requestState"]) == len("icpt1.") + 43
    [(key, wanted)] = answer["inputRequests"].items()
    assert key == "intercept_approval"
    assert wanted["method"] == "elicitation/create"
    assert wanted["params"]["mode"] == "form"
    assert wanted["params"]["requestedSchema"]["properties"]["decision"]["enum"] == ["allow once", "deny"]
    assert "amount: 5" in wanted["params"]["message"]
    assert talk.session.due_in is None


def test_an_approved_call_reaches_the_upstream_as_if_nobody_had_asked() -> None:
    talk, answer = asked(pay())
    talk.client(again(pay(), answer["requestState"]))
    assert talk.to_upstream == [pay("again 1")]

    talk.upstream(result("again 1", content=[], resultType="complete"))
    assert talk.to_client[-1]["result"] == {"content": [], "resultType": "complete"}


@pytest.mark.parametrize(
    ("value", "approval"),
    [
        ({"action": "decline"}, "declined"),
        ({"action": "cancel"}, "cancelled"),
        ({"action": "accept", "content": {"decision": "deny"}}, "declined"),
        ({"action": "accept", "content": {}}, "declined"),
        ({}, "failed"),
        ("allow once", "failed"),
    ],
)
def test_any_other_answer_denies(value: object, approval: str) -> None:
    talk, answer = asked(pay())
    talk.client(again(pay(), answer["requestState"], value))

    assert talk.to_upstream == []
    details = denied(talk.to_client[-1])
    assert (details["decision"], details["approval"], details["rule"]) == ("deny", approval, "pay#1")
    assert talk.to_client[-1]["result"]["resultType"] == "complete"
    assert talk.session.in_flight == 0


def test_a_handle_is_good_once() -> None:
    talk, answer = asked(pay())
    talk.client(again(pay(), answer["requestState"]))
    talk.client(again(pay(2), answer["requestState"]))
    assert len(talk.to_upstream) == 1
    assert talk.to_client[-1]["error"]["code"] == -32602

    talk, answer = asked(pay())
    talk.client(again(pay(), answer["requestState"], {"action": "decline"}))
    talk.client(again(pay(2), answer["requestState"]))
    assert talk.to_upstream == []
    assert talk.to_client[-1]["error"]["code"] == -32602


@pytest.mark.parametrize("state", ["icpt1.", "icpt1." + "A" * 43, "icpt1.AAAA"])
def test_a_handle_that_we_never_gave_is_refused(state: str) -> None:
    talk = Conversation(ASKS)
    talk.client(again(pay(), state))
    talk.client(again(able(call(2, "read")), state))
    talk.client(call(3, "read") | {"params": {"name": "read", "requestState": state}})

    assert talk.to_upstream == []
    assert [message["error"]["code"] for message in talk.to_client] == [-32602] * 3


def test_a_request_without_the_envelope_redeems_no_handle() -> None:
    talk, answer = asked(pay())
    params = {"name": "pay", "arguments": {"amount": 5}, "requestState": answer["requestState"]}
    talk.client(request(2, "tools/call", **params, inputResponses={"intercept_approval": YES}))

    assert talk.to_upstream == []
    assert talk.to_client[-1]["error"]["code"] == -32602


def test_a_handle_expires_with_the_time_to_answer() -> None:
    talk, answer = asked(pay(), Conversation(ASKS + "approvals: {timeout: 2m}"))
    talk.now += 120
    talk.client(again(pay(), answer["requestState"]))

    assert talk.to_upstream == []
    assert "expired" in talk.to_client[-1]["error"]["message"]


@pytest.mark.parametrize(
    "other",
    [
        pay(1, amount=6),
        pay(1, amount="5"),
        pay(1, amount=5, extra=1),
        able(call(1, "wipe", amount=5)),
        able(request(1, "prompts/get", name="pay", arguments={"amount": "5"})),
    ],
    ids=["another value", "another type", "one more", "another tool", "another method"],
)
def test_other_arguments_are_another_call_and_asked_about_anew(other: Body) -> None:
    talk, answer = asked(pay())
    talk.client(again(other, answer["requestState"]))

    assert talk.to_upstream == []
    assert talk.to_client[-1]["result"]["resultType"] == "input_required"
    assert talk.to_client[-1]["result"]["requestState"] != answer["requestState"]


def test_a_handle_is_spent_by_another_call_which_carries_nothing_of_it() -> None:
    talk, answer = asked(pay())
    talk.client(again(able(call(2, "read")), answer["requestState"]))
    assert talk.to_upstream == [able(call("again 2", "read"))]

    talk.client(again(pay(3), answer["requestState"]))
    assert len(talk.to_upstream) == 1


@pytest.mark.parametrize("responses", [None, {}, {"other": YES}, [], "x"])
def test_a_call_that_comes_without_an_answer_is_asked_about_again(responses: object) -> None:
    talk, answer = asked(pay())
    extra = {} if responses is None else {"inputResponses": responses}
    talk.client(pay(2) | {"params": pay(2)["params"] | {"requestState": answer["requestState"], **extra}})

    assert talk.to_upstream == []
    assert talk.to_client[-1]["result"]["resultType"] == "input_required"


def test_what_the_call_brought_for_the_upstream_is_given_back() -> None:
    talk = Conversation(ASKS)
    kept = {"requestState": {"mine": 1}, "inputResponses": {"q": {"action": "accept"}}}
    held = pay() | {"params": pay()["params"] | kept}
    _, answer = asked(held, talk)
    talk.client(again(pay(), answer["requestState"], YES, q={"action": "decline"}, forged={}))

    assert talk.to_upstream == [held | {"id": "again 1"}]


def test_a_call_that_is_asked_about_twice_still_brings_what_it_brought() -> None:
    talk = Conversation(ASKS)
    held = pay() | {"params": pay()["params"] | {"requestState": "theirs"}}
    _, first = asked(held, talk)
    talk.client(again(pay(), first["requestState"], None))
    talk.client(again(pay(2), talk.to_client[-1]["result"]["requestState"]))

    assert talk.to_upstream == [held | {"id": "again 2"}]


def test_an_approved_call_that_needs_input_is_neither_asked_about_nor_charged_again() -> None:
    talk, answer = asked(pay())
    talk.client(again(pay(), answer["requestState"]))
    for number in range(3):
        wanted = {"a": {"method": "elicitation/create", "params": {"message": "sure?"}}}
        last = talk.to_upstream[-1]["id"]
        talk.upstream(result(last, resultType="input_required", inputRequests=wanted, requestState=f"s{number}"))
        retry = pay(10 + number)
        retry["params"] |= {"requestState": f"s{number}", "inputResponses": {"a": {"action": "accept"}}}
        talk.client(retry)
        assert talk.to_upstream[-1] == retry
    talk.upstream(result(12, content=[], resultType="complete"))

    # One call of two a day was charged.
    _, answer = asked(pay(20), talk)
    talk.client(again(pay(20), answer["requestState"]))
    assert talk.to_upstream[-1]["id"] == "again 20"
    talk.client(pay(30))
    assert denied(talk.to_client[-1])["retry_after_s"] == 86_400


def test_the_policy_is_evaluated_again() -> None:
    talk, answer = asked(pay())
    talk.reload("tools: {pay: {action: deny, reason: Closed.}}")
    talk.client(again(pay(), answer["requestState"]))
    assert denied(talk.to_client[-1])["reason"] == "Closed."

    talk, answer = asked(pay())
    talk.reload(ASKS + "description: another")
    talk.client(again(pay(), answer["requestState"]))
    assert denied(talk.to_client[-1])["approval"] == "changed"
    assert talk.to_upstream == []

    talk, answer = asked(pay())
    talk.reload("default: deny")
    talk.client(again(pay(), answer["requestState"]))
    assert talk.to_upstream == []


@pytest.mark.parametrize(
    ("capabilities", "can_be_asked"),
    [
        ({"elicitation": {}}, True),
        ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {"url": {}}}, False),
        ({"sampling": {}}, False),
        ({}, False),
    ],
)
def test_only_a_request_that_says_its_client_can_is_answered_with_a_question(
    capabilities: Body, can_be_asked: bool
) -> None:
    talk = Conversation(ASKS)
    talk.client(modern(call(1, "pay"), **capabilities))

    assert talk.to_upstream == []
    assert (talk.to_client[0]["result"]["resultType"] == "input_required") is can_be_asked
    if not can_be_asked:
        assert denied(talk.to_client[0])["approval"] == "unavailable"


def test_a_client_of_this_era_gets_no_request_even_after_a_handshake() -> None:
    talk = Conversation(ASKS)
    talk.initialize(offers={"elicitation": {}})
    talk.client(modern(call(1, "pay")))
    talk.client(pay(2))

    assert [message["id"] for message in talk.to_client] == [1, 2]


def test_a_request_without_the_envelope_is_never_answered_with_a_question() -> None:
    talk, _ = asked(pay())
    talk.client(call(2, "pay"))

    assert denied(talk.to_client[-1])["approval"] == "unavailable"
    assert "resultType" not in talk.to_client[-1]["result"]


@pytest.mark.parametrize(
    ("message", "can_be_asked"),
    [
        (request(1, "resources/read", uri="mail://1"), True),
        (request(1, "prompts/get", name="greet"), True),
        (request(1, "subscriptions/listen", notifications={"resourceSubscriptions": ["mail://1"]}), False),
        (request(1, "completion/complete", ref={"type": "ref/prompt", "name": "greet"}), False),
    ],
)
def test_only_methods_that_may_be_answered_so_are(message: Body, can_be_asked: bool) -> None:
    talk = Conversation(ASKS)
    talk.client(able(message))

    assert ("result" in talk.to_client[0]) is can_be_asked
    if can_be_asked:
        talk.client(again(able(message), talk.to_client[0]["result"]["requestState"]))
        assert talk.to_upstream == [able(message) | {"id": "again 1"}]


def test_the_server_is_named_as_it_names_itself() -> None:
    talk = Conversation(ASKS)
    talk.client(able(request(0, "server/discover")))
    info = {"io.modelcontextprotocol/serverInfo": {"name": "bank", "version": "1"}}
    talk.upstream(result(0, resultType="complete", supportedVersions=["2026-07-28"], _meta=info))
    _, answer = asked(pay(), talk)

    assert "Server: bank" in answer["inputRequests"]["intercept_approval"]["params"]["message"]


def test_a_limit_that_is_used_up_bothers_nobody_and_is_charged_by_an_approval_only() -> None:
    talk = Conversation(ASKS)
    for number in range(4):
        _, answer = asked(pay(number), talk)
        talk.client(again(pay(number), answer["requestState"], YES if number > 1 else {"action": "decline"}))
    talk.client(pay(9))

    assert len(talk.to_upstream) == 2
    assert denied(talk.to_client[-1])["retry_after_s"] == 86_400


def test_no_handle_is_like_another_and_old_ones_are_forgotten() -> None:
    talk = Conversation("tools: {pay: {action: require_approval}}")
    states = [asked(pay(number), talk)[1]["requestState"] for number in range(MAX_HANDLES + 1)]
    assert len(set(states)) == len(states)

    talk.client(again(pay(0), states[0]))
    assert talk.to_client[-1]["error"]["code"] == -32602
    talk.client(again(pay(1), states[1]))
    assert talk.to_upstream == [pay("again 1")]


def test_what_handles_keep_is_bounded() -> None:
    handles = Handles(lambda: 0.0, os.urandom, max_size=10_000)
    states = []
    for number in range(3):
        message = Request(number, "tools/call", {"requestState": "x" * 6_000}, {})
        answer = json.loads(handles.answer(message, "", DECISION, Question("?", "allow once"), timeout=300.0))
        states.append(answer["result"]["requestState"])

    assert [handles.redeem(state) is not None for state in states] == [False, False, True]
