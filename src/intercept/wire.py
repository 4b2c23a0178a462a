"""Strict JSON-RPC: frames to messages, messages to frames. Sans-IO.

Knows JSON, the JSON-RPC envelope and which names are the protocol's; knows nothing of sessions or policies.
What comes out of `parse_client` and `parse_upstream` was read in exactly one way:

- text is strict UTF-8, objects have no duplicate key at any depth, numbers are finite;
- an envelope has the members of JSON-RPC 2.0 and none that a careless reader could take for one of them;
- what is forwarded to the upstream is built from the parsed values (`body`), never from the bytes that arrived.

The rules and the measurements behind them are in PROTOCOL section 6 (the numbers in DESIGN section 3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from math import isfinite
from types import FunctionType
from typing import Final, NoReturn, TypeAlias

from .errors import ProtocolError
from .protocol import (
    CLIENT_METHODS,
    ENVELOPE,
    ENVELOPE_FORMS,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MARKER,
    META,
    META_FORMS,
    METHOD_FORMS,
    METHOD_NOT_FOUND,
    PARAM_FORMS,
    PARSE_ERROR,
    PART_FORMS,
    PARTS,
)
from .values import Json, normal_form

MAX_NESTING: Final = 128
"""Objects and arrays in a client's message. The Python SDK's reader stops at 200, so ours is never the looser one."""
LARGE: Final = 64 * 1024
"""Characters or bytes above which a frame is looked at in another way; a speed matter only."""
SHORT: Final = 512
"""Characters of a frame up to which nothing is asked that only pays in a longer one; a speed matter only."""
LONG: Final = 2048
"""Characters of a frame from which it pays to ask how it can be written; a speed matter only."""
MAX_WRITTEN_NESTING: Final = 500
"""The same in a message of the upstream that cannot pass as it came; half of what Python's stack has room for."""
MAX_ID: Final = 1024
"""Characters of an id; all that are in flight are kept. SDKs send numbers and names of 40 characters at most."""
MAX_SAFE_INTEGER: Final = 2**53 - 1
"""Beyond it JavaScript peers confuse neighbouring ids (RFC 8259 section 6)."""

RequestId: TypeAlias = str | int

# Messages are plain classes: several are made for every call, and a named tuple takes twice as long (see `actions`).


class Request:
    """A request; `body` is the whole message as it may be forwarded, `raw` its bytes where these are at hand already.

    From the upstream these are what came, if it may pass as it came; from the client they are the canonical form.
    """

    __slots__ = ("body", "id", "method", "params", "raw")

    def __init__(
        self,
        request_id: RequestId,
        method: str,
        params: dict[str, Json],
        body: dict[str, Json],
        raw: bytes | None = None,
    ) -> None:
        self.id: Final = request_id
        self.method: Final = method
        self.params: Final = params
        self.body: Final = body
        self.raw: Final = raw

    def with_params(self, params: dict[str, Json]) -> Request:
        """The same request with other params, which is written anew."""
        return Request(self.id, self.method, params, self.body | {"params": params})


class Notification:
    """A message that nobody answers."""

    __slots__ = ("body", "method", "params", "raw")

    def __init__(self, method: str, params: dict[str, Json], body: dict[str, Json], raw: bytes | None = None) -> None:
        self.method: Final = method
        self.params: Final = params
        self.body: Final = body
        self.raw: Final = raw


class Response:
    """A result or an error for `id`, whichever `body` has."""

    __slots__ = ("body", "id", "raw")

    def __init__(self, request_id: RequestId, body: dict[str, Json], raw: bytes | None = None) -> None:
        self.id: Final = request_id
        self.body: Final = body
        self.raw: Final = raw


Message: TypeAlias = Request | Notification | Response


# --- JSON -------------------------------------------------------------------------------------------------------------


class _DuplicateKeyError(ValueError):
    pass


class _MarkedError(ValueError):
    pass


class _NotFiniteError(ValueError):
    pass


class _NotANumberError(ValueError):
    pass


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    raise _DuplicateKeyError


