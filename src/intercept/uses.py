"""What a request of the client would use of what a policy judges. Pure."""

from __future__ import annotations

from .policy import Kind, PolicySet, ToolCall
from .protocol import PROTOCOL_VERSION
from .values import Json
from .wire import Request


def is_modern(request: Request) -> bool:
    """Whether a request carries the envelope of 2026-07-28 and is to be answered in its shape."""
    meta = request.params.get("_meta")
    return isinstance(meta, dict) and isinstance(meta.get(PROTOCOL_VERSION), str)


def uses_of(request: Request, policy: PolicySet) -> tuple[ToolCall, ...]:
    """What `request` would use of what the policy judges; empty for the many that only talk."""
    params = request.params
    method = request.method
    if method == "tools/call":
        arguments = params.get("arguments")
        return (ToolCall(str(params["name"]), arguments if isinstance(arguments, dict) else {}),)
    if method in {"resources/read", "resources/subscribe", "resources/unsubscribe"}:
        return _named(Kind.RESOURCE, [params.get("uri")], policy)
    if method == "prompts/get":
        arguments = params.get("arguments")
        return _named(Kind.PROMPT, [params.get("name")], policy, arguments if isinstance(arguments, dict) else {})
    if method == "subscriptions/listen":
        wanted = params.get("notifications")
        uris = wanted.get("resourceSubscriptions", []) if isinstance(wanted, dict) else []
        return _named(Kind.RESOURCE, uris if isinstance(uris, list) else [None], policy)
    if method == "completion/complete":
        ref = params.get("ref")
        if isinstance(ref, dict) and ref.get("type") == "ref/resource":
            return _named(Kind.RESOURCE, [ref.get("uri")], policy)
        return _named(Kind.PROMPT, [ref.get("name") if isinstance(ref, dict) else None], policy)
    return ()


def _named(
    kind: Kind, names: list[Json], policy: PolicySet, arguments: dict[str, Json] | None = None
) -> tuple[ToolCall, ...]:
    if not policy.judges(kind):
        return ()
    # A name that is no string is left to the policy as the empty name, which only `"*"` covers.
    return tuple(ToolCall(name if isinstance(name, str) else "", arguments or {}, kind) for name in names)
