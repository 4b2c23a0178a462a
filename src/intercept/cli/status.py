"""`intercept status`: what each limit has left, from the state store.

`intercept status reset COUNTER` empties a counter, `intercept status forget --grant NAME` what is known of a grant.
The answer goes to stdout. Exit code 0: told, or done; 1: there was nothing to do, or the store cannot be used; 2: the
command line is wrong; 3: a policy cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeAlias

from ..answers import plain_number, printable, window_details
from ..errors import StoreUnavailable, UsageError
from ..notices import PREFIX
from ..policy import Charge, Scope, reasons

if TYPE_CHECKING:
    from ..limits.state import StateStore, Use
    from ..policy import CalendarWindow, InFlight, Window
    from ..policy.loading import Source

_EPILOG: Final = """examples:
  intercept status                                      what is used of every limit, for every grant
  intercept status -p policy.yaml --grant ana           every limit of a policy, for one grant
  intercept status --state redis://localhost --format json
  intercept status reset refunded --grant ana           the operator gives a budget back
  intercept status forget --grant ana                   what was answered to a grant (`after_scope: grant`) is forgotten

What `reset` and `forget` do is recorded in the state store, with who did it and when; proxies that run see it at once.
Limits of scope `session` live in the memory of their proxy and are not told here. Values that limits count by (`per`)
are shown.

