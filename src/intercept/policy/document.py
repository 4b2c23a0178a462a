"""One policy file, read: its models, where everything stands, and every mistake of shape that is in it.

`read(path)` never raises. Mistakes of meaning are for `compile`, which words them with `Document.problem`; it is given
the sound parts of a file even where others are not, so that an author hears of everything at once.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Final, NamedTuple

from ..errors import Problem
from ..hashes import sha256_of
from . import source
from .schema import PolicyFile
from .shape import Complaint, Refusal
from .tree import Data, Key, KeyPath, Node, Places
from .wording import clipped, one_line

_ROUNDS: Final = 5
"""Of validating and mending. One finds nearly everything; what a part lacks is found when its own parts are sound."""
_NEUTRAL: Final[dict[Key, Data]] = {
    **{key: {"path": "grant", "op": "exists", "value": True} for key in ("when", "require", "conditions")},
    "limits": {"max": 1, "window": 1},
    "deny_if": {},
}


class Document(NamedTuple):
    """A policy file as it was read."""

    path: str
    """The file as the user named it."""
    digest: str
    """SHA-256 of its bytes, in hex; empty if it could not be read."""
    file: PolicyFile | None
    """What it says, without the parts that `problems` speaks of; None if nothing could be made of it."""
    problems: tuple[Problem, ...]
    """What is wrong with its shape, in the order of the text; unless empty, `file` must not be used for decisions."""
    root: Node | None
    places: Places

    @property
    def is_partial(self) -> bool:
        """Whether parts were left out of `file`: then what another part refers to may be missing for that reason."""
        return bool(self.problems)

    def position(self, path: KeyPath, *, of_key: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the value at `path`, or of its key.

        `path` is what leads there in `file`: `("tools", "refund", "rules", 0, "rate_limit")`. Where there is nothing
        (a default), the place of what is around it.
        """
        return self.places[_locate(self.root, path, of_key=of_key)] if self.root else (0, 0)

    def problem(self, path: KeyPath, message: str, advice: str = "", *, of_key: bool = False) -> Problem:
        """A mistake at `path`; `message` and `advice` in the words of `errors`, and made to be one line each."""
        place = self.position(path, of_key=of_key)
        return Problem(self.path, *place, key_text(path), one_line(message), one_line(advice))


def read(path: str) -> Document:
    """Read the file at `path`: bytes, tree, models. Whatever is wrong is in `problems`."""
    data = source.read_bytes(path)
    if isinstance(data, Problem):
        return Document(path, "", None, (data,), None, Places(""))
    return parse(data, path)


def parse(data: bytes, path: str) -> Document:
    """As `read`, of bytes that are there already."""
    text = source.parse(data, as_json=path.lower().endswith(".json"))
    problems = [
        Problem(path, *((0, 0) if mistake.at is None else text.places[mistake.at]), "", mistake.message, mistake.help)
        for mistake in text.mistakes
    ]
    document = Document(path, sha256_of(data), None, (), text.root, text.places)
    if text.root is None:
        return document._replace(problems=tuple(problems))
    file, complaints = _validate(text.root.value)
    places = {(problem.line, problem.column) for problem in problems}
    for complaint in complaints:
        problem = document.problem(complaint.path, complaint.message, complaint.help, of_key=complaint.of_key)
        # What the text itself got wrong is told once; an anchored part that is wrong is told where it stands.
        if (problem.line, problem.column) not in places:
            problems.append(problem)
    unique: dict[tuple[int, int, str], Problem] = {}
    for problem in problems:
        unique.setdefault((problem.line, problem.column, problem.message), problem)
    ordered = sorted(unique.values(), key=lambda problem: (problem.line, problem.column))
    return document._replace(file=file, problems=tuple(ordered))


def key_text(path: KeyPath) -> str:
    """`path` as people write it: `tools.refund.rules[0].rate_limit`."""
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif re.fullmatch(r"[\w*-]{1,60}", key):
            text += f".{key}" if text else key
        else:
            text += f"['{clipped(key)}']"
    return one_line(text)


def _locate(node: Node, path: KeyPath, *, of_key: bool) -> int:
    at = node.at
    for key in path:
        if key not in node.places:
            break
        at = node.keys.get(key, node.places[key]) if of_key else node.places[key]
        if key not in node.children:
            break
        node = node.children[key]
    return at


def _validate(value: Data) -> tuple[PolicyFile | None, list[Complaint]]:
    """The models of `value`, and what is wrong with it; what is wrong is then left out of the models."""
    complaints: list[Complaint] = []
    mended: set[KeyPath] = set()
    for _ in range(_ROUNDS):
        try:
            return PolicyFile.read(value), complaints
        except Refusal as refusal:
            found = refusal.complaints
        # A mapping that lost a key was judged before; what it lacks now is our doing.
        complaints += [each for each in found if mended.isdisjoint({each.path, each.path[:-1]})]
        value = deepcopy(value)
        for complaint in found:
            mended.add(_mend(value, complaint.path))
    return None, complaints


def _mend(value: Data, path: KeyPath) -> KeyPath:
    """Take out of `value` the smallest part around `path` without which the rest still means the same.

    An item of a list leaves a neutral one, so that the others keep their numbers. Returns where something was put in
    or taken out.
    """
    match path:
        case ("tools" | "resources" | "prompts", _):
            return _put(value, path, {})
        case ("tests", int(), *_):
            return _put(value, path[:2], {"calls": []})
        case ("tools" | "resources" | "prompts", _, "rules", int(), *_):
            rule = 4
        case ("tools" | "resources" | "prompts", _, *_):
            rule = 2
        case ("all_tools", "rules", int(), *_):
            rule = 3
        case ("all_tools", _, *_):
            rule = 1
        case ():
            return ()
        case _:
            return _put(value, path[:1], None)
    # `state` and the conditions of its rule are read together.
    around = _get(value, path[:rule])
    if len(path) == rule or not isinstance(around, dict) or "state" in around:
        return _put(value, path[:rule], {})
    if len(path) > rule + 1 and path[rule] in _NEUTRAL:
        return _put(value, path[: rule + 2], _NEUTRAL[str(path[rule])])
    return _put(value, path[: rule + 1], None)


def _get(value: Data, path: KeyPath) -> Data:
    for key in path:
        if isinstance(value, dict) and key in value:
            value = value[str(key)]
        elif isinstance(value, list) and isinstance(key, int) and key < len(value):
            value = value[key]
        else:
            return {}
    return value


def _put(value: Data, path: KeyPath, new: Data) -> KeyPath:
    """Set what is at `path` to `new`, or take it out if that is None; returns the path of what changed."""
    parent, key = _get(value, path[:-1]), path[-1]
    if isinstance(parent, list) and isinstance(key, int) and key < len(parent):
        parent[key] = deepcopy(new)
        return path
    if isinstance(parent, dict) and isinstance(key, str):
        parent.pop(key, None)
        if new is not None:
            parent[key] = deepcopy(new)
            return path
    return path[:-1]
