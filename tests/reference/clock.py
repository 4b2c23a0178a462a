"""When a charge stops to count: windows of the policy language, and the calendars of time zones, step by step."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from .conditions import exact, is_number

WORDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
NEVER = Decimal("Infinity")
Window: TypeAlias = Decimal | tuple[str, str] | None
"""A length in seconds; or a unit of the calendar and a time zone; or as long as the call is in flight."""


def window_of(limit: dict[str, Any], timezone: str) -> Window:
    """The window of a limit in a policy with this time zone."""
    if "max_concurrent" in limit:
        return None
    if limit.get("align") == "calendar":
        return limit["window"], limit.get("timezone", timezone)
    return seconds(limit["window"])


def seconds(window: Any) -> Decimal:
    """The length of a window."""
    if is_number(window):
        return exact(window)
    if window in WORDS:
        return Decimal(WORDS[window])
    parts = re.fullmatch(r"([0-9.]+)([smhd])", window)
    assert parts, window
    return Decimal(parts[1]) * UNITS[parts[2]]


def end_of(window: Window, now: Decimal) -> Decimal:
    """When a charge that is made `now` stops to count; NEVER if nobody knows."""
    if window is None:
        return NEVER
    if isinstance(window, Decimal):
        return now + window
    unit, timezone = window
    zone, begun = ZoneInfo(timezone), int(now.to_integral_value(ROUND_FLOOR))
    if unit == "second":
        return Decimal(begun + 1)
    local = datetime.fromtimestamp(begun, zone)
    day = local.replace(hour=0, minute=0, second=0, fold=0)
    match unit:
        case "minute" | "hour":
            return Decimal(_next_full(unit, begun, zone))
        case "day":
            end = day + timedelta(days=1)
        case "week":
            end = day + timedelta(days=7 - day.weekday())
        case _:
            end = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Decimal(int(end.timestamp()))


def _next_full(unit: str, begun: int, zone: ZoneInfo) -> int:
    """When the clock next shows a full minute or hour, or goes on behind one that it skips."""
    at = begun - begun % 60 + 60
    while unit == "hour":
        here, before = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(at - 60, zone)
        if here.minute == 0 or here.hour != before.hour:
            break
        at += 60
    return at
