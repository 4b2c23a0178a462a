"""A server that lists tools and does, beside that, what its arguments say: `python offering.py WORD...`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

WORDS: Final = set(sys.argv[1:])
TOOLS: Final[list[dict[str, Any]]] = [
    {
        "name": "get_board",
        "description": "Get a board",
        "inputSchema": {"type": "object"},
        "x-mine": None,
        "n": [1.0, 12345678901234567890],
    },
    {"name": "delete_board", "inputSchema": {"type": "object", "properties": {"a": {"default": None}}}},
    {"name": "ask", "execution": {"taskSupport": "optional"}, "inputSchema": 7},
]
ABOUT: Final[dict[str, Any]] = {"capabilities": {"tools": {}, "prompts": {}}, "instructions": "Be kind."}
ME: Final = {"name": "offering", "version": "3.1"}


def say(message: dict[str, Any]) -> None:
    """Write one message."""
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def answer(request: dict[str, Any]) -> None:
    """Answer a request as a server of this kind does."""
    method, number = request["method"], request["id"]
    params = request.get("params", {})
    modern = "io.modelcontextprotocol/protocolVersion" in params.get("_meta", {})
    if method == "initialize" and "modern" in WORDS:
        return say({"id": number, "error": {"code": -32022, "message": "no", "data": {"supported": ["2026-07-28"]}}})
    if method == "initialize" and params["capabilities"].keys() != {"roots", "sampling", "elicitation"}:
        sys.exit("a client that can do less")
    if method == "initialize":
        return say({"id": number, "result": ABOUT | {"protocolVersion": "2025-06-18", "serverInfo": ME}})
    if method == "server/discover" and "modern" in WORDS:
        meta = {"io.modelcontextprotocol/serverInfo": ME}
        return say({"id": number, "result": ABOUT | {"supportedVersions": ["2026-07-28"], "_meta": meta}})
    if method == "prompts/list":
        return say({"id": number, "result": {"prompts": [{"name": "greet"}]}})
    if method != "tools/list" or modern is not ("modern" in WORDS) or "refusing" in WORDS:
        return say({"id": number, "error": {"code": -32601, "message": "no such method"}})
    if "malformed" in WORDS:
        return say({"id": number, "result": {"tools": 7}})
    if "chatty" in WORDS:
        print("listing tools now", flush=True)
        say({"method": "notifications/message", "params": {"level": "info", "data": "x" * 100_000}})
        say({"id": "r1", "method": "roots/list"})
        say({"id": "p1", "method": "ping"})
        say({"id": "s1", "method": "sampling/createMessage"})
        answers = [json.loads(sys.stdin.readline()) for _ in range(3)]
        if [each.get("result") for each in answers] != [{"roots": []}, {}, None]:
            sys.exit("a client that answers otherwise")
    if "paged" in WORDS or "endless" in WORDS:
        at = int(params.get("cursor", "0"))
        more = {} if at == len(TOOLS) - 1 and "endless" not in WORDS else {"nextCursor": str(at + 1)}
        return say({"id": number, "result": {"tools": [TOOLS[at % len(TOOLS)]]} | more})
    if "late" in WORDS:
        say({"method": "notifications/tools/list_changed"})
        WORDS.remove("late")
        return say({"id": number, "result": {"tools": []}})
    return say({"id": number, "result": {"tools": TOOLS}})


def main() -> None:
    """Serve until the input ends."""
    if "detached" in WORDS:
        subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], start_new_session=True)
    if "failing" in WORDS:
        sys.stderr.write("no API key\nset BOARD_KEY\u202e\n")
        sys.exit(3)
    asked = False
    for line in sys.stdin:
        message = json.loads(line)
        if "method" not in message or "id" not in message:
            continue
        if message["method"] == "server/discover" and "once" in WORDS and asked:
            say({"id": message["id"], "error": {"code": -32600, "message": "too late"}})
        else:
            answer(message)
        asked = True


if __name__ == "__main__":
    main()
