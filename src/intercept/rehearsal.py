"""A session without peers: whatever is asked for is decided as the proxy would, and answered at once.

The real wire, session, enforcement and store take part; what is left out is the bytes' way and the passing of time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from .actions import Answer, Ended, Forward, Judge, Outcome
from .answers import denial
from .enforcement import Enforcer, Verdict
from .errors import ProtocolError
from .limits import CounterStore
from .policy import Decision, Effect, Kind, PolicySet
from .protocol import MARKER, PARSE_ERROR
from .session import Session
from .uses import uses_of
from .values import Json
from .wire import Request, Response, parse_client

_ID: Final = 1
"""Of every request: one is answered before the next is made."""
_METHODS: Final = {Kind.TOOL: "tools/call", Kind.RESOURCE: "resources/read", Kind.PROMPT: "prompts/get"}


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a request."""

    decision: Decision
    told: str
    """What the model reads instead of an answer; empty if the request was let through."""
    details: Mapping[str, Json]
    """What a program reads beside it (POLICY section 6)."""
    judge: Judge | None
    """What was judged, and by what else; None if no policy judges what the request uses."""


def request_for(kind: Kind, name: str, arguments: str) -> Request:
    """The request that uses `name`; `arguments` is JSON text and is read as strictly as what a client sends.

    Raises:
        ProtocolError: the proxy would not take this for a request.
    """
    try:
        json.loads(arguments)  # one whole value, so that it stays one when it is put into the frame
    except json.JSONDecodeError as error:
        raise ProtocolError(PARSE_ERROR, f"not JSON: {error.msg.lower()} at character {error.pos + 1}") from None
    except (ValueError, RecursionError):
        pass  # too long a number or nested too deep: told below, in the words of the proxy
    member = "uri" if kind is Kind.RESOURCE else "name"
    rest = "" if kind is Kind.RESOURCE else f', "arguments": {arguments}'
    params = f"{{{json.dumps(member)}: {json.dumps(name)}{rest}}}"
    frame = f'{{"jsonrpc": "2.0", "id": {_ID}, "method": "{_METHODS[kind]}", "params": {params}}}'
    try:
        request = parse_client(frame.encode())
    except UnicodeEncodeError:
        raise ProtocolError(PARSE_ERROR, "not UTF-8") from None
    if not isinstance(request, Request):
        raise ProtocolError(PARSE_ERROR, "not a request")
    return request


class Rehearsal:
    """One session under `policy`; `now` (seconds since the epoch) is moved by whoever plays it, forward only."""

    def __init__(self, policy: PolicySet, store: CounterStore, *, grant: str, now: float) -> None:
        self.now = now
        self._policy = policy
        self._session = Session(policy, reloads=False, clock=lambda: self.now, random=bytes)
        self._enforcer = Enforcer(store, grant=grant, clock=lambda: self.now)

    def use(
        self,
        request: Request,
        *,
        annotations: dict[str, Json] | None = None,
        answered: AbstractSet[str] = frozenset(),
    ) -> Settled:
        """Decide about `request`, and answer it with success if it was let through.

        `annotations` are those of the tool, None while its definition was not seen; `answered` are tools that were
        answered before, beside those that this session answered.
        """
        judge = self._session.from_client(request)
        if not isinstance(judge, Judge):
            self._answer()
            name = str(request.params.get("uri", request.params.get("name")))
            return Settled(Decision(Effect.ALLOW, name, (), "", self._policy.digest), "", {}, None)
        known = None if judge.answered is None else judge.answered | answered
        judge = judge.anew(judge.policy, annotations, known, approved=judge.approved, withheld=judge.withheld)
        verdict = self._enforcer.admit(judge)
        decision = verdict.decision
        done = self._session.settle(judge, decision, verdict.admission)
        if decision.effect is Effect.ASK:
            # Who can be asked is not the policy's matter, and depends on the client.
            decision = decision._replace(asked=None)
            return Settled(decision, *_read(denial(_ID, decision, modern=False, as_error=False)), judge)
        if isinstance(done, Answer):
            return Settled(decision, *_read(done.data), judge)
        self._answer()
        return Settled(decision, "", {}, judge)

    def admit(
        self,
        request: Request,
        policy: PolicySet,
        *,
        annotations: dict[str, Json] | None,
        answered: frozenset[str] | None,
        continues: bool = False,
        approved: bool = False,
    ) -> Verdict:
        """Decide about `request` by `policy` and leave it in flight, until `ended` or `withdrawn` is told.

        `continues`: it carries on a call that needed input; `approved`: a person has agreed to it.
        """
        uses = uses_of(request, policy.judges)
        if not uses:
            return Verdict(Decision(Effect.ALLOW, str(request.params.get("name")), (), "", policy.digest))
        digest = policy.digest if approved else ""
        return self._enforcer.admit(
            Judge(request, uses, policy, annotations, answered, continues=continues, approved=digest)
        )

    def ended(self, verdict: Verdict, outcome: Outcome) -> None:
        """A call that was admitted has ended."""
        if verdict.admission is not None:
            self._enforcer.ended(Ended(verdict.admission, outcome))

    def withdrawn(self, verdict: Verdict) -> None:
        """A call that was admitted is not made."""
        if verdict.admission is not None:
            self._enforcer.withdraw(verdict.admission)

    def _answer(self) -> None:
        done = self._session.from_upstream(Response(_ID, {"jsonrpc": "2.0", "id": _ID, "result": {"content": []}}))
        if isinstance(done, Forward) and done.ended is not None:
            self._enforcer.ended(done.ended)


def _read(answer: bytes) -> tuple[str, dict[str, Json]]:
    """The text and the details of a denial."""
    body = json.loads(answer)
    key = f"{MARKER}decision"
    if "error" in body:
        return body["error"]["message"], body["error"]["data"][key]
    return body["result"]["content"][0]["text"], body["result"]["_meta"][key]
