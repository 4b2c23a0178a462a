"""Telling people that an approval waits: a command, a webhook. Neither is ever waited for by a call.

Who is told sees the arguments of the call, because nobody can decide without them.
"""

from __future__ import annotations

import json
import os
import queue
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from ..answers import printable
from ..errors import UsageError
from ..values import Json
from .question import described
from .record import Record

RUN_FOR: Final = 30.0
"""Seconds that a command may run, or a webhook may take to answer."""
_WAITING: Final = 100
"""Notices that wait to be given; more are left out, and the operator is told."""
_LONGEST: Final = 16_000
"""Characters of a variable; Linux takes 128 KiB."""
_TRIES: Final = 3
_SECRET: Final = "INTERCEPT_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Notifier:
    """Gives each notice to all of `tellers`, one after the other, on a thread of its own that starts with the first."""

    def __init__(self, tellers: Sequence[Callable[[Record], None]], note: Callable[[str], None]) -> None:
        """Tellers raise `OSError`; `note` is told of what went wrong."""
        self._tellers = tellers
        self._note = note
        self._queue: queue.Queue[Record] = queue.Queue(_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def __call__(self, record: Record) -> None:
        """Have people told of `record`; returns at once."""
        if not self._tellers:
            return
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self._note("too many notices of approvals are waiting; left one out")
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="approvals", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Give no more notices, and end what still runs."""
        self._closed = True
        for tell in self._tellers:
            if isinstance(tell, Command):
                tell.close()

    def join(self, timeout: float) -> None:
        """Wait until what was being done when it was closed is over."""
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while not self._closed:
            record = self._queue.get()
            for tell in self._tellers:
                try:
                    tell(record)
                except (OSError, ValueError) as error:
                    self._note(f"could not tell anybody that `{record.id}` waits: {printable(str(error))}")


class Command:
    """Runs a command for each notice, without a shell, with the details in its environment and on its stdin."""

    def __init__(self, text: str) -> None:
        """`text` is split into words as a shell does.

        Raises:
            UsageError: nothing can be run.
        """
        try:
            self._words = shlex.split(text)
        except ValueError as error:
            raise UsageError(f"cannot read `--approval-command`: {str(error).lower()}") from None
        if not self._words:
            raise UsageError("`--approval-command` names no command")
        self._process: subprocess.Popen[bytes] | None = None
        self._starting = threading.Lock()
        self._closed = False

    def __call__(self, record: Record) -> None:
        """Run it, and wait until it is through.

        Raises:
            OSError: it cannot be run, failed, or took too long.
        """
        details = os.environ | {
            "INTERCEPT_APPROVAL_ID": record.id,
            "INTERCEPT_APPROVAL_TOOL": printable(record.uses[0].name),
            "INTERCEPT_APPROVAL_SERVER": printable(record.server),
            "INTERCEPT_APPROVAL_REASON": printable(record.reason),
            "INTERCEPT_APPROVAL_TEXT": _text(record)[:_LONGEST],
        }
        details.pop(_SECRET, None)
        with self._starting:
            if self._closed:
                return
            # Its stdout would be the protocol's.
            process = self._process = subprocess.Popen(  # noqa: S603 - the command line of whoever runs the proxy
                self._words, stdin=subprocess.PIPE, stdout=2, env=details, start_new_session=True
            )
        try:
            process.communicate(json.dumps(notice(record)).encode(), timeout=RUN_FOR)
        except subprocess.TimeoutExpired:
            self._kill()
            process.wait()
            raise OSError(f"the command took longer than {RUN_FOR:.0f} seconds") from None
        finally:
            self._process = None
        if process.returncode:
            raise OSError(f"the command ended with exit code {process.returncode}")

    def close(self) -> None:
        """End what still runs; nothing is started any more."""
        with self._starting:
            self._closed = True
        self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def webhook(url: str, secret_file: str | None) -> Callable[[Record], None]:
    """Posts the details to `url`, signed with the secret in the file, or in `INTERCEPT_WEBHOOK_SECRET`.

    Raises:
        UsageError: the URL cannot be used, or there is no secret.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise UsageError("`--approval-webhook` takes an `https` URL (or `http` to this machine), because it says a lot")
    secret = _secret(secret_file)

    def tell(record: Record) -> None:
        body = json.dumps(notice(record)).encode()
        for attempt in range(_TRIES):
            try:
                _post(url, body, secret)
                return
            except OSError:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(2**attempt)

    return tell


def sign(secret: bytes, stamp: str, body: bytes) -> str:
    """The signature of a webhook's `body`: HMAC-SHA256 of the time, a full stop and the body, in hex."""
    import hmac

    return hmac.new(secret, stamp.encode() + b"." + body, "sha256").hexdigest()


def notice(record: Record) -> dict[str, Json]:
    """What commands and webhooks are told."""
    return {"event": "approval", **record.as_json(), "text": _text(record)}


def _text(record: Record) -> str:
    return "\n".join(described(record.uses, record.server, record.risk))


def _secret(path: str | None) -> bytes:
    if path is None:
        found = os.environ.get(_SECRET, "").encode()
        if not found:
            raise UsageError(f"`--approval-webhook` needs `--approval-webhook-secret FILE`, or ${_SECRET}")
        return found
    try:
        with open(path, "rb") as file:
            found = file.read(4_096).strip()
    except OSError as error:
        why = (error.strerror or "error").lower()
        raise UsageError(f"cannot read `--approval-webhook-secret`: {why}") from None
    if not found:
        raise UsageError("the file of `--approval-webhook-secret` is empty")
    return found


def _post(url: str, body: bytes, secret: bytes) -> None:
    from urllib.request import HTTPRedirectHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        """A redirect would take the details somewhere else."""

        def redirect_request(self, *_: object) -> None:
            return None

    stamp = str(int(time.time()))  # noqa: TID251 - the receiver compares it with its own clock
    headers = {
        "Content-Type": "application/json",
        "X-Intercept-Timestamp": stamp,
        "X-Intercept-Signature": f"sha256={sign(secret, stamp, body)}",
    }
    request = Request(url, body, headers, method="POST")  # noqa: S310 - the scheme was checked
    with build_opener(Stay).open(request, timeout=RUN_FOR) as response:
        response.read(1)
