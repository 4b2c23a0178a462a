"""What comes back from the upstream, looked at before it goes on: `results` of a policy (POLICY section 8). Pure.

Every message of the upstream is walked whole. Three kinds of places are told apart:

- *data*: any text may stand there, and all of it is edited, keys and numbers too;
- *definitions*: what shows nothing is taken out of all of it. Redactions are made in the titles, descriptions and names
  of resources, and in the titles and descriptions of forms, which can hold data; in those of tools and prompts an
  address is an example, and a schema that says something else would make every call a wrong one;
- *words of the protocol* and handles that a peer has to give back as they are; they pass if they are what they claim.

What no place is known for is data. Names are never changed: a name that shows less than it has is left out.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Callable
from typing import Final, NamedTuple

from .detectors import has_invisible
from .policy.results import Results
from .values import Json

_LISTS: Final = {
    "tools/list": ("tools", "name"),
    "resources/list": ("resources", "uri"),
    "resources/templates/list": ("resourceTemplates", "uriTemplate"),
    "prompts/list": ("prompts", "name"),
}
_HANDSHAKES: Final = frozenset({"initialize", "server/discover"})
_BINARY: Final = frozenset({"data", "blob"})
_TEXTS_OF_DEFINITIONS: Final = frozenset({"title", "description", "$comment"})
# Handles, which the client gives back and no model is shown; only at the top of a result or of params.
_HANDLES: Final = frozenset({"nextCursor", "requestState", "taskId", "progressToken", "requestId", "elicitationId"})
_NUMBERS: Final = frozenset(
    {"progress", "total", "ttl", "ttlMs", "pollInterval", "pollIntervalMs", "size", "maxTokens"}
)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_MIME: Final = re.compile(r"[a-z0-9.+-]{1,64}/[a-z0-9.+*-]{1,64}(?:; ?charset=[A-Za-z0-9-]{1,32})?", re.IGNORECASE)
_TEXTUAL: Final = re.compile(r"text/.+|[^;]+[/+](?:json|xml|yaml|x-yaml|javascript)(?:;.*)?", re.IGNORECASE)
_MEMBER: Final = re.compile(r"[$A-Za-z_][A-Za-z0-9_]{0,31}|io\.modelcontextprotocol/[A-Za-z-]{1,32}")
"""As the protocol calls its members; tokens are longer."""
_VERSION: Final = re.compile(r"\d{4}-\d\d-\d\d")
_WORDS: Final[dict[str, frozenset[str]]] = {
    "type": frozenset({"text", "image", "audio", "resource", "resource_link", "tool_use", "tool_result"}),
    "role": frozenset({"user", "assistant"}),
    "resultType": frozenset({"complete", "input_required", "task"}),
    "cacheScope": frozenset({"public", "private"}),
    "status": frozenset({"working", "input_required", "completed", "failed", "cancelled"}),
    "mode": frozenset({"form", "url"}),
    "level": frozenset({"debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"}),
    "method": frozenset({"elicitation/create", "sampling/createMessage", "roots/list"}),
    "includeContext": frozenset({"none", "thisServer", "allServers"}),
}


class Edited(NamedTuple):
    """A message as it may go on."""

    body: dict[str, Json]
    found: Counter[str]
    """What was taken out, and how often."""


def is_exempt(method: str) -> bool:
    """Whether answers to `method` may be of any size: handshakes and lists, which no call asks for."""
    return method in _HANDSHAKES or method in _LISTS


def inspect(body: dict[str, Json], rules: Results, method: str = "") -> Edited | None:
    """The message `body` as the rules let it pass, or None if it may pass as it is.

    `method` is that of the request that it answers; empty if it answers none.

    Raises:
        RecursionError: it is nested too deeply to be looked at, and must not pass.
    """
    if not rules.edits:
        return None
    editor = _Editor(rules)
    if isinstance(own := body.get("method"), str):
        method = own
    edited = {key: editor.top(key, value, method) for key, value in body.items()}
    return Edited(edited, editor.found) if editor.found else None


class _Editor:
    """Walks one message. What it gives back is a copy; what needed no change is in it as it was."""

    def __init__(self, rules: Results) -> None:
        self._rules = rules
        self.found: Counter[str] = Counter()

    def top(self, key: str, value: Json, method: str) -> Json:
        """A member of the message itself; `method` is its own, or that of the request that it answers."""
        if key in {"jsonrpc", "id", "method"}:
            return value
        if not isinstance(value, dict):
            return self._data(value)
        if key == "params":
            return self._params(method, value)
        if key == "error":
            return self._each(value, lambda name, part: part if name == "code" else self._data_member(name, part))
        if key == "result":
            if (listing := _LISTS.get(method)) is not None:
                return self._each(value, lambda name, part: self._listed(name, part, listing))
            if method in _HANDSHAKES:
                return self._each(value, self._handshake)
            return self._protocol(value)
        return self._data(value)

    # --- places -----------------------------------------------------------------------------------------------------

    def _data(self, value: Json) -> Json:
        match value:
            case str():
                return self._rules.edited(value, self.found)
            case bool() | None:
                return value
            case int() | float():
                return self._rules.edited_number(value, self.found)
            case list():
                return [self._data(item) for item in value]
            case dict():
                return self._members(value, self._data_member, self._rules.edited)

    def _data_member(self, key: str, value: Json) -> Json:
        is_named = value not in (None, "") and not isinstance(value, bool | dict | list) and self._rules.is_secret(key)
        return self._rules.secret(self.found) if is_named else self._data(value)

    def _definition(self, value: Json, texts: frozenset[str], *, is_text: bool = False) -> Json:
        """`texts` are the members in which redactions are made too."""
        match value:
            case str():
                edit = self._rules.edited if is_text else self._rules.stripped
                return edit(value, self.found)
            case list():
                return [self._definition(item, texts, is_text=is_text) for item in value]
            case dict():

                def edited(key: str, item: Json) -> Json:
                    return self._definition(item, texts, is_text=key in texts)

                return self._members(value, edited, self._rules.stripped)
            case _:
                return value

    def _protocol(self, value: Json) -> Json:
        """The top of a result or of params, a content block, and whatever the protocol nests in these."""
        if isinstance(value, list):
            return [self._protocol(item) for item in value]
        if not isinstance(value, dict):
            return self._data(value)
        return self._each(value, lambda key, item: self._member(key, item, value))

    def _member(self, key: str, value: Json, around: dict[str, Json]) -> Json:
        match key:
            case "content" | "contents" | "messages" | "resource" | "task" | "tasks" | "result":
                return self._protocol(value)
            case "inputRequests" if isinstance(value, dict):
                return {name: self._request(request) for name, request in value.items()}
            case "_meta" if isinstance(value, dict):
                return self._each(value, self._meta)
        if (
            key == "blob"
            and isinstance(value, str)
            and "uri" in around
            and _TEXTUAL.fullmatch(str(around.get("mimeType")))
        ):
            return self._blob(value)
        return value if _is_word(key, value, around) else self._data_member(key, value)

    def _blob(self, value: str) -> str:
        """A text that is sent as bytes; what is none after all stays what it is."""
        try:
            text = b64decode(value, validate=True).decode()
        except ValueError:
            return value if _BASE64.fullmatch(value) else self._rules.edited(value, self.found)
        edited = self._rules.edited(text, self.found)
        return value if edited == text else b64encode(edited.encode("utf-8", "replace")).decode()

    def _request(self, request: Json) -> Json:
        """What the upstream asks of the client inside a result (2026-07-28 basic/patterns/mrtr)."""
        method = request.get("method") if isinstance(request, dict) else None
        if not isinstance(request, dict) or not isinstance(method, str):
            return self._data(request)
        return self._each(
            request,
            lambda key, value: self._params(method, value)
            if key == "params" and isinstance(value, dict)
            else self._member(key, value, request),
        )

    def _params(self, method: str, params: dict[str, Json]) -> Json:
        schema = "requestedSchema" if method == "elicitation/create" else ""
        tools = "tools" if method == "sampling/createMessage" else ""

        def edit(key: str, value: Json) -> Json:
            if key == schema:
                return self._definition(value, _TEXTS_OF_DEFINITIONS)
            if key == tools and isinstance(value, list):
                return [self._definition_of(item, "name", frozenset()) for item in value]
            return self._member(key, value, params)

        return self._each(params, edit)

    def _listed(self, key: str, value: Json, listing: tuple[str, str]) -> Json:
        member, name = listing
        if key == member and isinstance(value, list):
            texts = frozenset[str]() if name == "name" else _TEXTS_OF_DEFINITIONS | {"name"}
            return [self._definition_of(item, name, texts) for item in value if not self._is_disguised(item, name)]
        return self._member(key, value, {})

    def _definition_of(self, item: Json, name: str, texts: frozenset[str]) -> Json:
        if not isinstance(item, dict):
            return self._definition(item, frozenset())
        # What a request will use to name it stays what it is; the name of a resource is only shown.
        return {
            key: value if key == name else self._definition(value, texts, is_text=key in texts)
            for key, value in item.items()
        }

    def _is_disguised(self, item: Json, name: str) -> bool:
        text = item.get(name) if isinstance(item, dict) else None
        found = self._rules.strip_invisible and isinstance(text, str) and has_invisible(text)
        if found:
            self.found["names with invisible characters"] += 1
        return found

    def _handshake(self, key: str, value: Json) -> Json:
        if key in {"capabilities", "supportedVersions"} or (key == "protocolVersion" and _is_version(value)):
            return value
        return self._member(key, value, {})

    def _meta(self, key: str, value: Json) -> Json:
        if key == "progressToken" or key in {
            "io.modelcontextprotocol/related-task",
            "io.modelcontextprotocol/subscriptionId",
        }:
            return value
        return self._data_member(key, value)

    # --- keys -------------------------------------------------------------------------------------------------------

    def _key(self, key: str, found: Counter[str]) -> str:
        """A key where the protocol has members: its own stay what they are, and text is edited."""
        return key if _MEMBER.fullmatch(key) else self._rules.edited(key, found)

    def _each(self, members: dict[str, Json], edit: Callable[[str, Json], Json]) -> dict[str, Json]:
        """An object of the protocol: its own members are called what they are called."""
        return self._members(members, edit, self._key)

    def _members(
        self,
        members: dict[str, Json],
        edit: Callable[[str, Json], Json],
        name: Callable[[str, Counter[str]], str],
    ) -> dict[str, Json]:
        """An object whose keys are edited too; those that come out alike are numbered."""
        edited: dict[str, Json] = {}
        for key, value in members.items():
            shown = unique = name(key, self.found)
            number = 2
            while shown != key and (unique in edited or unique in members):
                unique = f"{shown} ({number})"
                number += 1
            edited[unique] = edit(key, value)
        return edited


def _is_word(key: str, value: Json, around: dict[str, Json]) -> bool:
    """Whether `value` under `key` is a word, handle or number of the protocol, or bytes, and not text for anybody."""
    if not isinstance(value, str):
        return key in _NUMBERS and isinstance(value, int | float)
    if (key in _HANDLES and "type" not in around) or value in _WORDS.get(key, ()):
        return True
    if key == "mimeType":
        return bool(_MIME.fullmatch(value))
    if key in _BINARY:
        holds = around.get("type") in ("image", "audio") if key == "data" else "uri" in around
        return holds and bool(_BASE64.fullmatch(value))
    return False


def _is_version(value: Json) -> bool:
    return isinstance(value, str) and bool(_VERSION.fullmatch(value))
