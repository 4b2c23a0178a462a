"""The most careless server there could be: whatever may be read as a call of a tool is one.

It splits at everything Python calls a line break, decodes with replacement characters, reads several documents in a
line, batches inside batches, keys and names in any case and Unicode form, and takes a response for a request. Every
line it gets is kept beside the journal, so that a test can look at what the proxy wrote.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from typing import Any

journal = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
lines = os.open(sys.argv[1] + ".lines", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
held: list[Any] = []
sys.set_int_max_str_digits(10_000)
sys.setrecursionlimit(5000)


def note(tool: str) -> None:
    os.write(journal, json.dumps({"tool": tool}).encode() + b"\n")


def fold(text: object) -> str:
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return "".join(c for c in plain if c.isprintable() and not c.isspace())


def member(container: object, name: str) -> Any:
    if isinstance(container, str):
        container = first(container)
    if isinstance(container, list):
        container = dict(enumerate(container))
    found = None
    if isinstance(container, dict):
        for key, value in container.items():
            if fold(key) == name:
                found = value
    return found


def first(text: str) -> Any:
    return next(iter(documents(text)), None)


def documents(text: str) -> list[Any]:
    found = []
    decoder, at = json.JSONDecoder(strict=False), 0
    while (start := min((i for i in (text.find("{", at), text.find("[", at)) if i >= 0), default=-1)) >= 0:
        try:
            document, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            at = start + 1
            if len(text) > 65536:
                break
        else:
            found.append(document)
    return found


def answer(request: object, result: object) -> None:
    text = json.dumps({"jsonrpc": "2.0", "id": request, "result": result})
    sys.stdout.buffer.write(text.encode() + b"\n")
    sys.stdout.buffer.flush()


def run(request: object, name: object, given: object) -> None:
    if isinstance(name, list):
        name = name[0] if name else ""
    tool = fold(name)
    if tool == "hold":
        held.append(request)
        return
    note(tool)
    if tool == "release":
        while held:
            run(held.pop(), "held", None)
    text = str(member(given, "text")) if tool == "echo" else f"{tool} ran"
    answer(request, {"content": [{"type": "text", "text": text}]})


def serve(document: object) -> None:
    if isinstance(document, list):
        for inner in document:
            serve(inner)
        return
    method, request, params = (member(document, key) for key in ("method", "id", "params"))
    if isinstance(method, list):
        method = method[0] if method else ""
    if fold(method) == "tools/call":
        run(request, member(params, "name"), member(params, "arguments"))
    elif fold(method) == "initialize":
        server = {"name": "python_lines", "version": "1"}
        answer(request, {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server})
    elif method is not None and request is not None:
        answer(request, {})


for raw in sys.stdin.buffer:
    os.write(lines, raw)
    for encoding in ("utf-8", "utf-16-le", "utf-16-be") if b"\0" in raw else ("utf-8",):
        for line in raw.decode(encoding, "replace").splitlines():
            for document in documents(line):
                serve(document)
