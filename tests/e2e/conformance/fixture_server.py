"""A stdio MCP server with every tool, prompt and resource the official conformance suite asks for by name.

The suite (`@modelcontextprotocol/conformance`) describes in each server scenario what the server under test
has to offer; this is that, and nothing more. Run as a module it serves one client on stdin and stdout, in the
protocol era that the client's first request belongs to.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError

from . import conversations, input_rounds
from .conversations import Content, Context, Session, text

PIXEL: Final = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mP4z8AAAAMBAQD3A0FDAAAAAElFTkSuQmCC"
"""One red pixel as base64 PNG."""

SILENCE: Final = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQIAAACAgA=="
"""Two silent samples as base64 WAV."""


def image() -> types.ImageContent:
    return types.ImageContent(data=PIXEL, mime_type="image/png")


def embedded(uri: str, mime_type: str, value: str) -> types.EmbeddedResource:
    resource = types.TextResourceContents(uri=uri, mime_type=mime_type, text=value)
    return types.EmbeddedResource(resource=resource)


ANSWERS: Final[dict[str, types.CallToolResult]] = {
    "test_simple_text": types.CallToolResult(content=[text("This is a simple text response for testing.")]),
    "test_image_content": types.CallToolResult(content=[image()]),
    "test_audio_content": types.CallToolResult(content=[types.AudioContent(data=SILENCE, mime_type="audio/wav")]),
    "test_embedded_resource": types.CallToolResult(
        content=[
            embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
        ]
    ),
    "test_multiple_content_types": types.CallToolResult(
        content=[
            text("Multiple content types test:"),
            image(),
            embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ]
    ),
    "test_error_handling": types.CallToolResult(
        content=[text("This tool intentionally returns an error for testing")], is_error=True
    ),
    "test_reconnection": types.CallToolResult(content=[text("Answered without closing any stream")]),
    "json_schema_2020_12_tool": types.CallToolResult(content=[text("The schema is what matters here")]),
}
"""The tools that always answer the same."""


NO_ARGUMENTS: Final = {"type": "object", "additionalProperties": False}
INPUT_SCHEMAS: Final[dict[str, dict[str, Any]]] = {
    "test_sampling": {
        "type": "object",
        "properties": {"prompt": {"type": "string"}},
        "required": ["prompt"],
    },
    "test_elicitation": {
        "type": "object",
        "properties": {"message": {"type": "string"}},
        "required": ["message"],
    },
    "json_schema_2020_12_tool": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": {
            "address": {
                "$anchor": "address",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            },
        },
        "properties": {"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"}},
        "allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["address"]}]}],
        "if": {"required": ["address"]},
        "then": {"required": ["name"]},
        "else": {"minProperties": 1},
        "additionalProperties": False,
    },
}

RESOURCES: Final[dict[str, types.TextResourceContents | types.BlobResourceContents]] = {
    "test://static-text": types.TextResourceContents(
        uri="test://static-text",
        mime_type="text/plain",
        text="This is the content of the static text resource.",
    ),
    "test://static-binary": types.BlobResourceContents(uri="test://static-binary", mime_type="image/png", blob=PIXEL),
    "test://watched-resource": types.TextResourceContents(
        uri="test://watched-resource", mime_type="text/plain", text="A resource to subscribe to."
    ),
}

PROMPTS: Final[dict[str, tuple[str, ...]]] = {
    "test_simple_prompt": (),
    "test_prompt_with_arguments": ("arg1", "arg2"),
    "test_prompt_with_embedded_resource": ("resourceUri",),
    "test_prompt_with_image": (),
    input_rounds.PROMPT: (),
}
"""Each prompt with the arguments it requires."""


async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    tools = [
        types.Tool(
            name=name,
            description=f"The suite's tool `{name}`",
            input_schema=INPUT_SCHEMAS.get(name, NO_ARGUMENTS),
        )
        for name in (*ANSWERS, *conversations.TOOLS, *input_rounds.TOOLS)
    ]
    return types.ListToolsResult(tools=tools)


async def call_tool(
    context: Context, params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult:
    if params.name in ANSWERS:
        return ANSWERS[params.name]
    if params.name in conversations.TOOLS:
        content = await conversations.TOOLS[params.name](context, params.arguments or {})
        return types.CallToolResult(content=content)
    if params.name in input_rounds.TOOLS:
        capabilities = context.session.client_capabilities or types.ClientCapabilities()
        required = input_rounds.still_required(params.name, params, capabilities)
        return required or types.CallToolResult(content=[text("state-ok")])
    raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name}")


async def list_resources(_: Context, __: types.PaginatedRequestParams | None) -> types.ListResourcesResult:
    resources = [
        types.Resource(
            uri=uri,
            name=uri.removeprefix("test://"),
            description=f"The suite's resource `{uri}`",
            mime_type=contents.mime_type,
        )
        for uri, contents in RESOURCES.items()
    ]
    return types.ListResourcesResult(resources=resources)


async def list_resource_templates(
    _: Context, __: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    template = types.ResourceTemplate(
        uri_template="test://template/{id}/data", name="template", mime_type="application/json"
    )
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(_: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    if params.uri in RESOURCES:
        return types.ReadResourceResult(contents=[RESOURCES[params.uri]])
    match params.uri.split("/"):
        case ["test:", "", "template", key, "data"]:
            value = json.dumps({"id": key, "templateTest": True, "data": f"Data for ID: {key}"})
            contents = types.TextResourceContents(uri=params.uri, mime_type="application/json", text=value)
            return types.ReadResourceResult(contents=[contents])
        case _:
            raise MCPError(types.INVALID_PARAMS, f"Unknown resource: {params.uri}", {"uri": params.uri})


async def subscribe(context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
    context.lifespan_context.watched.add(params.uri)
    return types.EmptyResult()


async def unsubscribe(context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
    context.lifespan_context.watched.discard(params.uri)
    return types.EmptyResult()


async def list_prompts(_: Context, __: types.PaginatedRequestParams | None) -> types.ListPromptsResult:
    prompts = [
        types.Prompt(
            name=name,
            description=f"The suite's prompt `{name}`",
            arguments=[types.PromptArgument(name=argument, required=True) for argument in required],
        )
        for name, required in PROMPTS.items()
    ]
    return types.ListPromptsResult(prompts=prompts)


async def get_prompt(
    context: Context, params: types.GetPromptRequestParams
) -> types.GetPromptResult | types.InputRequiredResult:
    given = params.arguments or {}
    match params.name, given:
        case "test_simple_prompt", _:
            content: Content = [text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments", {"arg1": first, "arg2": second}:
            content = [text(f"Prompt with arguments: arg1='{first}', arg2='{second}'")]
        case "test_prompt_with_embedded_resource", {"resourceUri": uri}:
            content = [
                embedded(uri, "text/plain", "Embedded resource content for testing."),
                text("Please process the embedded resource above."),
            ]
        case "test_prompt_with_image", _:
            content = [image(), text("Please analyze the image above.")]
        case input_rounds.PROMPT, _:
            capabilities = context.session.client_capabilities or types.ClientCapabilities()
            required = input_rounds.still_required(params.name, params, capabilities)
            if required:
                return required
            content = [text("Prompt with the context that was asked for.")]
        case _:
            raise MCPError(types.INVALID_PARAMS, f"Unknown prompt or missing argument: {params.name}")
    return types.GetPromptResult(messages=[types.PromptMessage(role="user", content=c) for c in content])


async def complete(_: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    values = [word for word in ("paris", "park", "party") if word.startswith(params.argument.value)]
    return types.CompleteResult(completion=types.Completion(values=values, total=len(values), has_more=False))


async def set_log_level(context: Context, params: types.SetLevelRequestParams) -> types.EmptyResult:
    context.lifespan_context.log_level = params.level
    return types.EmptyResult()


async def serve() -> None:
    """Serve one client until it closes stdin."""
    # Only 2026-07-28 deprecates logging and sampling; the suite tests them in the versions before.
    warnings.simplefilter("ignore", MCPDeprecationWarning)
    session = Session()

    @asynccontextmanager
    async def remember(_: Server[Session]) -> AsyncIterator[Session]:
        yield session

    server = Server(
        "conformance-fixture",
        version="1.0.0",
        lifespan=remember,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_resource_templates,
        on_read_resource=read_resource,
        on_subscribe_resource=subscribe,
        on_unsubscribe_resource=unsubscribe,
        on_subscriptions_listen=ListenHandler(session.events),
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=set_log_level,
    )
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    anyio.run(serve)
