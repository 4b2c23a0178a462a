from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercept.errors import ProtocolError
from intercept.values import Json
from intercept.wire import (
    MAX_ID,
    MAX_NESTING,
    Message,
    Notification,
    Request,
    Response,
    encode,
    frame_of,
    parse_client,
    parse_upstream,
)

CALL = b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"read","arguments":{"path":"a"}}}'


def refusal(frame: bytes) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_client(frame)
    return caught.value


def upstream(frame: bytes) -> Message:
    (message,) = parse_upstream(frame)
    assert not isinstance(message, ProtocolError)
    return message


def request(frame: bytes) -> Request:
    message = parse_client(frame)
    assert isinstance(message, Request)
    return message


# --- from the client ------------------------------------------------------------------------------------------------


def test_a_call_is_forwarded_as_it_was_read() -> None:
    params = b'{"name":"re\\u0061d", "arguments":{"path":"\\u0061"}}'
    spaced = b' {"id" : 7, "params": ' + params + b', "method":"tools\\/call",\t"jsonrpc":"2.0"} \r'

    assert frame_of(request(spaced)) == CALL + b"\n"


def test_what_is_forwarded_is_ascii_and_one_line_whatever_the_client_sent() -> None:
    text = "\u2028\u2029\u0085\u00e9\U0001f600"
    frame = json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"a": text}}},
        ensure_ascii=False,
    ).encode()
    out = frame_of(request(frame))

    assert out.isascii()
    assert out.splitlines() == [out[:-1]]
    assert json.loads(out)["params"]["arguments"] == {"a": text}


def test_members_that_json_rpc_does_not_name_are_not_forwarded() -> None:
    message = request(b'{"jsonrpc":"2.0","id":1,"method":"ping","extra":{"method":"tools/call"}}')

    assert message.body == {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def test_parameters_nobody_knows_are_forwarded() -> None:
    message = request(b'{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"c","x":1,"_meta":{"y":2}}}')

    assert message.body["params"] == {"cursor": "c", "x": 1, "_meta": {"y": 2}}


@pytest.mark.parametrize(
    ("number", "forwarded"),
    [
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("-0", "0"),
        ("1.0", "1.0"),
        ("1e2", "100.0"),
        ("0.1000000000000000055511151231257827", "0.1"),
        ("1E400", None),
        ("-1e999", None),
        ("9" * 4301, None),
    ],
)
def test_integers_stay_exact_and_other_numbers_become_the_nearest_double(number: str, forwarded: str | None) -> None:
    template = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","arguments":{"n":%s}}}'
    frame = (template % number).encode()
    if forwarded is None:
        assert refusal(frame).id == 1
    else:
        assert frame_of(request(frame)) == (template % forwarded).encode() + b"\n"


@pytest.mark.parametrize(
    ("frame", "code", "request_id"),
    [
        (b"\xff\xfe", -32700, None),
        (b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}', -32700, None),
        ('{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"), -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"p\xc0\xafing"}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"x\xed\xa0\x80"}', -32700, None),
        (b"{", -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping",}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"}{}', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":NaN}}', -32700, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":-Infinity}}', -32700, 1),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"\t"}}', -32700, None),
        (b"Content-Length: 20", -32700, None),
        (b"[]", -32600, None),
        (b"[" + CALL + b"]", -32600, None),
        (b'"text"', -32600, None),
        (b"{}", -32600, None),
        (b'{"jsonrpc":"2.0","id":7}', -32600, 7),
        (b'{"id":7,"method":"ping"}', -32600, 7),
        (b'{"jsonrpc":"1.0","id":7,"method":"ping"}', -32600, 7),
        (b'{"jsonrpc":2.0,"id":7,"method":"ping"}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":{"b":1,"\\u0062":2}}}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"a":"\\ud800"}}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"\\udc00":1}}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","result":{}}', -32600, 7),
        (b'{"result":{},"jsonrpc":"2.0","id":7,"method":"tools/call"}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","error":{}}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"Method":"tools/call","method":"ping"}', -32600, 7),
        ('{"jsonrpc":"2.0","id":7,"method":"tools/call","param\u017f":{},"params":{"name":"a"}}'.encode(), -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params\\u0000":{}}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"Tools/Call"}', -32601, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call "}', -32601, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools\\u200b/call"}', -32601, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":[]}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":[]}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_Meta":{}}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"ProgressToken":1}}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","Name":"b"}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call"}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":["a"]}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":null}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":"{}"}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":[]}}', -32602, 7),
        (b'{"jsonrpc":"2.0","method":"tools/call","params":{"name":"a"}}', -32600, None),
        (b'{"jsonrpc":"2.0","method":"resources/read","params":{"uri":"file:///a"}}', -32600, None),
        (b'{"jsonrpc":"2.0","method":"prompts/get","params":{"name":"a"}}', -32600, None),
        (b'{"jsonrpc":"2.0","id":7,"method":"prompts/get","params":{"name":"a","arguments":[1]}}', -32602, 7),
        (b'{"jsonrpc":"2.0","id":7,"method":"completion/complete","params":{"ref":{"Uri":"x"}}}', -32602, 7),
        (
            b'{"jsonrpc":"2.0","id":7,"method":"subscriptions/listen","params":{"notifications":{"TaskIds":[]}}}',
            -32602,
            7,
        ),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_its_id(frame: bytes, code: int, request_id: int | None) -> None:
    error = refusal(frame)

    assert (error.code, error.id, error.answerable) == (code, request_id, True)


