"""One session: which tools and prompts are still what was reviewed. Pure.

What the upstream lists is compared as it arrives, before anything is taken out of it. Once something else than the
reviewed definition was listed under a name, the name is withheld for the rest of the session, or until another lock
file is put in force: a list may have reached the model already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from ..errors import visible
from ..policy import Kind
from ..values import Json
from .definitions import REPORTED, Digests, differing, digests_of, skeleton
from .lock import Lock, Server

_REVIEW: Final = "A person can look at it with `intercept pin --review`."
_MOST: Final = 10_000
"""Names that are remembered to tell of them; real servers have up to a few hundred."""
_LONGEST: Final = 100
"""Characters of a name in a message."""


class Drift(NamedTuple):
    """Something is not what was reviewed, or not what it seems."""

    name: str
    """Of the tool or prompt; `server` for the server itself."""
    text: str
    """For the operator: what it is, and what was done about it."""


class Watch:
    """What one session has seen of the definitions in `lock`."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._skeletons = {
            (kind, skeleton(name)): name for kind, pins in lock.pins.items() for name in sorted(pins, reverse=True)
        }
        self._listed: dict[tuple[Kind, str], dict[str, Json]] = {}
        """The last definition under each name of the lock file, to know it again."""
        self._latest: dict[tuple[Kind, str], Digests] = {}
        self._changed: dict[tuple[Kind, str], tuple[str, ...]] = {}
        """Names of the lock file under which something else was listed, to the parts that differ."""
        self._names: dict[Kind, dict[str, str]] = {}
        """Of the list whose pages are coming in: what the eye makes of each to the first such name."""
        self._told: set[Drift] = set()
        self._server: Server | None = None
        self.withholds_instructions = False
        """Whether the upstream gives its user's model other instructions than were reviewed."""

    def renewed(self, lock: Lock) -> Watch:
        """The same session under another lock file: what was listed last is compared with it."""
        watch = Watch(lock)
        for (kind, name), digests in self._latest.items():
            if (pinned := lock.find(kind, name)) is not None:
                watch._latest[kind, name] = digests
                watch._compare(kind, name, pinned.digests, digests)
        if self._server is not None:
            watch._meet(self._server)
        return watch

    # --- what the upstream says -------------------------------------------------------------------------------------

    def see(self, kind: Kind, definitions: list[Json], *, more: bool) -> list[Drift]:
        """Compare a page of a list; `more` says whether others follow. Returns what to tell the operator, once."""
        names = self._names.setdefault(kind, {})
        found: list[Drift] = []
        for definition in definitions:
            name = definition.get("name") if isinstance(definition, dict) else None
            if isinstance(definition, dict) and isinstance(name, str):
                found += (Drift(name, text) for text in self._see(kind, name, definition, names))
        if not more:
            names.clear()
        fresh = [drift for drift in dict.fromkeys(found) if drift not in self._told]
        # A long line is cut, and this is what matters most.
        fresh.sort(key=lambda drift: not drift.text.startswith("withheld"))
        # A peer can think of any number of names.
        if len(self._told) < _MOST:
            self._told.update(fresh)
        return fresh

    def _see(self, kind: Kind, name: str, definition: dict[str, Json], others: dict[str, str]) -> Iterator[str]:
        eye = skeleton(name)
        alike = others.get(eye)
        if len(others) < _MOST:
            others.setdefault(eye, name)
        if alike == name:
            yield f"the {kind} {_quoted(name)} is listed twice"
        pinned = self._lock.find(kind, name)
        if pinned is None:
            if (twin := self._twin(kind, name)) is not None:
                yield f"withheld the {kind} {_quoted(name)}: it looks like {_quoted(twin)}"
            else:
                yield f"the {kind} {_quoted(name)} is new: it is not in the lock file"
                if alike not in {None, name}:
                    yield f"the {kind}s {_quoted(str(alike))} and {_quoted(name)}, both new, look alike"
            return
        key = kind, name
        if self._listed.get(key) != definition:
            self._listed[key] = definition
            digests = self._latest[key] = digests_of(kind, definition)
            self._compare(kind, name, pinned.digests, digests)
        hints = sorted(REPORTED.intersection(differing(kind, pinned.digests, self._latest[key])))
        if hints:
            yield f"of the {kind} {_quoted(name)} {' and '.join(hints)} changed since the review; it is not withheld"
        if key in self._changed:
            yield f"withheld the {kind} {_quoted(name)}: {_what(self._changed[key])} changed since the review"

    def _compare(self, kind: Kind, name: str, pinned: Digests, seen: Digests) -> None:
        changed = tuple(part for part in differing(kind, pinned, seen) if part not in REPORTED)
        if changed:
            self._changed[kind, name] = changed

    def meet(self, about: Json, instructions: Json) -> list[Drift]:
        """Compare what the upstream says about itself; what to tell the operator."""
        return self._meet(Server.of(about, instructions))

    def _meet(self, server: Server) -> list[Drift]:
        self._server = server
        reviewed = self._lock.server
        notes = [
            f"the server's {what} is {_quoted(now)}, reviewed was {_quoted(then)}"
            for what, then, now in (
                ("name", reviewed.name, server.name),
                ("version", reviewed.version, server.version),
            )
            if then != now
        ]
        self.withholds_instructions = reviewed.instructions.split() != server.instructions.split()
        if self.withholds_instructions:
            notes.append("withheld the server's instructions: they changed since the review")
        return [Drift("server", note) for note in notes]

    # --- what may be used -------------------------------------------------------------------------------------------

    def refusal(self, kind: Kind, name: str, *, allows_new: bool, listing: bool = False) -> str:
        """Why `name` must not be used, as a sentence for the model; empty if it may be.

        `allows_new`: whether what nobody has reviewed may be used. `listing`: whether the question is only if it may be
        shown, which is asked while it is being listed.
        """
        if kind not in self._lock.pins:
            return ""
        if self._lock.find(kind, name) is None:
            if (twin := self._twin(kind, name)) is not None:
                return f"{_quoted(name)} looks like {_quoted(twin)} and was not reviewed, so it is withheld. {_REVIEW}"
            return "" if allows_new else f"{_quoted(name)} is new and was not reviewed, so it is withheld. {_REVIEW}"
        if changed := self._changed.get((kind, name)):
            return f"{_what(changed)} of {_quoted(name)} changed since it was reviewed, so it is withheld. {_REVIEW}"
        if not listing and (kind, name) not in self._latest:
            return (
                f"{_quoted(name)} was not listed in this session, so nobody knows if it is still what was reviewed. "
                f"List the {kind}s, then try again."
            )
        return ""

    def _twin(self, kind: Kind, name: str) -> str | None:
        """The reviewed name that `name`, which is none, can be mistaken for."""
        return self._skeletons.get((kind, skeleton(name)))


_PARTS: Final = {"inputSchema": "input schema", "outputSchema": "output schema"}


def _what(parts: tuple[str, ...]) -> str:
    return f"the {' and the '.join(_PARTS.get(part, part) for part in parts)}"


def _quoted(name: str) -> str:
    shown = visible(name[:_LONGEST])
    return f"`{shown}`" if len(name) <= _LONGEST else f"`{shown}…`"
