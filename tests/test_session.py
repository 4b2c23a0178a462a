from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercept.session import MAX_CANCELLED
from intercept.wire import coerced
from tests.harness import Body, Conversation, call, denied, modern, request, result

GUARDED = """
default: deny
hide: [secret]
tools:
  read: {}
  danger: {action: deny, reason: Off limits.}
  send: {rate_limit: {max: 2, window: 60}}
"""


def tools(*names: str) -> list[Body]:
    return [{"name": name, "inputSchema": {"type": "object"}} for name in names]


# --- tool calls -----------------------------------------------------------------------------------------------------


def test_an_allowed_call_and_its_answer_pass() -> None:
    talk = Conversation(GUARDED)
    talk.client(call(1, "read", path="a"))
    talk.upstream(result(1, content=[]))

    assert talk.to_upstream == [call(1, "read", path="a")]
    assert talk.to_client == [result(1, content=[])]
    assert talk.notes == []


def test_a_denied_call_never_reaches_the_upstream_and_its_reason_reaches_the_model() -> None:
    talk = Conversation(GUARDED)
    talk.client(call(1, "danger"))

    assert talk.to_upstream == []
    (answer,) = talk.to_client
    assert answer["id"] == 1
    assert answer["result"]["content"] == [{"type": "text", "text": "Policy violation: Off limits."}]
    assert "resultType" not in answer["result"]
    details = denied(answer)
    assert (details["decision"], details["tool"], details["rule"]) == ("deny", "danger", "danger#1")
    assert details["policy"] == talk.session.policy.digest
    assert talk.notes == ["denied `danger`: Off limits."]


def test_a_denial_has_the_shape_of_the_request_s_era() -> None:
    talk = Conversation(GUARDED)
    talk.client(modern(call(1, "danger")))
    talk.client(call(2, "danger"))

    assert [answer["result"].get("resultType") for answer in talk.to_client] == ["complete", None]


@pytest.mark.parametrize("era", ["none", "legacy", "modern"])
def test_every_call_is_judged_whatever_the_state_of_the_handshake(era: str) -> None:
    talk = Conversation(GUARDED)
    if era == "legacy":
        talk.initialize()
    elif era == "modern":
        talk.client(modern(request(0, "server/discover")))
        talk.upstream(result(0, supportedVersions=["2026-07-28"]))
    talk.forget()
    for number, message in enumerate([call(1, "danger"), modern(call(2, "danger")), call("x", "secret")], 1):
        talk.client(message)
        assert len(talk.to_client) == number

    assert talk.to_upstream == []


def test_a_used_up_limit_says_when_to_come_back() -> None:
    talk = Conversation(GUARDED)
    for number in range(3):
        talk.client(call(number, "send"))
        talk.now += 10

    assert len(talk.to_upstream) == 2
    (answer,) = talk.to_client
    text = answer["result"]["content"][0]["text"]
    assert text == "Policy violation: limit of 2 calls per minute for `send` is used up. Retry in 40 seconds."
    details = denied(answer)
    assert (details["max"], details["window_s"], details["retry_after_s"]) == (2, 60, 40)

    talk.now += 30  # the first call leaves the window at this very moment
    talk.client(call(9, "send"))
    assert len(talk.to_upstream) == 3


def test_a_task_augmented_call_is_denied_by_an_error_where_the_upstream_takes_tasks() -> None:
    talk = Conversation(GUARDED)
    talk.initialize({"tools": {}, "tasks": {"requests": {"tools": {"call": {}}}}})
    talk.client(request(1, "tools/call", name="danger", task={"ttl": 1000}))

    (answer,) = talk.to_client
    assert answer["error"]["code"] == -31403
    assert answer["error"]["message"] == "Policy violation: Off limits."


def test_a_task_is_ignored_where_the_upstream_declares_none() -> None:
    talk = Conversation(GUARDED)
    talk.initialize()
    talk.client(request(1, "tools/call", name="danger", task={"ttl": 1000}))

    assert denied(talk.to_client[0])["tool"] == "danger"


# --- ids ------------------------------------------------------------------------------------------------------------