@pytest.mark.parametrize(
    "request_id",
    [
        "null",
        "true",
        "1.0",
        "1e0",
        "1.5",
        "9007199254740992",
        "-9007199254740992",
        "{}",
        "[1]",
        "1" * 400,
        '"' + "x" * (MAX_ID + 1) + '"',
    ],
)
def test_an_id_that_is_no_string_or_safe_integer_is_refused(request_id: str) -> None:
    error = refusal(f'{{"jsonrpc":"2.0","id":{request_id},"method":"ping"}}'.encode())

    assert (error.code, error.id) == (-32600, None)


@pytest.mark.parametrize("request_id", ['"7"', '""', "0", "-1", "9007199254740991", '"\\u00e9"'])
def test_every_other_id_passes_as_it_is(request_id: str) -> None:
    frame = f'{{"jsonrpc":"2.0","id":{request_id},"method":"ping"}}'.encode()

    assert frame_of(request(frame)) == frame + b"\n"


def test_nesting_is_limited_and_brackets_in_text_do_not_count() -> None:
    template = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","arguments":{"a":%s}}}'
    inside = MAX_NESTING - 3  # the envelope, params and arguments

    assert request((template % ("[" * inside + "]" * inside)).encode()).id == 7
    assert request((template % json.dumps("[{" * 500)).encode()).id == 7
    assert request((template % json.dumps([[] for _ in range(500)])).encode()).id == 7
    assert refusal((template % ("[" * (inside + 1) + "]" * (inside + 1))).encode()).id == 7
    assert refusal(b"[" * 100_000).code == -32600
    assert refusal(b'{"a":' * 100_000).code == -32600


def test_null_arguments_are_judged_and_forwarded_as_none() -> None:
    message = request(b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a","arguments":null}}')

    assert message.params == {"name": "a"}
    assert message.body["params"] == {"name": "a"}


def test_a_decision_cannot_be_forged_from_the_client_side() -> None:
    frame = b'{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{"\\u0069ntercept/decision":{},"x":1}}}'

    assert request(frame).body["params"] == {"_meta": {"x": 1}}


def test_null_meta_is_none() -> None:
    assert request(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":null}}').body["params"] == {}


def test_an_error_that_is_null_stands_for_none() -> None:
    message = upstream(b'{"jsonrpc":"2.0","id":7,"result":{},"error":null}')

    assert frame_of(message) == b'{"jsonrpc":"2.0","id":7,"result":{}}\n'


def test_an_empty_line_is_no_message() -> None:
    assert parse_client(b"") is None
    assert parse_client(b" \t\r") is None
    assert parse_upstream(b"  \r") == []


def test_a_response_is_rebuilt_from_its_members() -> None:
    message = parse_client(b'{"x":1,"result":{"a":1},"id":"s","jsonrpc":"2.0"}')

    assert isinstance(message, Response)
    assert message.body == {"jsonrpc": "2.0", "id": "s", "result": {"a": 1}}


@pytest.mark.parametrize(
    "frame",
    [
        b'{"jsonrpc":"2.0","id":7,"result":{},"error":{}}',
        b'{"jsonrpc":"2.0","id":null,"result":{}}',
        b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}',
        b'{"jsonrpc":"1.0","id":7,"result":{}}',
    ],
)
def test_a_broken_response_is_refused_without_an_answer(frame: bytes) -> None:
    assert not refusal(frame).answerable


# --- from the upstream ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "frame",
    [
        b'{"result":{"content":[{"type":"text","text":"\\ud83d"}]},"jsonrpc":"2.0","id":7}',
        b'  {"jsonrpc":"2.0", "id":7, "result":{"n":1.00000000000000000000001,"big":1e400}}  ',
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-1,"message":"no"},"extra":true}',
        '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"\u2028é"}}'.encode(),
        b'{"jsonrpc":"2.0","id":"s1","method":"roots/list"}',
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}',
        b'{"jsonrpc":"2.0","id":7,"result":{"_meta":{"other/decision":1,"u":"\\u0041"}}}',
    ],
)
def test_what_the_upstream_sends_passes_byte_for_byte(frame: bytes) -> None:
    message = upstream(frame)

    assert frame_of(message) == frame + b"\n"


def test_kinds_of_upstream_messages_are_told_apart() -> None:
    kinds = [
        type(upstream(frame))
        for frame in (
            b'{"jsonrpc":"2.0","id":7,"result":null}',
            b'{"jsonrpc":"2.0","id":7,"method":"ping"}',
            b'{"jsonrpc":"2.0","method":"notifications/progress"}',
        )
    ]

    assert kinds == [Response, Request, Notification]


