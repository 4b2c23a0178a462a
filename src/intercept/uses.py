"""What a request of the client would use of what is judged. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .policy import Kind, ToolCall
from .protocol import CLIENT_INFO, PROTOCOL_VERSION, SERVER_INFO
from .values import Json, digest
from .wire import Request


class Peers(NamedTuple):
    """Who talks, by what each says of itself; empty where nothing was said. Not to be relied on."""

    client: str = ""
    client_version: str = ""
    server: str = ""
    server_version: str = ""
    protocol: str = ""


def sender(request: Request, known: Peers) -> Peers:
    """`known` with what `request` says of its sender; `known` itself if that is nothing new."""
    meta = request.params.get("_meta")
    if isinstance(meta, dict) and isinstance(version := meta.get(PROTOCOL_VERSION), str):
        name, number = _named_so(meta.get(CLIENT_INFO))
    elif request.method == "initialize":
        version = known.protocol
        name, number = _named_so(request.params.get("clientInfo"))
    else:
        return known
    if (name, number, version) == (known.client, known.client_version, known.protocol):
        return known
    return known._replace(client=name, client_version=number, protocol=version)


def answerer(result: dict[str, Json], known: Peers) -> Peers:
    """`known` with what the result of `initialize` or of a modern request says of the server."""
    if isinstance(version := result.get("protocolVersion"), str):  # initialize: what both agreed on
        name, number = _named_so(result.get("serverInfo"))
        return known._replace(server=name, server_version=number, protocol=version)
    meta = result.get("_meta")
    name, number = _named_so(meta.get(SERVER_INFO) if isinstance(meta, dict) else None)
    return known._replace(server=name, server_version=number) if name else known


def _named_so(info: Json) -> tuple[str, str]:
    """Name and version of an `Implementation`."""
    if not isinstance(info, dict):
        return "", ""
    name, version = info.get("name"), info.get("version")
    return name if isinstance(name, str) else "", version if isinstance(version, str) else ""


def is_modern(request: Request) -> bool:
    """Whether a request carries the envelope of 2026-07-28 and is to be answered in its shape."""
    meta = request.params.get("_meta")
    return isinstance(meta, dict) and isinstance(meta.get(PROTOCOL_VERSION), str)


def uses_of(request: Request, judges: Callable[[Kind], bool]) -> tuple[ToolCall, ...]:
    """What `request` would use of what is judged, which tools always are; empty for the many that only talk."""
    params = request.params
    method = request.method
    if method == "tools/call":
        arguments = params.get("arguments")
        # `parse_client` lets nothing else through; `str` says so to the type checker.
        return (ToolCall(str(params["name"]), arguments if isinstance(arguments, dict) else {}),)
    if method in {"resources/read", "resources/subscribe", "resources/unsubscribe"}:
        return _named(Kind.RESOURCE, [params.get("uri")], judges)
    if method == "prompts/get":
        arguments = params.get("arguments")
        return _named(Kind.PROMPT, [params.get("name")], judges, arguments if isinstance(arguments, dict) else {})
    if method == "subscriptions/listen":
        wanted = params.get("notifications")
        uris = wanted.get("resourceSubscriptions", []) if isinstance(wanted, dict) else []
        return _named(Kind.RESOURCE, uris if isinstance(uris, list) else [None], judges)
    if method == "completion/complete":
        # Whatever `type` says: a careless server looks at the member that it needs.
        ref = params.get("ref")
        ref = ref if isinstance(ref, dict) else {}
        uris = [ref["uri"]] if "uri" in ref else []
        names = [ref.get("name")] if "name" in ref or not uris else []
        return _named(Kind.RESOURCE, uris, judges) + _named(Kind.PROMPT, names, judges)
    return ()


def digest_of(uses: tuple[ToolCall, ...]) -> str:
    """What two requests share exactly if they use the same, with the same arguments."""
    return digest([[use.kind, use.name, use.arguments] for use in uses])


def _named(
    kind: Kind, names: list[Json], judges: Callable[[Kind], bool], arguments: dict[str, Json] | None = None
) -> tuple[ToolCall, ...]:
    if not judges(kind):
        return ()
    known = {} if arguments is None else arguments
    # What is no string is judged as the empty name, which every policy refuses.
    return tuple(ToolCall(name if isinstance(name, str) else "", known, kind) for name in names)