exit codes: 0 told, or done; 1 nothing to do, or the store cannot be used; 2 wrong usage; 3 policy unusable
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "status",
        help="what each limit has left",
        description="Say what each limit of scope `grant` or `global` has left, or empty the counters of a name.",
        usage="intercept status [reset COUNTER | forget] [-p FILE] [--state PLACE] [--grant NAME] [--format text|json]",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "action", nargs="?", choices=("reset", "forget"), help="empty counters, or what was answered to the grant"
    )
    parser.add_argument("counter", nargs="?", metavar="COUNTER", help="their name, as `status` tells it")
    parser.add_argument(
        "-p",
        "--policy",
        action="append",
        default=[],
        metavar="FILE",
        help="only limits of this policy file, all of them",
    )
    parser.add_argument("--grant", metavar="NAME", help="only counters of this grant, and those of scope `global`")
    parser.add_argument(
        "--state",
        metavar="PLACE",
        help="where counters are kept: a file, or a URL (default: $INTERCEPT_STATE, or `intercept/state.sqlite` in the "
        "user's directory for state)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print what is left, or do what `action` says; return the exit code.

    Raises:
        UsageError: `--state` names no store, or a counter is missing.
        StoreBusy, StoreUnavailable: the store cannot be read or written now.
        PolicyError: one of the files cannot be used.
    """
    from ..limits.state import open_state
    from ..state import default_state

    place = arguments.state or os.environ.get("INTERCEPT_STATE") or default_state()
    store = open_state(place, grant=arguments.grant or "")
    try:
        match arguments.action:
            case "reset":
                return _reset(arguments, store)
            case "forget":
                return _forget(arguments, store)
            case _:
                return _tell(arguments, store)
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error}: {error.remedy}" if error.remedy else str(error)) from None
    finally:
        store.close()


def _tell(arguments: argparse.Namespace, store: StateStore) -> int:
    if arguments.counter:
        raise UsageError(f"unknown argument `{printable(arguments.counter)}`")
    policies, now = _policies(arguments.policy), _now()
    chosen = _choice(arguments)
    rows = [*_rows([use for use in store.uses(now) if chosen(use)], policies)]
    grants = {name: tools for name, tools in store.histories().items() if arguments.grant in (None, name)}
    if arguments.format == "json":
        answered = {name: sorted(tools) for name, tools in sorted(grants.items())}
        print(json.dumps({"limits": [_as_json(row, now) for row in rows], "answered": answered}, indent=2))
        return 0
    for row in rows:
        print(f"{_named(row)}: {_used(row)}, {reasons.amount(row.left)} left{_free(row, now)}")
    for line in _beside(policies, rows):
        print(line)
    for name, tools in sorted(grants.items()):
        print(
            f"grant `{printable(name)}` was answered by {', '.join(f'`{printable(tool)}`' for tool in sorted(tools))}"
        )
    return 0


def _reset(arguments: argparse.Namespace, store: StateStore) -> int:
    if not arguments.counter:
        raise UsageError("which counter is to be emptied? write `intercept status reset COUNTER`")
    now = _now()
    rows = [*_rows(store.reset(_choice(arguments), _operator(), now), ())]
    if arguments.format == "json":
        print(json.dumps({"reset": [_as_json(row, now) for row in rows]}, indent=2))
    else:
        for row in rows:
            print(f"emptied {_named(row)}: {_used(row)}")
    if not rows:
        print(f"{PREFIX}no counter called `{printable(arguments.counter)}` holds anything here", file=sys.stderr)
    return 0 if rows else 1


def _forget(arguments: argparse.Namespace, store: StateStore) -> int:
    if arguments.counter or arguments.policy or not arguments.grant:
        raise UsageError(
            "write `intercept status forget --grant NAME`: all that was answered to the grant is forgotten"
        )
    forgotten = store.forget(_operator(), _now())
    name = printable(arguments.grant)
    if arguments.format == "json":
        print(json.dumps({"forgotten": forgotten}))
    elif forgotten:
        print(f"forgot {forgotten} tool{' that was' if forgotten == 1 else 's that were'} answered to grant `{name}`")
    if not forgotten:
        print(f"{PREFIX}nothing is known to have been answered to grant `{name}`", file=sys.stderr)
    return 0 if forgotten else 1


def _now() -> float:
    return time.time()  # noqa: TID251 - a command, which reads the clock once


def _choice(arguments: argparse.Namespace) -> _Choice:
    return _Choice(arguments.counter, frozenset(map(os.path.realpath, arguments.policy)), arguments.grant)


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which counters are meant."""

    counter: str | None
    policies: frozenset[str]
    grant: str | None

    def __call__(self, use: Use) -> bool:
        return (
            self.counter in (None, use.counter)
            and (not self.policies or use.policy in self.policies)
            and (self.grant is None or use.scope is not Scope.GRANT or use.grant == self.grant)
        )


@dataclass(frozen=True, slots=True)
class _Row:
    """One limit for one `per` value."""

    policy: str
    counter: str
    scope: Scope
    grant: str
    per: str
    value: str
    shadow: bool
    window: Window | CalendarWindow | InFlight
    max: Decimal
    used: Decimal
    some_free: float | None = None
    all_free: float | None = None
    is_current: bool = True
    """Whether a policy that was named still has it."""
    counts_calls: bool = False

    @property
    def left(self) -> Decimal:
        return max(Decimal(0), self.max - self.used)


_Key: TypeAlias = "tuple[str, str, Scope, Window | CalendarWindow | InFlight, str, bool]"


def _policies(paths: Sequence[str]) -> Sequence[Source]:
    if not paths:
        return ()
    from ..policy.loading import load_with_sources

    return load_with_sources(paths).sources


def _templates(policies: Sequence[Source]) -> Iterator[Charge]:
    """The limits of `policies`, each once."""
    for source in policies:
        for section in source.policy.sections.values():
            for rules in (*section.exact.values(), *(rules for _, rules in section.globs), section.everyone):
                yield from (limit.template for rule in rules for limit in rule.limits)


def _rows(uses: Sequence[Use], policies: Sequence[Source]) -> Iterator[_Row]:
    """What is used, by the limits that policies have where they are named; then the limits that nothing is used of."""
    limits: dict[_Key, dict[Decimal, Charge]] = {}
    for charge in _templates(policies):
        if charge.scope is not Scope.SESSION:
            limits.setdefault(_key(charge), {})[charge.max] = charge
    seen: set[_Key] = set()
    for use in uses:
        key = (use.policy, use.counter, use.scope, use.window, use.per, use.shadow)
        seen.add(key)
        row = _Row(
            use.policy,
            use.counter,
            use.scope,
            use.grant,
            use.per,
            use.value,
            use.shadow,
            use.window,
            use.max,
            use.used,
            use.next_free,
            use.all_free,
            is_current=not policies or key in limits,
        )
        if key in limits:
            yield from (_as_written(row, charge) for charge in limits[key].values())
        else:
            yield row
    for unused, charges in limits.items():
        if unused not in seen:
            yield from (_as_written(_unused(charge), charge) for charge in charges.values())


def _key(charge: Charge) -> _Key:
    return charge.key[0], charge.counter, charge.scope, charge.window, charge.key[-2], charge.shadow


def _unused(charge: Charge) -> _Row:
    return _Row(
        charge.key[0], charge.counter, charge.scope, "", charge.key[-2], "", charge.shadow, charge.window, charge.max,
        Decimal(0),
    )  # fmt: skip


def _as_written(row: _Row, charge: Charge) -> _Row:
    return replace(row, max=charge.max, counts_calls=not charge.cost_path and charge.cost == 1)


def _beside(policies: Sequence[Source], rows: Sequence[_Row]) -> Iterator[str]:
    """What the rows do not say."""
    for source in policies:
        session = sum(charge.scope is Scope.SESSION for charge in _templates([source]))
        if session:
            limits = "1 limit of scope `session` is" if session == 1 else f"{session} limits of scope `session` are"
            yield f"{source.policy.path}: {limits} counted by each proxy for itself and cannot be told here"
    if not rows:
        yield "no limit of scope `grant` or `global` holds anything"


def _operator() -> str:
    """Who is recorded to have emptied a counter: the user, whatever the environment says."""
    import pwd

    uid = os.getuid()
    try:
        return f"{pwd.getpwuid(uid).pw_name} ({uid})"
    except KeyError:
        return str(uid)


# --- words ------------------------------------------------------------------------------------------------------------


def _named(row: _Row) -> str:
    whose = "global" if row.scope is Scope.GLOBAL else f"grant `{printable(row.grant)}`" if row.grant else "grant"
    text = f"{printable(row.policy)}: limit `{printable(row.counter)}` ({whose}{', shadow' if row.shadow else ''})"
    return f"{text} for {printable(_paths(row.per))} {_value(row.value)}" if row.value else text


def _paths(per: str) -> str:
    """The paths that are counted by, as policies write them: `args.to` and not `args["to"]`."""
    return re.sub(r'\["([A-Za-z_]\w*)"\]', r".\1", per)


def _value(value: str) -> str:
    """A `per` value as it is kept: written out behind `=`, or as a digest behind `#`."""
    return f"= {printable(value[1:])}" if value[0] == "=" else f"with the digest {value[1:13]}"


def _used(row: _Row) -> str:
    return f"{reasons.amount(row.used)} of {reasons.allowance(row.max, row.window, counts_calls=row.counts_calls)} used"


def _free(row: _Row, now: float) -> str:
    text = ""
    if row.all_free is not None and row.some_free is not None:
        text = f"; all free in {_length(row.all_free - now)}"
        if row.some_free < row.all_free:
            text = f"; some free in {_length(row.some_free - now)}, all in {_length(row.all_free - now)}"
    return text if row.is_current else f"{text}; the policy has no such limit now"


def _length(seconds: float) -> str:
    whole = max(1, -int(-seconds // 1))
    for name, length, below, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            rest = whole % length // part
            return f"{whole // length} {name}{f' {rest} {below}' if rest else ''}"
    return f"{whole} s"


def _as_json(row: _Row, now: float) -> dict[str, object]:
    return {
        "policy": row.policy,
        "counter": row.counter,
        "scope": row.scope,
        "grant": row.grant or None,
        "per": _paths(row.per) or None,
        "value": row.value[1:] if row.value[:1] == "=" else None,
        "value_digest": row.value[1:] if row.value[:1] == "#" else None,
        "shadow": row.shadow,
        "max": plain_number(row.max),
        **window_details(row.window),
        "used": plain_number(row.used),
        "left": plain_number(row.left),
        "some_free_s": None if row.some_free is None else max(0.0, round(row.some_free - now, 3)),
        "all_free_s": None if row.all_free is None else max(0.0, round(row.all_free - now, 3)),
        "in_policy": row.is_current,
    }