def test_a_carriage_return_never_reaches_the_client() -> None:
    message = upstream(b'{"jsonrpc":"2.0",\r"id":7,"result":{}}\r')

    assert frame_of(message) == b'{"jsonrpc":"2.0","id":7,"result":{}}\n'


def test_bytes_that_are_not_utf_8_are_replaced_before_a_strict_client_sees_them() -> None:
    message = upstream(b'{"jsonrpc":"2.0","id":7,"result":{"t":"\xff"}}')

    assert frame_of(message) == b'{"jsonrpc":"2.0","id":7,"result":{"t":"\\ufffd"}}\n'


def test_a_batch_is_split_and_one_bad_part_does_not_cost_the_others() -> None:
    good = b'{"jsonrpc":"2.0","id":1,"result":{}}'
    parts = parse_upstream(b"[" + good + b', 1, {"jsonrpc":"2.0","id":2,"result":{},"error":{}}, ' + good + b"]")

    assert [part.id if isinstance(part, ProtocolError) else frame_of(part) for part in parts] == [
        good + b"\n",
        None,
        2,
        good + b"\n",
    ]


@pytest.mark.parametrize(
    "frame",
    [
        b'{"jsonrpc":"2.0","id":7,"result":{"x":1e400,"_meta":{"intercept/decision":1}}}',
        b'{"jsonrpc":"2.0","id":7,"result":{"t":"\xff","n":1e400}}',
        b'{"jsonrpc":"2.0",\r"id":7,"result":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"jsonrpc":"2.0","id":7,"result":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"result":' + b"[" * 5000 + b"]" * 5000 + b',"jsonrpc":"2.0","id":7}',
        b'{"jsonrpc":"2.0","id":7,"result":{"cut',
    ],
)
def test_an_answer_that_cannot_pass_is_an_error_for_its_request(frame: bytes) -> None:
    (error,) = parse_upstream(frame)

    assert isinstance(error, ProtocolError)
    assert error.id == 7


@pytest.mark.parametrize("key", ["intercept/decision", "\\u0069ntercept/decision", "intercept\\/decision"])
def test_a_decision_cannot_be_forged_from_the_upstream_side(key: str) -> None:
    frame = '{"jsonrpc":"2.0","id":7,"result":{"_meta":{"KEY":{}},"content":[{"_meta":{"KEY":1,"x":2}}]}}'
    message = upstream(frame.replace("KEY", key).encode())

    assert frame_of(message) == b'{"jsonrpc":"2.0","id":7,"result":{"_meta":{},"content":[{"_meta":{"x":2}}]}}\n'


def test_nor_in_the_data_of_an_error() -> None:
    message = upstream(
        b'{"jsonrpc":"2.0","id":7,"error":{"code":-31403,"message":"","data":{"intercept/decision":{}}}}'
    )

    assert frame_of(message) == b'{"jsonrpc":"2.0","id":7,"error":{"code":-31403,"message":"","data":{}}}\n'


@pytest.mark.parametrize(
    ("frame", "request_id"),
    [
        (b"listening on stdio", None),
        (b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}', 7),
        (b'{"jsonrpc":"2.0","id":7,"result":{"a":NaN}}', 7),
        (b'{"jsonrpc":"2.0","id":7,"result":{},"error":{}}', 7),
        (b'{"id":7,"result":{}}', 7),
        (b'{"jsonrpc":"2.0","id":7,"Id":8,"result":{}}', 7),
        (b'{"jsonrpc":"2.0","id":7.0,"result":{}}', None),
        (b'{"jsonrpc":"2.0","id":7,"method":"x","result":{}}', None),
        (b'{"jsonrpc":"2.0","id":7,"method":"x","params":[]}', None),
        (b'{"jsonrpc":"2.0","id":7,"method":"roots/list","params":{"a":1,"a":2}}', None),
        (b'{"jsonrpc":"2.0","id":true,"method":"x"}', None),
        (b"7", None),
        (b"[" * 100_000, None),
        (b'{"jsonrpc":"2.0","method":"x","params":{"a":NaN},"id":7}', None),
    ],
)
def test_junk_of_the_upstream_is_refused_with_the_id_of_the_request_it_may_answer(
    frame: bytes, request_id: int | None
) -> None:
    (error,) = parse_upstream(frame)

    assert isinstance(error, ProtocolError)
    assert error.id == request_id


# --- properties -----------------------------------------------------------------------------------------------------

_json: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300)
@given(st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0012eE-.nul \r\t', max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused_and_nothing_else(frame: bytes) -> None:
    for parse in (parse_client, parse_upstream):
        with contextlib.suppress(ProtocolError):
            parse(frame)


@given(_json)
def test_any_arguments_are_forwarded_as_the_values_that_were_judged(value: Json) -> None:
    sent = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {"v": value}}}
    try:
        frame = json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    message = request(frame)

    assert message.body == sent
    assert json.loads(frame_of(message)) == sent
    assert request(encode(message.body)).body == message.body
