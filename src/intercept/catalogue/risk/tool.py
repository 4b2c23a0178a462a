"""A definition as it is looked at, the votes that its words cast, and what a verb means beside the other words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ...values import Json
from .arguments import Argument, arguments
from .language import Phrase, phrases_of_description, phrases_of_name, singular, words
from .lexicon import VERBS
from .model import SEVERITY, Category
from .senses import SENSES


class Vote(NamedTuple):
    """What one piece of evidence says."""

    category: Category
    evidence: str
    verb: str = ""
    strong: bool = True


@dataclass(frozen=True, slots=True)
class Tool:
    """A definition, read."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    names: tuple[Phrase, ...]
    texts: tuple[Phrase, ...]

    @property
    def heads(self) -> frozenset[str]:
        """What its verbs act on."""
        return frozenset[str]().union(*(phrase.heads for phrase in (*self.names, *self.texts)))

    @property
    def words(self) -> frozenset[str]:
        """All words of the name, and those that stand beside the verbs of the description."""
        return frozenset(map(singular, words(self.name))).union(*(phrase.things for phrase in self.texts))

    @property
    def verbs(self) -> frozenset[str]:
        """Of the name, or of the description if the name has none."""
        return frozenset(phrase.verb for phrase in self.names or self.texts)

    @property
    def reads(self) -> bool:
        """Whether the name says for sure that it reads."""
        return bool(self.names) and self.names[0].strong and VERBS[self.names[0].verb] is Category.READ


def read(definition: Json) -> Tool:
    """The tool that `definition` tells of, as far as it does."""
    members = definition if isinstance(definition, dict) else {}
    name, description = members.get("name"), members.get("description")
    name = name if isinstance(name, str) else ""
    description = description if isinstance(description, str) else ""
    names = phrases_of_name(name)
    sure = bool(names) and names[0].strong
    texts = phrases_of_description(name, description, sentences=1 if sure else 2)
    return Tool(name, description, arguments(members.get("inputSchema")), names, texts)


def meaning(verb: str, heads: frozenset[str], around: frozenset[str]) -> tuple[Category, str]:
    """What `verb` means when it acts on `heads`, among the words `around`, and the words that say so."""
    plain = VERBS[verb]
    for sense in SENSES:
        if sense.verbs:
            if verb not in sense.verbs:
                continue
        elif plain is Category.READ or SEVERITY[plain] > SEVERITY[sense.category]:
            continue
        found = sorted(heads & sense.things)
        if (sense.things and not found) or not around.isdisjoint(sense.unless):
            continue
        return sense.category, f"`{verb}`" + (f" with `{found[0]}`" if found else "") + f": {sense.why}"
    return plain, f"`{verb}`"