def test_a_reused_request_id_is_refused_while_the_first_call_is_open() -> None:
    talk = Conversation()
    talk.client(call(1, "read"))
    talk.client(call(1, "read", path="/etc/passwd"))

    assert talk.to_upstream == [call(1, "read")]
    assert talk.to_client[0]["id"] == 1
    assert talk.to_client[0]["error"]["code"] == -32600


@pytest.mark.parametrize("other", ["7", " 7", "7.0", "0x7", "7e0", "\u0667", "0b111"])
def test_ids_that_some_client_takes_for_one_another_are_one_id(other: str) -> None:
    talk = Conversation()
    talk.client(call(7, "read"))
    talk.client(call(other, "read"))

    assert len(talk.to_upstream) == 1
    assert talk.to_client[0]["error"]["code"] == -32600


def test_an_id_is_free_again_once_it_was_answered() -> None:
    talk = Conversation(GUARDED)
    talk.client(call(1, "read"))
    talk.upstream(result(1))
    talk.client(call(1, "read"))
    talk.client(call(2, "danger"))
    talk.client(call(2, "read"))

    assert [message["id"] for message in talk.to_upstream] == [1, 1, 2]


@pytest.mark.parametrize("forged", ["7", 7.0, "0x7", "", None, True, 8, "07"])
def test_a_response_passes_only_for_an_id_in_flight_of_the_same_type_and_value(forged: object) -> None:
    talk = Conversation()
    talk.client(call(7, "read"))
    talk.upstream(result(forged, content="forged"))
    talk.upstream(result(7, content="true"))

    assert talk.to_client == [result(7, content="true")]


def test_a_second_response_is_dropped() -> None:
    talk = Conversation()
    talk.client(call(7, "read"))
    talk.upstream(result(7, n=1))
    talk.upstream(result(7, n=2))

    assert talk.to_client == [result(7, n=1)]


def test_nobody_answers_for_a_call_that_is_held() -> None:
    talk = Conversation()
    held = talk.judge(call(7, "read"))
    talk.upstream(result(7, forged=True))
    talk.resume(held)
    talk.upstream(result(7, forged=False))

    assert talk.to_client == [result(7, forged=False)]


def test_a_held_call_that_is_cancelled_is_neither_forwarded_nor_answered() -> None:
    talk = Conversation()
    held = talk.judge(call(7, "read"))
    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
    talk.resume(held)

    assert talk.to_upstream == []
    assert talk.to_client == []


def test_a_cancellation_reaches_the_upstream_and_its_late_answer_the_client() -> None:
    talk = Conversation()
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7, "reason": "slow"}}
    talk.client(call(7, "read"))
    talk.client(cancelled)
    talk.upstream(result(7))

    assert talk.to_upstream == [call(7, "read"), cancelled]
    assert talk.to_client == [result(7)]


def test_a_late_decision_is_not_taken_for_the_next_call_under_the_same_id() -> None:
    talk = Conversation()
    late = talk.judge(call(1, "read"))
    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    held = talk.judge(call(1, "send"))
    talk.resume(late)
    talk.resume(held)

    assert talk.to_upstream == [call(1, "send")]


def test_cancelling_one_request_often_does_not_free_its_id() -> None:
    talk = Conversation()
    talk.client(call(1, "read"))
    for _ in range(MAX_CANCELLED + 2):
        talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    talk.forget()
    talk.client(call(1, "read"))

    assert talk.to_upstream == []


def test_cancelled_requests_that_are_never_answered_do_not_pile_up() -> None:
    talk = Conversation()
    for number in range(3 * MAX_CANCELLED):
        talk.client(call(number, "read"))
        talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": number}})

    assert talk.session.in_flight == MAX_CANCELLED


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_an_integer_and_its_text_are_one_id(number: int) -> None:
    assert coerced(str(number)) == coerced(number) == number
    assert coerced(f" {number}.0 ") == number


@given(st.text(max_size=30))
def test_any_text_is_an_id(text: str) -> None:
    assert isinstance(coerced(text), str | int)


