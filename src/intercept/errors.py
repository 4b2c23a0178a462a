"""Every exception of this package.

    InterceptError
    ├── UsageError       the command line asks for something impossible (exit code 2)
    ├── PolicyError      a policy cannot be used; carries every problem found (exit code 3)
    ├── UpstreamError    the server could not be started (exit code 4)
    ├── StoreBusy        counters could not be reached in the time there was; to be tried again with more
    ├── StoreUnavailable counters cannot be used; calls that need them are denied
    ├── AuditError       the audit log cannot be written (at start exit code 2; later a call is denied)
    ├── AuditFormatError a record of an audit log is not of the format that this version reads
    └── ProtocolError    a frame is not a message that may pass; carries the JSON-RPC answer

A denied call is a value (`intercept.policy.Decision`), not an exception. Messages start in lower case, are one line
without a full stop, put user text in backticks and never contain a payload.
"""

from __future__ import annotations

from typing import NamedTuple


class InterceptError(Exception):
    """Base of all errors below; `str()` is one line for people."""

    exit_code = 1


class UsageError(InterceptError):
    """The command line cannot be carried out as it was given."""

    exit_code = 2


def visible(text: str) -> str:
    """`text` on one line in which every character can be seen: what is not printable is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


class Problem(NamedTuple):
    """One mistake in one policy file."""

    path: str
    """The file as the user named it."""
    line: int
    """1-based; 0 where the file as a whole is meant."""
    column: int
    """1-based; 0 where the file as a whole is meant."""
    key_path: str
    """Where in the document, for example `tools.create_charge.rules[0].rate_limit`; empty for the whole file."""
    message: str
    help: str = ""
    """What to write instead, as one line; empty if the message says it all."""

    def __str__(self) -> str:
        path = visible(self.path)
        place = f"{path}:{self.line}:{self.column}" if self.line else path
        where = f"{self.key_path}: " if self.key_path else ""
        advice = f"; {self.help}" if self.help else ""
        return f"{place}: error: {where}{self.message}{advice}"


class PolicyError(InterceptError):
    """A policy cannot be used. There is no partial load."""

    exit_code = 3

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
        """Never empty, in the order of their positions."""


class UpstreamError(InterceptError):
    """The upstream server could not be started."""

    exit_code = 4


class StoreBusy(InterceptError):  # noqa: N818 - not a mistake
    """A counter store could not answer within the time it was given; nothing was charged, and nothing is wrong yet."""


class StoreUnavailable(InterceptError):  # noqa: N818 - a state that ends by itself
    """A counter store cannot be used now: calls that need it are denied. It recovers by itself.

    `str()` is for whoever asked and names no place; `remedy` is one line for the operator, which does. Neither has a
    password or the key of a counter.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class AuditError(InterceptError):
    """A record cannot be written: what it is about must not be carried out."""

    exit_code = 2


class AuditFormatError(InterceptError):
    """A record that fits its hash is not one of this format."""


class ProtocolError(InterceptError):
    """A frame that must not pass.

    `code` is the JSON-RPC error code to answer with (JSON-RPC 2.0 section 5.1), `id` the request's id where it could
    be read, and `answerable` is false for what must not be answered (a response).
    """

    def __init__(self, code: int, message: str, id: str | int | None = None, *, answerable: bool = True) -> None:  # noqa: A002
        super().__init__(message)
        self.code = code
        self.id = id
        self.answerable = answerable
