"""How dangerous a tool is: a pure function of its definition, every step of which leaves its reason behind.

The verbs of the name and of the description's first sentence vote, and so does an argument that chooses an action; the
most dangerous vote counts, but a verb of the name outweighs a word of the description that is a noun as often. Then
arguments and phrases may raise the class. Annotations never lower anything: a server's own word is no evidence for
itself. What nothing tells about is a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from ...values import Json
from .arguments import ITEMS
from .choices import choice_of
from .gravity import is_private, returns_secrets, risk_of
from .language import EMPTY, first_sentence, phrases_of_name, singular, words
from .lexicon import PLAIN_READING, VERBS, each
from .model import SEVERITY, Category, Choice, Risk, Verdict
from .overrides import OVERRIDES
from .raising import by_arguments, by_phrases, holds_code
from .tool import Tool, Vote, meaning, read

ADDRESSES: Final = each("endpoint host uri url urls webpage website")
_AGENT: Final = re.compile(r"\bautonomous(?:ly)?\b", re.IGNORECASE)
READ_ONLY: Final = re.compile(r"\bread[- ]only\b|\bSELECT (?:query|queries|statements?)\b", re.IGNORECASE)
_ANSWERS: Final = each(
    "alerts balance details docs documentation guide guidelines health history info information instructions metadata"
    " overview report reports rules statistics summary version"
)
"""What a tool is named after that answers with it."""
_DEFAULTS: Final = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": False, "openWorldHint": True}
"""What the protocol takes for granted: some libraries write it at every tool, and then it says nothing."""


def classify(definition: Json) -> Verdict:
    """How dangerous the tool with this definition is (an element of `tools` in a `tools/list` result).

    Anything may be missing or of the wrong type; what is not there is no evidence.
    """
    tool = read(definition)
    choice = choice_of(tool)
    vote = _decide(tool, choice)
    evidence = [vote.evidence]
    for raised in (by_arguments(tool, vote), by_phrases(tool, vote)):
        if raised is not None and SEVERITY[raised.category] > SEVERITY[vote.category]:
            vote = raised
            evidence.append(raised.evidence)
    return _weigh(tool, definition, vote, evidence, choice)


# --- what the words say -----------------------------------------------------------------------------------------------


def _name_votes(tool: Tool) -> list[Vote]:
    votes = []
    for phrase in tool.names:
        told = (
            text.heads for text in tool.texts if text.verb == phrase.verb or text.verb in EMPTY or not phrase.strong
        )
        category, why = meaning(phrase.verb, phrase.heads.union(*told), tool.words - {phrase.verb})
        votes.append(Vote(category, f"name: {why}", phrase.verb, phrase.strong))
    return votes


def _text_votes(tool: Tool) -> list[Vote]:
    votes = []
    for phrase in tool.texts:
        named = (other.heads for other in tool.names if other.verb == phrase.verb)
        category, why = meaning(phrase.verb, phrase.heads.union(*named), tool.words - {phrase.verb})
        if phrase.verb in EMPTY and tool.names and VERBS[phrase.verb] is category:
            continue  # `Execute the list_topics operation`
        votes.append(Vote(category, f"description: {why}", phrase.verb, phrase.strong))
    return votes


def _worst(votes: Iterable[Vote]) -> Vote:
    return max(votes, key=lambda vote: SEVERITY[vote.category])


def _decide(tool: Tool, choice: Choice | None) -> Vote:
    names, texts = _name_votes(tool), _text_votes(tool)
    strong = [vote for vote in names if vote.strong]
    if choice is not None:
        action = choice.worst
        chosen = Vote(action.category, f"argument `{choice.where}` can be `{action.value}`", _verb(action.value))
        return _worst([chosen, *(vote for vote in (*strong[:1], *texts) if vote.verb not in EMPTY)])
    if strong:
        said = {vote.verb for vote in texts}
        joined = not {"and", "or"}.isdisjoint(words(tool.name))
        first = _worst(strong) if joined or not texts else next((v for v in strong if v.verb in said), strong[0])
        surely = first.verb in PLAIN_READING or first.category is not Category.READ
        return _worst([first, *(vote for vote in texts if vote.strong or not surely)])
    if texts:
        worst = _worst(texts)
        if worst.category is Category.READ:
            return worst
        # The name is no verb for sure, but it is not about nothing: `refund` gives money back, `pods_exec` runs.
        beginning = words(tool.name)[:1]
        acting = [vote for vote in names[:1] if VERBS[vote.verb] is Category.EXECUTE]
        acting += [
            vote for vote in names if SEVERITY[VERBS[vote.verb]] > SEVERITY[Category.EXECUTE] and vote.verb in beginning
        ]
        return _worst([worst, *acting])
    parts = words(tool.name)
    if parts and parts[-1] in _ANSWERS and parts[0] not in VERBS:
        return Vote(Category.READ, f"name: `{parts[-1]}`, and no word says otherwise")
    if names:
        return names[0]
    if told := _AGENT.search(first_sentence(tool.description)):
        return Vote(Category.EXECUTE, f"description: `{told[0]}`")
    if READ_ONLY.search(tool.description):
        return Vote(Category.READ, "description: read-only, and no word says otherwise")
    return Vote(Category.WRITE, "no word tells what it does", strong=False)


def _verb(value: str) -> str:
    found = phrases_of_name(value)
    return found[0].verb if found else ""


# --- how bad it is ----------------------------------------------------------------------------------------------------


def _weigh(tool: Tool, definition: Json, vote: Vote, evidence: list[str], choice: Choice | None) -> Verdict:
    category = vote.category
    secret = returns_secrets(tool.name, tool.description, tool.arguments, category)
    private = is_private(tool.heads) if category is Category.READ else ""
    code = {argument.name: what for argument in tool.arguments if (what := holds_code(tool, argument))}
    reached = tuple(
        argument.name
        for argument in tool.arguments
        if ADDRESSES & set(words(argument.name)[-1:]) and argument.is_text and ITEMS not in argument.path
    )
    flags = [
        flag
        for flag, holds in (
            ("returns-secrets", secret),
            ("private-data", private),
            ("multi-action", choice is not None),
            ("runs-code", code),
            ("reaches-out", reached and category in {Category.READ, Category.EXECUTE}),
            ("unclear", not vote.verb and not vote.strong),
        )
        if holds
    ]
    if secret:
        evidence.append(f"may return a secret: {secret}")
    if private:
        evidence.append(f"private: `{private}`")
    risk = risk_of(
        category,
        vote.verb,
        tool.heads | frozenset(map(singular, words(tool.name))),
        secret=bool(secret),
        private=bool(private),
        sql=not {"SQL", "a query"}.isdisjoint(code.values()),
        command="a command or code" in code.values(),
        read_only=bool(READ_ONLY.search(tool.description)),
    )
    if known := OVERRIDES.get(tool.name):
        category, risk = known
        evidence = ["a well-known exception"]
    verdict = Verdict(
        tool.name, category, risk, tuple(evidence), tuple(flags), choice, tuple(dict.fromkeys((*code, *reached)))
    )
    return _annotated(verdict, definition, sure=any(phrase.strong for phrase in (*tool.names, *tool.texts)))


def _annotated(verdict: Verdict, definition: Json, *, sure: bool) -> Verdict:
    """`verdict` with what the annotations add. They raise it, or they contradict it and are reported."""
    hints = definition.get("annotations") if isinstance(definition, dict) else None
    if not isinstance(hints, dict) or hints.items() >= _DEFAULTS.items():
        return verdict
    reads, destroys = hints.get("readOnlyHint"), hints.get("destructiveHint")
    if reads is True:
        if verdict.category is Category.READ:
            return verdict
        return replace(verdict, flags=(*verdict.flags, "annotated-read-only"))
    # `destructiveHint` alone is its default spelt out, and says something only of a tool that does not read.
    writes = (reads is False and destroys is True) if sure else (reads is False or destroys is True)
    if verdict.category is Category.READ and writes:
        return replace(
            verdict,
            category=Category.WRITE,
            risk=Risk.MEDIUM,
            evidence=(*verdict.evidence, "annotations: it changes something"),
            flags=(*verdict.flags, "annotated-writing"),
        )
    if verdict.category is Category.WRITE and destroys is True:
        flagged = replace(verdict, flags=(*verdict.flags, "annotated-destructive"))
        # Many servers mark every update so; where a verb tells what the tool does, that weighs more.
        if "unclear" not in verdict.flags:
            return flagged
        return replace(flagged, risk=Risk.HIGH, evidence=(*verdict.evidence, "annotations: destructive"))
    return verdict
