"""A Redis of our own, which nothing outside the test can reach."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import redis


class RedisServer:
    """Runs in `directory` and listens on a socket there; Debian's package redis-server has it."""

    def __init__(self, directory: Path, *options: str) -> None:
        self.socket = directory / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self._directory = directory
        self._options: Sequence[str] = options
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self._directory)]
        command += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--supervised", "no", *self._options]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self._process = process
        assert process.stdout is not None
        said: list[str] = []
        for line in process.stdout:
            said.append(line)
            if "ready to accept connections" in line.lower():
                return
        raise AssertionError("".join(said))

    def stop(self) -> None:
        """Stop, and lose what was kept."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def empty(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
