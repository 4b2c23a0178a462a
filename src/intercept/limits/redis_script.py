"""Evaluating one script on a server, with little beside it.

A client of `redis` takes longer to pack a command, to take a connection from its pool and to look after itself than the
server takes for the script. So its connections, which know how to connect, to authenticate, to read and what an error
means, are used without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import TYPE_CHECKING, Protocol, cast

from redis.exceptions import (
    ConnectionError,  # noqa: A004 - only here, and the one that is meant
    NoScriptError,
    ResponseError,
)

if TYPE_CHECKING:
    from redis import Redis


class _Connection(Protocol):
    """What is used of a connection of `redis`, whose own methods have no types."""

    def send_packed_command(self, command: Sequence[bytes]) -> None: ...
    def read_response(self) -> object: ...
    def disconnect(self) -> None: ...


def bulk(text: str) -> bytes:
    """`text` as a server takes a part of a command."""
    data = text.encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


class Script:
    """The script `source` on the server of `client`. Thread-safe."""

    def __init__(self, client: Redis, source: str) -> None:
        self._pool = client.connection_pool
        self._by_name = bulk("EVALSHA") + bulk(sha1(source.encode(), usedforsecurity=False).hexdigest())
        self._by_source = bulk("EVAL") + bulk(source)
        self._idle: list[_Connection] = []

    def evaluate(self, keys: Sequence[bytes], count: int, arguments: Sequence[str]) -> str:
        """What the script answers; `keys` are `count` keys that are `bulk` already.

        Raises:
            RedisError, OSError: as a client's method does.
        """
        size = b"*%d\r\n" % (3 + count + len(arguments))
        rest = b"".join([bulk(str(count)), *keys, *map(bulk, arguments)])
        try:
            return self._ask(size + self._by_name + rest)
        except NoScriptError:
            return self._ask(size + self._by_source + rest)

    def close(self) -> None:
        """Close the connections; the next evaluation opens one."""
        while self._idle:
            self._idle.pop().disconnect()

    def _ask(self, command: bytes) -> str:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = cast("_Connection", self._pool.make_connection())
        try:
            try:
                return _exchange(connection, command)
            except ConnectionError:  # it may be that the server was away since the last time
                connection.disconnect()
                return _exchange(connection, command)
        except ResponseError:
            raise  # which is an answer, too
        except BaseException:
            connection.disconnect()
            raise
        finally:
            self._idle.append(connection)


def _exchange(connection: _Connection, command: bytes) -> str:
    connection.send_packed_command([command])
    return str(connection.read_response())
