"""The MCP server of the benchmark: standard library only, one line in, one line out, boots in about 20 ms.

    python -S -E upstream.py [TOOLS]

It lists TOOLS tools (50 when left out; `echo`, `danger` and `result` are among them) with definitions of a
usual size. `echo` answers with its `message`. `result` answers with about `bytes` bytes, made once and kept, so
that only moving them is measured: `form` is `text` (letters), `json` (JSON inside a text block, as most servers
send it, so that every quote is escaped) or `rows` (the same rows as `structuredContent`).
"""

from __future__ import annotations

import json
import sys

Answer = dict[str, object]


def definition(name: str) -> Answer:
    text = f"Does what {name} is for, and says so in as many words as tool descriptions usually take. "
    properties = {
        "message": {"type": "string", "description": "what to say"},
        "path": {"type": "string", "description": "where to say it"},
        "amount": {"type": "number", "description": "how much of it"},
    }
    schema = {"type": "object", "properties": properties, "required": ["message"]}
    return {
        "name": name,
        "description": text * 3,
        "inputSchema": schema,
        "annotations": {"readOnlyHint": False},
    }


def result(size: int, form: str) -> Answer:
    if form == "text":
        return {"content": [{"type": "text", "text": "x" * size}], "isError": False}
    row = {
        "id": 1234567,
        "name": "Maria Oliveira",
        "email": "maria@example.com",
        "paid": True,
        "amount": 129.9,
    }
    row_bytes = len(json.dumps(row)) + 2
    if form == "rows":
        return {"content": [], "structuredContent": {"rows": [row] * (size // row_bytes)}, "isError": False}
    escaped_bytes = len(json.dumps(json.dumps(row)))
    text = json.dumps([row] * (size // escaped_bytes))
    return {"content": [{"type": "text", "text": text}], "isError": False}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    names = ["echo", "danger", "result", *(f"tool_{n:04}" for n in range(count - 3))]
    tools = [definition(name) for name in names]
    made: dict[tuple[int, str], bytes] = {}
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        params = message.get("params") or {}
        match message["method"]:
            case "tools/call" if params["name"] == "result":
                asked = params["arguments"]
                key = (asked["bytes"], asked["form"])
                if key not in made:
                    made[key] = json.dumps(result(*key)).encode()
                number = json.dumps(message["id"]).encode()
                out.write(b'{"jsonrpc": "2.0", "id": %b, "result": %b}\n' % (number, made[key]))
                out.flush()
                continue
            case "tools/call":
                text = str(params.get("arguments", {}).get("message", ""))
                body: Answer = {"result": {"content": [{"type": "text", "text": text}], "isError": False}}
            case "initialize":
                info = {"name": "bench", "version": "1"}
                version = params["protocolVersion"]
                capabilities: Answer = {"tools": {}}
                body = {"result": {"protocolVersion": version, "capabilities": capabilities, "serverInfo": info}}
            case "tools/list":
                body = {"result": {"tools": tools}}
            case "resources/list":
                body = {"result": {"resources": []}}
            case "resources/templates/list":
                body = {"result": {"resourceTemplates": []}}
            case "prompts/list":
                body = {"result": {"prompts": []}}
            case "ping":
                body = {"result": {}}
            case _:
                body = {"error": {"code": -32601, "message": "Method not found"}}
        out.write(json.dumps({"jsonrpc": "2.0", "id": message["id"], **body}).encode() + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
