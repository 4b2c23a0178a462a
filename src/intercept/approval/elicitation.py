"""Asking through the client, in the form of each protocol era (PROTOCOL section 4). Sans-IO.

Legacy: the call is held and the client gets a request of ours (`Questions`). Modern: the call is answered with a
question and a handle, with which the client makes it again (`Handles`). Both give back what they were given when the
answer comes, once, and only if it comes in time. Not thread-safe: they are parts of the session.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, Generic, NamedTuple, TypeVar

from ..policy import Decision
from ..values import Json
from ..wire import Request, RequestId, encode
from .question import Question

OUR_IDS: Final = "intercept-"
"""Prefix of the ids of requests that the proxy itself sends to the client. The upstream gets no answer under it."""
HANDLE: Final = "icpt1."
"""Prefix of the `requestState` that stands for a question of ours."""
ANSWER_KEY: Final = "intercept_approval"
"""Of our question among `inputRequests`, and of its answer among `inputResponses`."""

MAX_HELD: Final = 64
"""Calls that wait for a person at a time (DESIGN section 2); more are refused."""
MAX_HANDLES: Final = 1_000
"""Questions of the modern era that may be open; beyond them the oldest is forgotten."""
MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of calls that are held, and of what handles keep for them."""
GIVEN_UP_AFTER: Final = 55.0
"""Seconds that a call without a progress token waits at most: clients give up after 60, and a late approval would then
run what nobody waits for."""
KEEP_ALIVE: Final = 10.0
"""Seconds between two signs of life to a client that asked for progress."""
STEP: Final = 0.000001
"""Of our progress: small, because the upstream's own has to be greater later on."""

T = TypeVar("T")


class Held(NamedTuple, Generic[T]):
    """A call of a legacy client that waits for the answer to a question."""

    id: str
    """Of our request to the client."""
    case: T
    """What was to be judged."""
    decision: Decision
    question: Question
    deadline: float
    token: RequestId | None
    """The progress token of the call."""
    beat: float
    """When the next sign of life is due."""
    size: int
    beats: int = 0

    @property
    def due(self) -> float:
        """When something has to be done without a message."""
        return self.deadline if self.token is None else min(self.beat, self.deadline)

    def cancellation(self, reason: str) -> bytes:
        """Tell the client that the question is over."""
        params: dict[str, Json] = {"requestId": self.id, "reason": reason}
        return encode({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})


class Questions(Generic[T]):
    """The held calls of a legacy client. `random` gives so many unpredictable bytes."""

    def __init__(self, clock: Callable[[], float], random: Callable[[int], bytes], *, max_size: int = MAX_SIZE) -> None:
        self._clock = clock
        self._random = random
        self._max_size = max_size
        self._held: dict[str, Held[T]] = {}

    def hold(self, case: T, request: Request, decision: Decision, question: Question, timeout: float) -> bytes | None:
        """Hold `request`; return the request that asks the client's user (2025-06-18 client/elicitation).

        None if too much is held already.
        """
        size = len(encode(request.body))
        if len(self._held) >= MAX_HELD or (self._held and size + self._size > self._max_size):
            return None
        token = progress_token(request)
        now = self._clock()
        deadline = now + (timeout if token is not None else min(timeout, GIVEN_UP_AFTER))
        our_id = OUR_IDS + self._random(16).hex()
        held = Held(our_id, case, decision, question, deadline, token, now + KEEP_ALIVE, size)
        self._held[held.id] = held
        params: dict[str, Json] = {"message": question.text, "requestedSchema": question.schema}
        return encode({"jsonrpc": "2.0", "id": held.id, "method": "elicitation/create", "params": params})

    @property
    def _size(self) -> int:
        return sum(held.size for held in self._held.values())

    def take(self, question_id: RequestId) -> Held[T] | None:
        """The call whose question was asked under this id; None if it is over."""
        return self._held.pop(question_id, None) if isinstance(question_id, str) else None

    def withdraw(self, is_meant: Callable[[T], bool]) -> Held[T] | None:
        """Hold the call that `is_meant` no longer; None if it is not held."""
        for held in self._held.values():
            if is_meant(held.case):
                return self._held.pop(held.id)
        return None

    def clear(self) -> list[Held[T]]:
        """Hold none any longer."""
        held = [*self._held.values()]
        self._held.clear()
        return held

    def overdue(self) -> list[Held[T]]:
        """Calls whose time is up; they are held no longer."""
        now = self._clock()
        over = [held for held in self._held.values() if held.deadline <= now]
        for held in over:
            del self._held[held.id]
        return over

    def signs_of_life(self) -> Iterator[bytes]:
        """Progress for the clients that asked for it, where it is due."""
        now = self._clock()
        for held in list(self._held.values()):
            if held.token is not None and held.beat <= now:
                held = held._replace(beats=held.beats + 1, beat=now + KEEP_ALIVE)  # noqa: PLW2901  # the new state of it
                self._held[held.id] = held
                params: dict[str, Json] = {
                    "progressToken": held.token,
                    "progress": round(held.beats * STEP, 9),
                    "message": "waiting for a person's approval",
                }
                yield encode({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})

    @property
    def due_in(self) -> float | None:
        """Seconds until something has to be done without a message; None while nothing is held."""
        if not self._held:
            return None
        return max(0.0, min(held.due for held in self._held.values()) - self._clock())