def _unmarked(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    # Keys are looked at when they are decoded: no spelling hides ours, and no large text is searched for spellings.
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _DuplicateKeyError
    if ("_meta" in members or "error" in members) and any(
        key.startswith(MARKER) for holder in _holders(members) for key in holder
    ):
        raise _MarkedError
    return members


def _holders(part: dict[str, Json]) -> list[dict[str, Json]]:
    """Where keys could be taken for ours: `_meta`, and the `data` of an error."""
    error = part.get("error")
    places = (part.get("_meta"), error.get("data") if isinstance(error, dict) else None)
    return [place for place in places if isinstance(place, dict)]


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise _NotFiniteError
    return number


def _no_constant(_: str) -> NoReturn:
    raise _NotANumberError


_Scan: TypeAlias = Callable[[str, int], tuple[Json, int]]


def _scanner(decoder: json.JSONDecoder) -> _Scan:
    """What reads a value at a place and says where it ends; StopIteration: there is none."""
    scan: _Scan = decoder.scan_once  # type: ignore[attr-defined]
    return scan


_Hook: TypeAlias = Callable[[list[tuple[str, Json]]], dict[str, Json]]
_Float: TypeAlias = Callable[[str], float]


def _reader(hook: _Hook, parse_float: _Float = float) -> Callable[[str], Json]:
    """`JSONDecoder.decode`, without its two searches for white space around a text that has none: a fifth of its time.

    A long string takes it half the time.
    """
    decoder = json.JSONDecoder(object_pairs_hook=hook, parse_float=parse_float, parse_constant=_no_constant)
    scan = _scanner(decoder)
    decode: Callable[[str], Json] = decoder.decode

    def read(text: str) -> Json:
        if len(text) > LARGE and (found := _read_around(text, hook, parse_float)) is not None:
            return found
        try:
            value, end = scan(text, 0)
        except StopIteration:
            return decode(text)
        return value if end == len(text) else decode(text)

    return read


_CONTROLS: Final = tuple(map(chr, range(32)))
_BLOCK: Final = 16 * 1024
"""Characters that stay in the cache; a speed matter only."""
_FEW: Final = 32
"""Strings in front of a long one; a speed matter only."""


def _read_around(text: str, hook: _Hook, parse_float: _Float) -> Json:
    """What `text` says, read without its first long string; None: there is none that is easily found, or no JSON.

    Looking for each control character in turn takes a third of the time in which the scanner looks at each character.
    """
    if "\\" in text or not text.isascii():
        return None
    start = end = -1
    for _ in range(_FEW):
        # Without escapes, one quote opens a string and the next one ends it.
        start = text.find('"', end + 1)
        end = text.find('"', start + 1)
        if start < 0 or end < 0:
            return None
        if end - start > LARGE // 2:
            break
    else:
        return None
    for at in range(start, end, _BLOCK):
        block = text[at : min(at + _BLOCK, end)]
        for control in _CONTROLS:
            if control in block:
                return None
    # A name that the scanner hands over and that is none of JSON stands in its place; there may be but this one.
    rest = f"{text[:start]}NaN{text[end + 1 :]}"
    long = {"NaN": text[start + 1 : end]}
    decoder = json.JSONDecoder(object_pairs_hook=hook, parse_float=parse_float, parse_constant=long.pop)
    try:
        value, end = _scanner(decoder)(rest, 0)
    except (ValueError, KeyError, StopIteration, RecursionError):
        return None  # whoever reads all of it says why
    return value if end == len(rest) and not long else None


# Always on text: given bytes, the standard decoder strips byte order marks and guesses UTF-16 (PROTOCOL section 6.2).
_decode_client: Final = _reader(_object, _finite)
# A huge number from the upstream passes as it came; it is never computed with.
_decode_upstream: Final = _reader(_unmarked)
_decode_marked: Final = _reader(_object)
# These keep the last of members with one key, in 60 % of the time; for whoever finds out in another way.
_scan_client: Final = _scanner(json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant))
_scan_upstream: Final = _scanner(json.JSONDecoder(parse_constant=_no_constant))


def writer(
    *, sort: bool = False, quoted: Callable[[str], str] = json.encoder.encode_basestring_ascii
) -> Callable[[Json], str]:
    """What writes JSON as one line of ASCII, with the keys of objects in their order or sorted.

    `quoted` writes strings. It raises ValueError for a number that is not finite.
    """
    encoder = json.JSONEncoder(
        ensure_ascii=True, allow_nan=False, separators=(",", ":"), check_circular=False, sort_keys=sort
    )
    # What `encode` makes anew at each call, made once: a quarter of its time. The arguments are those that it gives.
    make: Callable[..., Callable[[Json, int], tuple[str, ...]]] | None
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # an interpreter without the accelerator
        return encoder.encode
    options = (":", ",", sort, False, False)
    write = make(None, encoder.default, quoted, None, *options)
    return lambda body: "".join(write(body, 0))