@pytest.mark.parametrize("text", ["listen-1", "nan", "inf", "-Infinity", "1.5", "0x", "9" * 5000, "a7"])
def test_text_that_is_no_whole_number_stays_text(text: str) -> None:
    assert coerced(text) == text


# --- refusals -------------------------------------------------------------------------------------------------------


def test_a_refused_frame_is_answered_and_the_next_honest_call_passes() -> None:
    talk = Conversation()
    talk.client(b"[]")
    talk.client(b'{"jsonrpc":"2.0","id":3,"method":"ping","method":"tools/call"}')
    talk.client(call(4, "read"))

    assert [(answer["id"], answer["error"]["code"]) for answer in talk.to_client] == [(None, -32600), (3, -32600)]
    assert talk.to_upstream == [call(4, "read")]


def test_a_response_nobody_asked_for_is_dropped() -> None:
    talk = Conversation()
    talk.client(result(1, action="accept"))

    assert talk.to_upstream == []
    assert talk.to_client == []
    assert len(talk.notes) == 1


def test_unknown_methods_follow_the_default() -> None:
    for policy, passes in [("default: allow", True), ("default: deny", False)]:
        talk = Conversation(policy)
        talk.client(request(1, "vendor/run", tool="danger"))
        talk.client({"jsonrpc": "2.0", "method": "notifications/vendor"})

        assert len(talk.to_upstream) == (2 if passes else 0)
        assert [answer["error"]["code"] for answer in talk.to_client] == ([] if passes else [-31403])


def test_methods_of_the_protocol_pass_under_any_default() -> None:
    talk = Conversation("default: deny")
    methods = ["initialize", "server/discover", "ping", "tools/list", "resources/read", "prompts/get", "tasks/update"]
    for number, method in enumerate(methods):
        talk.client(request(number, method))

    assert [message["method"] for message in talk.to_upstream] == methods


# --- lists ----------------------------------------------------------------------------------------------------------


def listed(talk: Conversation, answer: Body, *, envelope: bool = False) -> Body:
    message = request("list", "tools/list")
    talk.client(modern(message) if envelope else message)
    talk.upstream({"jsonrpc": "2.0", "id": "list", "result": answer})
    body: Body = talk.to_client[-1]["result"]
    return body


def test_what_the_policy_hides_or_denies_is_left_out_and_all_else_stays() -> None:
    talk = Conversation(GUARDED)
    answer = {"extra": 1, "tools": tools("send", "secret", "unlisted", "read", "danger"), "nextCursor": ""}

    assert listed(talk, answer) == {"extra": 1, "tools": tools("send", "read"), "nextCursor": ""}


def test_an_unedited_list_passes_byte_for_byte() -> None:
    talk = Conversation(GUARDED)
    frame = b'{"result" : {"tools":[{"name":"read"}],"nextCursor":""}, "id":1,"jsonrpc":"2.0"}'
    talk.client(request(1, "tools/list"))
    talk.upstream(frame)

    assert talk.raw_to_client == [frame + b"\n"]


def test_an_edited_modern_list_is_private_and_not_cached_for_long() -> None:
    answer = {"tools": tools("secret"), "ttlMs": 3_600_000, "cacheScope": "public", "resultType": "complete"}
    expected = {"tools": [], "ttlMs": 10_000, "cacheScope": "private", "resultType": "complete"}

    assert listed(Conversation(GUARDED), answer, envelope=True) == expected
    unchanging = listed(Conversation(GUARDED, reloads=False), answer, envelope=True)
    assert unchanging == expected | {"ttlMs": 3_600_000}


def test_an_edited_legacy_list_gets_no_member_it_did_not_have() -> None:
    assert listed(Conversation(GUARDED), {"tools": tools("secret")}) == {"tools": []}


def test_entries_without_a_name_are_left_out() -> None:
    answer = {"tools": [{"name": ["danger"]}, "danger", {}, {"name": "read"}, None]}

    assert listed(Conversation(GUARDED), answer) == {"tools": [{"name": "read"}]}


def test_a_list_that_is_no_list_is_an_error_and_not_passed() -> None:
    talk = Conversation(GUARDED)
    talk.client(request(1, "tools/list"))
    talk.upstream(result(1, tools={"danger": {}}))

    assert talk.to_client[0]["error"]["code"] == -32603


