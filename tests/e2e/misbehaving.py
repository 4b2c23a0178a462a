"""A session with the server that breaks the protocol on demand, and how much memory the proxy takes for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from .rawclient import RawClient, call, proxy
from .upstreams import MISBEHAVE

OPEN: Final = "default: allow\nunknown_methods: allow\n"
GUARDED: Final = OPEN + "tools:\n  denied: {action: deny}\n"
HIDING: Final = OPEN + "hide: ['filler_*1', hold]\n"
NO_SAMPLING: Final = OPEN + "server_requests: {sampling: deny}\n"

MIB: Final = 1 << 20
IDLE: Final = 60
"""What the proxy may occupy in MiB apart from the messages it holds: an interpreter, its modules, some slack."""


@contextmanager
def session(
    folder: Path, policy: str = OPEN, *upstream: str, shake: bool = True, reading: bool = True
) -> Iterator[RawClient]:
    path = folder / "policy.yaml"
    path.write_text(policy, encoding="utf-8")
    command = proxy(path, *MISBEHAVE, *upstream)
    with RawClient(command, folder / "stderr", reading=reading) as client:
        if shake:
            client.handshake()
        yield client


def say(data: bytes, id: object, times: int = 1) -> bytes:  # noqa: A002
    """A call that makes the server write `data`."""
    return call("say", id, hex=data.hex(), times=times)


def result(id: object, **members: object) -> bytes:  # noqa: A002
    """The bytes of a right answer to `id`, with the spaces that Python's json puts in."""
    body = {"content": [{"type": "text", "text": "right"}], **members}
    return json.dumps({"jsonrpc": "2.0", "id": id, "result": body}).encode() + b"\n"


def peak(client: RawClient) -> int:
    """The most memory the proxy ever occupied, in MiB."""
    status = Path(f"/proc/{client.process.pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) // 1024


def ping_pong(client: RawClient) -> list[bytes]:
    """What comes before the answer to an honest call; nothing is still on its way afterwards."""
    client.send(call("ok", "honest", text="still here"))
    before, answer = client.until("honest")
    assert answer["result"]["content"][0]["text"] == "still here"
    return before
