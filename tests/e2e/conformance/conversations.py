"""The tools of the fixture server that talk to the client before they answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, get_args

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError

LOG_LEVELS: Final[tuple[str, ...]] = get_args(types.LoggingLevel)


@dataclass(slots=True)
class Session:
    """What one client has asked this server to remember."""

    log_level: str = "debug"
    watched: set[str] = field(default_factory=set)
    events: InMemorySubscriptionBus = field(default_factory=InMemorySubscriptionBus)


Context: TypeAlias = ServerRequestContext[Session, Any]
Arguments: TypeAlias = dict[str, Any]
Content: TypeAlias = list[types.ContentBlock]


def text(value: str) -> types.TextContent:
    return types.TextContent(text=value)


async def log_three_times(context: Context, _: Arguments) -> Content:
    """Send three log messages to a client that has not asked for graver ones only."""
    if LOG_LEVELS.index(context.lifespan_context.log_level) <= LOG_LEVELS.index("info"):
        for step in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await context.session.send_log_message("info", step, related_request_id=context.request_id)
    return [text("Logged three times")]


async def report_progress(context: Context, _: Arguments) -> Content:
    """Report 0, 50 and 100 of 100 to a client that sent a progress token."""
    for done in (0, 50, 100):
        await context.session.report_progress(done, 100)
    return [text("Reported progress three times")]


async def sample(context: Context, arguments: Arguments) -> Content:
    """Let the client's model answer `prompt`; refuse where the client did not offer one."""
    require_sampling(context)
    question = types.SamplingMessage(role="user", content=text(arguments["prompt"]))
    answer = await context.session.create_message([question], max_tokens=100, related_request_id=context.request_id)
    return [text(f"LLM response: {answer.content.text if answer.content.type == 'text' else '(not text)'}")]


def require_sampling(context: Context) -> None:
    """Raise the error that names the capability when the client did not declare `sampling`."""
    capabilities = context.session.client_capabilities
    if capabilities is None or capabilities.sampling is None:
        raise MCPError(
            types.MISSING_REQUIRED_CLIENT_CAPABILITY,
            "This tool needs the client's model",
            {"requiredCapabilities": {"sampling": {}}},
        )


async def use_undeclared_capability(context: Context, _: Arguments) -> Content:
    """Answer only a client that declared `sampling`."""
    require_sampling(context)
    return [text("The client declared sampling")]


async def elicit(context: Context, message: str, properties: dict[str, Any], required: list[str]) -> str:
    """Ask the client's user to fill in a form and return what came back, as JSON."""
    schema = {"type": "object", "properties": properties, "required": required}
    answer = await context.session.elicit_form(message, schema, context.request_id)
    return f"action={answer.action}, content={json.dumps(answer.content)}"


async def elicit_contact(context: Context, arguments: Arguments) -> Content:
    """Ask for a user name and a mail address."""
    properties = {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"},
    }
    return [text("User response: " + await elicit(context, arguments["message"], properties, [*properties]))]


async def elicit_with_defaults(context: Context, _: Arguments) -> Content:
    """Ask with a default for each primitive type (SEP-1034)."""
    properties = {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True},
    }
    return [text("Elicitation completed: " + await elicit(context, "Check the defaults", properties, []))]


async def elicit_with_enums(context: Context, _: Arguments) -> Content:
    """Ask with each of the five forms of an enumeration (SEP-1330)."""
    plain = {"type": "string", "enum": ["option1", "option2", "option3"]}
    titled = [{"const": f"value{n}", "title": f"{nth} Choice"} for n, nth in ((1, "First"), (2, "Second"))]
    properties = {
        "untitledSingle": plain,
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2"], "enumNames": ["Option One", "Option Two"]},
        "untitledMulti": {"type": "array", "items": plain},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}},
    }
    return [text("Elicitation completed: " + await elicit(context, "Choose", properties, []))]


async def change_tools(context: Context, _: Arguments) -> Content:
    """Tell whoever listens that the list of tools changed."""
    await context.lifespan_context.events.publish(ToolsListChanged())
    return [text("Announced")]


async def change_prompts(context: Context, _: Arguments) -> Content:
    """Tell whoever listens that the list of prompts changed."""
    await context.lifespan_context.events.publish(PromptsListChanged())
    return [text("Announced")]


TOOLS: Final[dict[str, Callable[[Context, Arguments], Awaitable[Content]]]] = {
    "test_tool_with_logging": log_three_times,
    "test_tool_with_progress": report_progress,
    "test_sampling": sample,
    "test_elicitation": elicit_contact,
    "test_elicitation_sep1034_defaults": elicit_with_defaults,
    "test_elicitation_sep1330_enums": elicit_with_enums,
    "test_missing_capability": use_undeclared_capability,
    "test_logging_tool": log_three_times,
    "test_streaming_elicitation": report_progress,
    "test_trigger_tool_change": change_tools,
    "test_trigger_prompt_change": change_prompts,
}
