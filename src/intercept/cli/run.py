"""The proxy: `intercept --policy FILE... -- COMMAND...`.

The order matters. The upstream is spawned first and boots while the policy is loaded; the pump starts once the policy
stands. What costs the client time is imported when it is needed, and never at the top of this module.
"""

from __future__ import annotations

import gc
import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__
from ..errors import InterceptError, UsageError
from ..notices import Notices
from ..upstream import Upstream
from ..wakeup import Wakeup

if TYPE_CHECKING:
    from ..approval.operator import Operator
    from ..approval.record import Record
    from ..audit import Recorder
    from ..limits.state import StateStore
    from ..pins.lock import Lock
    from ..pins.watch import Watch
    from ..policy import PolicySet
    from ..reload import Reloader


class Auditing(NamedTuple):
    """What the command line says about the audit log."""

    place: str | None
    """A file or directory; None: where the platform keeps such things; `off`: no log."""
    arguments: str
    optional: bool
    keep: int | None


class Approving(NamedTuple):
    """What the command line says about approvals by an operator."""

    command: str | None
    webhook: str | None
    secret: str | None
    """The file with the webhook's secret."""
    key: str | None
    """The file with the public key."""


def run(
    command: Sequence[str],
    policies: Sequence[str],
    *,
    grant: str | None,
    state: str | None,
    reload: bool,
    shadow: bool,
    auditing: Auditing,
    approving: Approving,
    lock: str | None = None,
) -> int:
    """Relay between our standard streams and `command` until one side ends; return the exit code.

    Raises:
        UsageError: this platform is not supported, or something on the command line cannot be used.
        AuditError: the audit log cannot be written.
        UpstreamError: `command` cannot be started.
        PolicyError: a policy or the lock file cannot be used; the upstream has been ended.
    """
    if os.name != "posix":
        raise UsageError("this platform is not supported yet; on Windows run it inside WSL")
    # What is loaded from here to the first message stays: the collector need not look for garbage in it, now or later.
    gc.disable()
    client_in, client_out = _take_streams()
    wakeup = Wakeup()
    # It may have a password, which is none of the server's business.
    state = os.environ.pop("INTERCEPT_STATE", None) if state is None else state
    upstream = Upstream(command)
    try:
        code = _relay(
            command,
            policies,
            grant,
            state,
            auditing,
            approving,
            lock,
            upstream,
            wakeup,
            client_in,
            client_out,
            reload=reload,
            shadow=shadow,
        )
    except InterceptError:
        _kill(upstream)
        raise
    if sys.stderr is not None:
        sys.stderr.flush()
    # Not `sys.exit`: the pump may wait in a read or write that nothing will end.
    os._exit(code)


def _relay(
    command: Sequence[str],
    policies: Sequence[str],
    grant: str | None,
    state: str | None,
    auditing: Auditing,
    approving: Approving,
    lock: str | None,
    upstream: Upstream,
    wakeup: Wakeup,
    client_in: int,
    client_out: int,
    *,
    reload: bool,
    shadow: bool,
) -> int:
    from ..policy import load
    from ..reload import Reloader

    loaded = partial(load, shadow=shadow)
    reloader = Reloader(policies, loaded) if reload else None
    policy = loaded(policies)
    pins, lock_reloader = (None, None) if lock is None else _pins(lock, reload=reload)

    from ..clock import Clock
    from ..control import Control
    from ..enforcement import Enforcer
    from ..limits.scoped import ScopedStore
    from ..relay import Relay
    from ..session import Session

    notices = Notices(2, time.monotonic)
    clock = Clock()
    grant = grant or os.environ.get("INTERCEPT_GRANT") or _default_grant(policies)
    recorder = _recorder(auditing, command, grant, policy, clock, notices)
    store = ScopedStore(_opening(state, grant, clock))
    operator, end_notices = _operator(approving, state, grant, notices)
    enforcer = Enforcer(
        store,
        grant=grant,
        clock=clock,
        recorder=recorder,
        note=notices.note,
        operator=operator,
        risk_of=_risk_of,
    )
    relay = Relay(
        Session(policy, reloads=reload, clock=clock, random=os.urandom, pins=pins),
        enforcer,
        client_in=client_in,
        client_out=client_out,
        upstream_in=upstream.stdin,
        upstream_out=upstream.stdout,
        note=notices.note,
        wake=wakeup,
    )
    gc.freeze()
    gc.enable()
    relay.start()
    _announce(notices, policy, policies, command, lock)
    if recorder is not None:
        notices.say(f"recording to {recorder.path}")
    if policy.needs_state:
        _announce_state(notices, state, grant, command)

    code = Control(relay, upstream, wakeup, notices, reloader, recorder, lock_reloader).run()
    end_notices()
    store.close()
    return code


def _opening(place: str | None, grant: str, clock: Callable[[], float]) -> Callable[[], StateStore]:
    """What opens the state store when it is first needed, and says from then on that this process lives.

    Raises:
        UsageError: `place` is given and names nothing that counters could be kept in.
    """
    if place is not None:
        from ..state import is_server

        is_server(place)

    def opened() -> StateStore:
        from threading import Thread

        from ..limits.state import RENEW_EVERY, open_state
        from ..state import default_state

        store = open_state(place or default_state(), grant=grant)

        def renew() -> None:
            while True:
                time.sleep(RENEW_EVERY)
                store.renew(clock())

        Thread(target=renew, name="intercept-renew", daemon=True).start()
        return store

    return opened


