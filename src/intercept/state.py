"""Where the program keeps what outlives it: audit logs, and what several of its processes share."""

from __future__ import annotations

import os
import sys

from .errors import UsageError


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

    try:
        parts = urlsplit(place)
        if parts.scheme == "unix":
            return f"unix://{parts.path}"
        host, port = parts.hostname, parts.port
    except ValueError:  # what looks like a port is none, and may be part of a password
        host, port = None, None
    return f"{place.partition('://')[0]}://{host or '...'}{f':{port}' if port else ''}"


def is_server(place: str) -> bool:
    """Whether `place`, which `--state` may name, is a server that can be talked to, and not a file. Cheap.

    Raises:
        UsageError: it can be neither.
    """
    scheme, separator, _ = place.partition("://")
    if not separator:
        return False
    if scheme not in {"redis", "rediss", "unix"}:
        raise UsageError(
            f"`--state {scheme}://...` is nothing that counters are kept in; write a path, or redis://HOST"
        )
    from importlib.util import find_spec
    from urllib.parse import urlsplit

    if find_spec("redis") is None:
        raise UsageError(f"`--state {scheme}://...` needs `pip install 'mcp-intercept-proxy[redis]'`")
    try:
        parts = urlsplit(place)
        usable = parts.port is None or parts.port > 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"`--state {shown_state(place)}` cannot be used; write redis://HOST:PORT/0")
    return True
