"""Drives the demo server through the proxy with the MCP Python SDK and shows what the policy does.

    python examples/demo/run.py

Both protocol eras, offline. Exit code 0 only if every call ended as `policy.yaml` says and the server ran
nothing else.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import anyio
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult, TextContent

HERE = Path(__file__).resolve().parent
ERAS = {"legacy": "initialize", "auto": "server/discover"}


@dataclass(frozen=True)
class Step:
    """One call and how it has to end: `allowed`, `limited` or `denied`."""

    expected: str
    tool: str
    arguments: dict[str, object]
    note: str = ""


STEPS = (
    Step("allowed", "list_orders", {}),
    Step("allowed", "send_message", {"customer": "ada", "text": "On its way"}),
    Step("allowed", "send_message", {"customer": "ada", "text": "It is there"}),
    Step("allowed", "send_message", {"customer": "grace", "text": "Paid"}),
    Step("limited", "send_message", {"customer": "grace", "text": "Thank you"}, "the fourth within a minute"),
    Step("allowed", "refund", {"order": "1002", "amount": 35.5}),
    Step("denied", "refund", {"order": "1001", "amount": 120}),
    Step("denied", "delete_customer", {"customer": "ada"}, "hidden, and called all the same"),
    Step("denied", "export_customers", {}, "not in the policy"),
    Step("allowed", "archive_customer", {"customer": "ada"}),
)
HIDDEN = {"delete_customer", "export_customers"}


def outcome(result: CallToolResult) -> str:
    """Return how it ended: `allowed`, `limited`, `denied`, or `failed` (by the server itself)."""
    details = (result.meta or {}).get("intercept/decision")
    if isinstance(details, dict):
        return "limited" if "retry_after_s" in details else "denied"
    return "failed" if result.is_error else "allowed"


def text_of(result: CallToolResult) -> str:
    """Return what the model reads."""
    return " ".join(block.text for block in result.content if isinstance(block, TextContent))


async def drive(mode: str, ledger: Path, log: TextIO) -> bool:
    """Run all steps over one connection; print each; return whether everything was as expected."""
    upstream = [sys.executable, str(HERE / "server.py"), "--ledger", str(ledger)]
    proxy = StdioServerParameters(
        command=sys.executable,
        args=["-m", "intercept", "--policy", str(HERE / "policy.yaml"), "--audit", "off", "--", *upstream],
    )
    good = True
    async with Client(stdio_client(proxy, errlog=log), mode=mode) as client:
        print(f"\nprotocol {client.protocol_version} ({ERAS[mode]})")
        shown = [tool.name for tool in (await client.list_tools()).tools]
        print(f"  {'shown':8} {', '.join(shown)}")
        print(f"  {'hidden':8} {', '.join(sorted(HIDDEN - set(shown)))}")
        good &= not HIDDEN & set(shown)
        for step in STEPS:
            result = await client.call_tool(step.tool, step.arguments)
            ended = outcome(result)
            call = f"{step.tool} {json.dumps(step.arguments)}" + (f"  ({step.note})" if step.note else "")
            print(f"  {ended:8} {call}\n           -> {text_of(result)}")
            if ended != step.expected:
                print(f"           UNEXPECTED: the policy says {step.expected}")
                good = False
    return good


async def main() -> int:
    """Run both eras, then compare what the server ran with what the policy allows."""
    print("MCP Python SDK -> intercept --policy examples/demo/policy.yaml -> examples/demo/server.py")
    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger"
        ledger.touch()
        with (Path(folder) / "stderr").open("w+", encoding="utf-8") as log:
            try:
                with anyio.fail_after(60):
                    good = all([await drive(mode, ledger, log) for mode in ERAS])
            except (MCPError, OSError, ExceptionGroup) as error:
                print(f"the connection failed: {error}", file=sys.stderr)
                good = False
            log.seek(0)
            complaints = log.read()
        ran = Counter(ledger.read_text(encoding="utf-8").split())
    allowed = Counter(step.tool for step in STEPS if step.expected == "allowed" for _ in ERAS)
    print("\nthe server ran: " + ", ".join(f"{tool} {times}x" for tool, times in sorted(ran.items())))
    if good and ran == allowed:
        print("as the policy says")
        return 0
    print(f"NOT as the policy says\n{complaints}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(anyio.run(main))
