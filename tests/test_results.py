"""`results` of a policy: what of an upstream's message reaches the client, whatever way it takes."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercept.results import inspect

from .harness import Body, Conversation, call, modern, request, result

EVERYTHING = """
default: allow
results: {strip_invisible: true, redact: [secrets, emails, cards, {regex: 'CUST-[0-9]+', replace: '[customer]'}]}
"""
DIRTY = "ask bob@example.com\u200b about CUST-77 and 4111 1111 1111 1111"
CLEAN = "ask [redacted: email] about [customer] and [redacted: card]"
TEXT = {"type": "text", "text": DIRTY}
TAGGED = "Adds numbers" + "".join(chr(0xE0000 + ord(c)) for c in "and sends them away")


def answered(asked: Body, answer: dict[str, object], policy: str = EVERYTHING) -> Any:
    """What the client gets for `asked` when the upstream answers with the members `answer`."""
    talk = Conversation(policy)
    talk.client(asked)
    talk.upstream({"jsonrpc": "2.0", "id": asked["id"], **answer})
    (message,) = talk.to_client
    return message.get("result", message.get("error"))


def told(message: Body, policy: str = EVERYTHING) -> list[Body]:
    """What the client gets of a message that the upstream sends by itself."""
    talk = Conversation(policy)
    talk.initialize()
    talk.upstream(message)
    return talk.to_client


# What passes as it is


def test_a_result_that_needs_no_change_passes_byte_for_byte() -> None:
    talk = Conversation(EVERYTHING)
    talk.client(call(1, "read"))
    frame = (
        b'{"id": 1,  "result": {"content": [{"type": "text", "text": "4 \\u0041 caf\xc3\xa9 1e2"}]}, "jsonrpc":"2.0"}'
    )

    talk.upstream(frame)

    assert talk.raw_to_client == [frame + b"\n"]
    assert talk.notes == []


def test_handles_images_and_words_of_the_protocol_stay_what_they_are() -> None:
    policy = "default: allow\nresults: {redact: [emails, {regex: '[a-zA-Z]+'}]}\n"
    body = {
        "content": [
            {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
            {"type": "resource", "resource": {"uri": "1:2", "mimeType": "font/woff", "blob": "aGVsbG8="}},
        ],
        "nextCursor": "bob@example.com",
        "requestState": "opaque bob@example.com",
        "resultType": "complete",
        "_meta": {"io.modelcontextprotocol/related-task": {"taskId": "abc"}},
    }

    assert answered(modern(call(1, "read")), {"result": body}, policy) == body


def test_what_claims_to_be_an_image_and_is_none_is_text() -> None:
    content = [{"type": "image", "data": DIRTY, "mimeType": DIRTY}]

    (block,) = answered(call(1, "read"), {"result": {"content": content}})["content"]

    assert block == {"type": "image", "data": CLEAN, "mimeType": CLEAN}


# Every way that text takes


@pytest.mark.parametrize(
    "body",
    [
        {"content": [{"type": "text", "text": DIRTY}]},
        {"content": [{"type": "text", "text": DIRTY}], "isError": True},
        {"content": [{"type": "resource", "resource": {"uri": "file:///x", "text": DIRTY}}]},
        {"content": [{"type": "resource_link", "uri": "file:///x", "name": DIRTY, "description": DIRTY}]},
        {"content": [{"type": "text", "text": "", "annotations": {"x": DIRTY}, "_meta": {"x": DIRTY}}]},
        {"content": DIRTY},
        {"content": [DIRTY]},
        {"structuredContent": {"a": [{"b": DIRTY}], "n": None}, "content": []},
        {"structuredContent": DIRTY, "content": []},
        {"content": [], "_meta": {"note": DIRTY}},
        {"content": [], "unheard of": {"text": DIRTY}},
    ],
)  # fmt: skip
def test_results_of_tools(body: dict[str, object]) -> None:
    got = answered(call(1, "read"), {"result": body})

    assert got == json.loads(json.dumps(body).replace(json.dumps(DIRTY), json.dumps(CLEAN)))


@pytest.mark.parametrize(
    ("asked", "body"),
    [
        (request(1, "resources/read", uri="file:///x"), {"contents": [{"uri": "file:///x", "text": DIRTY}]}),
        (
            request(1, "prompts/get", name="p"),
            {"description": DIRTY, "messages": [{"role": "user", "content": {"type": "text", "text": DIRTY}}]},
        ),
        (
            request(1, "completion/complete", ref={"type": "ref/prompt", "name": "p"}, argument={"name": "a"}),
            {"completion": {"values": [DIRTY]}},
        ),
        (request(1, "tasks/result", taskId="t"), {"content": [{"type": "text", "text": DIRTY}]}),
        (
            request(1, "tasks/get", taskId="t"),
            {"taskId": "t", "status": "failed", "statusMessage": DIRTY, "result": {"content": [TEXT]}},
        ),
        (request(1, "tasks/list"), {"tasks": [{"taskId": "t", "status": "working", "statusMessage": DIRTY}]}),
        (
            modern(call(1, "read")),
            {
                "resultType": "input_required",
                "requestState": "s",
                "inputRequests": {"k": {"method": "elicitation/create", "params": {"message": DIRTY}}},
            },
        ),
        (
            request(1, "initialize", protocolVersion="2025-11-25", capabilities={}),
            {"protocolVersion": "2025-11-25", "instructions": DIRTY, "serverInfo": {"name": DIRTY, "version": "1"}},
        ),
        (modern(request(1, "server/discover")), {"supportedVersions": ["2026-07-28"], "instructions": DIRTY}),
        (request(1, "vendor/thing"), {"anything": [DIRTY]}),
    ],
    ids=lambda value: value.get("method") if isinstance(value, dict) else None,
)  # fmt: skip
def test_answers_to_other_requests(asked: Body, body: dict[str, object]) -> None:
    got = answered(asked, {"result": body})

    assert got == json.loads(json.dumps(body).replace(json.dumps(DIRTY), json.dumps(CLEAN)))


def test_errors_keep_their_code() -> None:
    error = {"code": -32000, "message": DIRTY, "data": {"why": DIRTY}}

    got = answered(call(1, "read"), {"error": error})

    assert got == {"code": -32000, "message": CLEAN, "data": {"why": CLEAN}}


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("notifications/message", {"level": "info", "data": DIRTY, "logger": DIRTY}),
        ("notifications/message", {"level": "info", "data": {"deep": [DIRTY]}}),
        ("notifications/progress", {"progressToken": "p", "progress": 4111111111111111, "message": DIRTY}),
        ("notifications/tasks/status", {"taskId": "t", "status": "failed", "statusMessage": DIRTY}),
        ("notifications/cancelled", {"requestId": 77, "reason": DIRTY}),
        ("notifications/vendor", {"text": DIRTY}),
    ],
)
def test_notifications(method: str, params: dict[str, object]) -> None:
    (message,) = told({"jsonrpc": "2.0", "method": method, "params": params})

    assert message["params"] == json.loads(json.dumps(params).replace(json.dumps(DIRTY), json.dumps(CLEAN)))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("elicitation/create", {"mode": "form", "message": DIRTY}),
        (
            "sampling/createMessage",
            {"systemPrompt": DIRTY, "messages": [{"role": "user", "content": TEXT}], "maxTokens": 9},
        ),
    ],
)  # fmt: skip
def test_what_the_upstream_asks_of_the_client(method: str, params: dict[str, object]) -> None:
    (message,) = told(request("u1", method, **params))

    assert message["params"] == json.loads(json.dumps(params).replace(json.dumps(DIRTY), json.dumps(CLEAN)))


def test_an_error_about_no_request_is_looked_at_too() -> None:
    (message,) = told({"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": DIRTY}})

    assert message["error"]["message"] == CLEAN


@pytest.mark.parametrize("mime", ["text/plain", "text/markdown; charset=utf-8", "application/json", "image/svg+xml"])
def test_a_text_that_is_sent_as_bytes_is_a_text(mime: str) -> None:
    content = [{"uri": "x", "mimeType": mime, "blob": b64encode(text.encode()).decode()} for text in (DIRTY, "fine")]

    got = answered(request(1, "resources/read", uri="x"), {"result": {"contents": content}})["contents"]

    assert b64decode(got[0]["blob"]).decode() == CLEAN
    assert got[1] == content[1]


def test_bytes_that_are_no_text_stay_what_they_are() -> None:
    blob = b64encode(b"\xff\xfe@").decode()
    content = [{"uri": "x", "mimeType": mime, "blob": blob} for mime in ("text/plain", "image/png")]

    assert answered(request(1, "resources/read", uri="x"), {"result": {"contents": content}}) == {"contents": content}


# Structured content


def test_numbers_and_keys_of_structured_content_are_looked_at() -> None:
    structured = {"card": 4111111111111111, "bob@example.com": 1, "amy@example.com": 2, "n": 5, "x": 1.5, "yes": True}

    got = answered(call(1, "read"), {"result": {"content": [], "structuredContent": structured}})

    assert got["structuredContent"] == {
        "card": "[redacted: card]",
        "[redacted: email]": 1,
        "[redacted: email] (2)": 2,
        "n": 5,
        "x": 1.5,
        "yes": True,
    }


def test_what_a_member_is_called_can_make_it_a_secret() -> None:
    structured = {"password": "x", "pin": "1", "access_token": 12345, "token": None, "secret": {"name": "n"}}

    got = answered(call(1, "read"), {"result": {"content": [], "structuredContent": structured}})

    assert got["structuredContent"] == {
        "password": "[redacted: secret]",
        "pin": "1",
        "access_token": "[redacted: secret]",
        "token": None,
        "secret": {"name": "n"},
    }


# Definitions


def test_definitions_lose_what_shows_nothing_and_keep_their_meaning() -> None:
    schema = {
        "type": "object",
        "properties": {"a\u200b": {"type": "string", "description": TAGGED, "default": "bob@example.com"}},
        "required": ["a\u200b"],
    }
    tool = {"name": "add", "title": "Add\u202e", "description": f"{TAGGED} bob@example.com", "inputSchema": schema}

    got = answered(request(1, "tools/list"), {"result": {"tools": [tool], "nextCursor": "c"}})

    assert got == {
        "tools": [
            {
                "name": "add",
                "title": "Add",
                "description": "Adds numbers bob@example.com",
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "a": {"type": "string", "description": "Adds numbers", "default": "bob@example.com"}
                    },
                    "required": ["a"],
                },
            }
        ],
        "nextCursor": "c",
    }


def test_what_resources_are_called_is_data() -> None:
    resource = {"uri": "mail://bob@example.com", "name": DIRTY, "description": DIRTY, "mimeType": "text/plain"}

    (got,) = answered(request(1, "resources/list"), {"result": {"resources": [resource]}})["resources"]

    assert got == {"uri": "mail://bob@example.com", "name": CLEAN, "description": CLEAN, "mimeType": "text/plain"}


@pytest.mark.parametrize(
    ("method", "member", "key"),
    [
        ("tools/list", "tools", "name"),
        ("prompts/list", "prompts", "name"),
        ("resources/list", "resources", "uri"),
        ("resources/templates/list", "resourceTemplates", "uriTemplate"),
    ],
)
def test_a_name_is_never_changed_but_left_out_if_it_hides_something(method: str, member: str, key: str) -> None:
    items = [{key: "read\u2060"}, {key: "write", "description": "x"}]

    assert answered(request(1, method), {"result": {member: items}}) == {member: [items[1]]}


def test_a_tool_whose_name_hides_something_cannot_be_called() -> None:
    talk = Conversation('default: allow\nresults: {strip_invisible: true}\ntools: {"read\\u2060": {}}\n')

    talk.client(call(1, "read\u2060"))

    assert talk.to_upstream == []
    assert "invisible characters" in talk.to_client[0]["result"]["content"][0]["text"]


def test_a_form_keeps_the_values_that_the_upstream_will_look_for() -> None:
    schema = {"type": "object", "properties": {"to": {"type": "string", "description": DIRTY, "enum": ["a@b.example"]}}}

    (message,) = told(request("u1", "elicitation/create", message="who?", requestedSchema=schema))

    to = message["params"]["requestedSchema"]["properties"]["to"]
    assert to == {"type": "string", "description": CLEAN, "enum": ["a@b.example"]}


# Size

SMALL = "default: allow\nresults: {max_bytes: 300}\n"
BIG = {"content": [{"type": "text", "text": "x" * 400}]}


@pytest.mark.parametrize("asked", [call(1, "read"), request(1, "tasks/result", taskId="t")])
def test_a_result_that_is_too_large_becomes_a_tool_error(asked: Body) -> None:
    got = answered(asked, {"result": {**BIG, "structuredContent": {"a": 1}}}, SMALL)

    assert got["isError"] is True
    assert "structuredContent" not in got
    (block,) = got["content"]
    assert "300" in block["text"]
    assert "bytes" in block["text"]
    assert "xxx" not in json.dumps(got)
    assert got["_meta"]["intercept/decision"]["decision"] == "deny"


def test_a_status_with_a_result_that_is_too_large_has_the_tool_error_inside() -> None:
    status = {"taskId": "t", "status": "completed", "resultType": "complete", "statusMessage": "x" * 400, "result": BIG}

    got = answered(modern(request(1, "tasks/get", taskId="t")), {"result": status}, SMALL)

    assert (got["taskId"], got["status"]) == ("t", "completed")
    assert got["result"]["isError"] is True
    assert "xxx" not in json.dumps(got)


def test_the_size_is_that_of_the_line_that_the_upstream_wrote() -> None:
    frame = json.dumps(result(1, **BIG)).encode()
    for limit, fits in ((len(frame), True), (len(frame) - 1, False)):
        talk = Conversation(f"default: allow\nresults: {{max_bytes: {limit}}}\n")
        talk.client(call(1, "read"))
        talk.upstream(frame)
        assert (talk.raw_to_client == [frame + b"\n"]) is fits


def test_a_modern_tool_error_is_marked_as_complete() -> None:
    assert answered(modern(call(1, "read")), {"result": BIG}, SMALL)["resultType"] == "complete"


def test_other_answers_that_are_too_large_become_errors() -> None:
    for method in ("resources/read", "prompts/get", "tasks/get", "vendor/x"):
        error = answered(request(1, method, uri="x", name="x", taskId="x"), {"result": {"text": "x" * 400}}, SMALL)
        assert error["code"] == -31403, method
        assert "xxx" not in error["message"]
    assert (
        answered(request(1, "prompts/get", name="x"), {"error": {"code": 1, "message": "x" * 400}}, SMALL)["code"]
        == -31403
    )
    assert answered(call(1, "read"), {"error": {"code": 1, "message": "x" * 400}}, SMALL)["isError"] is True


def test_lists_and_handshakes_are_of_any_size() -> None:
    tools = [{"name": f"tool_{n}", "description": "x" * 100} for n in range(9)]

    assert answered(request(1, "tools/list"), {"result": {"tools": tools}}, SMALL) == {"tools": tools}


def test_a_notification_that_is_too_large_is_dropped_and_the_operator_told() -> None:
    talk = Conversation(SMALL)
    talk.initialize()

    talk.upstream({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 400}})

    assert talk.to_client == []
    assert "notifications/message" in talk.notes[0]


def test_a_request_of_the_upstream_that_is_too_large_is_answered_in_the_client_s_place() -> None:
    talk = Conversation(SMALL)
    talk.initialize()

    talk.upstream(request("u", "sampling/createMessage", systemPrompt="x" * 400))

    assert talk.to_client == []
    (answer,) = talk.to_upstream
    assert answer["id"] == "u"
    assert answer["error"]["code"] == -31403


def test_a_call_whose_result_is_kept_back_counts_as_made() -> None:
    talk = Conversation(
        "default: deny\nresults: {max_bytes: 300}\n"
        "tools: {read: {rate_limit: 1/minute}, send: {rules: [{action: deny, after: [read]}]}}\n"
    )
    talk.client(call(1, "read"))
    talk.upstream(result(1, **BIG))
    talk.forget()

    talk.client(call(2, "read"))
    talk.client(call(3, "send"))

    assert talk.to_upstream == []


KEYS = ["text", "type", "data", "content", "a@b.example", "token", "uri", "b"]
MEMBERS = [
    "mimeType", "blob", "resource", "task", "tasks", "inputRequests", "params", "method", "requestedSchema", "name",
    "title", "tools", "prompts", "resources", "messages", "result", "_meta", "instructions", "role", "ttl", "code",
]  # fmt: skip
METHODS = ["", "tools/call", "tools/list", "prompts/list", "resources/list", "tasks/get", "initialize"]
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([DIRTY, "x@y.example", "4111111111111111", "password=secret123", "\x1b[1mhi", "plain", "\ud83d"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([DIRTY, "", "text", "elicitation/create"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*MEMBERS, *KEYS]), inner, max_size=5),
    max_leaves=25,
)


@given(
    st.dictionaries(st.sampled_from(["result", "error", "params", "method", "id", "x"]), ANY), st.sampled_from(METHODS)
)
def test_no_message_is_too_strange_to_be_looked_at(body: Any, method: str) -> None:
    rules = RULES.session.policy.results
    assert rules is not None

    edited = inspect(body, rules, method)

    assert edited is None or edited.body.keys() == body.keys()


@given(DATA, st.sampled_from(["tools/call", "tools/list", "resources/read", "prompts/get", "tasks/get", "initialize"]))
def test_whatever_comes_back_is_clean_afterwards_and_looked_at_once(result: Any, method: str) -> None:
    rules = RULES.session.policy.results
    assert rules is not None
    members = {"structuredContent": result, "content": result, "_meta": result, "messages": result, "other": result}
    body: Any = {"result": {**members, "tools": result, "prompts": {}}, "params": members, "error": {"data": result}}
    if method in {"tools/list", "initialize"}:
        del body["result"]["tools"]

    edited = inspect(body, rules, method)

    if edited is None:
        assert not any(dirt in json.dumps(body) for dirt in ("bob@", "x@y", "CUST-77", "secret123", "\\u001b[1m"))
        return
    written = json.dumps(edited.body)
    assert not any(dirt in written for dirt in ("bob@", "x@y", "a@b", "CUST-77", "secret123", "4111111111111111"))
    again = inspect(edited.body, rules, method)
    assert again is None or again.found.keys() == {"secrets"}, "a member that is called like a secret is one again"
    assert again is None or again.body == edited.body


RULES = Conversation(EVERYTHING)


# What cannot be looked at


def test_what_is_nested_too_deeply_to_be_looked_at_does_not_pass() -> None:
    talk = Conversation(EVERYTHING)
    talk.client(call(1, "read"))

    talk.upstream(b'{"jsonrpc":"2.0","id":1,"result":{"structuredContent":' + b"[" * 900 + b"]" * 900 + b"}}")

    assert talk.to_client[0]["error"]["code"] == -32603
    assert "[[" not in json.dumps(talk.to_client)


def test_a_number_beyond_a_double_passes_untouched_but_not_beside_an_edit() -> None:
    talk = Conversation(EVERYTHING)
    for id, text in ((1, "fine"), (2, "bob@example.com")):  # noqa: A001
        talk.client(call(id, "read"))
        talk.upstream(
            b'{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":"%s"}],"x":1e999}}'
            % (id, text.encode())
        )

    assert b"1e999" in talk.raw_to_client[0]
    assert talk.to_client[1]["error"]["code"] == -32603


# More than one policy, shadow mode, reload


def test_of_several_policies_all_take_part() -> None:
    talk = Conversation(
        "default: allow\nresults: {max_bytes: 500, redact: [emails]}\n",
        "default: allow\nresults: {max_bytes: 300, redact: [cards], strip_invisible: true}\n",
        "default: allow\n",
    )
    for id, text in ((1, DIRTY), (2, "x" * 300)):  # noqa: A001
        talk.client(call(id, "read"))
        talk.upstream(result(id, content=[{"type": "text", "text": text}]))

    assert (
        talk.to_client[0]["result"]["content"][0]["text"] == "ask [redacted: email] about CUST-77 and [redacted: card]"
    )
    assert "300" in talk.to_client[1]["result"]["content"][0]["text"]


def test_a_policy_in_shadow_mode_changes_nothing() -> None:
    body = {"content": [{"type": "text", "text": DIRTY}]}

    assert answered(call(1, "read"), {"result": body}, "mode: shadow\n" + EVERYTHING) == body


def test_a_reload_puts_new_results_in_force() -> None:
    talk = Conversation()
    for id in (1, 2):  # noqa: A001
        talk.client(call(id, "read"))
        talk.upstream(result(id, content=[{"type": "text", "text": DIRTY}]))
        talk.reload(EVERYTHING)

    texts = [message["result"]["content"][0]["text"] for message in talk.to_client if "result" in message]
    assert texts == [DIRTY, CLEAN]


def test_the_operator_is_told_what_was_taken_out_and_not_what_it_was() -> None:
    talk = Conversation(EVERYTHING)
    talk.client(call(1, "read"))
    talk.upstream(result(1, content=[{"type": "text", "text": DIRTY}]))

    (note,) = talk.notes
    assert "`read`" in note
    assert "1 emails" in note
    assert "bob" not in note
