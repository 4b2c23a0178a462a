"""A server of both protocol eras, with everything the published ones lack: asking, listening, being cancelled.

In 2026-07-28 its questions travel as `input_required` results and its changes over `subscriptions/listen`;
with an older client the same tools send requests of their own.
"""

from __future__ import annotations

import os
from typing import Annotated

import anyio
from mcp.server.elicitation import ElicitationResult
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.resolve import Elicit, ListRoots, Resolve, Sample
from mcp_types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    CreateMessageResult,
    ListRootsResult,
    PromptReference,
    ResourceTemplateReference,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

server = MCPServer("both-eras", version="1", instructions="A server that does a little of everything.")


class Measure(BaseModel):
    """What `measure` gives: its schema is the tool's `outputSchema`."""

    characters: int
    words: int


class Name(BaseModel):
    """What `greet` asks its user."""

    name: str


@server.tool()
def measure(text: str) -> Measure:
    """Count the characters and words of a text."""
    return Measure(characters=len(text), words=len(text.split()))


@server.tool()
def fail(why: str) -> str:
    """Fail, and say why."""
    raise ToolError(why)


@server.tool()
async def count(up_to: int, context: Context) -> str:
    """Count, with progress and a word to the log at each step."""
    for number in range(1, up_to + 1):
        await context.info(f"now at {number}")
        await context.report_progress(number, up_to, f"{number} of {up_to}")
    return f"counted to {up_to}"


@server.tool()
async def wait(context: Context) -> str:
    """Say that it has begun, then wait to be cancelled."""
    await context.report_progress(1, None, "waiting")
    await anyio.sleep_forever()
    return "never"


@server.tool()
def leave() -> str:
    """End this process at once."""
    os._exit(3)


def ask_name() -> Elicit[Name]:
    """Ask the user for a name."""
    return Elicit("What is your name?", Name)


@server.tool()
def greet(answer: Annotated[ElicitationResult[Name], Resolve(ask_name)]) -> str:
    """Greet the user by the name they give."""
    return f"Hello, {answer.data.name}!" if answer.action == "accept" else f"Hello. ({answer.action})"


def ask_model() -> Sample:
    """Ask the client's model a question."""
    question = TextContent(type="text", text="What is the answer?")
    return Sample([SamplingMessage(role="user", content=question)], max_tokens=10)


@server.tool()
def ponder(answer: Annotated[CreateMessageResult, Resolve(ask_model)]) -> str:
    """Let the client's model think."""
    assert isinstance(answer.content, TextContent)
    return f"The model says: {answer.content.text}"


def ask_folders() -> ListRoots:
    """Ask the client for its folders."""
    return ListRoots()


@server.tool()
def folders(answer: Annotated[ListRootsResult, Resolve(ask_folders)]) -> str:
    """Name the client's folders."""
    return ", ".join(root.name or "unnamed" for root in answer.roots)


@server.tool()
async def touch(context: Context) -> str:
    """Announce a changed resource and a changed list of tools."""
    await context.notify_resource_updated("note://today")
    await context.notify_tools_changed()
    return "touched"


@server.resource("note://today")
def today() -> str:
    """What there is to do today."""
    return "Nothing: \N{SNOWMAN} \N{MUSICAL SYMBOL G CLEF} \u2028 \x85 end."


@server.resource("note://{day}/{hour}")
def note(day: str, hour: str) -> str:
    """What there is to do at an hour of a day."""
    return f"{day} at {hour}: nothing."


@server.prompt()
def summarise(topic: str) -> str:
    """Ask for a summary."""
    return f"Summarise {topic} in one sentence."


@server.completion()  # type: ignore[no-untyped-call,untyped-decorator]  # as the SDK has it
async def complete(
    _ref: PromptReference | ResourceTemplateReference,
    argument: CompletionArgument,
    _context: CompletionContext | None,
) -> Completion:
    """Complete any argument from three words."""
    return Completion(values=[word for word in ("alpha", "beta", "gamma") if word.startswith(argument.value)])


if __name__ == "__main__":
    server.run("stdio")