def progress_token(request: Request) -> RequestId | None:
    """What the client wants to be told of the progress of `request` under."""
    meta = request.params.get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


class Handle(NamedTuple):
    """A question of the modern era, and the call that it is about."""

    method: str
    digest: str
    """Of what the call uses."""
    decision: Decision
    question: Question
    expires: float
    kept: dict[str, Json]
    """What the call brought for the upstream, which the client does not send again."""
    size: int
    asked_as: object
    """Whatever is to be given back with it."""

    def restored(self, request: Request) -> Request:
        """`request` without our question and with what the call brought for the upstream."""
        return request.with_params(without_retry(request).params | self.kept)


def without_retry(request: Request) -> Request:
    """`request` as a call that answers nothing."""
    params = {key: value for key, value in request.params.items() if key not in {"requestState", "inputResponses"}}
    return request.with_params(params)


class Handles:
    """The open questions of the modern era (2026-07-28 basic/patterns/mrtr)."""

    def __init__(self, clock: Callable[[], float], random: Callable[[int], bytes], *, max_size: int = MAX_SIZE) -> None:
        self._clock = clock
        self._random = random
        self._max_size = max_size
        self._open: OrderedDict[str, Handle] = OrderedDict()

    def answer(
        self,
        request: Request,
        digest: str,
        decision: Decision,
        question: Question,
        *,
        timeout: float,
        asked_as: object = None,
    ) -> bytes:
        """The answer to `request` that asks the client's user; the call is to be made again with what they say."""
        kept = {key: value for key, value in request.params.items() if key in {"requestState", "inputResponses"}}
        state = HANDLE + _text_of(self._random(32))
        expires = self._clock() + timeout
        size = len(encode(kept))
        self._open[state] = Handle(request.method, digest, decision, question, expires, kept, size, asked_as)
        size = sum(handle.size for handle in self._open.values())
        while len(self._open) > MAX_HANDLES or (size > self._max_size and len(self._open) > 1):
            size -= self._open.popitem(last=False)[1].size
        params: dict[str, Json] = {"mode": "form", "message": question.text, "requestedSchema": question.schema}
        result: dict[str, Json] = {
            "resultType": "input_required",
            "inputRequests": {ANSWER_KEY: {"method": "elicitation/create", "params": params}},
            "requestState": state,
        }
        return encode({"jsonrpc": "2.0", "id": request.id, "result": result})

    def redeem(self, state: str) -> Handle | None:
        """What the handle stands for, once; None if that was already told, or it is too late."""
        handle = self._open.pop(state, None)
        return handle if handle is not None and self._clock() < handle.expires else None


def _text_of(secret: bytes) -> str:
    from base64 import urlsafe_b64encode  # most sessions never ask

    return urlsafe_b64encode(secret).rstrip(b"=").decode("ascii")


def can_ask(capabilities: Json) -> bool:
    """Whether a client that declares these can show a form; an empty declaration means one."""
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(elicitation, dict) and ("form" in elicitation or "url" not in elicitation)
