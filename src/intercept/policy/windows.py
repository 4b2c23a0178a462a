"""The windows of limits as they were written: what they are for a counter, in words, and under which name."""

from __future__ import annotations

from datetime import UTC, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final

from ..values import MalformedError
from . import schema
from .model import CalendarWindow, InFlight, Unit, Window

_UNITS: Final = (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def window_of(
    written: schema.Limit | schema.Concurrency, timezone: str
) -> tuple[Window | CalendarWindow | InFlight, str]:
    """The window of a limit in a policy of `timezone`, and what tells its counters from those of other windows.

    Raises:
        MalformedError: the limit's own `timezone` is none.
    """
    if isinstance(written, schema.Concurrency):
        return InFlight(), "in flight"
    if written.align == "sliding":
        seconds = float(written.window.seconds)
        return Window(seconds, _in_words(written.window.seconds)), str(seconds)
    zone, unit = written.timezone or timezone, written.window.text
    if written.timezone is not None:
        zone_of(zone)
    return CalendarWindow(Unit(unit), zone, f"calendar {unit} ({zone})"), f"calendar {unit} {zone}"


def zone_of(name: str) -> tzinfo:
    """The time zone called `name`.

    Raises:
        MalformedError: there is none.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # an unknown zone, a name that is a path, a folder of zones
        raise MalformedError(f"`{name}` is not a time zone", "write a name like `America/Sao_Paulo`") from None


@lru_cache(maxsize=64)
def _in_words(seconds: Decimal) -> str:
    """A length of time as it follows "per": `minute`, `5 minutes`, `0.5 seconds`."""
    for unit, length in _UNITS:
        if seconds % length == 0:
            count = int(seconds // length)
            return unit if count == 1 else f"{count} {unit}s"
    return f"{seconds.normalize():f} seconds"