_encode: Final = writer()
_encode_long: Final = writer(quoted='"{}"'.format)
"""For values in whose strings nothing has to be escaped; long ones take it a twentieth of the time."""


def _writer_for(text: str) -> Callable[[Json], str]:
    """Writes what was read from `text` as `_encode` does."""
    # Where JSON has no escape and nothing but visible ASCII, none of its strings needs one. Few quotes: long strings.
    is_plain = len(text) > LONG and "\\" not in text and text.isascii() and "\x7f" not in text
    return _encode_long if is_plain and text.count('"', 0, LARGE) * 16 < min(len(text), LARGE) else _encode


_ARGUMENTS: Final = b',"arguments":'


def encode(body: Json) -> bytes:
    """`body` as one frame, newline included: ASCII only, so that no reader can see another line break in it.

    Raises:
        ValueError: `body` contains a number that is not finite.
    """
    return _encode(body).encode("ascii") + b"\n"


def frame_of(message: Message) -> bytes:
    """The frame to forward for `message`."""
    return encode(message.body) if message.raw is None else message.raw + b"\n"


def sorted_arguments(request: Request) -> bytes | None:
    """The arguments of a call as JSON with sorted keys, if it is at hand because the client has sorted them."""
    raw, params = request.raw, request.params
    keys = list(params)
    if (
        raw is None
        or request.method != "tools/call"
        or keys[:2] != ["name", "arguments"]
        or not _is_sorted(params["arguments"])
    ):
        return None
    after = b"}}"
    if len(keys) > 2:
        after = b",%b}}" % _encode({key: params[key] for key in keys[2:]})[1:-1].encode("ascii")
    # In a string every quote has a backslash before it, so nothing that stands before the arguments looks like this.
    begin = raw.find(_ARGUMENTS) + len(_ARGUMENTS)
    return raw[begin : -len(after)] if begin >= len(_ARGUMENTS) and raw.endswith(after) else None


def _is_sorted(value: Json) -> bool:
    """Whether the keys of all objects in `value` are in the order of their code points."""
    if isinstance(value, dict):
        last = ""
        for key, part in value.items():
            if key < last or (isinstance(part, (dict, list)) and not _is_sorted(part)):
                return False
            last = key
    elif isinstance(value, list):
        for part in value:
            if isinstance(part, (dict, list)) and not _is_sorted(part):
                return False
    return True


# --- from the client --------------------------------------------------------------------------------------------------


def parse_client(frame: bytes) -> Message | None:
    """Read one frame of the client; None for an empty line.

    The message's `body` is rebuilt from the members that JSON-RPC names and carries nothing else.

    Raises:
        ProtocolError: the frame must not pass; says what to answer.
    """
    return _plain_call(frame) or _parse_closely(frame)


_CALL_PARAMS: Final = CLIENT_METHODS["tools/call"]


def _plain_call(frame: bytes) -> Request | None:
    """What `_parse_closely` makes of a `tools/call` without peculiarities, in half the time; None for all else.

    Whether an object has a key twice is found out afterwards: each member has its colon, so a frame with no more than
    those of the members that were read has lost none, nor has one with as many as its canonical form: strings have the
    same ones in both while no escape stands for a colon.
    """
    if len(frame) > LARGE:
        return None
    try:
        text = frame.decode("utf-8")
        # One character is looked for thirty times faster than two.
        if ("\\" in text and "\\u" in text) or _may_be_deep(text):
            return None
        value, end = _scan_client(text, 0)
        if end != len(text) or not isinstance(value, dict):
            return None
        request_id, params = value["id"], value["params"]
        if (
            value["jsonrpc"] != "2.0"
            or value["method"] != "tools/call"
            or type(request_id) is not int
            or not -MAX_SAFE_INTEGER <= request_id <= MAX_SAFE_INTEGER
            or not isinstance(params, dict)
            or not isinstance(params["name"], str)
        ):
            return None
        arguments = params["arguments"]
    except (ValueError, KeyError, RecursionError, StopIteration):
        return None
    if not isinstance(arguments, dict) or not (
        len(params) == 2 or (_CALL_PARAMS.issuperset(params) and _is_plain_meta(params.get("_meta", _NOTHING)))
    ):
        return None
    written = _encode(params) if len(text) <= LONG else _writer_for(text)(params)
    raw = f'{{"jsonrpc":"2.0","id":{request_id},"method":"tools/call","params":{written}}}'.encode("ascii")
    colons = frame.count(b":")
    if colons != 4 + len(params) + len(arguments) and colons != raw.count(b":"):
        return None
    body: dict[str, Json] = {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}
    return Request(request_id, "tools/call", params, body, raw)


