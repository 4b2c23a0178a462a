"""The least that a relay in Python can do: two threads that copy bytes and look at nothing.

    python pump.py COMMAND...

What a proxy needs above this is what its looking costs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading


def copy(source: int, target: int) -> None:
    while data := os.read(source, 1 << 16):
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
    os.close(target)


def main() -> None:
    server = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert server.stdin is not None
    assert server.stdout is not None
    threading.Thread(target=copy, args=(0, server.stdin.fileno()), daemon=True).start()
    copy(server.stdout.fileno(), 1)


if __name__ == "__main__":
    main()
