"""Where the program keeps what outlives it: audit logs, and what several of its processes share."""

from __future__ import annotations

import os
import sys


def state_directory() -> str:
    """The directory of this user, as the platform has it (XDG Base Directory Specification); it need not exist yet."""
    configured = os.environ.get("XDG_STATE_HOME", "")
    if os.path.isabs(configured):  # a relative one is to be ignored, says the specification
        return os.path.join(configured, "intercept")
    home = os.path.expanduser("~")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "intercept")
    return os.path.join(home, ".local", "state", "intercept")


def audit_directory() -> str:
    """Where sessions are recorded unless `--audit` says otherwise."""
    return os.path.join(state_directory(), "audit")


def default_state() -> str:
    """Where limits are counted that outlive a session unless `--state` or `$INTERCEPT_STATE` says otherwise."""
    return os.path.join(state_directory(), "state.sqlite")


def shown_state(place: str) -> str:
    """`place`, which `--state` may name, as it may be shown: of a URL no more than its scheme and its host."""
    if "://" not in place:
        return place
    from urllib.parse import urlsplit

    parts = urlsplit(place)
    if parts.scheme == "unix":
        return f"unix://{parts.path}"
    try:
        host, port = parts.hostname, parts.port
    except ValueError:  # what looks like a port is none, and may be part of a password
        host, port = None, None
    return f"{parts.scheme}://{host or '...'}{f':{port}' if port else ''}"