def test_no_page_of_a_list_that_could_be_edited_is_cached_for_others() -> None:
    answer = {"tools": tools("read"), "ttlMs": 3_600_000, "cacheScope": "public", "resultType": "complete"}

    assert listed(Conversation(GUARDED), answer, envelope=True) == answer | {"ttlMs": 10_000, "cacheScope": "private"}
    assert listed(Conversation(), answer, envelope=True) == answer


def test_a_list_cannot_escape_the_filter_by_looking_like_something_else() -> None:
    answer = {"tools": tools("secret"), "inputRequests": {}, "resultType": "input_required"}

    assert listed(Conversation(GUARDED), answer) == answer | {"tools": []}


def test_only_the_answer_to_a_list_request_is_filtered() -> None:
    talk = Conversation(GUARDED)
    talk.client(call(1, "read"))
    talk.upstream(result(1, tools=tools("secret")))

    assert talk.to_client == [result(1, tools=tools("secret"))]


def test_resources_and_prompts_are_filtered_and_judged_only_if_the_policy_has_them() -> None:
    free = Conversation("default: deny")
    free.client(request(1, "resources/read", uri="file:///etc/passwd"))
    assert len(free.to_upstream) == 1

    talk = Conversation('default: deny\nresources:\n  "docs://*": {}\nprompts: {greet: {}}\n')
    talk.client(request(1, "resources/read", uri="file:///etc/passwd"))
    talk.client(request(2, "resources/read", uri="docs://a"))
    talk.client(request(3, "prompts/get", name="other"))
    talk.client(request(4, "prompts/get", name="greet", arguments={"a": "b"}))
    talk.client(request(5, "completion/complete", ref={"type": "ref/prompt", "name": "other"}, argument={}))
    talk.client(request(6, "resources/subscribe", uri="file:///x"))
    talk.client(request(7, "resources/read", uri=["docs://a"]))
    listen = {"resourceSubscriptions": ["docs://a", "file:///x"]}
    talk.client(modern(request(8, "subscriptions/listen", notifications=listen)))
    talk.client(request(9, "resources/list"))
    talk.upstream(result(9, resources=[{"uri": "file:///x"}, {"uri": "docs://a"}]))

    assert [message["id"] for message in talk.to_upstream] == [2, 4, 9]
    errors = [(answer["id"], answer["error"]["code"]) for answer in talk.to_client if "error" in answer]
    assert errors == [(number, -31403) for number in (1, 3, 5, 6, 7, 8)]
    assert talk.to_client[-1] == result(9, resources=[{"uri": "docs://a"}])


# --- requests of the upstream ---------------------------------------------------------------------------------------


def test_a_request_of_the_upstream_and_its_one_answer_pass() -> None:
    talk = Conversation()
    talk.initialize()
    ask = request("s1", "elicitation/create", message="?")
    talk.upstream(ask)
    talk.client(result("s1", action="accept"))
    talk.client(result("s1", action="accept"))

    assert talk.to_client == [ask]
    assert talk.to_upstream == [result("s1", action="accept")]


@pytest.mark.parametrize("other", ["1", 1.0, True])
def test_the_client_s_answer_must_have_the_very_id_that_was_asked_under(other: object) -> None:
    talk = Conversation()
    talk.initialize()
    talk.upstream(request(1, "roots/list"))
    talk.client(result(other, roots=[]))

    assert talk.to_upstream == []


def test_the_upstream_cannot_use_an_id_of_the_proxy() -> None:
    talk = Conversation()
    talk.initialize()
    talk.upstream(request("intercept-00", "elicitation/create"))

    assert talk.to_client == []


def test_a_server_of_2026_sends_no_requests() -> None:
    talk = Conversation()
    talk.client(modern(request(1, "server/discover")))
    talk.upstream(result(1, supportedVersions=["2026-07-28"]))
    talk.forget()
    talk.upstream(request(1, "elicitation/create"))

    assert talk.to_client == []


