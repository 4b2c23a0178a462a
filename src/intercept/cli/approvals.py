"""`intercept approvals [list | show | approve | deny | keygen]`: what waits for a person, and the answers."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..answers import printable
from ..errors import InterceptError, StoreUnavailable, UsageError

if TYPE_CHECKING:
    from ..approval.operator import ApprovalStore
    from ..approval.record import Record

_EPILOG: Final = """examples:
  intercept approvals                     what waits for an answer
  intercept approvals show k3m9x2pt       every argument of one of them
  intercept approvals approve k3m9x2pt    the same call passes, once
  intercept approvals --watch             a live view with keys
  intercept approvals keygen ~/approve    a key for `--key`; the proxy gets `--approval-key ~/approve.pub`

exit codes: 0 fine, 1 there is no such approval, or it was answered already, 2 wrong usage
"""
_PATIENCE: Final = 5.0
_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what waits, under `--watch`."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    parser = subparsers.add_parser(
        "approvals",
        help="what waits for a person, and the answers",
        usage="intercept approvals [list | show ID | approve ID | deny ID | keygen FILE] [options]",
        description="Show the calls that wait for a person, and approve or deny them.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "show", "approve", "deny", "keygen"), metavar="ACTION",
        help="`list` (the default), `show`, `approve`, `deny`, or `keygen`",
    )  # fmt: skip
    parser.add_argument("what", nargs="?", metavar="ID", help="which one, as `list` and the model name it")
    parser.add_argument("--all", action="store_true", help="list: those that are over too")
    parser.add_argument("--watch", action="store_true", help="list: a live view, in which keys approve and deny")
    parser.add_argument("--key", metavar="FILE", help="sign approvals with the secret key in FILE")
    parser.add_argument(
        "--state",
        metavar="PLACE",
        help="where approvals are kept: what the proxy's `--state` names (default: $INTERCEPT_STATE, or "
        "`intercept/state.sqlite` in the user's directory for state)",
    )
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="text for people (the default), json for programs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for; return the exit code.

    Raises:
        UsageError: the command line makes no sense.
        StoreBusy, StoreUnavailable: the state cannot be read or written now.
    """
    action, what = arguments.action, arguments.what
    if action == "list" and what is not None:
        raise UsageError(f"unknown argument `{printable(what)}`; `show {printable(what)}` shows one")
    if action != "list" and what is None:
        raise UsageError(f"`intercept approvals {action}` needs {'a file' if action == 'keygen' else 'an id'}")
    if arguments.watch and (action != "list" or arguments.format == "json"):
        raise UsageError("`--watch` is a view of the list, for people")
    if action == "keygen":
        return _make_key(what)
    store = _opened(arguments.state)
    try:
        if arguments.watch:
            return _watch(store, _signer(arguments.key))
        if action == "list":
            return _list(store, arguments.format, everything=arguments.all)
        record = next((each for each in store.every(patience=_PATIENCE) if each.id == what), None)
        if record is None:
            raise InterceptError(f"there is no approval `{printable(what)}`; `intercept approvals` lists them")
        if action == "show":
            return _show(record, arguments.format)
        print(_answered(store, record, _signer(arguments.key), allow=action == "approve"))
        return 0
    except StoreUnavailable as error:
        raise StoreUnavailable(f"{error}: {error.remedy}" if error.remedy else str(error)) from None


def _opened(place: str | None) -> ApprovalStore:
    from ..approval.operator import open_approvals
    from ..state import default_state

    return open_approvals(place or os.environ.get("INTERCEPT_STATE") or default_state())


def _signer(path: str | None) -> Callable[[Record], str] | None:
    if path is None:
        return None
    from ..approval.keys import signer

    return signer(path)


def _now() -> float:
    return time.time()  # noqa: TID251 - what is looked at was written by other processes


def _make_key(path: str) -> int:
    from ..approval.keys import make_key

    public = make_key(path)
    print(f"wrote the secret key `{path}`, for `intercept approvals approve ID --key {path}`")
    print(f"wrote the public key `{public}`, for `intercept --approval-key {public} ...`")
    print("keep the first where nothing that acts for the model can read it: another user's directory, another machine")
    return 0


def _list(store: ApprovalStore, form: str, *, everything: bool) -> int:
    from ..approval.record import State
    from ..approval.watch import summary

    now = _now()
    records = [
        record
        for record in store.every(patience=_PATIENCE)
        if everything or (record.state is State.WAITING and now < record.expires)
    ]
    if form == "json":
        print(json.dumps([record.as_json() for record in records], indent=2))
        return 0
    for record in records:
        print(summary(record, now))
    if not records:
        print("nothing waits for an answer")
    return 0


def _show(record: Record, form: str) -> int:
    from ..approval.watch import details

    if form == "json":
        print(json.dumps(record.as_json(), indent=2))
        return 0
    for line in details(record, _now()):
        print(line)
    return 0


def _answered(store: ApprovalStore, record: Record, sign: Callable[[Record], str] | None, *, allow: bool) -> str:
    """What came of answering `record`.

    Raises:
        InterceptError: it can be answered no more.
    """
    from ..approval.record import State
    from ..approval.watch import standing

    now = _now()
    if record.state is not State.WAITING or now >= record.expires:
        raise InterceptError(f"`{record.id}` cannot be answered any more: {standing(record, now)}")
    answered = record.answered(State.APPROVED if allow else State.DENIED, _user(), now)
    if sign is not None and allow:
        answered = replace(answered, signature=sign(answered))
    if not store.answer(answered, patience=_PATIENCE):
        raise InterceptError(f"`{record.id}` was answered by somebody else")
    return f"`{record.id}` is {standing(answered, now)}"


def _user() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


# --- the live view ---------------------------------------------------------------------------------------------------


def _watch(store: ApprovalStore, sign: Callable[[Record], str] | None) -> int:
    import select
    import shutil
    import termios
    import tty

    from ..approval.watch import Watch, Wish

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("`--watch` needs a terminal; without one, list with `--format json`")
    view = Watch()
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    try:
        tty.setcbreak(keyboard)
        sys.stdout.write("\x1b[?1049h\x1b[?25l")  # another screen, no cursor
        while True:
            view.show(store.every(patience=_PATIENCE), _now())
            size = shutil.get_terminal_size()
            lines = view.lines(_now(), size.columns, size.lines)
            sys.stdout.write("\x1b[H" + "".join(f"{line}\x1b[K\r\n" for line in lines[:-1]) + f"{lines[-1]}\x1b[J")
            sys.stdout.flush()
            if not select.select([keyboard], [], [], _LOOK_EVERY)[0]:
                continue
            pressed = os.read(keyboard, 16).decode("utf-8", "replace")
            wish = view.press(pressed) if pressed else Wish.QUIT
            if wish is Wish.QUIT:
                return 0
            if wish is not None and (record := view.selected) is not None:
                try:
                    view.message = _answered(store, record, sign, allow=wish is Wish.APPROVE)
                except InterceptError as error:
                    view.message = str(error)
    finally:
        sys.stdout.write("\x1b[?25h\x1b[?1049l")
        sys.stdout.flush()
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
