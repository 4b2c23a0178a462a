"""Calls whose answer was a question, and which the client makes again with what was asked for. Sans-IO.

Such a retry is the same call, neither asked about nor charged again (POLICY section 5). What makes it the same is the
state that the upstream gave, or that it gave none, together with what is used; a state that somebody thought of is
worth nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from .values import Json, digest
from .wire import Request

MAX_CONTINUATIONS: Final = 1_000
"""Calls that may wait for input; beyond them the oldest is forgotten."""
CONTINUED_WITHIN: Final = 3600.0
"""Seconds in which the answer has to come; a later one is a new call."""


class Continuations:
    """What was answered with `input_required` (2026-07-28 basic/patterns/mrtr).

    Not thread-safe: a part of the session.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds and never runs backwards."""
        self._clock = clock
        self._expires: OrderedDict[tuple[str, str], float] = OrderedDict()
        """By the digests of the upstream's state and of what is used."""

    def remember(self, used: str, result: dict[str, Json]) -> None:
        """The call that uses what has the digest `used` was answered with the question `result`."""
        self._expires[digest(result.get("requestState")), used] = self._clock() + CONTINUED_WITHIN
        if len(self._expires) > MAX_CONTINUATIONS:
            self._expires.popitem(last=False)

    def redeem(self, used: str, request: Request) -> bool:
        """Whether `request`, which uses that, brings what was asked for: once for each question."""
        state = request.params.get("requestState")
        if state is None and "inputResponses" not in request.params:
            return False
        expires = self._expires.pop((digest(state), used), None)
        return expires is not None and self._clock() < expires
