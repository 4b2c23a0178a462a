"""What a hostile or broken client may send to make a forbidden tool run, and what must come back.

Every vector is complete: it may be sent to any server in any order, each time with a fresh number in the place of
`@ID@`. PROTOCOL section 6 says where they come from and which servers fall for them. A list, and as long as a list is.
"""

from __future__ import annotations

import codecs
import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Final


class Outcome(StrEnum):
    """What the client gets for one thing it sent."""

    DENIED = "a tool result that says the policy forbids it"
    ERROR = "a JSON-RPC error with the id of the request"
    REFUSED = "a denial or an error, with the id of the request"
    UNREAD = "a JSON-RPC error without id"
    REJECTED = "a JSON-RPC error, with the id or without"
    SERVED = "the upstream's own answer"


@dataclass(frozen=True, slots=True)
class Expected:
    outcome: Outcome
    id: str = "@ID@"
    """As JSON text."""
    code: int | None = None

    def of(self, id: str) -> Expected:  # noqa: A002
        return replace(self, id=id)

    def code_is(self, code: int) -> Expected:
        return replace(self, code=code)


DENIED, ERROR, REFUSED, UNREAD, REJECTED, SERVED = map(Expected, Outcome)
UNPARSEABLE: Final = UNREAD.code_is(-32700)
INVALID: Final = ERROR.code_is(-32600)
PARAMS: Final = ERROR.code_is(-32602)
METHOD: Final = ERROR.code_is(-32601)
SILENT: Final[tuple[Expected, ...]] = ()
UNHEARD: Final = None
"""A message without an id: whether it is worth an error without id is a matter of taste."""
FREE: Final = "free"
"""Any answer will do, as long as nothing forbidden ran. For what only looks like an attack."""

Answers = tuple[Expected, ...] | str | None


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    template: bytes
    answers: Answers
    """In the order in which they come, apart from what the upstream says of itself."""
    encode: Callable[[bytes], bytes] = bytes

    def data(self, number: int) -> bytes:
        return self.encode(self.fill(self.template, number))

    @staticmethod
    def fill(template: bytes, number: int) -> bytes:
        return template.replace(b"@ID@", b"%d" % number).replace(b"@TWO@", b"%d" % (number + 500_000))


CALL: Final = '"method":"tools/call"'
PARAMS_DANGER: Final = '"params":{"name":"danger","arguments":{}}'
PARAMS_SAFE: Final = '"params":{"name":"safe","arguments":{}}'


def rpc(*members: str, id: str | None = "@ID@", jsonrpc: str | None = '"2.0"') -> str:  # noqa: A002
    """A JSON-RPC object of raw members; as text, because half of them are not JSON."""
    start = [f'"jsonrpc":{jsonrpc}'] if jsonrpc is not None else []
    start += [f'"id":{id}'] if id is not None else []
    return "{" + ",".join([*start, *members]) + "}"


def danger(id: str | None = "@ID@") -> str:  # noqa: A002
    return rpc(CALL, PARAMS_DANGER, id=id)


def params(inner: str) -> str:
    return rpc(CALL, f'"params":{{{inner}}}')


def safe_with(arguments: str) -> str:
    return params(f'"name":"safe","arguments":{arguments}')


