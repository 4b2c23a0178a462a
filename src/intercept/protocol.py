"""The names and numbers that MCP and JSON-RPC define, in every version from 2024-11-05 to 2026-07-28, and our own two.

Copied, not imported: the SDK's constants cost more to import than all of this package (PROTOCOL section 7).
"""

from __future__ import annotations

from typing import Final

from .values import normal_form

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
URL_ELICITATION_REQUIRED: Final = -32042
"""2025-11-25 only (client/elicitation, URL mode)."""
DENIED: Final = -31403
"""Outside the range that JSON-RPC and MCP reserve (2026-07-28 basic/index, Error Codes)."""

MARKER: Final = "intercept/"
"""Prefix of our own `_meta` keys. Nobody else's pass, so a decision cannot be forged."""

PROTOCOL_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
"""Its presence in a request's `_meta` makes the request modern (2026-07-28 basic/index, _meta)."""
CLIENT_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
CLIENT_INFO: Final = "io.modelcontextprotocol/clientInfo"
SERVER_INFO: Final = "io.modelcontextprotocol/serverInfo"
SUBSCRIPTION_ID: Final = "io.modelcontextprotocol/subscriptionId"

META: Final = frozenset({
    "progressToken",
    PROTOCOL_VERSION,
    CLIENT_CAPABILITIES,
    CLIENT_INFO,
    "io.modelcontextprotocol/logLevel",
    "io.modelcontextprotocol/related-task",
    SUBSCRIPTION_ID,
})  # fmt: skip

_RETRY: Final = frozenset({"inputResponses", "requestState"})

CLIENT_METHODS: Final[dict[str, frozenset[str]]] = {
    method: frozenset(params) | {"_meta"}
    for method, params in {
        "initialize": {"protocolVersion", "capabilities", "clientInfo"},
        "server/discover": set[str](),
        "ping": set[str](),
        "tools/list": {"cursor"},
        "tools/call": {"name", "arguments", "task", *_RETRY},
        "resources/list": {"cursor"},
        "resources/templates/list": {"cursor"},
        "resources/read": {"uri", *_RETRY},
        "resources/subscribe": {"uri"},
        "resources/unsubscribe": {"uri"},
        "subscriptions/listen": {"notifications"},
        "prompts/list": {"cursor"},
        "prompts/get": {"name", "arguments", *_RETRY},
        "completion/complete": {"ref", "argument", "context"},
        "logging/setLevel": {"level"},
        "tasks/get": {"taskId"},
        "tasks/result": {"taskId"},
        "tasks/update": {"taskId", "inputResponses"},
        "tasks/list": {"cursor"},
        "tasks/cancel": {"taskId"},
        "notifications/initialized": set[str](),
        "notifications/cancelled": {"requestId", "reason"},
        "notifications/progress": {"progressToken", "progress", "total", "message"},
        "notifications/roots/list_changed": set[str](),
        "notifications/tasks/status": {"taskId", "status", "statusMessage", "createdAt", "lastUpdatedAt", "ttl"},
    }.items()
}
"""What a client may say in any version from 2024-11-05 to 2026-07-28 and its tasks extension, with the members of
`params` (PROTOCOL section 2.2)."""

ENVELOPE: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})


def _normal_forms(names: frozenset[str]) -> frozenset[str]:
    return frozenset(normal_form(name) for name in names)


ENVELOPE_FORMS: Final = _normal_forms(ENVELOPE)
META_FORMS: Final = _normal_forms(META)
METHOD_FORMS: Final = _normal_forms(frozenset(CLIENT_METHODS))
PARAM_FORMS: Final = {method: _normal_forms(params) for method, params in CLIENT_METHODS.items()}

PARTS: Final[dict[str, tuple[tuple[str, frozenset[str]], ...]]] = {
    "completion/complete": (("ref", frozenset({"type", "name", "uri", "title"})),),
    "subscriptions/listen": (
        (
            "notifications",
            frozenset({
                "toolsListChanged",
                "promptsListChanged",
                "resourcesListChanged",
                "resourceSubscriptions",
                "taskIds",
            }),
        ),
    ),
}  # fmt: skip
"""Objects inside `params` that say what is used, with their members."""
PART_FORMS: Final = {part: _normal_forms(names) for parts in PARTS.values() for part, names in parts}