def test_a_refused_discovery_does_not_silence_a_legacy_server() -> None:
    talk = Conversation()
    talk.client(modern(request(1, "server/discover")))
    talk.upstream({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "?"}})
    talk.forget()
    talk.upstream(request(1, "ping"))

    assert talk.to_client == [request(1, "ping")]


def test_what_the_policy_does_not_let_the_upstream_ask_is_declined_in_the_client_s_place() -> None:
    talk = Conversation("default: allow\nserver_requests: {sampling: deny, elicitation: deny, roots: deny}\n")
    talk.initialize()
    talk.upstream(request(1, "sampling/createMessage"))
    talk.upstream(request(2, "elicitation/create"))
    talk.upstream(request(3, "roots/list"))
    talk.upstream(request(4, "ping"))

    assert talk.to_client == [request(4, "ping")]
    assert [answer.get("error", {}).get("code") or answer["result"] for answer in talk.to_upstream] == [
        -1,
        {"action": "decline"},
        -32601,
    ]


def test_the_same_holds_for_requests_inside_a_result() -> None:
    talk = Conversation("default: allow\nserver_requests: {sampling: deny}\n")
    wanted = {"a": {"method": "elicitation/create"}, "b": {"method": "sampling/createMessage"}}
    talk.client(modern(call(1, "read")))
    talk.upstream(result(1, resultType="input_required", inputRequests=wanted))
    talk.client(modern(request(2, "prompts/get", name="p")))
    talk.upstream(result(2, resultType="input_required", inputRequests=wanted))
    talk.client(modern(call(3, "read")))
    passed = result(3, resultType="input_required", inputRequests={"a": wanted["a"]}, requestState="s")
    talk.upstream(passed)

    assert denied(talk.to_client[0])["tool"] == "read"
    assert talk.to_client[1]["error"]["code"] == -31403
    assert talk.to_client[2] == passed


def test_and_for_the_other_ways_of_asking() -> None:
    talk = Conversation("default: allow\nserver_requests: {elicitation: deny}\n")
    talk.client(call(1, "read"))
    urls = {"elicitations": [{"mode": "url", "url": "https://example.com"}]}
    talk.upstream({"jsonrpc": "2.0", "id": 1, "error": {"code": -32042, "message": "sign in", "data": urls}})
    asking = {"inputRequests": {"a": {"method": "elicitation/create"}}}
    talk.upstream({"jsonrpc": "2.0", "method": "notifications/tasks", "params": asking})

    assert denied(talk.to_client[0])["tool"] == "read"
    assert len(talk.to_client) == 1
    assert talk.notes[0] == "denied elicitation to the upstream"


def test_an_answer_of_the_client_that_cannot_pass_is_an_error_for_the_upstream() -> None:
    talk = Conversation()
    talk.initialize()
    talk.upstream(request("s1", "sampling/createMessage"))
    talk.client(b'{"jsonrpc":"2.0","id":"s1","result":{"n":1e400}}')

    assert talk.to_upstream[0]["error"]["code"] == -32603


@pytest.mark.parametrize(
    "ref",
    [
        {"type": "ref/Resource", "uri": "file:///x"},
        {"uri": "file:///x"},
        {"type": "ref/prompt", "name": "p", "uri": "file:///x"},
        {"type": "ref/resource", "uri": ["file:///x"]},
    ],
)
def test_a_completion_uses_whatever_it_names(ref: Body) -> None:
    talk = Conversation('default: allow\nresources: {"file:///*": {action: deny}}\n')
    talk.client(request(1, "completion/complete", ref=ref, argument={}))

    assert talk.to_upstream == []


# --- endings, junk and reload ---------------------------------------------------------------------------------------


def test_a_malformed_answer_is_an_error_for_the_request_that_waits_for_it() -> None:
    talk = Conversation()
    talk.client(call(7, "read"))
    talk.upstream(b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}')
    talk.upstream(b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}')
    talk.upstream(b"ready\n"[:-1])

    assert [(answer["id"], answer["error"]["code"]) for answer in talk.to_client] == [(7, -32603)]


