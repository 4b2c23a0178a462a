"""The answers that the proxy itself writes, in the shape that each reader understands. Pure.

Who gets which shape, and why, is in PROTOCOL section 3; the details for programs are in POLICY section 6.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, assert_never

from .errors import visible
from .policy import Approval, CalendarWindow, Charge, Decision, InFlight, Window, reasons
from .protocol import DENIED, INTERNAL_ERROR, MARKER, METHOD_NOT_FOUND
from .values import Json
from .wire import Request, RequestId, Response, encode

_LARGEST_FRACTION: Final = Decimal(2**53)
"""From here on doubles have no fractions."""
_ASKED: Final = {
    Approval.PENDING: "It waits for an operator as `{id}`. Tell the user so, and make the same call again once it was "
    "approved.",
    Approval.DECLINED: "The person who was asked declined; do not make this call again unless they ask for it.",
    Approval.CANCELLED: "The question to a person was cancelled, so the call was refused.",
    Approval.FAILED: "The client could not ask a person, so the call was refused.",
    Approval.TIMED_OUT: "The time to answer ran out, so the call was refused.",
    Approval.CHANGED: "The policy has changed since a person was asked; make the same call again.",
    Approval.UNAVAILABLE: "Nobody can be asked for it here, so the call was refused.",
}
MAX_PRINTED: Final = 200
"""Characters of a peer's text that go into one line for people."""


def error_answer(request_id: RequestId | None, code: int, message: str) -> bytes:
    """A JSON-RPC error; the id is null where none could be read (JSON-RPC 2.0 section 5)."""
    return encode({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}})


def edited_answer(message: Response, result: dict[str, Json]) -> bytes:
    """`message` with another result, or an error if what is left of it cannot be written as JSON."""
    try:
        return encode(message.body | {"result": result})
    except (ValueError, RecursionError):  # a number beyond a double, or deep nesting: it only passes as it came
        text = "the server's answer is malformed: a number is too large, or it is nested too deeply"
        return error_answer(message.id, INTERNAL_ERROR, text)


def decline(request: Request) -> bytes:
    """How a client refuses: elicitation by answer, sampling and roots by error (PROTOCOL section 5)."""
    if request.method == "elicitation/create":
        return encode({"jsonrpc": "2.0", "id": request.id, "result": {"action": "decline"}})
    if request.method == "sampling/createMessage":
        return error_answer(request.id, -1, "User rejected sampling request")
    return error_answer(request.id, METHOD_NOT_FOUND, "Roots not supported")


def denial(request_id: RequestId, decision: Decision, *, modern: bool, as_error: bool) -> bytes:
    """The answer to a refused request, as a frame."""
    return encode(refusal(request_id, decision, modern=modern, as_error=as_error))


def refusal(request_id: RequestId, decision: Decision, *, modern: bool, as_error: bool) -> dict[str, Json]:
    """The answer to a refused request (DESIGN section 4).

    A tool result reaches the model in every SDK, an error does not; only a task-augmented call must be given an error,
    because its client expects no result. There is never `structuredContent`: TypeScript 1.x checks it even here.
    """
    details = _details(decision)
    text = f"Policy violation: {decision.reason}"
    if (exhausted := decision.exhausted) is not None and exhausted.retry_after is not None:
        text += f" {reasons.come_back(exhausted.charge, _whole(exhausted.retry_after))}"
    if decision.asked is not None and decision.asked.approval in _ASKED:
        text += f" {_ASKED[decision.asked.approval].format(id=decision.asked.id)}"
    if as_error:
        error: dict[str, Json] = {"code": DENIED, "message": text, "data": {f"{MARKER}decision": details}}
        return {"jsonrpc": "2.0", "id": request_id, "error": error}
    result: dict[str, Json] = {
        "content": [{"type": "text", "text": text}],
        "isError": True,
        "_meta": {f"{MARKER}decision": details},
    }
    if modern:
        result["resultType"] = "complete"
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def _details(decision: Decision) -> dict[str, Json]:
    details: dict[str, Json] = {
        "decision": str(decision.effect),
        "tool": decision.tool,
        "rule": decision.rules[0].name if decision.rules else None,
        "policy": decision.policy,
        "reason": decision.reason,
    }
    if decision.asked is not None:
        details["approval"] = str(decision.asked.approval)
        if decision.asked.id:
            details["approval_id"] = decision.asked.id
    if (exhausted := decision.exhausted) is not None:
        retry = exhausted.retry_after
        details |= limit_details(exhausted.charge)
        details["left"] = plain_number(exhausted.left)
        details["retry_after_s"] = None if retry is None else _whole(retry)
    return details


def limit_details(charge: Charge) -> dict[str, Json]:
    """What programs read about a limit."""
    return {
        "counter": charge.counter,
        "scope": str(charge.scope),
        "max": plain_number(charge.max),
        **window_details(charge.window),
        "cost": plain_number(charge.cost),
    }


def window_details(window: Window | CalendarWindow | InFlight) -> dict[str, Json]:
    """What programs read about a window.

    `window_s` is null where it has no fixed length; `period` and `timezone` are those of a calendar window.
    """
    match window:
        case Window(seconds):
            return {"window_s": seconds}
        case CalendarWindow(unit, timezone):
            return {"window_s": None, "period": str(unit), "timezone": timezone}
        case InFlight():
            return {"window_s": None}
        case _:
            assert_never(window)


def plain_number(number: Decimal) -> int | float:
    """`number` as JSON has it: whole, or the nearest double."""
    return int(number) if number == int(number) or abs(number) > _LARGEST_FRACTION else float(number)


def _whole(seconds: float) -> int:
    """Whole seconds, rounded up: a call made then is sure to fit."""
    return max(1, -int(-seconds // 1))


def printable(text: str) -> str:
    """`text` for a terminal or a log line: what is not visible is escaped, long text is cut and says so."""
    shown = visible(text[:MAX_PRINTED])
    return shown if len(text) <= MAX_PRINTED else f"{shown}… ({len(text)} characters)"