def _is_plain_meta(meta: Json) -> bool:
    return isinstance(meta, dict) and META.issuperset(meta)


def _parse_closely(frame: bytes) -> Message | None:
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError(PARSE_ERROR, "frame is not UTF-8") from None
    try:
        value: Json = _decode_client(text)
    except _DuplicateKeyError:
        raise _refused(text, "an object has the same key twice") from None
    except _NotFiniteError:
        raise _refused(text, "a number is too large for a double") from None
    except _NotANumberError:
        raise _refused(text, "NaN and Infinity are not JSON", PARSE_ERROR) from None
    except json.JSONDecodeError:
        if not text.strip(" \t\r"):
            return None
        raise ProtocolError(PARSE_ERROR, "frame is not JSON") from None
    except RecursionError:
        raise ProtocolError(INVALID_REQUEST, f"frame is nested deeper than {MAX_NESTING} levels") from None
    except ValueError:  # Python's own limit on the digits of an integer
        raise _refused(text, "a number has too many digits") from None
    if isinstance(value, list):
        raise ProtocolError(INVALID_REQUEST, "JSON-RPC batches are not supported, send one message a line")
    if not isinstance(value, dict):
        raise ProtocolError(INVALID_REQUEST, "frame is not a JSON object")
    if _may_be_deep(text) and _is_deeper(value, MAX_NESTING):
        raise _refused(text, f"frame is nested deeper than {MAX_NESTING} levels")
    if "\\" in text and "\\u" in text and _has_lone_surrogate(value):
        raise _refused(text, "a string has half a surrogate pair")
    message = _client_message(value)
    if len(text) > LONG and isinstance(message, Request):
        raw = _writer_for(text)(message.body).encode("ascii")
        return Request(message.id, message.method, message.params, message.body, raw)
    return message


def _client_message(value: dict[str, Json]) -> Message:
    request_id = value.get("id")
    is_id = is_request_id(request_id)
    readable = request_id if is_id else None
    answerable = "method" in value or not ("result" in value or "error" in value)

    def refused(message: str, code: int = INVALID_REQUEST) -> ProtocolError:
        return ProtocolError(code, message, readable, answerable=answerable)  # type: ignore[arg-type]

    if not ENVELOPE.issuperset(value) and (lookalike := _lookalike(value, ENVELOPE, ENVELOPE_FORMS)):
        raise refused(f"`{lookalike}` is written like a member of JSON-RPC but is not one")
    if value.get("jsonrpc") != "2.0":
        raise refused('expected `"jsonrpc": "2.0"`')
    if "id" in value and not is_id:
        raise refused(f"expected an id that is a string of at most {MAX_ID} characters or an integer below 2^53")
    if "method" not in value:
        if ("result" in value) == ("error" in value):
            raise refused("expected a method, a result or an error")
        if not is_id:
            raise refused("a response has no id")
        member = "result" if "result" in value else "error"
        return Response(readable, {"jsonrpc": "2.0", "id": readable, member: value[member]})  # type: ignore[arg-type]

    method = value["method"]
    if not isinstance(method, str):
        raise refused("expected a method that is a string")
    if "result" in value or "error" in value:
        raise refused("a message has a method beside a result or an error")
    if (known := CLIENT_METHODS.get(method)) is None:
        if normal_form(method) in METHOD_FORMS:
            raise refused("the method is written like one of the protocol but is not one", METHOD_NOT_FOUND)
        known = _NO_PARAMS
    body: dict[str, Json] = {"jsonrpc": "2.0", "id": request_id} if is_id else {"jsonrpc": "2.0"}
    body["method"] = method
    params = value.get("params")
    if params is None:
        params = {}
    elif isinstance(params, dict):
        if known and not known.issuperset(params) and (lookalike := _lookalike(params, known, PARAM_FORMS[method])):
            raise refused(f"`{lookalike}` is written like a parameter of `{method}` but is not one", INVALID_PARAMS)
        if "_meta" in params:
            if params["_meta"] is None:
                del params["_meta"]
            else:
                params["_meta"] = _client_meta(params["_meta"], refused)
        body["params"] = params
    else:
        raise refused("expected params that are an object", INVALID_PARAMS)
    if method in {"tools/call", "prompts/get"}:
        if method == "tools/call" and not isinstance(params.get("name"), str):
            raise refused("expected a tool name that is a string", INVALID_PARAMS)
        if params.get("arguments", _NOTHING) is None:  # null stands for none (CallToolRequest): judged so, sent so
            del params["arguments"]
        elif not isinstance(params.get("arguments", _NOTHING), dict):
            raise refused("expected arguments that are an object", INVALID_PARAMS)
    for part, names in PARTS.get(method, ()):
        if isinstance(inner := params.get(part), dict) and (lookalike := _lookalike(inner, names, PART_FORMS[part])):
            raise refused(f"`{lookalike}` is written like a member of `{part}` but is not one", INVALID_PARAMS)
    if not is_id:
        if known and not method.startswith("notifications/"):  # some servers would execute it (PROTOCOL section 6.4)
            raise refused(f"`{method}` has no id")
        return Notification(method, params, body)
    return Request(readable, method, params, body)  # type: ignore[arg-type]


