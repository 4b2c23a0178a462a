"""Calls that need input are made again with the answer: one call, decided anew, charged once (POLICY section 5)."""

from __future__ import annotations

import pytest

from intercept.continuation import CONTINUED_WITHIN, MAX_CONTINUATIONS
from tests.harness import Body, Conversation, call, denied, modern, request, result

ONE = "default: deny\ntools: {pay: {rate_limit: 1/day}, other: {rate_limit: 1/day}}"


def retry(id: object, name: str, state: object = None, **arguments: object) -> Body:  # noqa: A002
    extra = {} if state is None else {"requestState": state}
    return modern(request(id, "tools/call", name=name, arguments=arguments, inputResponses={"a": {}}, **extra))


def asks(id: object, state: object = "s1") -> Body:  # noqa: A002
    wanted = {"a": {"method": "elicitation/create", "params": {"message": "sure?"}}}
    extra = {} if state is None else {"requestState": state}
    return result(id, resultType="input_required", inputRequests=wanted, **extra)


def started(policy: str = ONE, state: object = "s1") -> Conversation:
    """A conversation in which the only call of the day was answered with a question."""
    talk = Conversation(policy)
    talk.client(modern(call(1, "pay", amount=1)))
    talk.upstream(asks(1, state))
    talk.forget()
    return talk


@pytest.mark.parametrize("state", ["s1", None])
def test_a_retry_that_brings_the_input_is_not_charged_again(state: object) -> None:
    talk = started(state=state)
    talk.client(retry(2, "pay", state, amount=1))

    assert [message["id"] for message in talk.to_upstream] == [2]


def test_each_round_of_input_continues_the_same_call() -> None:
    talk = started()
    for number in range(2, 6):
        talk.client(retry(number, "pay", f"s{number - 1}", amount=1))
        talk.upstream(asks(number, f"s{number}"))

    assert [message["id"] for message in talk.to_upstream] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    "other",
    [
        retry(2, "pay", "s2", amount=1),
        retry(2, "pay", amount=1),
        retry(2, "pay", "s1", amount=2),
        retry(2, "pay", {"s": 1}, amount=1),
        modern(call(2, "pay", amount=1)),
    ],
    ids=["another state", "no state", "other arguments", "a made-up state", "no input"],
)
def test_what_differs_from_the_call_that_asked_is_a_new_call(other: Body) -> None:
    talk = started()
    talk.client(other)

    assert talk.to_upstream == []
    assert denied(talk.to_client[0])["retry_after_s"] == 86_400


def test_the_state_of_one_tool_is_worth_nothing_for_another() -> None:
    talk = started()
    talk.client(modern(call(2, "other", amount=1)))
    talk.client(retry(3, "other", "s1", amount=1))

    assert [message["id"] for message in talk.to_upstream] == [2]


def test_a_state_is_good_once() -> None:
    talk = started()
    talk.client(retry(2, "pay", "s1", amount=1))
    talk.client(retry(3, "pay", "s1", amount=1))

    assert [message["id"] for message in talk.to_upstream] == [2]


def test_a_state_that_is_too_old_is_worth_nothing() -> None:
    talk = started()
    talk.now += CONTINUED_WITHIN
    talk.client(retry(2, "pay", "s1", amount=1))

    assert talk.to_upstream == []


def test_a_state_that_the_upstream_never_gave_is_worth_nothing() -> None:
    talk = Conversation(ONE)
    talk.client(modern(call(1, "pay", amount=1)))
    talk.upstream(result(1, content=[], resultType="complete", requestState="s1"))
    talk.client(retry(2, "pay", "s1", amount=1))

    assert [message["id"] for message in talk.to_upstream] == [1]


def test_a_request_without_the_envelope_continues_nothing() -> None:
    talk = started()
    talk.client(request(2, "tools/call", name="pay", arguments={"amount": 1}, requestState="s1"))

    assert talk.to_upstream == []


def test_what_denies_is_evaluated_again() -> None:
    talk = started()
    talk.reload("default: deny\ntools: {pay: {action: deny, reason: Closed.}}")
    talk.client(retry(2, "pay", "s1", amount=1))

    assert talk.to_upstream == []
    assert denied(talk.to_client[-1])["reason"] == "Closed."


def test_only_the_last_calls_that_asked_are_remembered() -> None:
    talk = Conversation("default: deny\ntools: {pay: {limits: [{max: 2000, window: day}]}}")
    for number in range(MAX_CONTINUATIONS + 1):
        talk.client(modern(call(number, "pay")))
        talk.upstream(asks(number, f"s{number}"))
    talk.reload("default: deny\ntools: {pay: {action: require_approval}}")
    talk.forget()
    talk.client(retry(-1, "pay", "s0"))
    talk.client(retry(-2, "pay", "s1"))

    assert [message["id"] for message in talk.to_upstream] == [-2]
