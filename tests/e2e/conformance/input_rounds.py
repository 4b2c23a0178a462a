"""The tools and the prompt of the fixture server that answer only after some input (2026-07-28, SEP-2322).

Instead of asking the client in a request of its own, the server answers `input_required`, and the client calls
again with what was asked for. Between the rounds the server remembers nothing: where it stands travels with the
client as a signed `requestState`.
"""

from __future__ import annotations

import hmac
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

KEY: Final = b"the same in every run, so that runs can be compared"


def elicitation(message: str, name: str, kind: str = "string") -> types.ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))


def sampling(question: str, max_tokens: int) -> types.CreateMessageRequest:
    message = types.SamplingMessage(role="user", content=types.TextContent(text=question))
    return types.CreateMessageRequest(
        params=types.CreateMessageRequestParams(messages=[message], max_tokens=max_tokens)
    )


STATELESS: Final[dict[str, types.InputRequests]] = {
    "test_input_required_result_elicitation": {"user_name": elicitation("What is your name?", "name")},
    "test_input_required_result_sampling": {
        "capital_question": sampling("What is the capital of France?", 100),
    },
    "test_input_required_result_list_roots": {"client_roots": types.ListRootsRequest()},
    "test_input_required_result_capabilities": {
        "user_name": elicitation("What is your name?", "name"),
        "greeting": sampling("Generate a greeting", 50),
    },
    "test_input_required_result_prompt": {
        "user_context": elicitation("What context should the prompt use?", "context"),
    },
}
"""One round, and no state: whoever sends the input at once is answered at once."""

STATEFUL: Final[dict[str, tuple[types.InputRequests, ...]]] = {
    "test_input_required_result_request_state": ({"confirm": elicitation("Please confirm", "ok", "boolean")},),
    "test_input_required_result_tampered_state": ({"confirm": elicitation("Please confirm", "ok", "boolean")},),
    "test_input_required_result_multiple_inputs": (
        {
            "user_name": elicitation("What is your name?", "name"),
            "greeting": sampling("Generate a greeting", 50),
            "client_roots": types.ListRootsRequest(),
        },
    ),
    "test_input_required_result_multi_round": (
        {"step1": elicitation("Step 1: What is your name?", "name")},
        {"step2": elicitation("Step 2: What is your favorite color?", "color")},
    ),
}
"""Rounds one after the other, each reached only with the state that the one before handed out."""

PROMPT: Final = "test_input_required_result_prompt"
TOOLS: Final = (*(name for name in STATELESS if name != PROMPT), *STATEFUL)


def still_required(
    name: str, params: types.InputResponseRequestParams, capabilities: types.ClientCapabilities
) -> types.InputRequiredResult | None:
    """Return what the client has to send before `name` can answer, or `None` when it has sent everything.

    What the client did not declare among its `capabilities` is not asked of it.

    Raises:
        MCPError: `requestState` was not issued for `name`.
    """
    given = params.input_responses or {}
    rounds = STATEFUL.get(name) or (STATELESS[name],)
    reached = 0 if params.request_state is None else _read_state(name, params.request_state)
    if _missing(rounds[reached], given, capabilities):
        required = rounds[reached]
    elif reached + 1 < len(rounds):
        reached += 1
        required = rounds[reached]
    else:
        return None
    return types.InputRequiredResult(
        input_requests=_missing(required, given, capabilities),
        request_state=_state(name, reached) if name in STATEFUL else None,
    )


def _missing(
    required: types.InputRequests, given: types.InputResponses, capabilities: types.ClientCapabilities
) -> types.InputRequests:
    """Return those of `required` that the client can still be asked for.

    Each capability is named after the first part of its methods: `sampling` of `sampling/createMessage`.
    """
    return {
        key: request
        for key, request in required.items()
        if key not in given and getattr(capabilities, request.method.split("/")[0]) is not None
    }


def _state(name: str, reached: int) -> str:
    signature = hmac.digest(KEY, f"{name}:{reached}".encode(), "sha256").hex()
    return f"{reached}.{signature}"


def _read_state(name: str, state: str) -> int:
    for reached in range(len(STATEFUL.get(name, ()))):
        if hmac.compare_digest(state, _state(name, reached)):
            return reached
    raise MCPError(types.INVALID_PARAMS, "requestState was not issued by this server")