def test_every_request_in_flight_is_answered_when_the_upstream_exits() -> None:
    talk = Conversation()
    talk.client(call(1, "read"))
    talk.client(request("two", "tools/list"))
    held = talk.judge(call(3, "read"))
    talk.upstream_exits()
    talk.resume(held)
    talk.upstream_exits()

    assert [answer["id"] for answer in talk.to_client] == [1, "two", 3]
    assert talk.to_client[0]["error"]["message"] == "the server gave no answer: it exited with code 3"
    assert len(talk.to_upstream) == 2


def test_a_reload_decides_the_next_call_and_keeps_the_counters() -> None:
    talk = Conversation("default: deny\ntools: {send: {rate_limit: 2/minute}}")
    talk.client(call(1, "send"))
    talk.client(call(2, "other"))
    talk.reload("default: deny\ntools: {other: {}, send: {rate_limit: 2/minute}}")
    for number, name in enumerate(["other", "send", "send"], 3):
        talk.client(call(number, name))

    assert [message["id"] for message in talk.to_upstream] == [1, 3, 4]


@pytest.mark.parametrize(("declared", "notices"), [(True, 1), (False, 0)])
def test_a_legacy_client_is_told_of_a_reload_if_the_upstream_declared_it(*, declared: bool, notices: int) -> None:
    talk = Conversation()
    talk.initialize({"tools": {"listChanged": declared}})
    talk.reload(GUARDED)

    assert talk.to_client == [{"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}] * notices


def test_a_client_that_has_not_finished_its_handshake_is_told_nothing() -> None:
    talk = Conversation()
    talk.client(request(1, "initialize"))
    talk.upstream(result(1, capabilities={"tools": {"listChanged": True}}))
    talk.forget()
    talk.reload(GUARDED)

    assert talk.to_client == []


def test_each_acknowledged_subscription_of_a_modern_client_is_told_of_a_reload() -> None:
    talk = Conversation()
    wanted = {"toolsListChanged": True}
    for name in ("listen-1", "listen-2", "listen-3"):
        talk.client(modern(request(name, "subscriptions/listen", notifications=wanted)))
    for name in ("listen-1", "listen-2", "listen-9"):
        meta = {"io.modelcontextprotocol/subscriptionId": name}
        acknowledged = {"_meta": meta, "notifications": wanted if name != "listen-2" else {}}
        talk.upstream({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": acknowledged})
    talk.forget()
    talk.reload(GUARDED)

    told = [json.dumps(notice["params"]["_meta"]) for notice in talk.to_client]
    assert told == ['{"io.modelcontextprotocol/subscriptionId": "listen-1"}']

    talk.client({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "listen-1"}})
    talk.forget()
    talk.reload(GUARDED)
    assert talk.to_client == []


# --- properties -----------------------------------------------------------------------------------------------------

_names = st.sampled_from(["read", "danger", "send", "secret", "unlisted", "Danger", "danger ", "d\u200banger"])
_ids = st.sampled_from([1, 2, "1", "a", 0, ""])
_messages = st.one_of(
    st.builds(call, _ids, _names),
    st.builds(lambda i, n: modern(call(i, n)), _ids, _names),
    st.builds(lambda i, m: request(i, m), _ids, st.sampled_from(["tools/list", "initialize", "ping", "x"])),
    st.builds(lambda i: result(i, tools=tools("danger", "read")), _ids),
    st.builds(
        lambda i: {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": i}},
        _ids | st.none() | st.lists(st.none()),
    ),
    st.builds(lambda i: request(i, "roots/list"), _ids),
)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), _messages), max_size=30))
def test_no_conversation_lets_a_forbidden_tool_run_or_ends_in_an_exception(turns: list[tuple[bool, Body]]) -> None:
    talk = Conversation(GUARDED)
    asked = 0
    for from_client, message in turns:
        if from_client:
            talk.client(message)
            asked += "method" in message and "id" in message
        else:
            talk.upstream(message)

    ran = [m["params"]["name"] for m in talk.to_upstream if m.get("method") == "tools/call"]
    assert set(ran) <= {"read", "send"}
    assert ran.count("send") <= 2
    assert sum("method" not in m for m in talk.to_client) <= asked
