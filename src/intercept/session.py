"""Protocol state of one client and one upstream: a message comes in, an action comes out. Sans-IO.

Everything that is remembered about the conversation is changed here and nowhere else: which requests are in flight,
which era and capabilities were agreed, which tools were listed and answered. The session carries nothing out and calls
nobody; what it cannot decide alone (may this tool be called now?) it hands out as `Judge` and takes back through
`settle`. So every conversation can be played without threads.

Not thread-safe: the relay calls it under one lock. INVARIANT: no method blocks or does I/O.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from .actions import Action, Answer, Ask, Done, Drop, Ended, Forward, Judge, Outcome, Unapproved, noted
from .answers import decline, denial, edited_answer, error_answer, printable
from .approval.definitions import Definitions
from .approval.elicitation import (
    ANSWER_KEY,
    HANDLE,
    OUR_IDS,
    STEP,
    Handle,
    Handles,
    Held,
    Questions,
    can_ask,
    without_retry,
)
from .approval.question import question
from .continuation import Continuations
from .errors import ProtocolError
from .policy import Approval, Asked, Decision, Effect, Kind, PolicySet, ToolCall
from .protocol import (
    CLIENT_CAPABILITIES,
    CLIENT_METHODS,
    DENIED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    SERVER_INFO,
    SUBSCRIPTION_ID,
    URL_ELICITATION_REQUIRED,
)
from .screening import Answered, screen
from .uses import Peers, answerer, digest_of, is_modern, sender, uses_of
from .values import Json
from .wire import (
    Message,
    Notification,
    Request,
    RequestId,
    Response,
    coerced,
    encode,
    frame_of,
    is_request_id,
)

if TYPE_CHECKING:
    from .pins.lock import Lock
    from .pins.watch import Drift, Watch

MAX_IN_FLIGHT: Final = 100_000
"""Requests without an answer, in either direction; an honest client has a few, and each costs under 500 bytes."""
MAX_CANCELLED: Final = 1_000
"""Cancelled requests whose ids stay reserved for an answer that may still come; most servers send none."""
MAX_REMEMBERED: Final = 10_000
"""Tool names, both listed and answered. Real servers have up to a few hundred."""
FILTERED_TTL_MS: Final = 10_000
"""How long a client may cache a list that a policy was applied to, while the policy can be reloaded."""

_ELICITING: Final = frozenset({"2025-06-18", "2025-11-25"})
"""Versions with a handshake in which the client can be asked (PROTOCOL section 4.1)."""
_RETRIED: Final = frozenset({"tools/call", "resources/read", "prompts/get"})
"""Methods that may be answered with a question (2026-07-28 basic/patterns/mrtr)."""
MAX_PULSES: Final = 1_000
"""Calls whose progress is watched because we sent some while they were held."""


_QUIET: Final = Drop()

_UNKNOWN_METHOD: Final = "the method is not one of the protocol, and the policy does not allow unknown methods."


class _Open:
    """A request of the client that has no answer yet. Mutable and not a dataclass: one is made for every call."""

    __slots__ = ("admission", "cancelled", "digest", "forwarded", "id", "key", "method", "modern", "offer", "tool")
    offer: Json
    """The capabilities of the client; of `initialize` only."""

    def __init__(self, request: Request, key: RequestId, modern: bool, forwarded: bool) -> None:  # noqa: FBT001
        self.id = request.id
        self.key = key
        self.method = request.method
        self.tool = request.params.get("name") if request.method == "tools/call" else None
        self.modern = modern
        self.forwarded = forwarded
        self.cancelled = False
        self.digest = ""
        """Of what is used, by which a call that needs input is known again; only the modern era has such calls."""
        self.admission: object = None

    def answers_to(self, request_id: RequestId) -> bool:
        """Whether a response under this id is for this request."""
        return self.forwarded and type(self.id) is type(request_id) and self.id == request_id

    @property
    def subject(self) -> str:
        """What the request is about, for people: the tool, or the method."""
        return self.tool if isinstance(self.tool, str) else self.method

    def ended(self, outcome: Outcome) -> Ended | None:
        return None if self.admission is None else Ended(self.admission, outcome)


class _Legacy:
    """What an `initialize` that succeeded agreed on."""

    def __init__(self, list_changed: frozenset[Kind], *, tool_tasks: bool, elicits: bool) -> None:
        self.list_changed = list_changed
        self.tool_tasks = tool_tasks
        self.elicits = elicits
        """The client can show a form."""
        self.initialized = False


class _ListOf(NamedTuple):
    kind: Kind
    member: str
    key: str


# Looking up a member of an enumeration takes 0.1 µs in Python 3.11, twelve times what a name takes: every call does.
_ALLOW: Final = Effect.ALLOW
_OK: Final = Outcome.OK

_LISTS: Final = {
    "tools/list": _ListOf(Kind.TOOL, "tools", "name"),
    "resources/list": _ListOf(Kind.RESOURCE, "resources", "uri"),
    "resources/templates/list": _ListOf(Kind.RESOURCE, "resourceTemplates", "uriTemplate"),
    "prompts/list": _ListOf(Kind.PROMPT, "prompts", "name"),
}

_HANDSHAKES: Final = frozenset({"initialize", "server/discover"})
_PLURAL: Final = {Kind.TOOL: "tools", Kind.RESOURCE: "resources", Kind.PROMPT: "prompts"}

_SERVER_REQUESTS: Final = {
    "sampling/createMessage": "sampling",
    "elicitation/create": "elicitation",
    "roots/list": "roots",
}


class Session:
    """One client, one upstream, from the first byte to the last."""

    def __init__(
        self,
        policy: PolicySet,
        *,
        reloads: bool,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
        pins: Watch | None = None,
    ) -> None:
        """`clock` gives seconds and never runs backwards; `random` gives so many unpredictable bytes."""
        self.policy = policy
        """The policy in force; a reload replaces it whole."""
        self._reloads = reloads
        self._clock = clock
        self._pins = pins
        """What was reviewed of the upstream; None: nothing was."""
        self._open: dict[RequestId, _Open] = {}
        self._cancelled: deque[_Open] = deque()
        self._asked: set[RequestId] = set()
        """Requests of the upstream that the client has not answered."""
        self._legacy: _Legacy | None = None
        self._modern = False
        self._subscriptions: dict[RequestId, set[str]] = {}
        """Open `subscriptions/listen` requests to what the upstream acknowledged (2026-07-28 basic/patterns)."""
        self._annotations: dict[str, dict[str, Json]] = {}
        self._definitions = Definitions()
        self._continuations = Continuations(clock)
        self._questions: Questions[Judge] = Questions(clock, random)
        self._handles = Handles(clock, random)
        self._pulses: dict[tuple[type, RequestId], tuple[_Open, float]] = {}
        """Progress tokens to the call that was held and the last progress that we sent."""
        # Replaced and never changed: whoever judges a call looks at it while the next answer comes in.
        self._answered: frozenset[str] | None = frozenset()
        self._peers = Peers()

    # --- client to upstream -----------------------------------------------------------------------------------------

    def refuse(self, error: ProtocolError) -> Done:
        """What to do about a frame of the client that is no message."""
        if not error.answerable:
            note = f"refused a response of the client: {error}"
            if error.id is not None and (held := self._questions.take(error.id)) is not None:
                return self._refuse(held, Approval.FAILED)
            if error.id is None or error.id not in self._asked:
                return Drop(note)
            self._asked.remove(error.id)
            return Forward(error_answer(error.id, INTERNAL_ERROR, f"the client's answer is malformed: {error}"), note)
        return Answer(error_answer(error.id, error.code, str(error)), f"refused a message of the client: {error}")

    def from_client(self, message: Message) -> Action:
        """Decide about one message of the client."""
        if isinstance(message, Request):
            return self._client_request(message)
        if isinstance(message, Notification):
            return self._client_notification(message)
        return self._client_response(message)

    def _client_request(self, request: Request) -> Action:
        key = coerced(request.id)
        if key in self._open:
            return self.refuse(ProtocolError(INVALID_REQUEST, "a request with this id is in flight", request.id))
        if len(self._open) >= MAX_IN_FLIGHT:
            return self.refuse(ProtocolError(INTERNAL_ERROR, "too many requests are in flight", request.id))
        policy = self.policy
        if request.method not in CLIENT_METHODS and not policy.allows_unknown_methods:
            message = f"Policy violation: {_UNKNOWN_METHOD}"
            return Answer(error_answer(request.id, DENIED, message), f"denied: {_UNKNOWN_METHOD}")

        state = request.params.get("requestState")
        if isinstance(state, str) and state.startswith(HANDLE):
            return self._retry(request, key, state)
        return self._open_request(request, key)

    def _open_request(self, request: Request, key: RequestId, approval: Handle | None = None) -> Forward | Judge:
        policy = self.policy
        modern = is_modern(request)
        if modern or request.method == "initialize":
            self._peers = sender(request, self._peers)
        uses = uses_of(request, self._judges)
        entry = self._open[key] = _Open(request, key, modern, not uses)
        if not uses:
            if entry.method == "initialize":
                entry.offer = request.params.get("capabilities")
            return Forward(frame_of(request))
        if modern:
            entry.digest = digest_of(uses)
        return Judge(
            request,
            uses,
            policy,
            self._annotations.get(uses[0].name) if entry.tool is not None else None,
            self._answered,
            entry,
            modern and self._continuations.redeem(entry.digest, request),
            self._elicits(request, modern=modern),
            approval.decision.policy if approval else "",
            approval.asked_as if approval else None,
            self._peers,
            self._withheld(uses),
            self._definitions.of(uses[0].name) if entry.tool is not None else b"",
        )

    def _judges(self, kind: Kind) -> bool:
        """Whether some use of this kind could be refused."""
        return self.policy.judges(kind) or (self._pins is not None and kind is not Kind.RESOURCE)

    def _withheld(self, uses: tuple[ToolCall, ...]) -> str:
        """Why `uses` are withheld whatever the policy says; empty if they are not."""
        if self._pins is None:
            return ""
        refusals = (self._pins.refusal(use.kind, use.name, allows_new=self._allows_new(use.kind)) for use in uses)
        return next(filter(None, refusals), "")

    def _allows_new(self, kind: Kind) -> bool:
        return self.policy.allows_unlisted(kind)

    def _elicits(self, request: Request, *, modern: bool) -> bool:
        if not modern:
            return self._legacy is not None and self._legacy.elicits and self._legacy.initialized
        meta = request.params["_meta"]
        return request.method in _RETRIED and isinstance(meta, dict) and can_ask(meta.get(CLIENT_CAPABILITIES))

    def settle(self, judge: Judge, decision: Decision, admission: object = None) -> Action:
        """Carry on with a request that enforcement has decided about.

        What is forwarded keeps `admission`, which comes back as `Ended`. If nothing is forwarded the upstream never
        sees the request. Enforcement has to decide again where the client's user was to be asked and cannot be asked
        one question more.
        """
        request = judge.request
        entry = self._waiting(judge)
        if entry is None:
            return _QUIET  # cancelled meanwhile, or the upstream is gone and it was answered
        if decision.effect is _ALLOW:
            entry.forwarded = True
            entry.admission = admission
            if decision.shadow:
                return Forward(frame_of(request), _shadowed(decision))
            return Forward(frame_of(request))
        if decision.effect is Effect.ASK and decision.asked is None:
            return self._ask(judge.asked(admission, elicits=judge.elicits), entry, decision)
        return self._deny(request, entry, decision)

    def _waiting(self, judge: Judge) -> _Open | None:
        """The mark of the request that `judge` is about, as long as the request is in flight."""
        entry = judge.entry
        return entry if isinstance(entry, _Open) and self._open.get(entry.key) is entry else None

    def _deny(self, request: Request, entry: _Open, decision: Decision) -> Answer:
        del self._open[entry.key]
        tasked = "task" in request.params and self._legacy is not None and self._legacy.tool_tasks
        waits = decision.asked is not None and decision.asked.approval is Approval.PENDING
        what = f"waiting for approval `{decision.asked.id}`" if waits and decision.asked is not None else "denied"
        return Answer(
            _denied(entry, decision, as_error=tasked and not entry.modern),
            f"{what} `{printable(decision.tool)}`: {decision.reason}",
        )

    # --- approval by the client's user (PROTOCOL section 4) ---------------------------------------------------------

    def _ask(self, judge: Judge, entry: _Open, decision: Decision) -> Answer | Ask | Judge:
        request, asking = judge.request, decision.asking
        asked = question(judge.uses, judge.peers.server, decision) if judge.elicits and asking is not None else None
        note = f"asking the client's user about `{printable(decision.tool)}`"
        if asked is not None and asking is not None:
            if entry.modern:
                del self._open[entry.key]
                answer = self._handles.answer(
                    request, entry.digest, decision, asked, timeout=asking.timeout, asked_as=judge.asked_as
                )
                return Answer(answer, note)
            frame = self._questions.hold(judge, request, decision, asked, asking.timeout)
            return judge.asked(judge.asked_as, elicits=False) if frame is None else Ask(frame, note)
        return self._unapproved(request, entry, decision, Approval.UNAVAILABLE, judge.asked_as)

    def _unapproved(
        self, request: Request, entry: _Open, decision: Decision, approval: Approval, asked_as: object
    ) -> Answer:
        effect = Effect.ASK if approval is Approval.UNAVAILABLE else Effect.DENY
        decision = decision._replace(effect=effect, charges=(), asked=Asked(approval))
        answer = self._deny(request, entry, decision)
        if asked_as is None:
            return answer
        return Answer(answer.data, answer.note, Unapproved(asked_as, decision))

    def _retry(self, request: Request, key: RequestId, state: str) -> Action:
        """A call that is made again with the answer to a question of ours."""
        handle = self._handles.redeem(state) if is_modern(request) else None
        if handle is None:
            text = "the approval is unknown, was used, or has expired; make the call again without `requestState`"
            return self.refuse(ProtocolError(INVALID_PARAMS, text, request.id))
        if handle.method != request.method or handle.digest != digest_of(uses_of(request, self._judges)):
            return self._open_request(without_retry(request), key)
        answers = request.params.get("inputResponses")
        if not isinstance(answers, dict) or ANSWER_KEY not in answers:
            return self._open_request(handle.restored(request), key)
        approval = handle.question.read(answers[ANSWER_KEY])
        if approval is Approval.APPROVED:
            return self._open_request(handle.restored(request), key, handle)
        entry = self._open[key] = _Open(request, key, modern=True, forwarded=False)
        return self._unapproved(request, entry, handle.decision, approval, handle.asked_as)

    def _approval(self, message: Response) -> Action:
        """The client's answer to a question of ours, or to one that is over."""
        held = self._questions.take(message.id)
        if held is None:
            return _QUIET
        approval = held.question.read(message.body.get("result"))
        if approval is not Approval.APPROVED:
            return self._refuse(held, approval)
        judge = held.case
        entry = self._waiting(judge)
        if entry is None:
            return _QUIET
        if held.beats and held.token is not None:
            self._pulses[type(held.token), held.token] = entry, held.beats * STEP
            if len(self._pulses) > MAX_PULSES:
                self._pulses = {token: pulse for token, pulse in self._pulses.items() if self._waits(pulse[0])}
        return judge.anew(
            self.policy,
            self._annotations.get(judge.uses[0].name) if entry.tool is not None else None,
            self._answered,
            approved=held.decision.policy,
            withheld=self._withheld(judge.uses),
        )

    def _waits(self, entry: _Open) -> bool:
        return self._open.get(entry.key) is entry

    def _refuse(self, held: Held[Judge], approval: Approval) -> Done:
        judge = held.case
        entry = self._waiting(judge)
        if entry is None:
            return _QUIET
        return self._unapproved(judge.request, entry, held.decision, approval, judge.asked_as)

    def tick(self) -> list[Done]:
        """What is due without a message; see `due_in`."""
        done: list[Done] = []
        for held in self._questions.overdue():
            refusal = self._refuse(held, Approval.TIMED_OUT)
            if isinstance(refusal, Answer):
                done.append(Forward(refusal.data, refusal.note, refusal.ended))
            done.append(Forward(held.cancellation("nobody answered in time")))
        return done + [Forward(frame) for frame in self._questions.signs_of_life()]

    @property
    def due_in(self) -> float | None:
        """Seconds until `tick` has to be called; None while nothing waits for a person."""
        return self._questions.due_in

    def _client_notification(self, message: Notification) -> Done:
        ended = None
        if message.method == "notifications/cancelled":
            target = message.params.get("requestId")
            entry = self._open.get(coerced(target)) if isinstance(target, str | int) else None
            if entry is not None:
                if not entry.forwarded:
                    # The upstream never saw it, and whoever cancels a request expects no answer.
                    del self._open[entry.key]
                    held = self._questions.withdraw(lambda judge: judge.entry is entry)
                    if held is None:
                        return _QUIET
                    return Answer(held.cancellation("the call was cancelled"), ended=_given_up(held))
                ended = self._reserve_cancelled(entry)
        elif message.method == "notifications/initialized":
            if self._legacy is not None:
                self._legacy.initialized = True
        elif message.method not in CLIENT_METHODS and not self.policy.allows_unknown_methods:
            return Drop(f"dropped a notification of the client: {_UNKNOWN_METHOD}")
        return Forward(frame_of(message), ended=ended)

    def _reserve_cancelled(self, entry: _Open) -> Ended | None:
        if entry.cancelled:
            return None
        entry.cancelled = True
        self._subscriptions.pop(entry.id, None)
        self._cancelled.append(entry)
        if len(self._cancelled) > MAX_CANCELLED:
            oldest = self._cancelled.popleft()
            if self._open.get(oldest.key) is oldest:
                del self._open[oldest.key]
        return entry.ended(Outcome.CANCELLED)

    def _client_response(self, message: Response) -> Action:
        if isinstance(message.id, str) and message.id.startswith(OUR_IDS):
            return self._approval(message)
        if message.id not in self._asked:
            return Drop("dropped a response of the client to a request that the upstream did not make")
        self._asked.remove(message.id)
        return Forward(frame_of(message))

    # --- upstream to client -----------------------------------------------------------------------------------------

    def _junk(self, error: ProtocolError) -> Done:
        """The request that a malformed answer was meant for must not wait for ever."""
        entry = None if error.id is None else self._take(error.id)
        if entry is None:
            return _QUIET
        answer = error_answer(entry.id, INTERNAL_ERROR, f"the server's answer is malformed: {error}")
        return Forward(answer, ended=entry.ended(Outcome.UNKNOWN))

    def from_upstream(self, message: Message | ProtocolError) -> Done:
        """Decide about one message of the upstream, or about what is none."""
        if self._pins is None:
            return self._screened(message) if self.policy.results is not None else self._from_upstream(message)
        if not isinstance(message, Response):
            return self._screened(message)
        drift = self._compare(message, self._pins)
        done = self._screened(message)
        if not drift or not isinstance(done, Forward):
            return done
        note = "; ".join(filter(None, [done.note, *(each.text for each in drift)]))
        return Forward(done.data, note, done.ended, tuple(drift))

    def _compare(self, message: Response, pins: Watch) -> list[Drift]:
        """Hold what the upstream says of itself against what was reviewed, before anything is taken out of it."""
        entry = self._open.get(coerced(message.id))
        result = message.body.get("result")
        if entry is None or not entry.answers_to(message.id) or not isinstance(result, dict):
            return []
        listing = _LISTS.get(entry.method)
        if listing is not None and listing.kind is not Kind.RESOURCE:
            items = result.get(listing.member)
            more = result.get("nextCursor") is not None
            return pins.see(listing.kind, items, more=more) if isinstance(items, list) else []
        if entry.method == "initialize":
            return pins.meet(result.get("serverInfo"), result.get("instructions"))
        if entry.method == "server/discover":
            meta = result.get("_meta")
            return pins.meet(meta.get(SERVER_INFO) if isinstance(meta, dict) else None, result.get("instructions"))
        return []

    def _screened(self, message: Message | ProtocolError) -> Done:
        rules = self.policy.results
        if rules is None or isinstance(message, ProtocolError):
            return self._from_upstream(message)
        entry = self._open.get(coerced(message.id)) if isinstance(message, Response) else None
        asked = None if entry is None else Answered(entry.method, entry.subject, entry.modern)
        screened = screen(message, rules, asked, self.policy.digest)
        if screened.message is None:
            return Answer(screened.answer, screened.note) if screened.answer else Drop(screened.note)
        done = self._from_upstream(screened.message)
        return noted(done, screened.note)

    def _from_upstream(self, message: Message | ProtocolError) -> Done:
        if isinstance(message, Response):
            return self._upstream_response(message)
        if isinstance(message, ProtocolError):
            return self._junk(message)
        if isinstance(message, Request):
            return self._upstream_request(message)
        return self._upstream_notification(message)

    def _take(self, request_id: RequestId) -> _Open | None:
        """The request in flight that a response of the upstream belongs to; its id must be the same in type and value.

        Clients coerce: `"7"` and `7.0` would do for `7`, so anything else could answer for a request that is held.
        """
        key = coerced(request_id)
        entry = self._open.get(key)
        if entry is None or not entry.answers_to(request_id):
            return None
        del self._open[key]
        return entry

    def _upstream_response(self, message: Response) -> Done:
        entry = self._take(message.id)
        if entry is None:
            return Drop("dropped a response of the upstream to no request in flight")
        if entry.admission is None:
            return self._upstream_answer(entry, message)
        done = self._upstream_answer(entry, message)
        # Not `_replace`, which takes three times as long: with an audit log this is every answer.
        return Forward(done.data, done.note, entry.ended(_outcome(message)), done.drift)

    def _upstream_answer(self, entry: _Open, message: Response) -> Forward:
        if "error" in message.body:
            return self._upstream_error(entry, message)
        self._modern = self._modern or entry.modern
        if entry.tool is not None:
            self._remember_answered(entry.tool)
        result = message.body["result"]
        if not isinstance(result, dict):
            return Forward(frame_of(message))
        if "inputRequests" in result and (kind := self._forbidden(result["inputRequests"])) is not None:
            return self._refuse_to_ask(entry, kind)
        if entry.digest and result.get("resultType") == "input_required":
            self._continuations.remember(entry.digest, result)
        if (listing := _LISTS.get(entry.method)) is not None:
            return self._list(entry, message, result, listing)
        if entry.method == "initialize":
            self._legacy = _agreed(result, entry.offer)
            self._peers = answerer(result, self._peers)
        elif entry.modern and not self._peers.server:
            self._peers = answerer(result, self._peers)
        elif entry.method == "subscriptions/listen":
            self._subscriptions.pop(entry.id, None)
        if self._pins is not None and self._pins.withholds_instructions and entry.method in _HANDSHAKES:
            return Forward(edited_answer(message, {key: result[key] for key in result if key != "instructions"}))
        return Forward(frame_of(message))

    def _upstream_error(self, entry: _Open, message: Response) -> Forward:
        error = message.body["error"]
        # 2025-11-25: a call may fail with URLs that the client shall open, which is elicitation by another name.
        asks = isinstance(error, dict) and error.get("code") == URL_ELICITATION_REQUIRED
        if asks and not self.policy.allows_server_request("elicitation"):
            return self._refuse_to_ask(entry, "elicitation")
        if entry.method == "subscriptions/listen":
            self._subscriptions.pop(entry.id, None)
        return Forward(frame_of(message))

    def _list(self, entry: _Open, message: Response, result: dict[str, Json], listing: _ListOf) -> Forward:
        policy = self.policy
        if not self._judges(listing.kind):
            return Forward(frame_of(message))
        items = result.get(listing.member)
        if not isinstance(items, list):
            text = f"the server's answer is malformed: `{listing.member}` is not a list"
            return Forward(error_answer(entry.id, INTERNAL_ERROR, text))
        shown: list[Json] = []
        for item in items:
            name = item.get(listing.key) if isinstance(item, dict) else None
            if not isinstance(item, dict) or not isinstance(name, str):
                continue  # nobody could use it, and no policy can name it
            if listing.kind is Kind.TOOL:
                self._remember_listed(name, item)
            if policy.shows(listing.kind, name) and not self._keeps_back(listing.kind, name):
                shown.append(item)
        edited = result if len(shown) == len(items) else result | {listing.member: shown}
        filters = policy.filters(listing.kind) or (self._pins is not None and listing.kind is not Kind.RESOURCE)
        if filters and (entry.modern or "cacheScope" in result):
            edited = self._cached_here(edited)
        if edited is result:
            return Forward(frame_of(message))
        return Forward(edited_answer(message, edited))

    def _keeps_back(self, kind: Kind, name: str) -> bool:
        pins = self._pins
        return pins is not None and bool(pins.refusal(kind, name, allows_new=self._allows_new(kind), listing=True))

    def _cached_here(self, result: dict[str, Json]) -> dict[str, Json]:
        """`result` with the caching hints of a list that is this policy's and not the upstream's.

        Nobody else may cache it, on any page (2026-07-28 server/utilities/caching), and nobody for long while the
        policy can change.
        """
        hints: dict[str, Json] = {} if result.get("cacheScope") == "private" else {"cacheScope": "private"}
        ttl = result.get("ttlMs")
        if self._reloads and isinstance(ttl, int) and ttl > FILTERED_TTL_MS:
            hints["ttlMs"] = FILTERED_TTL_MS
        return result | hints if hints else result

    def _remember_listed(self, name: str, item: dict[str, Json]) -> None:
        if self.policy.needs_annotations and (name in self._annotations or len(self._annotations) < MAX_REMEMBERED):
            annotations = item.get("annotations")
            kept = annotations.items() if isinstance(annotations, dict) else ()
            # Hints are true or false; whatever else an upstream puts there is not worth keeping.
            self._annotations[name] = {key: value for key, value in kept if isinstance(value, bool)}
        if self.policy.asks_about(name):
            self._definitions.keep(name, item)

    def _remember_answered(self, tool: Json) -> None:
        if self._answered is not None and isinstance(tool, str) and tool not in self._answered:
            self._answered = self._answered | {tool} if len(self._answered) < MAX_REMEMBERED else None

    def _forbidden(self, wanted: Json) -> str | None:
        """What of `inputRequests` (2026-07-28 basic/patterns/mrtr) the policy does not let the upstream ask for."""
        for request in wanted.values() if isinstance(wanted, dict) else ():
            method = request.get("method") if isinstance(request, dict) else None
            kind = _SERVER_REQUESTS.get(method) if isinstance(method, str) else None
            if kind is not None and not self.policy.allows_server_request(kind):
                return kind
        return None

    def _refuse_to_ask(self, entry: _Open, kind: str) -> Forward:
        reason = f"The server asked for {kind}, which the policy does not allow."
        decision = Decision(Effect.DENY, entry.subject, (), reason, self.policy.digest)
        return Forward(_denied(entry, decision), f"denied {kind} to the upstream")

    def _upstream_request(self, request: Request) -> Done:
        if isinstance(request.id, str) and request.id.startswith(OUR_IDS):
            return Drop("dropped a request of the upstream under an id of ours")
        if self._modern and self._legacy is None:
            return Drop("dropped a request of the upstream: in this protocol version a server sends none")
        if request.id in self._asked or len(self._asked) >= MAX_IN_FLIGHT:
            return Drop("dropped a request of the upstream: its id is in flight, or too many are")
        kind = _SERVER_REQUESTS.get(request.method)
        if kind is not None and not self.policy.allows_server_request(kind):
            return Answer(decline(request), f"denied {kind} to the upstream")
        self._asked.add(request.id)
        return Forward(frame_of(request))

    def _upstream_notification(self, message: Notification) -> Done:
        params = message.params
        ended = None
        if message.method == "notifications/cancelled":
            target = params.get("requestId")
            if is_request_id(target):
                ended = self._upstream_cancelled(target)  # type: ignore[arg-type]
        elif message.method == "notifications/subscriptions/acknowledged":
            meta, honoured = params.get("_meta"), params.get("notifications")
            target = meta.get(SUBSCRIPTION_ID) if isinstance(meta, dict) else None
            entry = self._open.get(coerced(target)) if is_request_id(target) else None  # type: ignore[arg-type]
            if entry is not None and entry.id == target and entry.method == "subscriptions/listen":
                kinds = {kind for kind, on in honoured.items() if on} if isinstance(honoured, dict) else set()
                self._subscriptions[entry.id] = kinds
        elif self._pulses and message.method == "notifications/progress" and not self._progresses(params):
            return _QUIET
        elif message.method == "notifications/tasks" and self._forbidden(params.get("inputRequests")) is not None:
            return Drop("dropped a notification of the upstream: it asks for what the policy does not allow")
        return Forward(frame_of(message), ended=ended)

    def _progresses(self, params: dict[str, Json]) -> bool:
        """Whether progress of the upstream is beyond what we sent while the call was held, as it has to be."""
        token, progress = params.get("progressToken"), params.get("progress")
        pulse = self._pulses.get((type(token), token)) if isinstance(token, str | int) else None
        if pulse is None or not isinstance(progress, int | float) or not self._waits(pulse[0]):
            return True
        return progress > pulse[1]

    def _upstream_cancelled(self, target: RequestId) -> Ended | None:
        """The upstream takes back a request of its own, or ends a subscription."""
        if target in self._asked:
            self._asked.remove(target)
        elif (entry := self._open.get(coerced(target))) is not None and entry.method == "subscriptions/listen":
            self._subscriptions.pop(target, None)
            if self._take(target) is not None:
                return entry.ended(Outcome.OK)
        return None

    # --- events that no message brings ------------------------------------------------------------------------------

    def replace_policy(self, policy: PolicySet) -> list[Done]:
        """Put `policy` in force; return the notices that tell the client to list again, where the protocol has them.

        Legacy: only if the upstream declared `listChanged`; modern: to each subscription that asked (PROTOCOL section
        5). Resources and prompts only if the old or the new policy restricts them.
        """
        kinds = [kind for kind in Kind if self.policy.judges(kind) or policy.judges(kind)]
        self.policy = policy
        return [Forward(frame) for kind in kinds for frame in self._changed(kind)]

    def replace_lock(self, lock: Lock) -> list[Done]:
        """Put another lock file in force; return the notices that tell the client to list again."""
        if self._pins is not None:
            self._pins = self._pins.renewed(lock)
        return [Forward(frame) for kind in (Kind.TOOL, Kind.PROMPT) for frame in self._changed(kind)]

    def _changed(self, kind: Kind) -> Iterator[bytes]:
        notice: dict[str, Json] = {"jsonrpc": "2.0", "method": f"notifications/{_PLURAL[kind]}/list_changed"}
        if self._legacy is not None:
            if self._legacy.initialized and kind in self._legacy.list_changed:
                yield encode(notice)
            return
        for subscription, honoured in self._subscriptions.items():
            if f"{_PLURAL[kind]}ListChanged" in honoured:
                yield encode(notice | {"params": {"_meta": {SUBSCRIPTION_ID: subscription}}})

    def upstream_gone(self, why: str) -> list[Done]:
        """The upstream answers no more: errors for all that is in flight, `why` being a clause for people."""
        reason = "the server is gone"
        done: list[Done] = [
            Forward(held.cancellation(reason), ended=_given_up(held)) for held in self._questions.clear()
        ]
        for entry in self._open.values():
            ended = entry.ended(Outcome.UPSTREAM_EXIT)
            if entry.cancelled:
                done.append(Drop(ended=ended))
            else:
                text = f"the server gave no answer: {why}"
                done.append(Forward(error_answer(entry.id, INTERNAL_ERROR, text), ended=ended))
        self._open.clear()
        return done

    @property
    def in_flight(self) -> int:
        """How many requests of the client have no answer."""
        return len(self._open)


