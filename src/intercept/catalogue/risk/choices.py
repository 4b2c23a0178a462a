"""Tools that take several actions: which argument chooses between them, and what each does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from .arguments import ITEMS, chooses, quoted
from .language import EMPTY, phrases_of_name, words
from .lexicon import ALSO_NOUNS, VERBS, each
from .model import SEVERITY, Action, Category, Choice
from .tool import Tool, meaning

_CONTROL: Final = each("abort continue pause resume skip start stop")
"""Values that steer what the tool's own verb does: `mode: continue` of a rebase is still a rebase."""
_PATCHES: Final = each("add append copy increment move remove replace set test")
"""How the changes of one document are told in a list (a JSON patch): an update, whatever they take out of it."""
METHODS: Final = frozenset({"DELETE", "PATCH", "POST", "PUT"})
"""Of HTTP: they are no actions of the tool's own."""
_LISTED: Final = re.compile(r"^[ \t]*[-*\u2022][ \t]*[`'\"*]*([a-z]+(?:_[a-z]+)+)[`'\"*]*[ \t]*:", re.MULTILINE)
"""`- delete_rows: ...` in a description."""


def choice_of(tool: Tool) -> Choice | None:
    """The argument that chooses between actions, if there is one; of several the one with the worst action."""
    found = list(_choices(tool))
    return max(found, key=lambda choice: SEVERITY[choice.worst.category]) if found else None


def _choices(tool: Tool) -> Iterator[Choice]:
    named = bool(tool.names) and tool.names[0].strong and tool.names[0].verb not in EMPTY
    said = {phrase.verb for phrase in (*tool.names[:1], *tool.texts)}
    sure = tool.reads or (len(said) == 1 and bool(tool.names and tool.texts))
    filters = sure and all(VERBS[verb] is Category.READ for verb in said)
    for argument in tool.arguments:
        parts = words(argument.name)
        chooser = chooses(argument) and (len(parts) == 1 or parts[-1] in {"action", "command", "operation"})
        values = argument.values or (quoted(argument, tool.description) if chooser and argument.is_text else ())
        if not values or (named and (len(parts) > 1 or len(values) < 2)) or not METHODS.isdisjoint(values):
            continue
        if ITEMS in argument.path and _PATCHES.issuperset(map(str.lower, values)):
            continue
        actions = tuple(_actions(tool, values))
        firsts = {words(action.value)[0] for action in actions}
        if named and firsts <= _CONTROL:
            continue
        if filters and firsts.isdisjoint(_CONTROL) and all(action.category is not Category.READ for action in actions):
            continue  # which events are looked for
        all_verbs = len(actions) == len(values) and firsts.isdisjoint(ALSO_NOUNS)
        if len(values) == 1:
            chosen = chooser and bool(actions) and (all_verbs or len(words(values[0])) > 1)
        elif ITEMS in argument.path or not all_verbs:
            chosen = chooser and len(actions) >= 2 and len(actions) * 2 >= len(values)
        else:
            chosen = True
        if chosen:
            yield Choice(argument.path, actions)


def _actions(tool: Tool, values: Sequence[str]) -> Iterable[Action]:
    for value in values:
        phrases = phrases_of_name(value)
        if phrases and (phrases[0].strong or words(value)[0] == phrases[0].verb):
            phrase = phrases[0]
            category, _ = meaning(
                phrase.verb, phrase.heads | tool.heads, tool.words.union(phrase.things) - {phrase.verb}
            )
            yield Action(value, category)


def told_of(tool: Tool) -> Action | None:
    """The worst of the actions that the description lists for an argument without a list of its own."""
    if not any(chooses(argument) and not argument.values for argument in tool.arguments):
        return None
    actions = tuple(_actions(tool, _LISTED.findall(tool.description[:4000])))
    return max(actions, key=lambda action: SEVERITY[action.category]) if len(actions) >= 2 else None
