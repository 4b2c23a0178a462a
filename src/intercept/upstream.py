"""The upstream's process: starting it, signalling its group, and never leaving it behind.

The upstream runs in a process group of its own, so that one signal reaches what it started (`npx` runs the server as a
grandchild). The group is led by a watchdog, a shell that holds a pipe from us and ends the group when we die without a
word, whatever killed us: a parent-death signal would reach the direct child only, and a watchdog that had to be told of
the group could be too late. POSIX only.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from .errors import UpstreamError

KILL_AFTER: Final = 0.7
"""Seconds between SIGTERM and SIGKILL. A client waits 2 s after its own SIGTERM at most (PROTOCOL section 1.4)."""

_COERCED: Final = frozenset({"C.UTF-8", "C.utf8", "UTF-8"})
"""The locales that Python puts in the place of "C" (PEP 538)."""

_WATCHDOG: Final = f"""
trap '' TERM INT HUP
read -r over && exit 0
kill -TERM 0
sleep {KILL_AFTER}
kill -KILL 0
"""


class Upstream:
    """A running server process.

    `stdin` and `stdout` are our ends of its pipes; `stdin` is non-blocking. Its stderr and environment are ours, unless
    something else is asked for.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str] | None = None, *, errors: int | None = None
    ) -> None:
        """Start `command` with `environment` added to ours, and the descriptor `errors` for its stderr.

        Raises:
            UpstreamError: it cannot be started; the message says why and what to try.
        """
        self._group, self._leash = _start_watchdog()
        theirs_in, self.stdin = os.pipe()
        self.stdout, theirs_out = os.pipe()
        try:
            streams = [(theirs_in, 0), (theirs_out, 1), *([] if errors is None else [(errors, 2)])]
            self._pid = _spawn(command, streams, group=self._group, environment=environment)
        except OSError as error:
            self.release()
            raise UpstreamError(_why(command[0], error)) from None
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        os.set_blocking(self.stdin, False)
        self._status: int | None = None

    def poll(self) -> int | None:
        """The exit code once the process has ended, 128 + n if signal n ended it; None while it runs."""
        if self._status is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self._status = code if code >= 0 else 128 - code
        return self._status

    def signal_group(self, number: int) -> bool:
        """Send a signal to all of the upstream's process group; False if nobody is left in it.

        Until `release` the watchdog is in it too; it heeds nothing but SIGKILL.
        """
        try:
            os.killpg(self._group, number)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True  # macOS says so of a group in which only zombies are left, Linux of one that changed its user
        return True

    def release(self) -> None:
        """Dismiss the watchdog: the group has ended, or is ended by the caller."""
        with suppress(OSError):  # it has gone already
            os.write(self._leash, b"over\n")
        os.close(self._leash)
        os.waitpid(self._group, 0)


def _start_watchdog() -> tuple[int, int]:
    """Start the watchdog; return its process group and the pipe that it reads: either a line, or our end."""
    theirs, ours = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    try:
        # Without our standard streams, whose end our client waits for.
        return _spawn(["/bin/sh", "-c", _WATCHDOG], [(theirs, 0), (null, 1), (null, 2)], group=0), ours
    except OSError as error:
        raise UpstreamError(f"cannot start the watchdog `/bin/sh`: {os.strerror(error.errno or 0)}") from None
    finally:
        os.close(theirs)
        os.close(null)


def _spawn(
    command: Sequence[str],
    streams: list[tuple[int, int]],
    *,
    group: int,
    environment: Mapping[str, str] | None = None,
) -> int:
    # Not `subprocess`: importing it costs as much as all else that runs before the upstream starts to boot.
    return os.posix_spawnp(
        command[0],
        list(command),
        _environment() | (dict(environment) if environment else {}),
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, theirs) for ours, theirs in streams],
        setpgroup=group,
        # Python ignores these; a server expects the default.
        setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],
    )


def _environment() -> dict[str, str]:
    """The environment that we were given, whole.

    In the locale "C", which is what a client leaves that passes no LANG, CPython sets LC_CTYPE for itself and its
    children (PEP 538) and turns on its UTF-8 mode (PEP 540). The upstream asked for neither.
    """
    environment = dict(os.environ)
    ours = sys.flags.utf8_mode and "PYTHONUTF8" not in environment and "utf8" not in sys._xoptions  # noqa: SLF001 - documented, and nowhere else
    if ours and environment.get("LC_CTYPE") in _COERCED and "LC_ALL" not in environment:
        del environment["LC_CTYPE"]
    return environment


def _why(program: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        advice = (
            "no such file"
            if "/" in program
            else "not found in PATH; give its absolute path (a client started from a desktop has a short PATH)"
        )
    elif os.path.isdir(program):
        advice = "it is a directory; give the server's command after `--`"
    elif error.errno == errno.EACCES:
        advice = "it is not executable; make it so or name the interpreter first, as in `-- python server.py`"
    elif error.errno == errno.ENOEXEC:
        advice = "it is neither a program nor a script with a `#!` line; name the interpreter first"
    else:
        advice = os.strerror(error.errno or 0).lower()
    return f"cannot start the server `{program}`: {advice}"
