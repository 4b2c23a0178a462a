"""A small MCP server to try policies on: a shop desk with orders, messages and refunds.

Standard library only, nothing leaves the process. It speaks both eras of the protocol over stdio: `initialize`
and a session (2024-11-05 to 2025-11-25), and `server/discover` with an envelope on every request (2026-07-28).

    python server.py [--ledger FILE]

With `--ledger`, each tool that really ran adds its name to FILE: a call that a proxy refused must not be there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

SERVER_INFO = {"name": "shop-desk", "version": "1.0.0"}
LEGACY_VERSIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_VERSIONS = ("2026-07-28",)
ENVELOPE = "io.modelcontextprotocol/"

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
UNSUPPORTED_PROTOCOL_VERSION = -32022

ORDERS = {
    "1001": {"customer": "ada", "total": 120.0, "state": "delivered"},
    "1002": {"customer": "grace", "total": 35.5, "state": "paid"},
}


class RequestError(Exception):
    """A JSON-RPC error to answer with."""

    def __init__(self, code: int, message: str, data: object = None) -> None:
        super().__init__(message)
        self.error: dict[str, Any] = {"code": code, "message": message}
        if data is not None:
            self.error["data"] = data


def list_orders(_: dict[str, Any]) -> str:
    return "; ".join(f"{number}: {order['total']:.2f}" for number, order in ORDERS.items())


def get_order(arguments: dict[str, Any]) -> str:
    order = ORDERS[arguments["order"]]
    return f"{arguments['order']}: {order['customer']}, {order['total']:.2f}, {order['state']}"


def send_message(arguments: dict[str, Any]) -> str:
    return f"sent to {arguments['customer']}"


def refund(arguments: dict[str, Any]) -> str:
    return f"refunded {arguments['amount']:.2f} for order {arguments['order']}"


def archive_customer(arguments: dict[str, Any]) -> str:
    return f"archived {arguments['customer']}"


def delete_customer(arguments: dict[str, Any]) -> str:
    return f"deleted {arguments['customer']} and all orders"


def export_customers(_: dict[str, Any]) -> str:
    return "; ".join(f"{order['customer']}@shop.example" for order in ORDERS.values())


Tool = tuple[Callable[[dict[str, Any]], str], str, dict[str, str]]

# name: what runs, what it says to the model, its arguments and their JSON Schema types (all are required)
TOOLS: dict[str, Tool] = {
    "list_orders": (list_orders, "List all orders", {}),
    "get_order": (get_order, "One order with its state", {"order": "string"}),
    "send_message": (send_message, "Write to a customer", {"customer": "string", "text": "string"}),
    "refund": (refund, "Give money back for an order", {"order": "string", "amount": "number"}),
    "archive_customer": (archive_customer, "Hide a customer; can be undone", {"customer": "string"}),
    "delete_customer": (delete_customer, "Delete a customer and all orders", {"customer": "string"}),
    "export_customers": (export_customers, "All customers with their addresses", {}),
}


def definitions() -> list[dict[str, Any]]:
    """Return what `tools/list` answers."""
    return [
        {
            "name": name,
            "description": description,
            "inputSchema": {
                "type": "object",
                "properties": {argument: {"type": kind} for argument, kind in arguments.items()},
                "required": list(arguments),
            },
        }
        for name, (_, description, arguments) in TOOLS.items()
    ]


class Server:
    """One connection: which era it is in, and the answer to each message."""

    def __init__(self, ledger: Path | None) -> None:
        self._ledger = ledger
        self._initialized = False

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """Return the response to one line, or None where none is due (notifications, responses)."""
        request_id = None
        try:
            try:
                message = json.loads(line.decode())
            except ValueError:
                raise RequestError(PARSE_ERROR, "not JSON") from None
            if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
                raise RequestError(INVALID_REQUEST, "not a JSON-RPC 2.0 message")
            if "method" not in message or "id" not in message:
                return None
            if isinstance(message["id"], bool) or not isinstance(message["id"], str | int):
                raise RequestError(INVALID_REQUEST, "`id` must be a string or an integer")
            request_id = message["id"]
            params = message.get("params", {})
            if not isinstance(message["method"], str) or not isinstance(params, dict):
                raise RequestError(INVALID_REQUEST, "`method` must be a string and `params` an object")
            result = self._serve(message["method"], params)
        except RequestError as refused:
            return {"jsonrpc": "2.0", "id": request_id, "error": refused.error}
        return {"jsonrpc": "2.0", "id": request_id, "result": result}

    def _serve(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        meta = params.get("_meta")
        if isinstance(meta, dict) and ENVELOPE + "protocolVersion" in meta:
            result = self._serve_modern(method, params, meta)
            return {**result, "resultType": "complete", "_meta": {ENVELOPE + "serverInfo": SERVER_INFO}}
        return self._serve_legacy(method, params)

    def _serve_modern(self, method: str, params: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any]:
        version = meta[ENVELOPE + "protocolVersion"]
        if version not in MODERN_VERSIONS:
            data = {"supported": list(MODERN_VERSIONS), "requested": version}
            raise RequestError(UNSUPPORTED_PROTOCOL_VERSION, "unsupported protocol version", data)
        if not isinstance(meta.get(ENVELOPE + "clientCapabilities"), dict):
            raise RequestError(INVALID_PARAMS, f"`_meta` lacks `{ENVELOPE}clientCapabilities`")
        cacheable = {"ttlMs": 0, "cacheScope": "private"}
        if method == "server/discover":
            return {"supportedVersions": list(MODERN_VERSIONS), "capabilities": {"tools": {}}, **cacheable}
        if method == "tools/list":
            return {"tools": definitions(), **cacheable}
        if method == "tools/call":
            return self._call(params)
        raise RequestError(METHOD_NOT_FOUND, "method not found")

    def _serve_legacy(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "initialize":
            self._initialized = True
            wanted = params.get("protocolVersion")
            version = wanted if wanted in LEGACY_VERSIONS else LEGACY_VERSIONS[-1]
            return {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": SERVER_INFO}
        if method == "ping":
            return {}
        if not self._initialized:
            raise RequestError(INVALID_PARAMS, f"neither initialized nor `{ENVELOPE}protocolVersion` in `_meta`")
        if method == "tools/list":
            return {"tools": definitions()}
        if method == "tools/call":
            return self._call(params)
        raise RequestError(METHOD_NOT_FOUND, "method not found")

    def _call(self, params: dict[str, Any]) -> dict[str, Any]:
        name, arguments = params.get("name"), params.get("arguments", {})
        if not isinstance(name, str) or name not in TOOLS or not isinstance(arguments, dict):
            raise RequestError(INVALID_PARAMS, "unknown tool, or arguments that are not an object")
        run = TOOLS[name][0]
        try:
            text, failed = run(arguments), False
        except (KeyError, ValueError, TypeError):
            text, failed = f"the arguments do not fit {name}", True
        else:
            self._record(name)
        return {"content": [{"type": "text", "text": text}], "isError": failed}

    def _record(self, name: str) -> None:
        if self._ledger is not None:
            with self._ledger.open("a", encoding="utf-8") as ledger:
                ledger.write(name + "\n")


def main() -> None:
    """Answer stdin line by line until it ends."""
    parser = argparse.ArgumentParser(description="A small MCP server to try policies on.")
    parser.add_argument("--ledger", type=Path, help="file to which each tool that ran adds its name")
    server = Server(parser.parse_args().ledger)
    for line in sys.stdin.buffer:
        response = server.answer(line)
        if response is not None:
            sys.stdout.buffer.write(json.dumps(response, separators=(",", ":")).encode() + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
