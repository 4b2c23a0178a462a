"""Writes the records of one session, each before what it is about goes on.

A decision that cannot be recorded must not be carried out: `AuditError` says so, unless the log was declared optional.
All else that cannot be recorded (an outcome, a reload) is counted, and the next record says how many are missing. The
operator is told once when writing fails, and once when it works again.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Final, NamedTuple, final

from .. import __version__
from ..errors import AuditError
from ..hashes import sha256_of
from ..limits.windows import microseconds
from ..policy import Charge, Decision, PolicySet, ToolCall
from ..uses import Peers
from ..values import Json
from ..wire import writer
from .chain import Head
from .events import FORMAT, Type, limit_json, limits_of, rules_json, stamp
from .journal import Journal, Place
from .redaction import Arguments, clean, command_line, key_names, redacted

_MOST_USES: Final = 100
"""Things that one request uses which are named; a client subscribes to a few."""
_NAME: Final = 200
"""Characters of the name of a tool, a resource, a client or a server."""
_MOST_KEPT: Final = 512
_LONGEST_KEPT: Final = 512
"""Pieces of text of each kind that are kept, and the characters of what they are kept for: 1 MB."""
_MOST_LATE: Final = 16
"""Outcomes that are left for later; a client that waits for each answer leaves one."""
_LOOK_EVERY: Final = 10_000
"""Microseconds after which it is made sure again that the file is where somebody would look for it: a sixth of what a
record costs, and whoever takes the file away can do so right after a look anyway."""
UNRECORDED: Final = "the audit log cannot be written, and no call is made that is not on record. Tell the user."
"""What the model reads when a call is denied because of that."""
_OVER: Final = "the session is over."
MAX_REFUSALS: Final = 1_000
"""Refused messages of a session that are told one by one; an honest peer has a few."""

# Looking up a member of an enumeration takes 0.1 µs in Python 3.11, twelve times what a name takes: every call does.
_NONE: Final = Arguments.NONE
_FULL: Final = Arguments.FULL
_REDACTED: Final = Arguments.REDACTED
_DECISION: Final = Type.DECISION
_OUTCOME: Final = Type.OUTCOME


# Neither is a named tuple: every call makes the one and looks into the other, which is dear in compiled code.


@final
class Recorded:
    """What joins the later records of a request to its decision."""

    __slots__ = ("call", "time")

    def __init__(self, call: int, time: int) -> None:
        self.call: Final = call
        self.time: Final = time
        """When it was decided, in microseconds."""


@final
class _Kept:
    """How the records of calls begin that are decided alike, and what is alike about them."""

    __slots__ = ("charges", "effect", "head", "kind", "peers", "policy", "rules")

    def __init__(
        self,
        head: Head,
        use: ToolCall,
        decision: Decision,
        peers: Peers,
        policy: PolicySet,
        charges: tuple[Charge, ...] | None,
    ) -> None:
        self.head = head
        self.peers = peers
        self.policy = policy
        self.kind = use.kind
        self.effect = decision.effect
        self.rules = decision.rules
        self.charges = charges
        """Those that are a part of it; None if each record tells its own."""


class Settings(NamedTuple):
    """How a session is recorded."""

    place: Place
    arguments: Arguments = Arguments.KEYS
    optional: bool = False
    """Calls pass although they cannot be recorded."""


class Recorder:
    """The audit log of one session. Thread-safe."""

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str],
        grant: str,
        policy: PolicySet,
        clock: Callable[[], float],
        note: Callable[[str], None],
    ) -> None:
        """Begin the log. `clock` gives seconds since the epoch, `note` takes lines for the operator.

        Raises:
            AuditError: the place cannot be written; says what to do.
        """
        self._settings = settings
        self._arguments = settings.arguments
        self._command = command
        self._grant = grant
        self._policy = policy
        self._clock = clock
        self._note = note
        self._lock = threading.Lock()
        now = microseconds(clock())
        self.session = f"{stamp(now)[:19].replace(':', '').replace('-', '')}-{os.urandom(8).hex()}"
        self._journal = Journal(settings.place, self.session, self._header, note)
        self._second = -1
        self._text = ""
        self._calls = 0
        self._outcomes = 0
        self._late: list[tuple[Recorded, str, float]] = []
        """Outcomes that are not recorded yet."""
        self._refusals = 0
        self._lost = 0
        self._failing = False
        self._over = False
        self._looks_at = 0
        self._kept: dict[tuple[str, str, tuple[str, ...]], _Kept] = {}
        self._charges: dict[tuple[int, str, Decimal], tuple[Charge, str]] = {}
        self._heads: dict[str, Head] = {}
        self._server = clean(os.path.basename(command[0]) if command else "", _NAME)
        try:
            self._journal.begin(self._stamp(now))
        except OSError as error:
            where = f"`{clean(settings.place.path, 1_000)}`"
            raise AuditError(
                f"cannot write the audit log in {where}: {_why(error)}; make it writable, name another place with "
                "`--audit DIRECTORY`, or do without with `--audit off`"
            ) from None

    @property
    def path(self) -> str:
        """The file that is written to."""
        return self._journal.path

    # --- records ----------------------------------------------------------------------------------------------------

    def decision(
        self,
        uses: Sequence[ToolCall],
        decision: Decision,
        peers: Peers,
        *,
        policy: PolicySet,
        now: float,
        took: int,
        annotations: Mapping[str, Json] | None = None,
        answered: AbstractSet[str] | None = frozenset(),
        before: AbstractSet[str] | None = None,
        continues: bool = False,
        withheld: bool = False,
        written: bytes | None = None,
    ) -> Recorded:
        """Record what was decided about a request; `now` is the time that was decided by, `took` microseconds.

        `answered` and `before` are the tools that had been answered in the session and in others of the grant;
        `withheld`: whatever the policy says, the definition of the tool is not the pinned one. `written` are the
        arguments in the form whose digest is recorded, where that is at hand.

        Raises:
            AuditError: it is not recorded, so it must not be carried out.
        """
        first = uses[0]
        time = microseconds(now)
        head, limits = self._head(first, decision, peers, policy)
        text = f'{limits}"answered":{"null" if answered is None else len(answered)},"duration_us":{took}'
        if (mode := self._arguments) is not _NONE:
            digest = arguments_digest(first.arguments) if written is None else sha256_of(written)
            text = f'{text},"arguments_sha256":"{digest}"'
        rest: dict[str, Json] = {}
        if mode is _FULL:
            rest["arguments"] = first.arguments
        elif mode is _REDACTED:
            rest["arguments"] = redacted(first.arguments)
        if decision.shadow:
            rest["shadow"] = rules_json(decision.shadow)
        if len(uses) > 1:
            rest["uses"] = [clean(use.name, _NAME) for use in uses[:_MOST_USES]]
        if annotations is not None:
            rest["annotations"] = dict(annotations)
        if before is not None and len(before) <= _MOST_USES:
            rest["grant_answered"] = list[Json](sorted(clean(tool, _NAME) for tool in before))
        if continues:
            rest["continues"] = True
        if withheld:
            rest["withheld"] = True
        if (asked := decision.asked) is not None:
            told: dict[str, Json] = {"answer": asked.approval, "id": asked.id, "who": clean(asked.who, _NAME)}
            rest["approval"] = {key: value for key, value in told.items() if value}
        if rest:
            text += f",{_encode(rest)[1:-1]}"
        # Not `with self._lock`, which takes twice as long: this is every call.
        self._lock.acquire()
        try:
            self._calls += 1
            call = self._calls
            self._write(head, time, f'"call":{call},{text}', needed=True)
        finally:
            self._lock.release()
        return Recorded(call, time)

    def _head(self, use: ToolCall, decision: Decision, peers: Peers, policy: PolicySet) -> tuple[Head, str]:
        """How the record begins, and its limits as text if they are not a part of that."""
        # All of what is the same for many calls was put together and hashed once: most of what a record costs.
        names = tuple(use.arguments)
        key = (use.name, decision.reason, names)
        charges = _fixed_charges(decision)
        kept = self._kept.get(key)
        # Rules are compared by identity first, which is enough for those that a policy has ready.
        if not (
            kept is not None
            and kept.peers is peers
            and kept.policy is policy
            and kept.kind is use.kind
            and kept.effect is decision.effect
            and kept.rules == decision.rules
            and _are_alike(kept.charges, charges)
        ):
            head = self._new_head(use, decision, peers, policy, charges)
            kept = _Kept(head, use, decision, peers, policy, charges)
            if len(use.name) + len(decision.reason) + sum(map(len, names)) <= _LONGEST_KEPT:
                if len(self._kept) >= _MOST_KEPT:
                    self._kept = {}
                self._kept[key] = kept
        return kept.head, "" if charges is not None else f'"limits":{self._limits(decision)},'

    def _new_head(
        self,
        use: ToolCall,
        decision: Decision,
        peers: Peers,
        policy: PolicySet,
        charges: tuple[Charge, ...] | None,
    ) -> Head:
        members: dict[str, Json] = {
            "session": self.session,
            "server": {
                "name": clean(peers.server, _NAME) or self._server,
                "version": clean(peers.server_version, _NAME),
            },
            "principal": {
                "client": clean(peers.client, _NAME),
                "version": clean(peers.client_version, _NAME),
                "grant": self._grant,
            },
            "protocol": clean(peers.protocol, _NAME),
            "kind": use.kind,
            "tool": clean(use.name, _NAME),
            "decision": decision.effect,
            "rules": rules_json(decision.rules),
            "reason": clean(decision.reason, 1_000),
            "policy": decision.policy,
            "mode": mode_of(policy),
        }
        if self._arguments is not _NONE:
            members["keys"] = list[Json](key_names(use.arguments))
        if charges is not None:
            members["limits"] = [limit_json(charge) for charge in charges]
        return Head(_DECISION, _encode(members)[1:-1])

    def _limits(self, decision: Decision) -> str:
        if decision.exhausted is not None:
            return _encode(limits_of(decision))
        return f"[{','.join([self._limit(charge) for charge in decision.charges])}]"

    def _limit(self, charge: Charge) -> str:
        window = charge.window
        key = (id(window), charge.counter, charge.cost)
        kept = self._charges.get(key)
        if kept is not None:
            known, text = kept
            if known.window is window and known.max == charge.max and known.shadow is charge.shadow:
                return text
        text = _encode(limit_json(charge))
        if len(self._charges) >= _MOST_KEPT:
            self._charges = {}
        self._charges[key] = charge, text
        return text

    def outcome(self, recorded: Recorded, outcome: str, *, now: float, forwarded: bool = True) -> None:
        """Record what became `now` of a request that was allowed; `forwarded`: the upstream saw it."""
        self._lock.acquire()
        try:
            self._outcome(recorded, outcome, now, forwarded=forwarded)
        finally:
            self._lock.release()

    def outcome_later(self, recorded: Recorded, outcome: str, *, now: float) -> None:
        """As `outcome`, when `catch_up` is called or the session ends; that is soon, or a killed process loses it."""
        self._lock.acquire()
        try:
            self._late.append((recorded, outcome, now))
            if len(self._late) == _MOST_LATE:
                self._catch_up()
        finally:
            self._lock.release()

    def catch_up(self) -> None:
        """Record what was left for later."""
        if self._late:
            self._lock.acquire()
            try:
                self._catch_up()
            finally:
                self._lock.release()

    def _catch_up(self) -> None:
        late, self._late = self._late, []
        for recorded, outcome, now in late:
            self._outcome(recorded, outcome, now)

    def _outcome(self, recorded: Recorded, outcome: str, now: float, *, forwarded: bool = True) -> None:
        time = microseconds(now)
        text = f'"call":{recorded.call},"duration_us":{time - recorded.time}'
        if not forwarded:
            text += ',"forwarded":false'
        head = self._heads.get(outcome)
        if head is None:
            head = self._heads[outcome] = Head(_OUTCOME, f'"session":"{self.session}","outcome":"{outcome}"')
        self._outcomes += 1
        self._write(head, time, text)

    def approval(
        self, recorded: Recorded, decision: Decision, *, channel: str, answer: str, now: float, needed: bool = True
    ) -> None:
        """Record what came of asking a person about a request, and what is decided by that.

        `answer` is `approved`, `declined`, `timeout`, `cancelled` or what else the channel knows; `needed`: what was
        approved is about to be forwarded.

        Raises:
            AuditError: it is needed and not recorded, so it must not be carried out.
        """
        members: dict[str, Json] = {
            "call": recorded.call,
            "channel": channel,
            "answer": answer,
            "decision": decision.effect,
            "rules": rules_json(decision.rules),
            "reason": clean(decision.reason, 1_000),
            "limits": limits_of(decision),
            "policy": decision.policy,
        }
        time = microseconds(now)
        members["waited_us"] = time - recorded.time
        with self._lock:
            self._write(self._plain(Type.APPROVAL), time, _encode(members)[1:-1], needed=needed)

    def reload(self, policy: PolicySet) -> None:
        """Record that `policy` is in force from now on."""
        with self._lock:
            self._policy = policy
            self._write(self._plain(Type.RELOAD), microseconds(self._clock()), _encode(_policy_members(policy))[1:-1])

    def pin(self, tool: str, what: str) -> None:
        """Record that the definition of `tool` is not the pinned one, and what was done about it."""
        members: dict[str, Json] = {"tool": clean(tool, _NAME), "what": clean(what, 1_000)}
        with self._lock:
            self._write(self._plain(Type.PIN), microseconds(self._clock()), _encode(members)[1:-1])

    def refusal(self, sender: str, what: str) -> None:
        """Record that a message of `sender`, `client` or `server`, did not pass as it came, and `what` was done.

        Only the first `MAX_REFUSALS` are told one by one: a peer may send any number of them.
        """
        members: dict[str, Json] = {"sender": sender, "what": clean(what, 1_000)}
        with self._lock:
            self._refusals += 1
            if self._refusals <= MAX_REFUSALS:
                self._write(self._plain(Type.REFUSAL), microseconds(self._clock()), _encode(members)[1:-1])

    def end(self, why: str, code: int) -> None:
        """Record the end of the session, with the exit code of the upstream; nothing is recorded after it."""
        with self._lock:
            self._catch_up()
            members: dict[str, Json] = {
                "why": clean(why, 1_000),
                "code": code,
                "decisions": self._calls,
                "outcomes": self._outcomes,
                "refusals": self._refusals,
                "lost_in_all": self._lost,
            }
            self._write(self._plain(Type.END), microseconds(self._clock()), _encode(members)[1:-1])
            self._journal.close()
            self._over = True

    # --- how --------------------------------------------------------------------------------------------------------

    def _plain(self, kind: Type) -> Head:
        return Head(kind, f'"session":"{self.session}"')

    def _write(self, head: Head, time: int, members: str, *, needed: bool = False) -> None:
        if self._over:
            if needed:
                raise AuditError(_OVER)
            return
        try:
            looks = time >= self._looks_at
            if looks:
                self._looks_at = time + _LOOK_EVERY
            self._journal.append(head, self._stamp(time), members, looks=looks)
        except OSError as error:
            self._lost += 1
            self._looks_at = 0
            if not self._failing:
                self._failing = True
                then = "calls pass unrecorded" if self._settings.optional else "calls are denied"
                self._note(f"cannot write the audit log {self._journal.path}: {_why(error)}; {then} until it can be")
            if needed and not self._settings.optional:
                raise AuditError(UNRECORDED) from None
            return
        if self._failing:
            self._failing = False
            self._note(f"the audit log can be written again, in {self._journal.path}; {self._lost} records are missing")

    def _stamp(self, time: int) -> str:
        second = time // 1_000_000
        if second != self._second:
            self._second = second
            self._text = stamp(second * 1_000_000)[:-7]
        # No `:06d`, which takes five times as long in compiled code.
        return f"{self._text}{str(1_000_000 + time % 1_000_000)[1:]}Z"

    def _header(self, continues: str | None) -> str:
        members: dict[str, Json] = {
            "format": FORMAT,
            "version": __version__,
            "pid": os.getpid(),
            "command": list[Json](command_line(self._command)),
            "grant": self._grant,
            "arguments": self._settings.arguments,
            "optional": self._settings.optional,
            "keep_days": self._settings.place.keep,
            **_policy_members(self._policy),
        }
        if continues is not None:
            members["continues"] = continues
        return _encode(members)[1:-1]


def _fixed_charges(decision: Decision) -> tuple[Charge, ...] | None:
    """The charges of `decision`, unless what they say depends on the call."""
    if decision.exhausted is not None:
        return None
    for charge in decision.charges:
        if charge.cost_path:
            return None
    return decision.charges


def _are_alike(charges: tuple[Charge, ...] | None, others: tuple[Charge, ...] | None) -> bool:
    """Whether records say the same of these limits."""
    if charges is None or others is None:
        return charges is others
    if len(charges) != len(others):
        return False
    for index, charge in enumerate(charges):
        other = others[index]
        if not (
            charge.window is other.window
            and charge.counter == other.counter
            and charge.scope is other.scope
            and charge.max == other.max
            and charge.cost == other.cost
            and charge.shadow is other.shadow
        ):
            return False
    return True


def arguments_digest(arguments: dict[str, Json]) -> str:
    """SHA-256 of the arguments as JSON: ASCII, keys sorted, no spaces."""
    return sha256_of(_encode_sorted(arguments).encode("ascii"))


def mode_of(policy: PolicySet) -> str:
    """`shadow` if no file of the policy refuses anything."""
    return "shadow" if all(one.shadow for one in policy.policies) else "enforce"


def _policy_members(policy: PolicySet) -> dict[str, Json]:
    return {"policy": policy.digest, "policies": list[Json](policy.paths), "mode": mode_of(policy)}


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


_encode = writer()
_encode_sorted = writer(sort=True)
