"""One message of the upstream under `results` of a policy: pass it, edit it, or keep it back (POLICY section 8). Pure.

What takes the place of an answer is an answer, so that whoever waits for one gets it; the original goes nowhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .answers import error_answer, printable, refusal
from .errors import ProtocolError
from .policy import Decision, Effect
from .protocol import DENIED, INTERNAL_ERROR
from .values import Json
from .wire import Message, Notification, Request, Response, encode

if TYPE_CHECKING:
    from .policy.results import Results

_STATUS: Final = ("resultType", "taskId", "status", "createdAt", "lastUpdatedAt", "ttl", "ttlMs", "pollInterval")
"""Members of a task's status that say how it is, and not what came of it."""
_SHORT: Final = 200
"""Characters of such a member."""


class Answered(NamedTuple):
    """The request that a response answers."""

    method: str
    subject: str
    """What it is about, for people: the tool, or the method."""
    modern: bool


class Screened(NamedTuple):
    """What is left of a message."""

    message: Message | ProtocolError | None
    """What goes on; None: nothing does."""
    note: str = ""
    """For the operator, if something was done."""
    answer: bytes = b""
    """Goes back to the upstream, if it asked for something that is kept back."""


def screen(message: Message, rules: Results, asked: Answered | None, policy: str) -> Screened:
    """Look at `message`, which answers `asked` if it is a response; `policy` is the digest that denials carry."""
    if asked is None and isinstance(message, Response):
        return Screened(message)  # nobody waits for it, and the session says so
    # Where no policy has `results`, none of this is ever loaded.
    from .results import inspect, is_exempt

    method = asked.method if asked is not None else ""
    try:
        if rules.max_bytes is not None and not is_exempt(method):
            size = len(message.raw) if message.raw is not None else len(encode(message.body)) - 1
            if size > rules.max_bytes:
                return _too_large(message, asked, f"{size:,} bytes, more than the {rules.max_bytes:,}", policy)
        edited = inspect(message.body, rules, method)
        if edited is None:
            return Screened(message)
        raw = encode(edited.body)[:-1]
    except (ValueError, RecursionError):
        # A number beyond a double, or nesting that cannot be looked into: what was not seen does not pass.
        request_id = message.id if isinstance(message, Response) else None
        reason = "a number is too large, or it is nested too deeply, to be looked at"
        note = f"kept back {_named(message, asked)}: {reason}"
        return Screened(ProtocolError(INTERNAL_ERROR, reason, request_id), note)
    what = ", ".join(f"{count} {printable(name)}" for name, count in edited.found.items())
    note = f"took out of {_named(message, asked)}: {what}"
    if isinstance(message, Response):
        return Screened(Response(message.id, edited.body, raw), note)
    params = edited.body.get("params")
    params = params if isinstance(params, dict) else {}
    if isinstance(message, Notification):
        return Screened(Notification(message.method, params, edited.body, raw), note)
    return Screened(Request(message.id, message.method, params, edited.body, raw), note)


def _too_large(message: Message, asked: Answered | None, size: str, policy: str) -> Screened:
    note = f"kept back {_named(message, asked)}: {size} of the policy"
    if isinstance(message, Notification):
        return Screened(None, note)
    reason = f"it has {size} that the policy lets through."
    if asked is None:
        text = f"Policy violation: the request does not reach the client: {reason}"
        return Screened(None, note, error_answer(message.id, DENIED, text))
    result = message.body.get("result")
    # The status of a task that is over has the result of its call inside (tasks extension).
    status = result if asked.method == "tasks/get" and isinstance(result, dict) and "result" in result else None
    gives_result = status is not None or asked.method in {"tools/call", "tasks/result"}
    if gives_result:
        reason = f"the tool ran, but its result is kept back: {reason} Ask for less at once."
    else:
        reason = f"the answer is kept back: {reason}"
    decision = Decision(Effect.DENY, asked.subject, (), reason, policy)
    body = refusal(message.id, decision, modern=asked.modern, as_error=not gives_result)
    if status is not None:
        # Whatever else was in it may be what made it large.
        kept: dict[str, Json] = {
            key: status[key] for key in _STATUS if key in status and len(str(status[key])) < _SHORT
        }
        body["result"] = kept | {"result": body["result"]}
    return Screened(Response(message.id, body), note)


def _named(message: Message, asked: Answered | None) -> str:
    if asked is not None:
        return f"the answer to `{printable(asked.subject)}`"
    return f"`{printable(message.method)}`" if isinstance(message, Request | Notification) else "a response"
