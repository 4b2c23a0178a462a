"""Stand between a client and its server and write down every byte, changing none.

    python -I tap.py DIRECTORY LABEL -- COMMAND...

Each run writes DIRECTORY/LABEL.<start>.to_server and .to_client, where <start> makes the names of two runs
sort in the order in which they were started. A byte is recorded before it is passed on, so what a peer has
read is always in the record. The end of one side is passed on as the end of the other; SIGTERM, SIGINT and
SIGHUP go to the command; its exit status becomes ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from types import FrameType
from typing import BinaryIO

CHUNK = 1 << 16


def copy(source: int, record: int, sink: int) -> None:
    """Copy `source` to `sink` until either ends, each chunk into `record` first."""
    while chunk := os.read(source, CHUNK):
        os.write(record, chunk)
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(sink, view) :]
        except BrokenPipeError:
            return


def recording(directory: str, label: str, started: int, direction: str) -> int:
    """Open the file for one direction of this run."""
    path = os.path.join(directory, f"{label}.{started:020d}.{direction}")
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def to_server(record: int, sink: BinaryIO) -> None:
    """Pass on what the client says, then its silence."""
    copy(0, record, sink.fileno())
    sink.close()


def main(argv: list[str]) -> int:
    """Run the command between two recordings; return its exit status as a shell would give it."""
    directory, label, separator, *command = argv
    assert separator == "--", __doc__
    started = time.monotonic_ns()
    # Not `os.environ`: in the locale "C" CPython adds LC_CTYPE to it (PEP 538).
    with open("/proc/self/environ", "rb") as source:
        environment = dict(entry.split(b"=", 1) for entry in source.read().split(b"\0") if entry)
    upstream = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert upstream.stdin is not None
    assert upstream.stdout is not None

    def forward(number: int, _frame: FrameType | None) -> None:
        upstream.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, forward)

    threading.Thread(
        target=to_server,
        args=(recording(directory, label, started, "to_server"), upstream.stdin),
        daemon=True,
    ).start()
    reader = threading.Thread(
        target=copy,
        args=(upstream.stdout.fileno(), recording(directory, label, started, "to_client"), 1),
        daemon=True,
    )
    reader.start()
    status = upstream.wait()
    reader.join()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    # The first thread may be waiting in a read that nothing will end: no interpreter shutdown.
    os._exit(main(sys.argv[1:]))