# --- reading messages -----------------------------------------------------------------------------------------------


def _shadowed(decision: Decision) -> str:
    refusing = [rule for rule in decision.shadow if rule.effect is not Effect.ASK]
    what = "been refused" if refusing else "required a person's approval"
    rules = ", ".join(f"`{printable(rule.name)}`" for rule in refusing or decision.shadow)
    return f"allowed `{printable(decision.tool)}`, which in enforce mode would have {what} by {rules}"


def _outcome(message: Response) -> Outcome:
    if "error" in message.body:
        return Outcome.RPC_ERROR
    result = message.body["result"]
    return Outcome.TOOL_ERROR if isinstance(result, dict) and result.get("isError") is True else _OK


def _denied(entry: _Open, decision: Decision, *, as_error: bool = False) -> bytes:
    return denial(entry.id, decision, modern=entry.modern, as_error=as_error or entry.tool is None)


def _given_up(held: Held[Judge]) -> Unapproved | None:
    """Nobody waits any more for the answer to a question."""
    decision = held.decision._replace(effect=Effect.DENY, charges=(), asked=Asked(Approval.CANCELLED))
    return None if held.case.asked_as is None else Unapproved(held.case.asked_as, decision)


def _agreed(result: dict[str, Json], offer: Json) -> _Legacy:
    def declared(*path: str) -> Json:
        value: Json = result.get("capabilities")
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    return _Legacy(
        list_changed=frozenset(kind for kind in Kind if declared(_PLURAL[kind], "listChanged") is True),
        tool_tasks=declared("tasks", "requests", "tools", "call") is not None,
        elicits=result.get("protocolVersion") in _ELICITING and can_ask(offer),
    )