_NO_PARAMS: Final = frozenset[str]()
_NOTHING: Final[dict[str, Json]] = {}


def _client_meta(meta: Json, refused: Callable[[str, int], ProtocolError]) -> dict[str, Json]:
    if not isinstance(meta, dict):
        raise refused("expected a `_meta` that is an object", INVALID_PARAMS)
    if META.issuperset(meta):
        return meta
    if lookalike := _lookalike(meta, META, META_FORMS):
        raise refused(f"`{lookalike}` is written like a member of `_meta` but is not one", INVALID_PARAMS)
    return {key: value for key, value in meta.items() if not key.startswith(MARKER)}


def is_request_id(value: Json) -> bool:
    """Whether `value` may be the id of a request: a short string, or an integer that every peer can hold exactly."""
    if isinstance(value, str):
        return len(value) <= MAX_ID
    return type(value) is int and -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER


def coerced(request_id: RequestId) -> RequestId:
    """`request_id` as the loosest of the SDKs reads it: `"7"`, `" 7"`, `"7.0"`, `"0x7"` are `7`, `""` is `0`.

    Python SDKs use `int(text)`, TypeScript ones `Number(text)` (PROTOCOL section 1.3).
    """
    if type(request_id) is int:
        return request_id
    text = str(request_id).strip().strip("\ufeff").strip()  # JavaScript takes a byte order mark for a space
    if not text:
        return 0
    if not (text[0] in "+-." or text[0].isdecimal()):
        return request_id  # what no SDK reads as a number, in a sixth of the time
    number: int | float
    try:
        number = int(text, 0 if text[:2].lower() in {"0x", "0o", "0b"} else 10)
        number = number if abs(number) <= MAX_SAFE_INTEGER else float(number)
    except (ValueError, OverflowError):
        try:
            number = float(text)
        except ValueError:
            return request_id
    if not isfinite(number):
        return request_id
    if abs(number) > MAX_SAFE_INTEGER:
        # Neighbours beyond 2^53 are one number to JavaScript.
        return repr(number)
    return int(number) if number == int(number) else request_id


def _lookalike(members: dict[str, Json], known: frozenset[str], forms: frozenset[str]) -> str | None:
    """The protocol name that some unknown key could be taken for by a reader that folds case or drops characters."""
    for key in members:
        if key not in known and (form := normal_form(key)) in forms:
            return next(name for name in known if normal_form(name) == form)
    return None


