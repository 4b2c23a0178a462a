"""The published servers, and for each the script that every client runs against it.

A step is `{"do": verb, ...}`; `era` restricts it to connections that negotiated `legacy` (the `initialize`
handshake) or `modern` (2026-07-28), `clients` to some of `python`, `sdk` (TypeScript 1.x), `client`
(TypeScript 2.x). Verbs:

    list_tools list_resources list_resource_templates list_prompts ping discover roots_changed
    call {name, arguments, progress}    read {uri}    get_prompt {name, arguments}    set_level {level}
    call_and_cancel {name, arguments, after_progress | after_question}    subscribe {uri}    unsubscribe {uri}
    call_until {name, arguments, refused}: again and again, until a policy refuses it, or refuses it no longer
    write {path, text}: into a file    answer {answer}: the last question once more, past the SDK
    complete {prompt | uri, argument: {name, value}, context}
    listen {toolsListChanged, resourceSubscriptions}    stop_listening
    start_task {name, arguments}    stream_task {…}    get_task list_tasks cancel_task task_result
    await {event, count}: until so many events of the kind came since the start

A user says `accept` (with `elicited`), `decline` and `cancel` in turn, or what `answers` has:
`{"action": verb, "content": ..., "first": [steps]}`, where the steps are performed before the answer is given,
`{"never": true}` for a question that is left open, or `{"leave": true}` for a client that ends there and then.
No SDK answers wrongly, so some answers are changed on their way out of it: `"with": {argument: value}` has the message
with the answer bring other arguments, `"again": answer` has it followed by another one with that answer.

`await` stands wherever a server speaks by itself, so that both runs of a script have the same order.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from intercept.values import Json

Step = dict[str, Json]

NODE = Path(__file__).parent.parent / "node"
PACKAGES = NODE / "node_modules" / "@modelcontextprotocol"


@dataclass(frozen=True, slots=True)
class Server:
    """A server to run against, prepared in a folder of its own.

    `command` and `steps` are given that folder. `events` are the kinds a legacy and a modern client must
    have been told of when the script is through, so that a script which lost them in both runs fails.
    """

    name: str
    command: Callable[[Path], list[str]]
    steps: Callable[[Path], list[Step]]
    prepare: Callable[[Path], None] = lambda _folder: None
    environment: Callable[[Path], Mapping[str, str]] = lambda _folder: {}
    legacy_events: frozenset[str] = frozenset()
    modern_events: frozenset[str] | None = None
    elicited: dict[str, Json] = field(default_factory=dict)


def call(name: str, /, **arguments: Json) -> Step:
    """The step that calls a tool."""
    return {"do": "call", "name": name, "arguments": arguments}


def _everything_steps(_folder: Path) -> list[Step]:
    document = "demo://resource/static/document/features.md"
    sdk: Step = {"clients": ["sdk"]}
    return [
        # 350 ms after the handshake the server asks for the roots, and then says so.
        {"do": "await", "event": "roots/list", "count": 1},
        {"do": "await", "event": "notifications/message", "count": 1},
        {"do": "list_tools"},
        {"do": "list_resources"},
        {"do": "list_resource_templates"},
        {"do": "list_prompts"},
        {"do": "ping"},
        {"do": "set_level", "level": "debug"},
        call("echo", message="héllo \u2028 \U0001d11e \x7f"),
        call("get-sum", a=2, b=40.5),
        call("get-sum", a="two", b=3),
        call("no-such-tool"),
        call("get-structured-content", location="Chicago"),
        call("get-tiny-image"),
        call("get-annotated-message", messageType="error", includeImage=True),
        call("get-resource-links", count=3),
        call("get-resource-reference", resourceType="Blob", resourceId=4),
        call("get-roots-list"),
        call("trigger-long-running-operation", duration=0.2, steps=4) | {"progress": True},
        {
            "do": "call_and_cancel",
            "name": "trigger-long-running-operation",
            "arguments": {"duration": 1, "steps": 1},
        },
        call("trigger-sampling-request", prompt="What is the answer?", maxTokens=10),
        call("trigger-elicitation-request"),
        call("trigger-elicitation-request"),
        call("trigger-elicitation-request"),
        call("trigger-url-elicitation", url="https://example.com/sign", elicitationId="one"),
        call("trigger-url-elicitation", url="https://example.com/sign", elicitationId="two", errorPath=True),
        call("gzip-file-as-resource", name="note.gz", data="data:text/plain,hello", outputType="resourceLink"),
        {"do": "read", "uri": "demo://resource/session/note.gz"},
        {"do": "read", "uri": document},
        {"do": "read", "uri": "demo://resource/dynamic/text/1"},
        {"do": "read", "uri": "demo://resource/dynamic/blob/2"},
        {"do": "read", "uri": "demo://resource/dynamic/text/minus-one"},
        {"do": "read", "uri": "demo://nowhere"},
        {"do": "subscribe", "uri": document},
        call("toggle-subscriber-updates"),
        {"do": "await", "event": "notifications/resources/updated", "count": 1},
        call("toggle-subscriber-updates"),
        {"do": "unsubscribe", "uri": document},
        {"do": "get_prompt", "name": "simple-prompt"},
        {"do": "get_prompt", "name": "args-prompt", "arguments": {"city": "São Paulo", "state": "SP"}},
        {"do": "get_prompt", "name": "args-prompt", "arguments": {}},
        {"do": "get_prompt", "name": "resource-prompt", "arguments": {"resourceType": "Text", "resourceId": "1"}},
        {
            "do": "complete",
            "prompt": "completable-prompt",
            "argument": {"name": "name", "value": "A"},
            "context": {"department": "Engineering"},
        },
        {
            "do": "complete",
            "uri": "demo://resource/dynamic/text/{resourceId}",
            "argument": {"name": "resourceId", "value": "7"},
        },
        call("toggle-simulated-logging"),
        call("toggle-simulated-logging"),
        {"do": "roots_changed"},
        {"do": "await", "event": "notifications/message", "count": 5},
        sdk | {"do": "start_task", "name": "simulate-research-query", "arguments": {"topic": "tides"}},
        sdk | {"do": "list_tasks"},
        sdk | {"do": "cancel_task"},
        sdk | {"do": "get_task"},
        sdk
        | {
            "do": "start_task",
            "name": "simulate-research-query",
            "arguments": {"topic": "python", "ambiguous": True},
        },
        sdk | {"do": "task_result"},
    ]


def _prepare_files(folder: Path) -> None:
    (folder / "hello.txt").write_text("hello\nwörld\n", encoding="utf-8")
    (folder / "deep").mkdir()
    (folder / "deep" / "pixel.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def _filesystem_steps(folder: Path) -> list[Step]:
    hello = str(folder / "hello.txt")
    edits: Json = [{"oldText": "hello", "newText": "goodbye"}]
    return [
        {"do": "await", "event": "roots/list", "count": 1},
        {"do": "list_tools"},
        {"do": "ping"},
        call("list_allowed_directories"),
        call("list_directory", path=str(folder)),
        call("directory_tree", path=str(folder)),
        call("read_text_file", path=hello),
        call("read_text_file", path=hello, head=1),
        call("read_media_file", path=str(folder / "deep" / "pixel.png")),
        call("edit_file", path=hello, edits=edits, dryRun=True),
        call("edit_file", path=hello, edits=edits),
        call("write_file", path=str(folder / "new.txt"), content='\u2028\ttab \\ "quoted" \x00\x1b[31m'),
        call("read_multiple_files", paths=[hello, str(folder / "new.txt"), str(folder / "missing.txt")]),
        call("move_file", source=str(folder / "new.txt"), destination=str(folder / "deep" / "moved.txt")),
        call("search_files", path=str(folder), pattern="**/*.txt"),
        call("read_text_file", path=str(folder / "missing.txt")),
        call("read_text_file", path="/etc/passwd"),
        call("read_text_file"),
        call("no_such_tool"),
        {"do": "list_resources"},
        {"do": "get_prompt", "name": "none"},
    ]


def _memory_steps(_folder: Path) -> list[Step]:
    ada: Json = {"name": "Ada", "entityType": "person", "observations": ["counts", "wörks"]}
    engine: Json = {"name": "Engine", "entityType": "machine", "observations": []}
    return [
        {"do": "list_tools"},
        {"do": "ping"},
        call("create_entities", entities=[ada, engine]),
        call("create_relations", relations=[{"from": "Ada", "to": "Engine", "relationType": "programs"}]),
        call("add_observations", observations=[{"entityName": "Engine", "contents": ["brass", "steam"]}]),
        call("add_observations", observations=[{"entityName": "Nobody", "contents": ["absent"]}]),
        call("read_graph"),
        call("search_nodes", query="brass"),
        call("open_nodes", names=["Ada"]),
        call("delete_observations", deletions=[{"entityName": "Engine", "observations": ["steam"]}]),
        call("delete_entities", entityNames=["Ada"]),
        call("read_graph"),
        call("create_entities", entities="not a list"),
        call("no_such_tool"),
    ]


def _time_steps(_folder: Path) -> list[Step]:
    return [
        {"do": "discover", "era": "modern"},
        {"do": "list_tools"},
        {"do": "ping", "era": "legacy"},
        call("get_current_time", timezone="Europe/Paris"),
        call("convert_time", source_timezone="UTC", time="14:30", target_timezone="Asia/Kathmandu"),
        call("convert_time", source_timezone="UTC", time="25:61", target_timezone="Asia/Kathmandu"),
        call("get_current_time", timezone="Nowhere/At_All"),
        call("get_current_time"),
        call("no_such_tool"),
        {"do": "list_resources"},
        {"do": "listen", "era": "modern", "toolsListChanged": True},
    ]


_GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.com",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.com",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00",
}


def _prepare_repository(folder: Path) -> None:
    (folder / "hello.txt").write_text("hello\n", encoding="utf-8")
    for arguments in (("init", "-b", "main"), ("add", "."), ("commit", "-m", "A first, dated commit")):
        subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=os.environ | _GIT_ENVIRONMENT,
            check=True,
            capture_output=True,
            timeout=60,
        )
    (folder / "hello.txt").write_text("hello\nwörld\n", encoding="utf-8")


def _git_steps(folder: Path) -> list[Step]:
    repo = str(folder)
    return [
        {"do": "discover", "era": "modern"},
        {"do": "list_tools"},
        {"do": "ping", "era": "legacy"},
        call("git_status", repo_path=repo),
        call("git_diff_unstaged", repo_path=repo),
        call("git_add", repo_path=repo, files=["hello.txt"]),
        call("git_commit", repo_path=repo, message="A second\n\ncommit"),
        call("git_log", repo_path=repo, max_count=2),
        call("git_show", repo_path=repo, revision="HEAD"),
        call("git_create_branch", repo_path=repo, branch_name="side"),
        call("git_checkout", repo_path=repo, branch_name="side"),
        call("git_branch", repo_path=repo, branch_type="local"),
        call("git_diff", repo_path=repo, target="--output=stolen"),
        call("git_status", repo_path=str(folder.parent)),
        call("git_status"),
        call("no_such_tool"),
    ]


def _both_eras_steps(_folder: Path) -> list[Step]:
    legacy: Step = {"era": "legacy"}
    modern: Step = {"era": "modern"}
    return [
        modern | {"do": "discover"},
        {"do": "list_tools"},
        {"do": "list_resources"},
        {"do": "list_resource_templates"},
        {"do": "list_prompts"},
        legacy | {"do": "ping"},
        modern | {"do": "listen", "toolsListChanged": True, "resourceSubscriptions": ["note://today"]},
        call("measure", text="three little words"),
        call("fail", why="Because."),
        call("no_such_tool"),
        call("measure", text=7),
        call("count", up_to=3) | {"progress": True, "log": True},
        {"do": "await", "event": "progress", "count": 3},
        {"do": "call_and_cancel", "name": "wait", "arguments": {}, "after_progress": True},
        call("greet"),
        call("greet"),
        call("greet"),
        call("ponder"),
        call("folders"),
        call("touch"),
        modern | {"do": "await", "event": "notifications/resources/updated", "count": 1},
        modern | {"do": "await", "event": "notifications/tools/list_changed", "count": 1},
        {"do": "read", "uri": "note://today"},
        {"do": "read", "uri": "note://monday/9"},
        {"do": "read", "uri": "note://"},
        {"do": "get_prompt", "name": "summarise", "arguments": {"topic": "tides"}},
        {"do": "get_prompt", "name": "summarise", "arguments": {}},
        {"do": "complete", "prompt": "summarise", "argument": {"name": "topic", "value": "b"}},
        modern | {"do": "stop_listening"},
        call("measure", text="after all that"),
    ]


_ASKED = frozenset({"sampling/createMessage", "elicitation/create", "roots/list"})

SERVERS: tuple[Server, ...] = (
    Server(
        name="everything",
        command=lambda _folder: ["node", str(PACKAGES / "server-everything" / "dist" / "index.js"), "stdio"],
        steps=_everything_steps,
        legacy_events=_ASKED
        | {
            "progress",
            "notifications/message",
            "notifications/resources/updated",
            "notifications/resources/list_changed",
            "notifications/tools/list_changed",
        },
        elicited={"name": "Ada", "check": True, "integer": 42, "number": 3.5},
    ),
    Server(
        name="filesystem",
        command=lambda folder: [
            "node",
            str(PACKAGES / "server-filesystem" / "dist" / "index.js"),
            str(folder),
        ],
        steps=_filesystem_steps,
        prepare=_prepare_files,
        legacy_events=frozenset({"roots/list"}),
    ),
    Server(
        name="memory",
        command=lambda _folder: ["node", str(PACKAGES / "server-memory" / "dist" / "index.js")],
        steps=_memory_steps,
        environment=lambda folder: {"MEMORY_FILE_PATH": str(folder / "memory.jsonl")},
    ),
    Server(
        name="time",
        command=lambda _folder: [sys.executable, "-m", "mcp_server_time", "--local-timezone", "UTC"],
        steps=_time_steps,
        modern_events=frozenset(),
    ),
    Server(
        name="git",
        command=lambda folder: [sys.executable, "-m", "mcp_server_git", "--repository", str(folder)],
        steps=_git_steps,
        prepare=_prepare_repository,
        environment=lambda _folder: _GIT_ENVIRONMENT,
        modern_events=frozenset(),
    ),
    Server(
        name="both-eras",
        command=lambda _folder: [sys.executable, str(Path(__file__).parent / "both_eras_server.py")],
        steps=_both_eras_steps,
        legacy_events=_ASKED | {"progress", "notifications/message"},
        modern_events=_ASKED
        | {
            "progress",
            "notifications/message",
            "notifications/resources/updated",
            "notifications/tools/list_changed",
        },
        elicited={"name": "Ada"},
    ),
)
