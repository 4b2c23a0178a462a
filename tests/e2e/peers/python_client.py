"""The Python SDK client, run through a script: what its application sees, one JSON object a line.

    python python_client.py legacy|auto PLAN

PLAN is a JSON file: `{command, args, cwd, env, roots, steps}`. A line is either
`{"step": n, "do": verb, "result": ...}`, the same with `"error"`, or `{"event": kind, "params": ...}`.
The steps and their verbs are described in `scenarios.py`.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anyio
import mcp_types as types
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from mcp.client._transport import TransportStreams, WriteStream
    from mcp.client.context import ClientRequestContext
    from mcp.client.session import IncomingMessage

ELICITATION_ANSWERS: tuple[Literal["accept", "decline", "cancel"], ...] = ("accept", "decline", "cancel")


def plain(value: object) -> Any:
    """Turn what the SDK returned into JSON, every member under its wire name."""
    if isinstance(value, BaseModel):
        return value.model_dump(by_alias=True, mode="json", exclude_none=True)
    return value


class Application:
    """The program above the SDK: answers what the server asks, notes what it is told."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._seen: dict[str, int] = {}
        self._news = anyio.Event()
        self._elicitations = itertools.cycle(ELICITATION_ANSWERS)
        self._answers = None if plan["answers"] is None else iter(plan["answers"])
        self._kept = AsyncExitStack()
        self._question: types.RequestId | None = None
        self._change: dict[str, Any] = {}
        self.client: Client | None = None
        self.outlet: WriteStream[SessionMessage] | None = None
        """Where the SDK writes its messages."""

    def note(self, kind: str, params: object) -> None:
        """Print one event and wake whoever awaits it."""
        print(json.dumps({"event": kind, "params": plain(params)}), flush=True)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        self._news.set()
        self._news = anyio.Event()

    async def seen(self, kind: str, count: int) -> None:
        """Return once `count` events of this kind have come since the start."""
        while self._seen.get(kind, 0) < count:
            await self._news.wait()

    async def sample(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult:
        """Be the model: one fixed sentence."""
        self.note("sampling/createMessage", params)
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(type="text", text="Forty-two."),
            model="fixed-model",
            stop_reason="endTurn",
        )

    async def elicit(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        """Be the user: accept, then decline, then cancel, and again."""
        self._question = context.request_id
        self.note("elicitation/create", params)
        if self._answers is not None:
            answer = next(self._answers)
            if answer.get("never"):
                await anyio.sleep_forever()
            if answer.get("leave"):
                os._exit(0)
            for step in answer.get("first", ()):
                try:
                    self.note("meanwhile", await self.perform(step))
                except MCPError as error:
                    self.note("meanwhile", {"error": error.error.message})
            self._change = {key: answer[key] for key in ("with", "again") if key in answer}
            return types.ElicitResult(action=answer["action"], content=answer.get("content"))
        action = next(self._elicitations)
        if action == "accept":
            return types.ElicitResult(action="accept", content=self._plan["elicited"])
        return types.ElicitResult(action=action)

    def outgoing(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """What is sent for a message of the SDK: another one if it has an answer that is to be changed."""
        answers = message.get("params", {}).get("inputResponses", {})
        ours = "result" in message and str(message["id"]).startswith("intercept-")
        if not self._change or not (ours or "intercept_approval" in answers):
            yield message
            return
        change, self._change = self._change, {}
        changed = deepcopy(message)
        if "with" in change:
            changed["result" if ours else "params"]["arguments"] = change["with"]
        yield deepcopy(changed)
        if "again" in change:
            if ours:
                changed["result"] = change["again"]
            else:
                changed["id"] = "again"
                changed["params"]["inputResponses"]["intercept_approval"] = change["again"]
            yield changed

    async def list_roots(self, context: ClientRequestContext) -> types.ListRootsResult:
        """Offer the folders of the plan."""
        self.note("roots/list", None)
        return types.ListRootsResult.model_validate({"roots": self._plan["roots"]})

    async def message(self, message: IncomingMessage) -> None:
        """Note every notification, and every fault of the transport."""
        if isinstance(message, Exception):
            self.note("fault", str(message))
        elif message.method != "notifications/progress":
            self.note(message.method, message.params)

    async def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Note the progress of a call."""
        self.note("progress", {"progress": progress, "total": total, "message": message})

    async def perform(self, step: dict[str, Any]) -> object:
        """Do one step; what it returns is what the application was given."""
        client = self.client
        assert client is not None
        match step["do"]:
            case "list_tools":
                return await client.list_tools()
            case "list_resources":
                return await client.list_resources()
            case "list_resource_templates":
                return await client.list_resource_templates()
            case "list_prompts":
                return await client.list_prompts()
            case "call":
                return await client.call_tool(
                    step["name"],
                    step.get("arguments"),
                    progress_callback=self.progress if step.get("progress") else None,
                )
            case "call_and_cancel":
                return await self.call_and_cancel(client, step)
            case "call_until":
                while True:
                    result = await client.call_tool(step["name"], step["arguments"])
                    if ("intercept/decision" in (result.meta or {})) is step["refused"]:
                        return result
            case "write":
                Path(step["path"]).write_text(step["text"], encoding="utf-8")
                return None
            case "answer":
                assert self.outlet is not None
                assert self._question is not None
                answer = types.JSONRPCResponse(jsonrpc="2.0", id=self._question, result=step["answer"])
                await self.outlet.send(SessionMessage(answer))
                return None
            case "read":
                return await client.read_resource(step["uri"])
            case "get_prompt":
                return await client.get_prompt(step["name"], step.get("arguments"))
            case "complete":
                ref: types.PromptReference | types.ResourceTemplateReference
                if "prompt" in step:
                    ref = types.PromptReference(type="ref/prompt", name=step["prompt"])
                else:
                    ref = types.ResourceTemplateReference(type="ref/resource", uri=step["uri"])
                return await client.complete(ref, step["argument"], step.get("context"))
            case "subscribe":
                return await client.subscribe_resource(step["uri"])
            case "unsubscribe":
                return await client.unsubscribe_resource(step["uri"])
            case "ping":
                return await client.send_ping()
            case "set_level":
                return await client.set_logging_level(step["level"])
            case "roots_changed":
                await client.send_roots_list_changed()
                return None
            case "discover":
                return await client.session.discover()
            case "listen":
                subscription = await self._kept.enter_async_context(
                    client.listen(
                        tools_list_changed=step.get("toolsListChanged", False),
                        resource_subscriptions=step.get("resourceSubscriptions", ()),
                    )
                )
                return subscription.honored
            case "stop_listening":
                await self._kept.aclose()
                return None
            case "await":
                await self.seen(step["event"], step["count"])
                return None
            case unknown:
                raise AssertionError(f"no such step: {unknown}")

    async def call_and_cancel(self, client: Client, step: dict[str, Any]) -> object:
        """Start a call, abandon it after its first progress, once its user is asked, or once it is on its way."""
        asked = self._seen.get("elicitation/create", 0)
        outcome: list[object] = []
        started = anyio.Event()

        async def on_progress(progress: float, total: float | None, message: str | None) -> None:
            await self.progress(progress, total, message)
            started.set()

        async def call() -> None:
            with_progress = on_progress if step.get("after_progress") else None
            outcome.append(await client.call_tool(step["name"], step.get("arguments"), progress_callback=with_progress))

        async with anyio.create_task_group() as calls:
            calls.start_soon(call)
            if step.get("after_progress"):
                await started.wait()
            elif step.get("after_question"):
                await self.seen("elicitation/create", asked + 1)
            else:
                await anyio.wait_all_tasks_blocked()
            calls.cancel_scope.cancel()
        return outcome or "cancelled"


class Changing:
    """The outlet of the SDK, on which the application changes some messages."""

    def __init__(self, outlet: WriteStream[SessionMessage], application: Application) -> None:
        self._outlet = outlet
        self._application = application

    async def send(self, item: SessionMessage, /) -> None:
        """Send what the application makes of a message."""
        message = item.message.model_dump(by_alias=True, mode="json", exclude_unset=True)
        for each in self._application.outgoing(message):
            changed = item if each is message else SessionMessage(types.jsonrpc_message_adapter.validate_python(each))
            await self._outlet.send(changed)

    async def aclose(self) -> None:
        """Close it."""
        await self._outlet.aclose()

    async def __aenter__(self) -> Self:
        """Nothing is to be prepared."""
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()


@asynccontextmanager
async def connected_to(command: StdioServerParameters, application: Application) -> AsyncIterator[TransportStreams]:
    """The SDK's own transport to a server, with the application at its outlet."""
    async with stdio_client(command) as (inlet, outlet):
        application.outlet = outlet
        yield inlet, Changing(outlet, application)


async def attempt(number: int, verb: str, act: Callable[[], Awaitable[object]]) -> None:
    """Print what one step gave, or how it failed."""
    line: dict[str, Any] = {"step": number, "do": verb}
    try:
        line["result"] = plain(await act())
    except MCPError as error:
        line["error"] = {"code": error.error.code, "message": error.error.message, "data": error.error.data}
    except Exception as error:
        line["error"] = {"type": type(error).__name__, "message": str(error)}
    print(json.dumps(line), flush=True)


async def main(mode: str, plan: dict[str, Any]) -> None:
    """Connect, perform the steps of the negotiated era, disconnect."""
    application = Application(plan)
    command = StdioServerParameters(command=plan["command"], args=plan["args"], cwd=plan["cwd"], env=plan["env"])
    client = Client(
        connected_to(command, application),
        mode=mode,
        client_info=types.Implementation(name="intercept-e2e", version="1"),
        sampling_callback=application.sample,
        elicitation_callback=application.elicit if plan["elicits"] else None,
        list_roots_callback=application.list_roots,
        message_handler=application.message,
        log_level="debug",
    )
    async with client:
        application.client = client
        modern = client.protocol_version in MODERN_PROTOCOL_VERSIONS

        async def connected() -> dict[str, object]:
            return {
                "protocol": client.protocol_version,
                "server": plain(client.server_info),
                "capabilities": plain(client.server_capabilities),
                "instructions": client.instructions,
            }

        await attempt(0, "connect", connected)
        for number, step in enumerate(plan["steps"], start=1):
            if step.get("era") not in (None, "modern" if modern else "legacy"):
                continue
            if "python" not in step.get("clients", ("python",)):
                continue
            await attempt(number, step["do"], partial(application.perform, step))


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # what the newest protocol deprecates is tested all the same
    with open(sys.argv[2], encoding="utf-8") as source:
        anyio.run(main, sys.argv[1], json.load(source))