def _refused(text: str, message: str, code: int = INVALID_REQUEST) -> ProtocolError:
    """The error for a frame that can be read but must not pass, with its id where there is exactly one."""
    top: list[tuple[str, Json]] = []

    def keep(pairs: list[tuple[str, Json]]) -> None:
        top[:] = pairs  # the outermost object comes last

    def short(digits: str) -> int | None:
        return int(digits) if len(digits) < 20 else None

    try:
        json.JSONDecoder(object_pairs_hook=keep, parse_int=short).decode(text)
    except (ValueError, RecursionError):
        return ProtocolError(code, message)
    ids = [value for key, value in top if key == "id"]
    request_id = ids[0] if len(ids) == 1 and is_request_id(ids[0]) else None
    keys = {key for key, _ in top}
    answerable = "method" in keys or not keys & {"result", "error"}
    return ProtocolError(code, message, request_id, answerable=answerable)  # type: ignore[arg-type]


def _may_be_deep(text: str) -> bool:
    # Few brackets cannot be nested deeply; in a large frame counting them costs more than looking at the value.
    length = len(text)
    return length > 2 * MAX_NESTING and (length > LARGE or text.count("{") + text.count("[") > MAX_NESTING)


def _is_deeper(value: Json, limit: int) -> bool:
    level: list[Json] = [value]
    for _ in range(limit):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Json) -> Iterator[Json]:
    if isinstance(value, dict):
        return (child for child in value.values() if isinstance(child, dict | list))
    if isinstance(value, list):
        return (child for child in value if isinstance(child, dict | list))
    return iter(())


