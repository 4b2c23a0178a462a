"""Policies: loaded once, compiled once, evaluated purely.

Importing this package costs next to nothing: the YAML parser and the pattern engine are imported by `load`.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

from .evaluate import PolicySet
from .model import (
    Approval,
    Asked,
    Asking,
    CalendarWindow,
    Channel,
    Charge,
    Circumstances,
    Decision,
    Effect,
    Exhausted,
    InFlight,
    Kind,
    RuleRef,
    Scope,
    ToolCall,
    Unit,
    Window,
)

__all__ = [
    "Approval",
    "Asked",
    "Asking",
    "CalendarWindow",
    "Channel",
    "Charge",
    "Circumstances",
    "Decision",
    "Effect",
    "Exhausted",
    "InFlight",
    "Kind",
    "PolicySet",
    "RuleRef",
    "Scope",
    "ToolCall",
    "Unit",
    "Window",
    "load",
]


def load(paths: Sequence[str], *, shadow: bool = False) -> PolicySet:
    """Read and compile the policy files at `paths`, all of which will have to allow a call.

    `shadow` puts them in shadow mode whatever they say.

    Raises:
        PolicyError: with every mistake in every file.
        ValueError: there are no paths.
    """
    from .loading import load_with_sources

    # What is built stays alive, so that looking for garbage in between finds none and takes a third of the time.
    collects = gc.isenabled()
    gc.disable()
    try:
        return load_with_sources(paths, shadow=shadow).policy
    finally:
        if collects:
            gc.enable()