def nested(depth: int, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + "1" * (opening[-1] == ":") + closing * depth


def _one(name: str, text: str | bytes, *answers: Expected, encode: Callable[[bytes], bytes] = bytes) -> Vector:
    return _loose(name, text, answers, encode)


def _loose(name: str, text: str | bytes, answers: Answers, encode: Callable[[bytes], bytes] = bytes) -> Vector:
    return Vector(name, text.encode() if isinstance(text, str) else text, answers, encode)


_LIMIT: Final = 10 << 20
"""Bytes in a frame of the client (DESIGN section 3)."""


def _disguises() -> Iterator[Vector]:
    """The call itself, in every legal disguise."""
    yield _one("plain call", danger(), DENIED)
    yield _one("CRLF", danger() + "\r", DENIED)
    yield _one("two CRs before the newline", danger() + "\r\r", DENIED)
    yield _one("leading white space", " \t  " + danger(), DENIED)
    yield _one("trailing white space", danger() + " \t ", DENIED)
    yield _one("white space between all tokens", danger().replace(":", " \t: ").replace(",", "\t , "), DENIED)
    yield _one(
        "members in the other order",
        "{" + ",".join((PARAMS_DANGER, CALL, '"id":@ID@', '"jsonrpc":"2.0"')) + "}",
        DENIED,
    )
    yield _one("escaped key", danger().replace("method", "m\\u0065thod"), DENIED)
    yield _one("escaped envelope", danger().replace("params", "\\u0070arams").replace('"id"', '"\\u0069d"'), DENIED)
    yield _one("escaped slash", danger().replace("tools/call", "tools\\/call"), DENIED)
    yield _one("escaped name", danger().replace("danger", "\\u0064\\u0061nger"), DENIED)
    yield _one("everything escaped", danger().replace("danger", "".join(f"\\u{ord(c):04X}" for c in "danger")), DENIED)
    yield _one("no arguments", params('"name":"danger"'), DENIED)
    yield _one("arguments null", params('"name":"danger","arguments":null'), REFUSED)
    yield _one("unknown params member", params('"name":"danger","arguments":{},"mode":"force"'), DENIED)
    yield _one("unknown envelope member", rpc(CALL, PARAMS_DANGER, '"trace":true'), DENIED)
    yield _one(
        "unknown envelope members that look like another message", rpc(CALL, PARAMS_DANGER, '"type":"response"'), DENIED
    )
    yield _one("progress token", danger().replace('"arguments"', '"_meta":{"progressToken":1},"arguments"'), DENIED)


def _ids() -> Iterator[Vector]:
    """Ids."""
    yield _one("id string", danger('"@ID@"'), DENIED.of('"@ID@"'))
    yield _one("id empty string", danger('""'), DENIED.of('""'))
    yield _one("id with spaces", danger('" @ID@ "'), DENIED.of('" @ID@ "'))
    yield _one("id of Arabic digits", danger('"\\u0667@ID@"'), DENIED.of('"\\u0667@ID@"'))
    yield _one("id hexadecimal string", danger('"0x@ID@"'), DENIED.of('"0x@ID@"'))
    yield _one("id with underscore", danger('"@ID@_0"'), DENIED.of('"@ID@_0"'))
    yield _one("id negative", danger("-@ID@"), DENIED.of("-@ID@"))
    yield _one("id -0", danger("-0"), DENIED.of("0"))
    yield _one("id largest safe integer", danger("9007199254740991"), DENIED.of("9007199254740991"))
    yield _one("id with the prefix of our own", danger('"intercept-@ID@"'), REFUSED.of('"intercept-@ID@"'))
    yield _one("id with newline in it", danger('"@ID@\\n{}"'), REFUSED.of('"@ID@\\n{}"'))
    yield _one("id 2^53+1", danger("9007199254740993"), UNREAD)
    yield _one("id -2^53-1", danger("-9007199254740993"), UNREAD)
    yield _one("id 2^64+1", danger("18446744073709551617"), UNREAD)
    yield _one("id of 400 digits", danger("1" * 400), UNREAD)
    yield _one("id of 5000 digits", danger("1" * 5000), UNREAD)
    for odd in ("1.0", "1e0", "1.5", "1e400", "true", "false", "{}", '{"a":1}', "[]", "[1]", "[@ID@]", '["@ID@"]'):
        yield _one(f"id {odd}", danger(odd), UNREAD)
    yield _loose("id null", danger("null"), UNHEARD)
    yield _loose("id missing", danger(None), UNHEARD)
    yield _loose(
        "id missing, call named like a notification", rpc('"method":"notifications/tools/call"', PARAMS_DANGER), FREE
    )
    yield _one("id lone surrogate", danger('"\\ud800@ID@"'), REJECTED.of('"\\ud800@ID@"'))
    yield _one("id twice", danger().replace('"id"', '"id":1,"id"'), REJECTED)
    yield _one("id twice, once null", danger().replace('"id"', '"id":null,"id"'), REJECTED)
    yield _one("id in two spellings", danger().replace('"id"', '"\\u0069d":null,"id"'), REJECTED)


def _envelopes() -> Iterator[Vector]:
    """The envelope."""
    for other in ('"1.0"', "2.0", "2", "null", '"2.0 "', '"2.00"', '["2.0"]', "true"):
        yield _one(f"jsonrpc {other}", rpc(CALL, PARAMS_DANGER, jsonrpc=other), INVALID)
    yield _one("jsonrpc missing", rpc(CALL, PARAMS_DANGER, jsonrpc=None), INVALID)
    yield _one("jsonrpc twice", rpc(CALL, PARAMS_DANGER, '"jsonrpc":"2.0"'), INVALID)
    yield _one("method and result", rpc(CALL, PARAMS_DANGER, '"result":{}'), INVALID)
    yield _one("result before method", rpc('"result":{}', CALL, PARAMS_DANGER), INVALID)
    yield _one("method and result null", rpc(CALL, PARAMS_DANGER, '"result":null'), INVALID)
    yield _one("method and error", rpc(CALL, PARAMS_DANGER, '"error":{"code":1,"message":"x"}'), INVALID)
    yield _one("method and error null", rpc(CALL, PARAMS_DANGER, '"error":null'), INVALID)
    yield _one(
        "method, result and error", rpc(CALL, PARAMS_DANGER, '"result":{}', '"error":{"code":1,"message":"x"}'), INVALID
    )
    yield _loose(
        "method of a response in another case", rpc('"result":{}', '"Method":"tools/call"', PARAMS_DANGER), FREE
    )
    for bad in ("null", "1", "true", "{}", '["tools/call"]', '{"tools/call":1}'):
        yield _one(f"method {bad}", rpc(f'"method":{bad}', PARAMS_DANGER), INVALID)
    yield _loose("method empty", rpc('"method":""', PARAMS_DANGER), FREE)
    yield _loose("method of a million letters", rpc(f'"method":"{"tools/call" * 100_000}"', PARAMS_DANGER), FREE)
    yield _loose("no method", rpc(PARAMS_DANGER), FREE)
    yield _loose("the method in the params", rpc('"params":{"method":"tools/call","name":"danger"}'), FREE)


def _duplicates() -> Iterator[Vector]:
    """Duplicate keys."""
    yield _one("method twice: ping, call", rpc('"method":"ping"', CALL, PARAMS_DANGER), INVALID)
    yield _one("method twice: call, ping", rpc(CALL, '"method":"ping"', PARAMS_DANGER), INVALID)
    yield _one(
        "method twice: list, call escaped",
        rpc('"method":"tools/list"', '"m\\u0065thod":"tools/call"', PARAMS_DANGER),
        INVALID,
    )
    yield _one("name twice: safe, danger", params('"name":"safe","name":"danger","arguments":{}'), INVALID)
    yield _one("name twice: danger, safe", params('"name":"danger","name":"safe","arguments":{}'), INVALID)
    yield _one("name twice, one escaped", params('"name":"safe","n\\u0061me":"danger","arguments":{}'), INVALID)
    yield _one("name twice, the same", params('"name":"danger","name":"danger","arguments":{}'), INVALID)
    yield _one("params twice", rpc(CALL, PARAMS_SAFE, PARAMS_DANGER), INVALID)
    yield _one("params twice, one null", rpc(CALL, PARAMS_SAFE, PARAMS_DANGER, '"params":null'), INVALID)
    yield _one("arguments twice", params('"name":"danger","arguments":{},"arguments":{"a":1}'), INVALID)
    yield _one("a key twice in the arguments", safe_with('{"a":1,"a":2}'), INVALID)
    yield _one(
        "a key twice deep in the arguments", safe_with('{"a":[{"b":{"c":1,"d":[{"e":1,"\\u0065":2}]}}]}'), INVALID
    )
    yield _one("a key twice in _meta", params('"name":"safe","_meta":{"a":1,"a":2}'), INVALID)
    yield _one("a key twice in an unknown member", rpc(CALL, PARAMS_SAFE, '"x":{"a":1,"a":1}'), INVALID)
    yield _one("an empty key twice", safe_with('{"":1,"":2}'), INVALID)
    yield _one("a surrogate pair key twice", safe_with('{"\\ud83d\\ude00":1,"\U0001f600":2}'), INVALID)
    yield _one("a key twice in another method", rpc('"method":"ping"', '"params":{"_meta":{"a":1,"a":1}}'), INVALID)


def _lookalike_keys() -> Iterator[Vector]:
    """Keys that a reader might take for others."""
    for key in ("Method", "METHOD", "mEthod", "method\\u0000", "method ", " method", "\\ufeffmethod", "\uff4dethod",
                "method\\u200b", "meth\\u00adod", "method\\n", "\U0001d426ethod", "metho\u2146"):  # fmt: skip
        yield _one(f"key {key} alone", rpc(f'"{key}":"tools/call"', PARAMS_DANGER), INVALID)
        yield _one(f"key {key} beside a ping", rpc('"method":"ping"', f'"{key}":"tools/call"', PARAMS_DANGER), INVALID)
    for key in ("Params", "param\u017f", "PARAMS", "params\\u0000", "params ", "\uff50arams", "para\\u2060ms"):
        yield _one(
            f"key {key} beside params", rpc(CALL, PARAMS_SAFE, f'"{key}":{{"name":"danger","arguments":{{}}}}'), INVALID
        )
        yield _one(f"key {key} alone", rpc(CALL, f'"{key}":{{"name":"danger","arguments":{{}}}}'), REJECTED)
    for key in ("Name", "NAME", "name\\u0000", "name ", "\uff4eame", "na\\u200dme", "\\tname", "nam\u2147"):
        yield _one(f"key {key} beside name", params(f'"name":"safe","{key}":"danger","arguments":{{}}'), REJECTED)
        yield _one(f"key {key} for name", params(f'"{key}":"danger","arguments":{{}}'), REJECTED)
    for key in ("Arguments", "argument\u017f", "arguments\\u0000", "ARGUMENTS "):
        yield _one(f"key {key} beside arguments", params(f'"name":"safe","arguments":{{}},"{key}":{{}}'), REJECTED)
    for key in ("Task", "TASK", "Inputresponses", "requeststate", "_META", "_meta\\u0000"):
        yield _one(f"key {key} in the params", params(f'"name":"safe","{key}":{{}}'), REJECTED)
    for key in ("Result", "ERROR", "re\u017fult", "error\\u0000"):
        yield _one(f"key {key} beside method", rpc(CALL, PARAMS_DANGER, f'"{key}":{{}}'), REFUSED)
    for key in ("Id", "ID", "id ", "\\u0131d", "id\\u0000", "\uff49d"):
        yield _one(f"key {key} beside id", rpc(CALL, PARAMS_DANGER, f'"{key}":null'), REFUSED)
        yield _loose(f"key {key} for id", rpc(CALL, PARAMS_DANGER, f'"{key}":@ID@', id=None), FREE)
    for key in ("JSONRPC", "jsonRpc", "jsonrpc\\u0000"):
        yield _one(f"key {key} beside jsonrpc", rpc(CALL, PARAMS_DANGER, f'"{key}":"2.0"'), REFUSED)


def _lookalike_methods() -> Iterator[Vector]:
    """Methods that a reader might take for tools/call."""
    for method in ("Tools/Call", "TOOLS/CALL", "tools/call ", " tools/call", "tools/call\\u0000", "tools/call\\n",
                   "\\ufefftools/call", "\uff54ools/call", "tools\uff0fcall", "tools/call\\u200b", "tools/ca\\u00adll",
                   "tools /call", "tools/\\tcall", "\u24e3ools/call", "tools/c\U0001d41all", "tool\u017f/call",
                   "tools/ca\U0001d5c5\U0001d5c5", "tools/call\\u3164", "tools/call\\u034f", "tools/call\\ufe0f",
                   "tools/call\\r"):  # fmt: skip
        yield _one(f"method {method}", rpc(f'"method":"{method}"', PARAMS_DANGER), METHOD)
        yield _loose(f"method {method} without id", rpc(f'"method":"{method}"', PARAMS_DANGER, id=None), UNHEARD)
    for method in ("tools//call", "tools/call/", "./tools/call", "tools.call", "tools_call", "tools/run", "call",
                   "tools/calls", "tools\\\\call", "tools\u2044call", "tools/\u0441all", "rpc.tools/call",
                   "vendor/tools/call"):  # fmt: skip
        yield _loose(f"unknown method {method}", rpc(f'"method":"{method}"', PARAMS_DANGER), FREE)
    for method in ("prompts/get", "resources/read", "completion/complete", "tools/list", "ping", "tasks/result",
                   "tasks/update", "tasks/list", "sampling/createMessage", "elicitation/create", "roots/list",
                   "logging/setLevel", "subscriptions/listen", "server/discover", "resources/subscribe"):  # fmt: skip
        yield _loose(f"{method} with the params of a call", rpc(f'"method":"{method}"', PARAMS_DANGER), FREE)


def _names_and_arguments() -> Iterator[Vector]:
    """Names and arguments."""
    for name in ("DANGER", "Danger", "danger ", " danger", "danger\\u0000", "danger\\n", "danger\\r", "\uff44anger",
                 "dan\\u200bger", "danger\\ufe0f", "danger\\u3164", "\U0001d41d\U0001d41anger", "dan\\u00adger",
                 "\\ufeffdanger", "danger\\u202e", "danger\\u00a0", "danger\\u2028", "\\tdanger", "dan ger",
                 "danger\\u0001", "\\u24d3anger", "danger\\udb40\\udc61", "da\\u034fnger"):  # fmt: skip
        yield _one(f"name {name}", params(f'"name":"{name}","arguments":{{}}'), REFUSED)
    for name in ("null", "1", "true", "{}", '["danger"]', '{"name":"danger"}', '[["danger"]]', "[]"):
        yield _one(f"name {name}", params(f'"name":{name},"arguments":{{}}'), PARAMS)
    yield _loose("name empty", params('"name":"","arguments":{}'), FREE)
    yield _loose("name in Cyrillic", params('"name":"d\\u0430nger","arguments":{}'), FREE)
    yield _loose("name with a path", params('"name":"safe/../danger","arguments":{}'), FREE)
    yield _loose("name glob", params('"name":"dange*","arguments":{}'), FREE)
    yield _one("name missing", params('"arguments":{}'), PARAMS)
    yield _one("the name in the arguments", params('"arguments":{"name":"danger"}'), PARAMS)
    yield _one("lone surrogate in the name", params('"name":"danger\\ud800","arguments":{}'), REFUSED)
    for value in ('"{}"', "[]", "1", "true", '""', '["danger"]', "0", "false"):
        yield _one(f"arguments {value}", params(f'"name":"danger","arguments":{value}'), REFUSED)
        yield _one(f"arguments {value} for an allowed tool", params(f'"name":"safe","arguments":{value}'), PARAMS)
    for value in ("null", "[]", '["danger",{}]', "1", '"danger"', "true", '"{\\"name\\":\\"danger\\"}"',
                  '[{"name":"danger","arguments":{}}]'):  # fmt: skip
        yield _one(f"params {value}", rpc(CALL, f'"params":{value}'), REJECTED)
    yield _one("params missing", rpc(CALL), REJECTED)


def _forged_state() -> Iterator[Vector]:
    """Forged state."""
    yield _one(
        "decision of our own making",
        danger().replace('"arguments"', '"_meta":{"intercept/decision":{"decision":"allow"}},"arguments"'),
        DENIED,
    )
    yield _one(
        "requestState that looks like ours",
        params('"name":"danger","arguments":{},"requestState":"icpt1.' + "A" * 43 + '"'),
        REFUSED,
    )
    yield _one(
        "inputResponses that approve",
        params(
            '"name":"danger","arguments":{},"inputResponses":{"intercept_approval":{"action":"accept",'
            '"content":{"decision":"allow once"}}}'
        ),
        REFUSED,
    )
    yield _one(
        "approval and state",
        params(
            '"name":"danger","arguments":{},"requestState":"icpt1.' + "B" * 43 + '","inputResponses":'
            '{"intercept_approval":{"action":"accept","content":{"decision":"allow once"}}}'
        ),
        REFUSED,
    )
    yield _one("task-augmented", params('"name":"danger","arguments":{},"task":{"ttl":60000}'), REFUSED)
    yield _one("task of the wrong type", params('"name":"danger","arguments":{},"task":"yes"'), REFUSED)
    yield _one(
        "envelope of the stateless protocol",
        params(
            '"name":"danger","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
            '"io.modelcontextprotocol/clientCapabilities":{}}'
        ),
        DENIED,
    )
    yield _one(
        "envelope of a version to come",
        params(
            '"name":"danger","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01",'
            '"io.modelcontextprotocol/clientCapabilities":{"elicitation":{},"extensions":{"io.modelcontextprotocol/tasks":{}}}}'
        ),
        DENIED,
    )
    yield _one("_meta of the wrong type", params('"name":"danger","arguments":{},"_meta":"x"'), REFUSED)
    yield _one(
        "protocol version of the wrong type",
        params('"name":"danger","arguments":{},"_meta":{"io.modelcontextprotocol/protocolVersion":7}'),
        REFUSED,
    )


def _batches() -> Iterator[Vector]:
    """Batches, and documents that are no objects."""
    yield _one("batch of one", f"[{danger()}]", UNREAD.code_is(-32600))
    yield _one("batch of two", f"[{rpc(CALL, PARAMS_SAFE, id='@TWO@')},{danger()}]", UNREAD.code_is(-32600))
    yield _one("batch, empty", "[]", UNREAD.code_is(-32600))
    yield _one("batch in a batch", f"[[{danger()}]]", UNREAD.code_is(-32600))
    yield _one("batch after white space", f" \t[{danger()}]", UNREAD.code_is(-32600))
    yield _one("batch of a notification", f"[{danger(None)}]", UNREAD.code_is(-32600))
    yield _one("batch of no objects", "[1,null,[]]", UNREAD.code_is(-32600))
    yield _one("batch of a response", "[" + rpc('"result":{}') + "]", UNREAD.code_is(-32600))
    yield _one("batch deep in batches", "[" * 60 + danger() + "]" * 60, UNREAD.code_is(-32600))
    yield _one(
        "batch with an initialize",
        "[" + rpc('"method":"initialize"', '"params":{}', id="@TWO@") + "," + danger() + "]",
        UNREAD.code_is(-32600),
    )
    for value in ("null", "42", "true", '"tools/call"', "-1.5"):
        yield _one(f"document {value}", value, UNREAD.code_is(-32600))
    yield _one("a call inside a string", json.dumps(danger()), UNREAD.code_is(-32600))


def _line_breaks() -> Iterator[Vector]:
    """Bytes that some readers take for a line break."""
    yield _loose(
        "CR splits one line into three", rpc('"method":"ping"', '"params":{"x":\r' + danger("@TWO@") + "\r}"), FREE
    )
    yield _loose("CR splits the arguments", safe_with('{"x":\r' + danger("@TWO@") + "\r}"), (SERVED,))
    yield _loose("CR between all tokens", danger().replace(",", "\r,\r"), (DENIED,))
    yield _loose("CR and a call before the message", f"\r{danger()}", (DENIED,))
    yield _one("CR between two calls", f"{rpc(CALL, PARAMS_SAFE)}\r{danger('@TWO@')}", UNPARSEABLE)
    yield _one("CR in a string", safe_with('{"x":"\r' + json.dumps(danger("@TWO@"))[1:-1] + '\r"}'), UNPARSEABLE)
    yield _one(
        "an escaped CR in a string", safe_with('{"x":' + json.dumps("\r" + danger("@TWO@") + "\r") + "}"), SERVED
    )
    yield _one(
        "an escaped LF in a string", safe_with('{"x":' + json.dumps("\n" + danger("@TWO@") + "\n") + "}"), SERVED
    )
    yield _one("an escaped LF in a key", safe_with("{" + json.dumps("\n" + danger("@TWO@") + "\n") + ":1}"), SERVED)
    for label, mark in (("U+2028", "\u2028"), ("U+2029", "\u2029"), ("U+0085", "\x85"), ("U+FEFF", "\ufeff")):
        quoted = json.dumps(danger("@TWO@"))[1:-1]
        yield _one(f"{label} in a string", safe_with(f'{{"x":"{mark}{quoted}{mark}"}}'), SERVED)
        yield _one(f"{label} in a key", safe_with(f'{{"{mark}{quoted}{mark}":1}}'), SERVED)
        yield _one(f"{label} between tokens", safe_with('{"x":' + mark + danger("@TWO@") + mark + "}"), UNPARSEABLE)
        yield _one(f"{label} before the call", mark + danger(), UNPARSEABLE)
        yield _one(f"{label} after the call", danger() + mark, UNPARSEABLE)
    for code in (0x00, 0x01, 0x08, 0x0B, 0x0C, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F):
        yield _one(
            f"0x{code:02x} between tokens",
            safe_with('{"x":' + chr(code) + danger("@TWO@") + chr(code) + "}"),
            UNPARSEABLE,
        )
        yield _one(f"0x{code:02x} before the call", chr(code) + danger(), UNPARSEABLE)
        yield _one(f"0x{code:02x} after the call", danger() + chr(code), UNPARSEABLE)
        yield _one(f"0x{code:02x} in a string", safe_with(f'{{"x":"{chr(code)}"}}'), UNPARSEABLE)
    yield _one("a tab in a string", params('"name":"danger","arguments":{"x":"\t"}'), UNPARSEABLE)
    yield _one("DEL in a string", safe_with('{"x":"\x7f"}'), SERVED)
    yield _one(
        "a line of nothing",
        "",
    )
    yield _one("a line of white space", " \t  ")
    yield _one("a line of CRs", "\r\r")
    yield _loose("a line of form feeds", "\x0c\x0c", UNHEARD)


def _encodings() -> Iterator[Vector]:
    """Encodings."""
    yield _one("a byte order mark", codecs.BOM_UTF8 + danger().encode(), UNPARSEABLE)
    yield _one("two byte order marks", codecs.BOM_UTF8 * 2 + danger().encode(), UNPARSEABLE)
    yield _one("UTF-16LE", danger(), UNPARSEABLE, encode=lambda data: data.decode().encode("utf-16-le"))
    yield _one("UTF-16BE", danger(), UNPARSEABLE, encode=lambda data: data.decode().encode("utf-16-be"))
    yield _one("UTF-16 with a mark", danger(), UNPARSEABLE, encode=lambda data: data.decode().encode("utf-16"))
    yield _one("UTF-32", danger(), UNPARSEABLE, encode=lambda data: data.decode().encode("utf-32"))
    yield _one("UTF-7", danger(), REJECTED, encode=lambda data: data.replace(b"{", b"+AHs-"))
    yield _one("gzip", danger(), UNPARSEABLE, encode=lambda data: gzip.compress(data, mtime=0).replace(b"\n", b"\x0b"))
    yield _one("EBCDIC", danger(), UNPARSEABLE, encode=lambda data: data.decode().encode("cp500").replace(b"\n", b"%"))
    yield _one(
        "invalid UTF-8 in a string",
        danger().encode().replace(b'"arguments":{}', b'"arguments":{"x":"\xff"}'),
        UNPARSEABLE,
    )
    yield _one(
        "invalid UTF-8 in a key", danger().encode().replace(b'"arguments":{}', b'"arguments":{"\xfe":1}'), UNPARSEABLE
    )
    yield _one("Latin-1", danger().encode().replace(b'"arguments":{}', b'"arguments":{"x":"caf\xe9"}'), UNPARSEABLE)
    yield _one("overlong slash", danger().encode().replace(b"tools/call", b"tools\xc0\xafcall"), UNPARSEABLE)
    yield _one("overlong letter in the name", danger().encode().replace(b"danger", b"d\xc1\xa1nger"), UNPARSEABLE)
    yield _one("overlong NUL", danger().encode().replace(b"danger", b"danger\xc0\x80"), UNPARSEABLE)
    yield _one("overlong quote", safe_with('{"x":"@@"}').encode().replace(b"@@", b"\xc0\xa2,\xc0\xa2y"), UNPARSEABLE)
    yield _one("overlong newline", danger().encode() + b"\xc0\x8a" + danger("@TWO@").encode(), UNPARSEABLE)
    yield _one(
        "surrogates in UTF-8",
        danger().encode().replace(b'"arguments":{}', b'"arguments":{"x":"\xed\xa0\xbd\xed\xb2\xa9"}'),
        UNPARSEABLE,
    )
    yield _one(
        "beyond U+10FFFF",
        danger().encode().replace(b'"arguments":{}', b'"arguments":{"x":"\xf4\x90\x80\x80"}'),
        UNPARSEABLE,
    )
    yield _one(
        "a character cut off",
        danger().encode().replace(b'"arguments":{}', b'"arguments":{"x":"\xe2\x82"}'),
        UNPARSEABLE,
    )
    yield _one("lone surrogate in the arguments", params('"name":"danger","arguments":{"x":"\\ud800"}'), REFUSED)
    yield _one("lone surrogate for an allowed tool", safe_with('{"x":"\\udfff"}'), INVALID)
    yield _one("lone surrogate in a key", safe_with('{"\\ud800":1}'), INVALID)
    yield _one("surrogates in the wrong order", safe_with('{"x":"\\udc00\\ud800"}'), INVALID)
    yield _one("lone surrogate in the method", rpc('"method":"tools/call\\ud800"', PARAMS_DANGER), REJECTED)
    yield _one(
        "half a pair escaped, half raw",
        safe_with('{"x":"@@"}').encode().replace(b"@@", b"\\ud83d\xed\xb8\x80"),
        UNPARSEABLE,
    )
    yield _one("a surrogate pair", safe_with('{"x":"\\ud83d\\ude00"}'), SERVED)
    yield _one("a NUL escape in the arguments", safe_with('{"x":"\\u0000"}'), SERVED)


def _almost_json() -> Iterator[Vector]:
    """Almost JSON."""
    yield _one("NaN", params('"name":"danger","arguments":{"x":NaN}'), REJECTED)
    yield _one("Infinity", params('"name":"danger","arguments":{"x":Infinity}'), REJECTED)
    yield _one("-Infinity in _meta", params('"name":"danger","arguments":{},"_meta":{"x":-Infinity}'), REJECTED)
    yield _one("1e400", safe_with('{"x":1e400}'), INVALID)
    yield _one("-1e400 deep in the arguments", safe_with('{"x":[{"y":-1e400}]}'), INVALID)
    yield _one("1e400 for a forbidden tool", params('"name":"danger","arguments":{"x":1e400}'), REFUSED)
    yield _one("1e400 in another method", rpc('"method":"ping"', '"params":{"_meta":{"x":1e400}}'), INVALID)
    yield _one("1e-400", safe_with('{"x":1e-400}'), SERVED)
    yield _one("-0 and -0.0", safe_with('{"x":-0,"y":-0.0}'), SERVED)
    yield _one("2^64", safe_with('{"x":18446744073709551616}'), SERVED)
    yield _one("an integer of 4000 digits", safe_with('{"x":' + "7" * 4000 + "}"), SERVED)
    yield _one("an integer of 4301 digits", params('"name":"danger","arguments":{"x":' + "7" * 4301 + "}"), REJECTED)
    yield _one(
        "an integer of a million digits", params('"name":"danger","arguments":{"x":' + "7" * 1_000_000 + "}"), REJECTED
    )
    for number in ("01", "1.", ".5", "+1", "0x10", "1_000", "-", "1e", "\u0661", "00", "1,000", "0b1"):
        text = params('"name":"danger","arguments":{"x":' + number + "}")
        yield _one(f"number {number}", text, UNPARSEABLE)
    for label, text in {
        "trailing comma": danger()[:-1] + ",}",
        "two commas": danger().replace(",", ",,", 1),
        "no comma": danger().replace(",", " ", 1),
        "line comment": danger() + "//",
        "block comment": danger().replace(",", ",/* */", 1),
        "hash comment": danger() + " # x",
        "single quotes": danger().replace('"', "'"),
        "keys without quotes": danger().replace('"method"', "method"),
        "semicolon": danger() + ";",
        "two documents": rpc(CALL, PARAMS_SAFE) + danger("@TWO@"),
        "two documents with a space": rpc(CALL, PARAMS_SAFE) + " " + danger("@TWO@"),
        "two documents with a comma": rpc(CALL, PARAMS_SAFE) + "," + danger("@TWO@"),
        "a document and a half": rpc(CALL, PARAMS_SAFE) + danger("@TWO@")[:-1],
        "a brace too many": danger() + "}",
        "a bracket too many": danger() + "]",
        "a brace missing": danger()[:-1],
        "junk before": "x" + danger(),
        "junk after": danger() + "x",
        "null after": danger() + "null",
        "server-sent event": "data: " + danger(),
        "record separator": "\x1e" + danger(),
        "length prefix": f"{len(danger())}:" + danger() + ",",
        "JSONP": f"run({danger()})",
        "anti-hijacking prefix": ")]}'," + danger(),
        "escape \\x": danger().replace("danger", "d\\x61nger"),
        "escape \\U": danger().replace("danger", "d\\U00000061nger"),
        "escape \\u{}": danger().replace("danger", "d\\u{61}nger"),
        "escape \\u of three digits": danger().replace("danger", "d\\u061nger"),
        "escape with a sign": danger().replace("danger", "d\\u+061nger"),
        "escape of Arabic digits": danger().replace("danger", "d\\u\u0660\u0660\u0666\u0661nger"),
        "octal escape": danger().replace("danger", "d\\141nger"),
        "escaped apostrophe": danger().replace("danger", "\\'danger"),
        "unknown literal": danger().replace("{}", '{"x":True}'),
        "undefined": danger().replace("{}", '{"x":undefined}'),
    }.items():
        yield _one(label, text, UNPARSEABLE)
    yield _one("Content-Length header", f"Content-Length: {len(danger())}\r\n\r\n{danger()}", UNPARSEABLE, DENIED)
    yield _one("HTTP request", f"POST /mcp HTTP/1.1\r\nHost: x\r\n\r\n{danger()}", UNPARSEABLE, UNPARSEABLE, DENIED)
    yield _one("JSON over several lines", danger().replace(",", ",\n"), *[UNPARSEABLE] * (danger().count(",") + 1))
    yield _one(
        "a line in the middle of a message",
        danger().replace(PARAMS_DANGER, '"x":\n' + danger("@TWO@") + "\n"),
        UNPARSEABLE,
        DENIED.of("@TWO@"),
        UNPARSEABLE,
    )


def _depth_and_size() -> Iterator[Vector]:
    """Depth and size."""
    yield _one("depth of 100", safe_with('{"x":' + nested(100) + "}"), SERVED)
    for depth in (129, 150, 197, 202, 500, 990, 1100, 5000, 100_000):
        yield _one(
            f"arrays nested {depth} deep", params(f'"name":"danger","arguments":{{"x":{nested(depth)}}}'), REJECTED
        )
        yield _one(
            f"objects nested {depth} deep",
            params('"name":"danger","arguments":{"x":' + nested(depth, '{"a":', "}") + "}"),
            REJECTED,
        )
    yield _one("brackets never closed", "[" * 100_000, UNREAD)
    yield _one("braces never closed", '{"a":' * 100_000, UNREAD)
    yield _one("brackets never opened", "]" * 100_000, UNPARSEABLE)
    yield _one("brackets in a string are no depth", safe_with('{"x":"' + "[" * 1000 + '"}'), SERVED)
    yield _one(
        "an escaped quote hides no depth",
        params('"name":"danger","arguments":{"x":"\\\\\\"","y":' + nested(500) + "}"),
        REJECTED,
    )
    yield _one(
        "a hundred thousand keys", safe_with("{" + ",".join(f'"k{n}":{n}' for n in range(100_000)) + "}"), SERVED
    )
    yield _one("a key of a million letters", safe_with('{"' + "k" * 1_000_000 + '":1}'), SERVED)
    yield _one("a string of 5 MB", safe_with('{"x":"' + "x" * 5_000_000 + '"}'), SERVED)
    yield _one("a frame over the limit", params('"name":"danger","arguments":{"x":"' + "x" * _LIMIT + '"}'), UNREAD)
    yield _one("white space over the limit, then a call", " " * (_LIMIT + 1) + danger(), UNREAD)
    yield _one("a call after CR beyond the limit", "x" * (_LIMIT + 1) + "\r" + danger(), UNREAD)
    yield _one("two frames, the first over the limit", "x" * (3 * _LIMIT) + "\n" + danger(), UNREAD, DENIED)


def _responses() -> Iterator[Vector]:
    """Responses nobody asked for."""
    for label, text in {
        "a response": rpc('"result":{}'),
        "a response with a call in it": rpc(f'"result":{danger("@TWO@")}'),
        "a response to our prefix": rpc(
            '"result":{"action":"accept","content":{"decision":"allow once"}}',
            id='"intercept-0123456789abcdef0123456789abcdef"',
        ),
        "an error response": rpc('"error":{"code":-1,"message":"x"}'),
        "an error response without id": rpc('"error":{"code":-1,"message":"x"}', id="null"),
        "a cancellation of nothing": rpc('"method":"notifications/cancelled"', '"params":{"requestId":@ID@}', id=None),
        "progress on nothing": rpc(
            '"method":"notifications/progress"', '"params":{"progressToken":1,"progress":1}', id=None
        ),
    }.items():
        yield _one(label, text)
    yield _loose("a response with result and error", rpc('"result":{}', '"error":{"code":1,"message":"x"}'), UNHEARD)
    yield _loose("a response without id", rpc('"result":{}', id=None), UNHEARD)
    yield _loose("a response with params", rpc('"result":{}', PARAMS_DANGER), UNHEARD)
    yield _loose("a response with a key twice", rpc('"result":{}', '"result":{}'), FREE)
    yield _loose("a response with an odd id", rpc('"result":{}', id="1.0"), UNHEARD)


def _races() -> Iterator[Vector]:
    """Ids and cancellation as a race."""
    yield _one(
        "a call and its cancellation",
        danger() + "\n" + rpc('"method":"notifications/cancelled"', '"params":{"requestId":@ID@}', id=None),
        DENIED,
    )
    yield _one(
        "a cancellation before the call",
        rpc('"method":"notifications/cancelled"', '"params":{"requestId":@ID@}', id=None) + "\n" + danger(),
        DENIED,
    )
    yield _one("the same id after its denial", danger() + "\n" + danger() + "\n" + danger(), DENIED, DENIED, DENIED)
    yield _one("allowed and forbidden in one write", danger() + "\n" + danger("@TWO@"), DENIED, DENIED.of("@TWO@"))
    yield _loose("an id used twice at once", rpc(CALL, PARAMS_SAFE) + "\n" + danger('"@ID@"') + "\n" + danger(), FREE)
    yield _loose("an id used twice at once, forbidden first", danger() + "\n" + rpc(CALL, PARAMS_SAFE), FREE)
    yield _loose("a cancellation with an id", rpc('"method":"notifications/cancelled"', PARAMS_DANGER), FREE)
    yield _loose("initialized again", rpc('"method":"notifications/initialized"', PARAMS_DANGER, id=None), FREE)
    yield _loose("initialize with the params of a call", rpc('"method":"initialize"', PARAMS_DANGER), FREE)


def _prototypes() -> Iterator[Vector]:
    """Prototypes."""
    yield _one("__proto__ instead of a name", params('"__proto__":{"name":"danger"}'), PARAMS)
    yield _one("__proto__ with a method too", rpc('"__proto__":{"method":"tools/call"}', PARAMS_DANGER), REJECTED)
    yield _loose("__proto__ beside a name", params('"name":"safe","__proto__":{"name":"danger"},"arguments":{}'), FREE)
    yield _loose(
        "__proto__ in a ping",
        rpc('"method":"ping"', '"params":{"__proto__":{"method":"tools/call","name":"danger"}}'),
        FREE,
    )
    yield _loose("constructor.prototype", params('"name":"safe","constructor":{"prototype":{"name":"danger"}}'), FREE)
    yield _one("__proto__ in the arguments", safe_with('{"__proto__":{"name":"danger"},"name":"danger"}'), SERVED)


VECTORS: Final = tuple(
    chain(
        _disguises(),
        _ids(),
        _envelopes(),
        _duplicates(),
        _lookalike_keys(),
        _lookalike_methods(),
        _names_and_arguments(),
        _forged_state(),
        _batches(),
        _line_breaks(),
        _encodings(),
        _almost_json(),
        _depth_and_size(),
        _responses(),
        _races(),
        _prototypes(),
    )
)
