"""`results` of a policy between a real client and servers made with the SDKs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .rawclient import RawClient, call, line, proxy
from .upstreams import KINDS, ran

POLICY = """
default: allow
results:
  max_bytes: 2000
  strip_invisible: true
  redact: [secrets, emails, {regex: 'CUST-[0-9]+', replace: '[customer]'}]
"""
TEXT = "\u202ebob@example.com\U000e0041 of CUST-12 says password: hunter22"
SEEN = "[redacted: email] of [customer] says password: [redacted: secret]"


@pytest.mark.parametrize("kind", ["python_sdk", "typescript_sdk", "python_lines"])
def test_what_a_tool_gives_back_is_looked_at(kind: str, tmp_path: Path, node_modules: Path) -> None:
    assert node_modules.is_dir()
    (tmp_path / "policy.yaml").write_text(POLICY, encoding="utf-8")
    command = proxy(tmp_path / "policy.yaml", *KINDS[kind], str(tmp_path / "journal"))
    with RawClient(command, tmp_path / "stderr") as client:
        client.handshake()
        client.send(line("tools/list", {}, "list") + call("echo", 1, text=TEXT) + call("echo", 2, text="x" * 3000))
        client.until("list")
        answers = {}
        for id in (1, 2):  # noqa: A001
            answers[id] = client.until(id)[1]["result"]
        words = client.words()

    assert answers[1]["content"][0]["text"] == SEEN
    assert "bob" not in json.dumps(answers[1])
    assert answers[1].get("structuredContent", {"result": SEEN}) == {"result": SEEN}
    assert answers[2]["isError"] is True
    assert "2,000" in answers[2]["content"][0]["text"]
    assert "xxx" not in json.dumps(answers[2])
    assert "structuredContent" not in answers[2]
    assert ran(tmp_path / "journal") == ["echo", "echo"]
    assert "took out of the answer to `echo`" in words
    assert "kept back the answer to `echo`" in words
    assert "hunter22" not in words