def _pins(path: str, *, reload: bool) -> tuple[Watch, Reloader[Lock] | None]:
    from ..pins.lock import read
    from ..pins.watch import Watch
    from ..reload import Reloader

    reloader = Reloader([path], lambda paths: read(paths[0])) if reload else None
    return Watch(read(path)), reloader


def _operator(
    approving: Approving, place: str | None, grant: str, notices: Notices
) -> tuple[Callable[[], Operator], Callable[[], None]]:
    """What opens the approvals when a person is first to be asked, and what ends the notices about them.

    Raises:
        UsageError: something on the command line cannot be used.
    """
    verify, notifier = None, None
    if approving.key is not None:
        from ..approval.keys import verifier

        verify = verifier(approving.key)
    if approving.command is not None or approving.webhook is not None:
        from ..approval.notify import Command, Notifier, webhook

        tellers: list[Callable[[Record], None]] = []
        if approving.command is not None:
            tellers.append(Command(approving.command))
        if approving.webhook is not None:
            tellers.append(webhook(approving.webhook, approving.secret))
        notifier = Notifier(tellers, notices.note)

    def opened() -> Operator:
        from ..approval.operator import Operator, open_approvals
        from ..state import default_state

        store = open_approvals(place or default_state())
        tell = notifier or (lambda _: None)
        return Operator(store, grant=grant, random=os.urandom, verify=verify, tell=tell)

    return opened, notifier.close if notifier else lambda: None


def _risk_of(definition: bytes) -> str:
    import json

    from ..catalogue.risk import classify  # tens of ms, and most sessions never ask

    verdict = classify(json.loads(definition))
    return f"{verdict.category}, {verdict.risk} risk"


def _recorder(
    auditing: Auditing,
    command: Sequence[str],
    grant: str,
    policy: PolicySet,
    clock: Callable[[], float],
    notices: Notices,
) -> Recorder | None:
    if auditing.place == "off":
        return None
    from ..audit import Arguments, Place, Recorder, Settings
    from ..state import audit_directory

    place = Place.of(auditing.place or audit_directory(), auditing.keep)
    if auditing.keep is not None and not place.is_directory:
        raise UsageError(
            "`--audit-keep` removes files of a directory, and `--audit` names a file; leave one of them out"
        )
    settings = Settings(place, Arguments(auditing.arguments), auditing.optional)
    return Recorder(settings, command=command, grant=grant, policy=policy, clock=clock, note=notices.say)


def _take_streams() -> tuple[int, int]:
    """Keep the protocol's streams to ourselves: whatever else prints, prints to stderr."""
    for stream in (0, 1, 2):
        try:
            os.fstat(stream)
        except OSError:  # closed: what would be opened next must not take its place
            os.open(os.devnull, os.O_RDWR)
    client_in, client_out = os.dup(0), _unblocked(os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return client_in, client_out


def _unblocked(fd: int) -> int:
    """`fd`, if it is a pipe in a form whose writes never wait, where there is one (Linux).

    Not by setting that on `fd` itself: whoever else has it, as a shell does, would find its own writes fail.
    """
    if not stat.S_ISFIFO(os.fstat(fd).st_mode):
        return fd
    try:
        # By this name the same pipe is opened anew, and nothing else is shared (proc(5)).
        fresh = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return fd
    os.close(fd)
    return fresh


def _kill(upstream: Upstream) -> None:
    import signal

    upstream.signal_group(signal.SIGKILL)
    upstream.release()


def _default_grant(policies: Sequence[str]) -> str:
    return f"{os.getuid()}:{':'.join(sorted(os.path.realpath(path) for path in policies))}"


def _announce(
    notices: Notices, policy: PolicySet, policies: Sequence[str], command: Sequence[str], lock: str | None
) -> None:
    names = ", ".join(policies)
    notices.say(f"version {__version__}, policy {names} ({policy.digest[:12]})")
    for line in policy.notes:
        notices.say(line)
    for what, path in [*(("policy", path) for path in policies), *([("lock file", lock)] if lock else [])]:
        if (place := _reachable(path, command)) is not None:
            notices.say(
                f"warning: the {what} {path} lies under `{place}`, an argument of the server: its tools could "
                f"rewrite the {what}; move it elsewhere"
            )


def _announce_state(notices: Notices, place: str | None, grant: str, command: Sequence[str]) -> None:
    from ..state import default_state, shown_state

    place = place or default_state()
    notices.say(f"counting for grant `{grant}` in {shown_state(place)}")
    if "://" not in place and (argument := _reachable(place, command)) is not None:
        notices.say(
            f"warning: the state file {place} lies under `{argument}`, an argument of the server: its tools could "
            "rewrite what was counted; name another place with `--state`"
        )


def _reachable(path: str, command: Sequence[str]) -> str | None:
    """The argument of the server that names the policy file or a directory above it."""
    policy = os.path.realpath(path)
    for argument in command[1:]:
        for candidate in (argument, argument.partition("=")[2], argument.removeprefix("file://")):
            if not candidate or not os.path.exists(candidate):
                continue
            place = os.path.realpath(candidate)
            if policy == place or policy.startswith(place.rstrip("/") + "/"):
                return argument
    return None
