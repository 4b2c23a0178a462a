"""Telling people that something waits: a command and a webhook, which no call waits for."""

from __future__ import annotations

import hmac
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from queue import Queue

import pytest

from intercept.approval.notify import Command, Notifier, webhook
from intercept.approval.record import Record
from intercept.errors import UsageError
from intercept.policy import ToolCall
from tests.e2e.fifo import Fifo

RECORD = Record(
    "k3m9x2pt", "me", "digest", (ToolCall("pay", {"to": "a\nb", "amount": 5}),), "bank", "Look.", "p", 1.0, 2.0, 1.0
)
SECRET = "a secret"
TIMEOUT = 10.0


class Notes:
    """What the operator is told, as it comes."""

    def __init__(self) -> None:
        self._lines: Queue[str] = Queue()

    def __call__(self, line: str) -> None:
        self._lines.put(line)

    def next(self) -> str:
        return self._lines.get(timeout=TIMEOUT)


def script(folder: Path, body: str) -> str:
    path = folder / "tell.py"
    path.write_text(f"import json, os, sys\n{body}\n")
    return f"{sys.executable} {path}"


@contextmanager
def receiving(*statuses: int) -> Iterator[tuple[str, Queue[tuple[dict[str, str], bytes]]]]:
    """A server that answers with these statuses in turn, and what it got."""
    got: Queue[tuple[dict[str, str], bytes]] = Queue()
    answers = iter(statuses)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.put((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            status = next(answers)
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_command_gets_the_details_and_no_shell_reads_them(tmp_path: Path) -> None:
    out, done = tmp_path / "out", Queue[Record]()
    what = script(
        tmp_path,
        f"told = {{k: v for k, v in os.environ.items() if k.startswith('INTERCEPT_')}}\n"
        f"with open({str(out)!r}, 'w') as out: json.dump([sys.argv[1:], told, json.load(sys.stdin)], out)",
    )
    notes = Notes()
    Notifier([Command(f"{what} '$(id)' ; `id`"), done.put], notes)(RECORD)
    assert done.get(timeout=TIMEOUT) is RECORD

    arguments, environment, details = json.loads(out.read_text())
    assert arguments == ["$(id)", ";", "`id`"]
    assert environment["INTERCEPT_APPROVAL_ID"] == "k3m9x2pt"
    assert environment["INTERCEPT_APPROVAL_TOOL"] == "pay"
    assert '  to: "a\\nb"' in environment["INTERCEPT_APPROVAL_TEXT"]
    assert (details["event"], details["id"], details["uses"][0]["arguments"]) == (
        "approval",
        "k3m9x2pt",
        {"to": "a\nb", "amount": 5},
    )


@pytest.mark.parametrize(("body", "says"), [("sys.exit(3)", "exit code 3"), ("raise SystemExit(1)", "exit code 1")])
def test_a_command_that_fails_is_told_to_the_operator(tmp_path: Path, body: str, says: str) -> None:
    notes = Notes()
    Notifier([Command(script(tmp_path, body))], notes)(RECORD)

    assert says in notes.next()


def test_a_command_that_is_not_there_is_told_to_the_operator() -> None:
    notes = Notes()
    Notifier([Command("/nowhere/at-all")], notes)(RECORD)

    assert "could not tell anybody that `k3m9x2pt` waits" in notes.next()


def test_a_command_that_hangs_holds_up_nobody_and_is_ended_with_the_proxy(tmp_path: Path) -> None:
    notes = Notes()
    with Fifo(tmp_path / "begun") as begun:
        body = f"import time\nsys.stdin.read()\nopen({begun.path!r}, 'w').write('x')\ntime.sleep(60)"
        notifier = Notifier([Command(script(tmp_path, body))], notes)
        notifier(RECORD)
        assert begun.read() == "x"
        for _ in range(101):
            notifier(RECORD)
        assert "left one out" in notes.next()

        notifier.close()
        assert "exit code -9" in notes.next()
        notifier.join(TIMEOUT)
        assert begun.peek() == ""


def test_nothing_is_run_any_more_once_the_proxy_ends(tmp_path: Path) -> None:
    command = Command(script(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')"))
    command.close()
    command(RECORD)

    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("text", ["", "   ", "'open"])
def test_a_command_that_is_none_is_refused_at_start(text: str) -> None:
    with pytest.raises(UsageError, match="--approval-command"):
        Command(text)


def test_a_webhook_is_signed_with_the_secret_and_the_time(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    with receiving(200) as (url, got):
        Notifier([webhook(url, str(tmp_path / "secret"))], Notes())(RECORD)
        headers, body = got.get(timeout=TIMEOUT)

    expected = hmac.new(SECRET.encode(), headers["X-Intercept-Timestamp"].encode() + b"." + body, "sha256").hexdigest()
    assert headers["X-Intercept-Signature"] == f"sha256={expected}"
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["id"] == "k3m9x2pt"
    assert SECRET not in body.decode() + str(headers)


def test_a_webhook_that_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCEPT_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr("intercept.approval.notify.time.sleep", lambda _: None)
    with receiving(500, 200) as (url, got):
        webhook(url, None)(RECORD)
        assert got.qsize() == 2
    notes = Notes()
    with receiving(500, 500, 500) as (url, _):
        Notifier([webhook(url, None)], notes)(RECORD)
        line = notes.next()
    assert "500" in line
    assert SECRET not in line


def test_a_webhook_is_not_followed_to_another_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCEPT_WEBHOOK_SECRET", SECRET)
    monkeypatch.setattr("intercept.approval.notify.time.sleep", lambda _: None)
    with receiving(302, 302, 302) as (url, got):
        with pytest.raises(OSError, match="302"):
            webhook(url, None)(RECORD)
        assert got.qsize() == 3


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/x", "file:///etc/passwd", "example.com", ""])
def test_details_travel_encrypted_or_not_at_all(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCEPT_WEBHOOK_SECRET", SECRET)
    with pytest.raises(UsageError, match="https"):
        webhook(url, None)


def test_a_webhook_needs_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INTERCEPT_WEBHOOK_SECRET", raising=False)
    (tmp_path / "empty").touch()
    for secret in (None, str(tmp_path / "empty"), str(tmp_path / "nothing")):
        with pytest.raises(UsageError, match="secret"):
            webhook("https://example.com", secret)
