"""The records of the audit log, and their JSON form (an interface: README, The audit log). Pure.

Every record has `type`, `seq`, `prev`, `time`, `session` and `hash`; `chain` adds what holds them together. Times are
UTC with six digits, exact: limits count in whole microseconds, so that a log can be replayed to the same decisions.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from ..answers import limit_details, plain_number
from ..errors import AuditFormatError
from ..policy import Charge, Decision, Effect, Kind, RuleRef
from ..values import Json

FORMAT: Final = 1
"""Of the records; raised when a reader of the old ones would misunderstand a new one."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Type(StrEnum):
    """What a record is about."""

    START = "start"
    """A session begins, or goes on in another file."""
    DECISION = "decision"
    """About one request; written before anything is forwarded."""
    OUTCOME = "outcome"
    """What became of a request that was forwarded."""
    APPROVAL = "approval"
    """What came of asking a person about a request."""
    RELOAD = "reload"
    """Another policy is in force."""
    PIN = "pin"
    """A tool's definition is not the one that was pinned."""
    REFUSAL = "refusal"
    """A message about which no call was decided was refused, dropped, or changed on its way."""
    END = "end"
    """A session is over; one without it is open, or was killed."""


class Decided(NamedTuple):
    """A decision record, as replay and statistics read it."""

    session: str
    call: int
    """Counted from 1 in each session; joins the records of one request."""
    time: int
    """Microseconds since the epoch: the time that conditions and limits saw."""
    server: str
    grant: str
    kind: Kind
    tool: str
    effect: Effect
    rules: tuple[RuleRef, ...]
    reason: str
    policy: str
    arguments: dict[str, Json] | None
    """None if they were not recorded as they were."""
    annotations: dict[str, Json] | None
    answered: int | None
    """How many tools had been answered in the session; None: too many to count."""
    duration: int
    """Microseconds that the decision took."""
    shadow: tuple[RuleRef, ...] = ()
    continues: bool = False
    """It carried on an earlier call that had needed input, and was not charged again."""
    several: bool = False
    """The request used more than one thing, and only the first is named."""
    before: frozenset[str] | None = None
    """The tools that had been answered in other sessions of the grant; None if that did not matter."""
    withheld: bool = False
    """Refused whatever the policy says."""
    approval: str = ""
    """What came of asking a person, where that is part of this record; see `Approval`."""
    limits: tuple[Limited, ...] = ()


class Limited(NamedTuple):
    """A limit that took part in a decision."""

    counter: str
    scope: str
    window: float | None
    """Seconds; None: it has no fixed length."""


# --- times ----------------------------------------------------------------------------------------------------------


def stamp(time: int) -> str:
    """Microseconds since the epoch as text: `2026-03-01T22:30:00.000000Z`."""
    return f"{(_EPOCH + timedelta(microseconds=time)).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def time_of(text: str) -> int:
    """The opposite of `stamp`.

    Raises:
        ValueError: `text` is no such time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return (moment - _EPOCH) // timedelta(microseconds=1)


# --- writing --------------------------------------------------------------------------------------------------------


def rules_json(rules: tuple[RuleRef, ...]) -> list[Json]:
    """Rules with what each says and where it stands."""
    return [{"rule": rule.name, "effect": str(rule.effect), "path": rule.path, "line": rule.line} for rule in rules]


def limits_of(decision: Decision) -> list[Json]:
    """The limits that took part in `decision`: those that were charged, or the one that refused."""
    if (exhausted := decision.exhausted) is not None:
        refused: dict[str, Json] = {"left": plain_number(exhausted.left), "retry_after_s": exhausted.retry_after}
        return [limit_details(exhausted.charge) | refused]
    return [limit_json(charge) for charge in decision.charges]


def limit_json(charge: Charge) -> Json:
    """A limit that a call was charged to."""
    details = limit_details(charge)
    if charge.shadow:
        details["shadow"] = True
    return details


# --- reading --------------------------------------------------------------------------------------------------------


def decided(body: dict[str, Json], exact: dict[str, Json] | None) -> Decided:
    """The decision record `body`; `exact` are its arguments if they were recorded as they were.

    Raises:
        AuditFormatError: it is none of this format.
    """
    try:
        server, principal = body["server"], body["principal"]
        annotations, answered = body.get("annotations"), body.get("answered")
        if not isinstance(server, dict) or not isinstance(principal, dict):
            raise TypeError
        return Decided(
            session=_text(body["session"]),
            call=_whole(body["call"]),
            time=time_of(_text(body["time"])),
            server=_text(server["name"]),
            grant=_text(principal["grant"]),
            kind=Kind(_text(body["kind"])),
            tool=_text(body["tool"]),
            effect=Effect(_text(body["decision"])),
            rules=_rules(body["rules"]),
            reason=_text(body["reason"]),
            policy=_text(body["policy"]),
            arguments=exact,
            annotations=annotations if isinstance(annotations, dict) else None,
            answered=None if answered is None else _whole(answered),
            duration=_whole(body["duration_us"]),
            shadow=_rules(body.get("shadow", [])),
            continues=body.get("continues") is True,
            several="uses" in body,
            before=_names(body["grant_answered"]) if "grant_answered" in body else None,
            withheld=body.get("withheld") is True,
            approval=_approval(body.get("approval")),
            limits=_limits(body["limits"]),
        )
    except (KeyError, TypeError, ValueError):
        raise AuditFormatError("a decision record is not of this format") from None


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _whole(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return value


def _rules(value: Json) -> tuple[RuleRef, ...]:
    if not isinstance(value, list):
        raise TypeError
    return tuple(
        RuleRef(_text(rule["rule"]), _text(rule["path"]), _whole(rule["line"]), Effect(_text(rule["effect"])))
        for rule in value
        if isinstance(rule, dict)
    )


def _names(value: Json) -> frozenset[str]:
    if not isinstance(value, list):
        raise TypeError
    return frozenset(map(_text, value))


def _approval(value: Json) -> str:
    return _text(value["answer"]) if isinstance(value, dict) else ""


def _limits(value: Json) -> tuple[Limited, ...]:
    if not isinstance(value, list):
        raise TypeError
    limits = []
    for limit in value:
        if isinstance(limit, dict):
            window = limit.get("window_s")
            seconds = window if isinstance(window, int | float) and not isinstance(window, bool) else None
            limits.append(Limited(_text(limit["counter"]), _text(limit["scope"]), seconds))
    return tuple(limits)