def _has_lone_surrogate(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


# --- from the upstream ------------------------------------------------------------------------------------------------


def parse_upstream(frame: bytes) -> list[Message | ProtocolError]:
    """Read one frame of the upstream: nothing for an empty line, several messages for a batch.

    `raw` is set where the frame may pass byte for byte: one message, strict JSON, no carriage return inside and none of
    our `_meta` keys. What is no message comes back as an error, whose `id` is that of the response it tried to be,
    where one can be read.
    """
    raw: bytes | None = frame
    if b"\r" in frame:
        frame = frame.removesuffix(b"\r")
        raw = None if b"\r" in frame else frame
    if raw is not None and (answer := _plain_answer(raw)) is not None:
        return [answer]
    return _parse_upstream_closely(frame, raw)


def _plain_answer(frame: bytes) -> Response | None:
    """What `_parse_upstream_closely` makes of nearly every answer, in two thirds of the time; None for all else."""
    try:
        text = frame.decode("utf-8")
        if '"result"' not in text:
            return None
        # Counting costs more than it saves where objects are few. An escape can be a quote, or hide our marker.
        is_sparse = len(text) > SHORT and (_IS_INTERPRETED or text.find("{", SHORT // 2, SHORT) < 0)
        counts = not (is_sparse or "\\" in text or MARKER in text)
        value, end = _scan_upstream(text, 0) if counts else (_decode_upstream(text), len(text))
        if end != len(text) or not isinstance(value, dict) or len(value) != 3:
            return None
        version, request_id, result = value["jsonrpc"], value["id"], value["result"]
    except (ValueError, KeyError, RecursionError, StopIteration):
        return None
    if (
        version != "2.0"
        or type(request_id) is not int
        or not -MAX_SAFE_INTEGER <= request_id <= MAX_SAFE_INTEGER
        # A key that is there twice: each string has two quotes, so a text with no more than those of the strings that
        # were read has lost no key.
        or (counts and text.count('"') != 2 * (4 + _strings(result)))
    ):
        return None
    return Response(request_id, value, frame)


def _strings(value: Json) -> int:
    """How many strings are in `value`, keys included."""
    count = 0
    pending: list[Json] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            count += len(part)
            for child in part.values():
                if isinstance(child, str):
                    count += 1
                elif isinstance(child, (dict, list)):
                    pending.append(child)
        elif isinstance(part, list):
            pending += part
        elif isinstance(part, str):
            count += 1
    return count


_IS_INTERPRETED: Final = isinstance(_strings, FunctionType)
"""Then looking at all of a value takes as long as looking at each object on the way."""


def _parse_upstream_closely(frame: bytes, raw: bytes | None) -> list[Message | ProtocolError]:
    try:
        text = frame.decode("utf-8")
    except UnicodeDecodeError:
        # Raw, it would end a client that decodes strictly (PROTOCOL section 6.3).
        text, raw = frame.decode("utf-8", "replace"), None
    try:
        value: Json
        try:
            value = _decode_upstream(text)
        except _MarkedError:
            value, raw = _decode_marked(text), None
            _strip_marker(value)
    except _DuplicateKeyError:
        return [_malformed(text, "an object has the same key twice")]
    except RecursionError:
        return [_malformed(text, "nested too deeply")]
    except ValueError:
        return [_malformed(text, "not JSON")] if text.strip(" \t\r") else []
    if isinstance(value, list):
        return [_upstream_part(part, None) for part in value]
    return [_upstream_part(value, raw)]


def _upstream_part(value: Json, raw: bytes | None) -> Message | ProtocolError:
    try:
        message = _upstream_message(value, raw)
        if message.raw is None:
            if _is_deeper(value, MAX_WRITTEN_NESTING):
                raise ValueError
            encode(message.body)
    except ProtocolError as error:
        # Its traceback would keep the frame's bytes alive in a cycle, until the collector comes by.
        return error.with_traceback(None)
    except ValueError:
        # A number beyond a double, or nesting that our own stack may not have room for: it only passes as it came.
        request_id = value.get("id") if isinstance(value, dict) and "method" not in value else None
        return ProtocolError(
            INTERNAL_ERROR,
            "a number is too large, or it is nested too deeply, to be written anew",
            request_id if is_request_id(request_id) else None,  # type: ignore[arg-type]
        )
    return message


def _upstream_message(value: Json, raw: bytes | None) -> Message:
    if not isinstance(value, dict):
        raise ProtocolError(INTERNAL_ERROR, "not a JSON object")
    if "result" in value and value.get("error", 0) is None:
        del value["error"]
        raw = None
    request_id = value.get("id")
    is_id = is_request_id(request_id)
    method = value.get("method")
    if not ENVELOPE.issuperset(value) and _lookalike(value, ENVELOPE, ENVELOPE_FORMS):
        problem = "a member is written like one of JSON-RPC but is not one"
    elif value.get("jsonrpc") != "2.0":
        problem = 'no `"jsonrpc": "2.0"`'
    elif "method" not in value:
        if is_id and ("result" in value) != ("error" in value):
            return Response(request_id, value, raw)  # type: ignore[arg-type]
        if "error" in value and request_id is None and "result" not in value:
            # An error about a message whose id the upstream could not read (JSON-RPC 2.0 section 5).
            return Notification("", {}, value, raw)
        problem = "neither a request, a notification nor a response"
    elif not isinstance(method, str) or "result" in value or "error" in value:
        problem = "a method beside a result, or no string"
    elif not isinstance(params := value.get("params", {}), dict):
        problem = "params that are not an object"
    elif "id" not in value:
        return Notification(method, params, value, raw)
    elif is_id:
        return Request(request_id, method, params, value, raw)  # type: ignore[arg-type]
    else:
        problem = "an id that is neither a string nor an integer below 2^53"
    is_response = is_id and "method" not in value
    raise ProtocolError(INTERNAL_ERROR, problem, request_id if is_response else None)  # type: ignore[arg-type]


_ID_FIRST: Final = re.compile(r'\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(-?\d{1,16}|"[^"\\]{0,1024}")\s*,')
_ID_LAST: Final = re.compile(r',\s*"id"\s*:\s*(-?\d{1,16}|"[^"\\]{0,1024}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')


def _malformed(text: str, message: str) -> ProtocolError:
    error = _refused(text, message)
    if error.id is not None:
        # Only a response has a request that waits for it.
        return ProtocolError(INTERNAL_ERROR, message, None if error.answerable else error.id)
    # What is no JSON at all may still have been meant for a request, which must not wait for ever.
    found = None if '"method"' in text[:200] else _ID_FIRST.match(text[:2048]) or _ID_LAST.search(text[-2048:])
    request_id = json.loads(found[1]) if found else None
    return ProtocolError(INTERNAL_ERROR, message, request_id if is_request_id(request_id) else None)


def _strip_marker(value: Json) -> None:
    """Take our keys out of every `_meta`, and out of the `data` of errors."""
    pending: list[Json] = [value]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            for holder in _holders(part):
                for key in [key for key in holder if key.startswith(MARKER)]:
                    del holder[key]
            pending.extend(part.values())
