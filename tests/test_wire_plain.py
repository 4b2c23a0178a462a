"""The short ways through `wire` against the long ones, which alone say what is right.

A short way may leave any frame to the long one. What it takes, it must read like that one, to the byte.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intercept import wire
from intercept.errors import ProtocolError
from intercept.frames import Frames
from intercept.values import Json
from intercept.wire import Message, Request, Response, encode, frame_of, parse_client, parse_upstream

KEYS = ("a", "b", "a:b", ":", "é", "name", "arguments", "\\n")
ODD_KEYS = ("\\u0061", "\\u003a", "a\\u003aa", "Name", "name\\u0000", "_meta", "id", "\\ud83d")
STRINGS = ("", "x", ":", "a:b", "::", '\\":', "\\\\", "\\/", "é\U0001f600", "\x7f")
ODD_STRINGS = ("\\u003a", "\\u003A:", "l\\u00e1", "\\ud83d", "\n", "\\x")
NUMBERS = ("0", "-0", "7", "7.0", "1e2", "-1.5", "123456789012345678901234567890", "9007199254740993")
ODD_NUMBERS = ("1e400", "NaN", "01", "-Infinity")


LONG_STRINGS = ("0123456789 ", "a:b {[]}", "~", "é", "\x7f", "\\n", '\\"', "\\u003a")


def pick(rng: random.Random, usual: tuple[str, ...], odd: tuple[str, ...]) -> str:
    return rng.choice(odd if rng.random() < 0.02 else usual)


def space(rng: random.Random) -> str:
    return pick(rng, ("", "", "", " ", "\t"), ("\r", "\u00a0"))


def quoted(text: str) -> str:
    return f'"{text}"'


def value(rng: random.Random, depth: int) -> str:
    kind = rng.randrange(10)
    if kind < 3 or depth <= 0:
        return quoted(pick(rng, STRINGS, ODD_STRINGS))
    if kind < 5:
        return pick(rng, NUMBERS, ODD_NUMBERS)
    if kind == 5:
        return rng.choice(("true", "false", "null"))
    if kind == 6:
        return "[" + ",".join(value(rng, depth - 1) for _ in range(rng.randrange(4))) + "]"
    return written(rng, members_of(rng, depth - 1, 5))


def members_of(rng: random.Random, depth: int, most: int) -> list[tuple[str, str]]:
    """Mostly with different keys."""
    members = [(quoted(pick(rng, KEYS, ODD_KEYS)), value(rng, depth)) for _ in range(rng.randrange(most))]
    return members if rng.random() < 0.05 else list(dict(members).items())


def written(rng: random.Random, members: list[tuple[str, str]]) -> str:
    parts = (f"{space(rng)}{key}{space(rng)}:{space(rng)}{text}{space(rng)}" for key, text in members)
    return "{" + ",".join(parts) + "}"


def twisted(rng: random.Random, members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """`members`, now and then with one of them twice, missing, another one, or in another order."""
    members = list(members)
    if members and rng.random() < 0.1:
        members.append(rng.choice(members))
    if members and rng.random() < 0.03:
        members.pop(rng.randrange(len(members)))
    if rng.random() < 0.03:
        members.append((quoted(pick(rng, KEYS, ODD_KEYS)), value(rng, 1)))
    if members and rng.random() < 0.03:
        at = rng.randrange(len(members))
        members[at] = (members[at][0], value(rng, 1))
    if rng.random() < 0.3:
        rng.shuffle(members)
    return members


def ident(rng: random.Random) -> str:
    return pick(
        rng, ("1", "7", "-3", "9007199254740991"), ('"7"', "true", "1.0", "null", "9007199254740993", '"\\u0031"')
    )


def call(rng: random.Random) -> bytes:
    arguments = written(rng, members_of(rng, 3, 4))
    if rng.random() < 0.1:  # where frames are long, they are written in another way
        arguments = arguments.replace(
            "{", f'{{"pad":"{rng.choice(LONG_STRINGS) * 300}"' + ("," if arguments != "{}" else ""), 1
        )
    params = [('"name"', quoted(pick(rng, ("echo", "é", "a:b"), ("e\\u0063ho",)))), ('"arguments"', arguments)]
    if rng.random() < 0.3:
        meta = rng.choice(('{"progressToken":1}', "{}", "null", '["progressToken"]', '{"intercept/x":1}', '{"x:y":1}'))
        params.append(('"_meta"', meta))
    method = pick(rng, ("tools/call",), ("tools\\/call", "prompts/get", "Tools/call"))
    envelope = [
        ('"jsonrpc"', '"2.0"'),
        ('"id"', ident(rng)),
        ('"method"', quoted(method)),
        ('"params"', written(rng, twisted(rng, params))),
    ]
    return written(rng, twisted(rng, envelope)).encode("utf-8", "surrogatepass")


def answer(rng: random.Random) -> bytes:
    member = pick(rng, ("result",), ("error", "Result", "r\\u0065sult"))
    envelope = [('"jsonrpc"', '"2.0"'), ('"id"', ident(rng)), (quoted(member), value(rng, 4))]
    return written(rng, twisted(rng, envelope)).encode("utf-8", "surrogatepass")


def outcome(read: Callable[[bytes], Message | None], frame: bytes) -> tuple[object, ...]:
    """All that can be told of a message, in bytes: for `==`, `1` would be `1.0` and `True`."""
    try:
        message = read(frame)
    except ProtocolError as error:
        return ("refused", str(error), error.code, error.id, type(error.id), error.answerable)
    if message is None:
        return ("nothing",)
    assert frame_of(message) == encode(message.body), frame
    parts = (type(message), encode(message.body), frame_of(message))
    return (*parts, encode(message.params), message.method) if isinstance(message, Request) else parts


def test_a_call_is_read_the_same_either_way() -> None:
    rng = random.Random("calls")
    taken = refused = 0
    for _ in range(8_000):
        frame = call(rng)
        expected = outcome(wire._parse_closely, frame)
        assert outcome(parse_client, frame) == expected, frame
        taken += wire._plain_call(frame) is not None
        refused += expected[0] == "refused"
    assert taken > 1_000  # else nothing was compared
    assert refused > 1_000


@settings(max_examples=300)
@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
            max_leaves=12,
        ),
        max_size=4,
    ),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]),
)
def test_arguments_that_a_client_may_send_are_read_the_same_either_way(
    arguments: dict[str, Json], separators: tuple[str, str]
) -> None:
    message = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "t", "arguments": arguments}}
    frame = json.dumps(message, ensure_ascii=False, separators=separators).encode("utf-8", "surrogatepass")

    assert outcome(parse_client, frame) == outcome(wire._parse_closely, frame)


@pytest.mark.parametrize(
    "arguments",
    [
        '{"to":"https://example.com/a?b=c:d","when":"10:20"}',
        '{"a":{"b":{"c":[{"d":1},{"d":2}]}},"text":"l\u00e1 \\n \\"q\\""}',
        "{}",
    ],
)
def test_ordinary_calls_take_the_short_way(arguments: str) -> None:
    for extra in ("", ',"_meta":{"progressToken":3}'):
        params = f'{{"name":"echo","arguments":{arguments}{extra}}}'
        frame = f'{{"method":"tools/call","params":{params},"jsonrpc":"2.0","id":3}}'.encode()
        assert wire._plain_call(frame) is not None


@pytest.mark.parametrize(
    "arguments",
    [
        '{"a":1,"a":1}',
        '{"a":1,"a":1,"b":"\\u003a"}',  # a colon less and a colon more
        '{"x":[{"deep":{"a":1,"a":2}}]}',
        '{"a":{"b":1,"c":2},"a":"\\u003a\\u003a\\u003a"}',
    ],
)
def test_a_key_that_is_there_twice_is_seen_on_the_short_way(arguments: str) -> None:
    params = f'{{"name":"echo","arguments":{arguments}}}'
    frame = f'{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{params}}}'.encode()

    with pytest.raises(ProtocolError, match="same key twice"):
        parse_client(frame)


_arguments = st.dictionaries(
    st.text(max_size=3) | st.sampled_from(["arguments", ',"arguments":', "name"]),
    st.recursive(
        st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


@settings(max_examples=300)
@given(
    _arguments,
    st.sampled_from(["echo", ',"arguments":{}', '\\",\\"arguments\\":{', "\\"]),
    st.sampled_from([{}, {"_meta": {"progressToken": ',"arguments":{}'}}, {"_meta": {"arguments": {"a": 1}}}]),
    st.booleans(),
    st.booleans(),
)
def test_sorted_arguments_are_what_sorting_them_would_give(
    arguments: dict[str, Json], name: str, meta: dict[str, Json], sort: bool, long: bool
) -> None:
    if long:
        arguments = {**arguments, "~": "x" * wire.LONG}
    expected = json.dumps(arguments, separators=(",", ":"), sort_keys=True)
    arguments = json.loads(json.dumps(arguments, sort_keys=sort))
    message = {"jsonrpc": "2.0", "id": ',"arguments":', "method": "tools/call"}
    for number in (5, ',"arguments":{'):
        for params in ({"name": name, "arguments": arguments, **meta}, {**meta, "name": name, "arguments": arguments}):
            frame = json.dumps(message | {"id": number, "params": params}).encode()
            try:
                request = parse_client(frame)
            except ProtocolError:
                continue
            assert isinstance(request, Request)
            found = wire.sorted_arguments(request)
            assert found is None or found == expected.encode()
            if sort and request.raw is not None and next(iter(params)) == "name":
                assert found is not None


def test_arguments_of_a_prompt_are_not_taken_for_those_of_a_call() -> None:
    params = {"name": "greet", "arguments": {"who": "x" * wire.LONG}}
    frame = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": params}).encode()
    request = parse_client(frame)

    assert isinstance(request, Request)
    assert request.raw is not None
    assert wire.sorted_arguments(request) is None


def test_a_call_with_other_params_is_written_anew() -> None:
    message = parse_client(b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a","arguments":{"x":1}}}')
    assert isinstance(message, Request)

    frame = frame_of(message.with_params({"name": "b", "arguments": {}}))

    assert frame == b'{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"b","arguments":{}}}\n'


def outcomes(messages: list[Message | ProtocolError]) -> list[tuple[object, ...]]:
    return [
        ("refused", str(message), message.code, repr(message.id), message.answerable)
        if isinstance(message, ProtocolError)
        else (type(message), repr(getattr(message, "id", None)), repr(message.body), message.raw)
        for message in messages
    ]


def closely(frame: bytes) -> list[tuple[object, ...]]:
    frame = frame.removesuffix(b"\r")
    return outcomes(wire._parse_upstream_closely(frame, None if b"\r" in frame else frame))


def test_an_answer_is_read_the_same_either_way() -> None:
    rng = random.Random("answers")
    taken = refused = 0
    for _ in range(8_000):
        frame = answer(rng)
        expected = closely(frame)
        assert outcomes(parse_upstream(frame)) == expected, frame
        taken += wire._plain_answer(frame) is not None
        refused += expected[0][0] == "refused"
    assert taken > 1_000  # else nothing was compared
    assert refused > 1_000


@settings(max_examples=300)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " : ")]),
    st.booleans(),
    st.integers(1, 40),
)
def test_what_an_upstream_may_answer_is_read_the_same_either_way(
    value: Json, separators: tuple[str, str], ascii_only: bool, times: int
) -> None:
    message = {"jsonrpc": "2.0", "id": 5, "result": [value] * times}
    text = json.dumps(message, ensure_ascii=ascii_only, separators=separators)
    frame = text.encode("utf-8", "surrogatepass")

    assert outcomes(parse_upstream(frame)) == closely(frame)


ROWS = ",".join(f'{{"id":{n},"name":"Ana","at":"10:{n}"}}' for n in range(100, 200))


@pytest.mark.parametrize(
    "result",
    [
        "{}",
        "true",
        '"text"',
        '{"content":[{"type":"text","text":"at 10:20 see https://example.com, \u00e1 {[:,]}"}],"isError":false}',
        '{"content":[{"type":"text","text":"\\"quoted\\" and\\nmore"}]}',
        f'{{"content":[{{"type":"text","text":"{"x" * 100_000}"}}]}}',
        f'{{"content":[],"structuredContent":{{"rows":[{ROWS}]}}}}',
    ],
)
def test_ordinary_answers_take_the_short_way(result: str) -> None:
    assert wire._plain_answer(f'{{"result": {result}, "jsonrpc" : "2.0","id":3}}'.encode()) is not None


@pytest.mark.parametrize(
    "result",
    [
        '{"a":1,"a":1}',
        '{"a":"x","a":"y"}',
        '{"a":{},"a":{}}',
        '{"a":{"b":"c"},"a":[]}',
        '{"a":1,"b":2,"a":"\\""}',  # a quote that is none stands in for one that was lost
        '{"a":"\\"","a":"\\u0022"}',
        '{"a":1,"\\u0061":1}',
        '[[{"x":[{"deep":{"a":1,"a":2}}]}]]',
        f'{{"rows":[{ROWS},{{"id":1,"id":2}}]}}',
        f'{{"rows":[{{"id":1,"id":2}},{ROWS}]}}',
        f'{{"text":"{"x" * 1000}","text":1}}',
    ],
)
def test_a_key_that_is_there_twice_in_an_answer_is_seen_on_the_short_way(result: str) -> None:
    (message,) = parse_upstream(f'{{"jsonrpc":"2.0","id":3,"result":{result}}}'.encode())

    assert isinstance(message, ProtocolError)
    assert (str(message), message.id) == ("an object has the same key twice", 3)


@pytest.mark.parametrize("twice", ['"id":3', '"jsonrpc":"2.0"', '"result":{}', '"\\u0069d":3'])
def test_nor_may_the_envelope_of_an_answer_have_a_member_twice(twice: str) -> None:
    (message,) = parse_upstream(f'{{"jsonrpc":"2.0","id":3,"result":{{}},{twice}}}'.encode())

    assert isinstance(message, ProtocolError)


LONG = "0123456789 abcdefghijkl[]{}:,NaN" * 2_000
"""So long that it is read apart."""


def decoded(read: Callable[[str], Json], text: str) -> tuple[type, str]:
    try:
        value = read(text)
    except (ValueError, RecursionError) as error:
        return type(error), str(error)
    return type(value), repr(value)


@pytest.mark.parametrize(
    ("read", "decoder"),
    [
        (wire._decode_upstream, {"object_pairs_hook": wire._unmarked}),
        (wire._decode_client, {"object_pairs_hook": wire._object, "parse_float": wire._finite}),
    ],
)
def test_a_long_string_is_read_the_same_either_way(
    read: Callable[[str], Json], decoder: dict[str, Callable[..., object]]
) -> None:
    whole = json.JSONDecoder(parse_constant=wire._no_constant, **decoder)  # type: ignore[arg-type]
    hook = decoder["object_pairs_hook"]
    rng = random.Random("long")
    apart = refused = 0
    for _ in range(700):
        frame = (answer(rng) if rng.random() < 0.5 else call(rng)).decode("utf-8", "surrogatepass")
        if rng.random() < 0.7:
            frame = "".join(character for character in frame if character.isascii() and character != "\\")
        long = LONG + pick(rng, ("", "z", "~"), ("\n", "\x00", "\x1f", "\x7f", "\\n", "\\x", "é", "\ud83d", '"'))
        values = [text for text in ('"x"', '""', "7", "1", "true", "[]", "{}") if text in frame]
        if values and rng.random() < 0.9:
            text = frame.replace(rng.choice(values), f'"{long}"', rng.choice([1, 1, 1, 3]))
        else:  # mostly no JSON
            at = rng.choice([0, len(frame), *(at for at, character in enumerate(frame) if character == '"')])
            text = f'{frame[:at]}"{long}"{frame[at:]}'
        if rng.random() < 0.1:
            text = text.replace(rng.choice(["1", "null", "{", "[", " "]), rng.choice(["NaN", "-NaN", "NaN,", " "]), 1)
        if rng.random() < 0.1:
            text = f"{space(rng)}{text}{space(rng)}"
        expected = decoded(whole.decode, text)
        assert decoded(read, text) == expected
        refused += issubclass(expected[0], Exception)
        apart += wire._read_around(text, hook, float) is not None  # type: ignore[arg-type]
    assert apart > 100  # else nothing was compared
    assert refused > 100


@pytest.mark.parametrize(
    "text",
    [
        f'{{"a":"{LONG}"}}',
        f'["{LONG}"]',
        f'"{LONG}"',
        f' {{"jsonrpc" : "2.0", "id":1, "result":{{"content":[{{"type":"text","text":"{LONG}"}}]}}}}',
    ],
)
def test_the_first_long_string_is_read_apart(text: str) -> None:
    assert (wire._read_around(text, wire._unmarked, float) is None) is text.startswith(" ")
    assert wire._read_around(text.strip(), wire._unmarked, float) == json.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        f'{{"a":"{LONG}","a":1}}',
        f'{{"a":1,"a":"{LONG}"}}',
        f'{{"{LONG}":1}}',
        f'{{"{LONG}":1,"{LONG}":1}}',
        f'{{"a":"{LONG}","b":NaN}}',
        f'{{"b":NaN,"a":"{LONG}"}}',
        f'{{"a":-"{LONG}"}}',
        f'{{"a":"{LONG}"Infinity}}',
        f'{{"a":"{LONG}""x"}}',
        f'{{"a":"{LONG}"}},',
        f'{{"a":"{LONG}',
        f'{{"a":"{LONG}\x00"}}',
        f'{{"a":"{LONG}\\u0000"}}',
        f'{{"a":"x\\"","b":"{LONG}"}}',
        f'{{"_meta":{{"intercept/x":"{LONG}"}}}}',
        f'{{"a":"{LONG}é"}}',
    ],
)
def test_a_long_string_with_anything_odd_about_it_is_left_to_who_reads_all(text: str) -> None:
    assert wire._read_around(text, wire._unmarked, float) is None


@pytest.mark.parametrize("odd", ["\x7f", "é", "\\n", '\\"', "\\u0041"])
def test_only_long_text_without_anything_to_escape_is_written_without_looking_at_each_character(odd: str) -> None:
    plain = f'{{"a":"{"x{}:[]" * 1000}"}}'

    assert wire._writer_for(plain) is wire._encode_long
    assert wire._writer_for(plain.replace("x", odd, 1)) is wire._encode
    assert wire._writer_for('{"a":""}' * 1000) is wire._encode


def test_our_keys_are_taken_out_of_whatever_the_upstream_sends_and_nothing_else_is_touched() -> None:
    rng = random.Random("marks")
    stripped = 0
    for _ in range(5_000):
        body: Json = {"jsonrpc": "2.0", "id": 1, "result": marked(rng, 5)}
        text = json.dumps(body)
        for spelling in ("\\u0069ntercept\\/", "intercept\\u002f", "intercept/"):
            if rng.random() < 0.3:
                text = text.replace("intercept/", spelling)
        (message,) = parse_upstream(text.encode())
        clean = without_marks(body)
        assert isinstance(message, Response)
        assert frame_of(message) == (text.encode() + b"\n" if clean == body else encode(clean))
        stripped += clean != body
    assert 1_000 < stripped < 4_000


def marked(rng: random.Random, depth: int) -> Json:
    if depth == 0:
        return rng.choice(["intercept/x", 1, None])
    if rng.random() < 0.2:
        return [marked(rng, depth - 1) for _ in range(2)]
    keys = rng.sample(["_meta", "error", "data", "intercept/decision", "intercept", "b"], rng.randrange(4))
    return {key: marked(rng, depth - 1) for key in keys}


def without_marks(value: Json, *, holds: bool = False, is_error: bool = False) -> Json:
    """Written anew and naively: `holds` where keys count as ours, `is_error` in the value of a key `error`."""
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_marks(item, holds=key == "_meta" or (is_error and key == "data"), is_error=key == "error")
        for key, item in value.items()
        if not (holds and key.startswith("intercept/"))
    }


@pytest.mark.parametrize(
    "frame",
    [
        '{"jsonrpc":"2.0","id":true,"result":{}}',
        '{"jsonrpc":"2.0","id":9007199254740993,"result":{}}',
        '{"jsonrpc":"1.0","id":1,"result":{}}',
        '{"jsonrpc":"2.0","iD":1,"result":{}}',
        '{"jsonrpc":"2.0","result":{},"method":"x"}',
        '{"jsonrpc":2.0,"id":1,"result":{}}',
    ],
)
def test_what_only_resembles_an_answer_is_none(frame: str) -> None:
    (message,) = parse_upstream(frame.encode())

    assert isinstance(message, ProtocolError)


def test_frames_are_cut_the_same_in_one_piece_and_byte_by_byte() -> None:
    rng = random.Random("frames")
    for _ in range(3_000):
        stream = bytes(rng.choice(b"ab\n\n") for _ in range(rng.randrange(40)))
        whole, piecemeal, mixed = Frames(5), Frames(5), Frames(5)
        cut = rng.randrange(len(stream) + 1)
        expected = [frame for at in range(len(stream)) for frame in piecemeal.feed(stream[at : at + 1])]
        assert whole.feed(stream) + whole.end() == expected + piecemeal.end()
        assert mixed.feed(stream[:cut]) + mixed.feed(stream[cut:]) + mixed.end() == (
            Frames(5).feed(stream) + _rest(stream)
        )


def _rest(stream: bytes) -> list[bytes | None]:
    frames = Frames(5)
    frames.feed(stream)
    return frames.end()
