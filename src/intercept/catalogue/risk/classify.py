"""How dangerous a tool is: a pure function of its definition, every step of which leaves its reason behind.

The verbs of the name and of the description's first sentence vote, and so does an argument that chooses an action; the
most dangerous vote counts, but a verb of the name outweighs a word of the description that is a noun as often. Then
arguments and phrases may raise the class. Annotations never lower anything: a server's own word is no evidence for
itself. What nothing tells about is a change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ...values import Json
from .arguments import ITEMS, Argument, arguments, chooses, quoted
from .gravity import is_private, returns_secrets, risk_of
from .language import EMPTY, Phrase, first_sentence, phrases_of_description, phrases_of_name, singular, words
from .lexicon import ALSO_NOUNS, PLAIN_READING, SENSES, VERBS, each
from .model import SEVERITY, Action, Category, Choice, Risk, Verdict
from .overrides import OVERRIDES

_BROWSER: Final = each(
    " computer android browser chrome chromium cursor keyboard mobile mouse playwright puppeteer simulator"
)
"""In a tool's name: what it changes, it changes by acting like a person at a screen."""
_KEEPING: Final = each("clipboard export save")
"""In the name of such a tool: what is seen there is kept, and nothing is done to it."""
_AT_SCREENS: Final = each("check choose select uncheck")
"""Verbs that only look anywhere else."""
_CONTROL: Final = each("abort continue pause resume skip start stop")
"""Values that steer what the tool's own verb does: `mode: continue` of a rebase is still a rebase."""
_PATCHES: Final = each("add append copy increment move remove replace set test")
"""How the changes of one document are told in a list (a JSON patch): an update, whatever they take out of it."""
_SQL: Final = re.compile(r"\b(?:sql|kql|cypher|graphql|sparql|soql|select|insert|ddl)\b", re.IGNORECASE)
_SQL_TEXTS: Final = each("commands queries query sql statement statements string text")
_SQL_NAMES: Final = each("cypher kql query sql statement")
_COMMAND_NAMES: Final = each("bash cmd command commands javascript js powershell script shell")
_MORE: Final = each("additional cli extra raw")
_OPTIONS: Final = each("args arguments flags options")
"""`extra_args`: they go to a command as they are."""
_MAYBE_CODE: Final = each("args argv code expression function input program python snippet source")
_RUNS_CODE: Final = re.compile(
    r"\b(?:runs?|running|execut\w+|evaluat\w+|interpret\w*)\b[^.\n]{0,40}\b(?:code|commands?|expressions?|functions?|programs?"
    r"|python|javascript|js|scripts?|snippets?|shell)\b",
    re.IGNORECASE,
)
_FETCHES: Final = each("download export save")
"""Verbs that put what they read into a file, if an argument names one."""
_OUTPUTS: Final = each("download output save")
_NEAR: Final = each("dest destination local target")
_FILES: Final = each("dir directory file filename folder path to")
"""In an argument's name: `output_path`, `saveTo`; with one of `_NEAR` it may be where something is read as well."""
_TO_FILE: Final = re.compile(r"\bto (?:a |the |your )?(?:local )?(?:disk|file|filesystem|folder|path)\b", re.IGNORECASE)
_ANALYSING: Final = each("""
    add analyse analyze check compare convert create define delete diff edit estimate explain format generate lint
    list optimise optimize parse put register remove review save schedule search set store suggest translate update
    validate verify
""")
"""Verbs that take code or SQL as text and do not run it."""
_ADDRESSES: Final = each("endpoint host uri url urls webpage website")
_METHODS: Final = frozenset({"DELETE", "PATCH", "POST", "PUT"})
_BUYS: Final = re.compile(
    r"\b(?:and|to) (?:bill|buy|charge|credit|debit|pay|purchase|refund|withdraw)\b", re.IGNORECASE
)
_MAKES: Final = each("add checkout confirm create issue make move place send submit transfer")
_RECEIVERS: Final = each("beneficiary destination iban payee payer recipient wallet")
_TO: Final = frozenset({frozenset({"to"}), frozenset({"to", "account"}), frozenset({"to", "address"})})
_BUDGETS: Final = each("bid budget spend")
_ADVERTISING: Final = re.compile(r"\b(?:ads?|advertis\w+|budget|spend\w*)\b", re.IGNORECASE)
_LAUNCHES: Final = each("activate create duplicate enable launch publish resume start update")
_ALSO_CHANGES: Final = re.compile(
    r"\b(?:and|also|then|automatically|will)\s+(?:also\s+|then\s+|automatically\s+)?"
    r"(?:brings?|creates?|deletes?|imports?|modif(?:y|ies)|overwrites?|persists?|removes?|saves?|sends?|stores?|updates?|writes?)\s+"
    r"(?:it|them|the|a|an|new|your|this|any|all)\b(?! (?:report|list|summary|link|url))",
    re.IGNORECASE,
)
_IN_A_PAGE: Final = re.compile(r"\bCSS selector\b|\bXPath\b|\belement\b[^.\n]{0,80}\bsnapshot\b", re.IGNORECASE)
"""How an argument is described that names a part of a page in a browser."""
_ANY_REQUEST: Final = re.compile(
    r"\b(?:any|arbitrary|custom|raw)\s+(?:[\w-]+\s+){0,2}(?:API|endpoint|HTTP|method|request)s?\b", re.IGNORECASE
)
_AGENT: Final = re.compile(r"\bautonomous(?:ly)?\b", re.IGNORECASE)
_DESTRUCTIVE: Final = re.compile(r"(?<!non-)(?<!non )(?<!not )\bdestructive\b", re.IGNORECASE)
_IRREVERSIBLE: Final = re.compile(
    r"\b(?:all|any|existing|current|the) [^.\n]{0,40}\b(?:data|contents?|files?|disk)\b[^.\n]{0,40}"
    r"\b(?:deleted|destroyed|erased|lost|overwritten|removed|wiped)\b"
    r"|\b(?:irreversibl\w+|(?:cannot|can't) be undone|(?:is|are) destructive|factory (?:defaults|reset|settings))\b",
    re.IGNORECASE,
)
_READ_ONLY: Final = re.compile(r"\bread[- ]only\b|\bSELECT (?:query|queries|statements?)\b", re.IGNORECASE)


_ANSWERS: Final = each(
    "alerts balance details health history info information metadata overview report reports statistics summary version"
)
"""What a tool is named after that answers with it."""


class _Vote(NamedTuple):
    """What one piece of evidence says."""

    category: Category
    evidence: str
    verb: str = ""
    strong: bool = True


@dataclass(frozen=True, slots=True)
class _Tool:
    """A definition, read."""

    name: str
    description: str
    arguments: tuple[Argument, ...]
    names: tuple[Phrase, ...]
    texts: tuple[Phrase, ...]

    @property
    def heads(self) -> frozenset[str]:
        return frozenset[str]().union(*(phrase.heads for phrase in (*self.names, *self.texts)))

    @property
    def words(self) -> frozenset[str]:
        return frozenset(map(singular, words(self.name))).union(*(phrase.things for phrase in self.texts))

    @property
    def verbs(self) -> frozenset[str]:
        """Of the name, or of the description if the name has none."""
        return frozenset(phrase.verb for phrase in self.names or self.texts)

    @property
    def reads(self) -> bool:
        """Whether the name says for sure that it reads."""
        return bool(self.names) and self.names[0].strong and VERBS[self.names[0].verb] is Category.READ


def classify(definition: Json) -> Verdict:
    """How dangerous the tool with this definition is (an element of `tools` in a `tools/list` result).

    Anything may be missing or of the wrong type; what is not there is no evidence.
    """
    tool = _read(definition)
    choice = _choice(tool)
    vote = _decide(tool, choice)
    evidence = [vote.evidence]
    for raised in (_by_arguments(tool, vote), _by_phrases(tool, vote)):
        if raised is not None and SEVERITY[raised.category] > SEVERITY[vote.category]:
            vote = raised
            evidence.append(raised.evidence)
    return _weigh(tool, definition, vote, evidence, choice)


def _read(definition: Json) -> _Tool:
    members = definition if isinstance(definition, dict) else {}
    name, description = members.get("name"), members.get("description")
    name = name if isinstance(name, str) else ""
    description = description if isinstance(description, str) else ""
    names = phrases_of_name(name)
    sure = bool(names) and names[0].strong
    texts = phrases_of_description(name, description, sentences=1 if sure else 2)
    return _Tool(name, description, arguments(members.get("inputSchema")), names, texts)


# --- what the words say -----------------------------------------------------------------------------------------------


def _meaning(verb: str, heads: frozenset[str], around: frozenset[str]) -> tuple[Category, str]:
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


def _name_votes(tool: _Tool) -> list[_Vote]:
    votes = []
    for phrase in tool.names:
        told = (
            text.heads for text in tool.texts if text.verb == phrase.verb or text.verb in EMPTY or not phrase.strong
        )
        category, why = _meaning(phrase.verb, phrase.heads.union(*told), tool.words - {phrase.verb})
        votes.append(_Vote(category, f"name: {why}", phrase.verb, phrase.strong))
    return votes


def _text_votes(tool: _Tool) -> list[_Vote]:
    votes = []
    for phrase in tool.texts:
        named = (other.heads for other in tool.names if other.verb == phrase.verb)
        category, why = _meaning(phrase.verb, phrase.heads.union(*named), tool.words - {phrase.verb})
        if phrase.verb in EMPTY and tool.names and VERBS[phrase.verb] is category:
            continue  # `Execute the list_topics operation`
        votes.append(_Vote(category, f"description: {why}", phrase.verb, phrase.strong))
    return votes


def _worst(votes: Iterable[_Vote]) -> _Vote:
    return max(votes, key=lambda vote: SEVERITY[vote.category])


def _decide(tool: _Tool, choice: Choice | None) -> _Vote:
    names, texts = _name_votes(tool), _text_votes(tool)
    strong = [vote for vote in names if vote.strong]
    if choice is not None:
        action = choice.worst
        chosen = _Vote(action.category, f"argument `{choice.where}` can be `{action.value}`", _verb(action.value))
        return _worst([chosen, *strong[:1], *(vote for vote in texts if vote.verb not in EMPTY)])
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
    if (last := words(tool.name)[-1:]) and last[0] in _ANSWERS and not strong:
        return _Vote(Category.READ, f"name: `{last[0]}`, and no word says otherwise")
    if names:
        return names[0]
    if told := _AGENT.search(first_sentence(tool.description)):
        return _Vote(Category.EXECUTE, f"description: `{told[0]}`")
    if _READ_ONLY.search(tool.description):
        return _Vote(Category.READ, "description: read-only, and no word says otherwise")
    return _Vote(Category.WRITE, "no word tells what it does", strong=False)


def _verb(value: str) -> str:
    found = phrases_of_name(value)
    return found[0].verb if found else ""


def _choice(tool: _Tool) -> Choice | None:
    """The argument that chooses between actions, if there is one; of several the one with the worst action."""
    found = list(_choices(tool))
    return max(found, key=lambda choice: SEVERITY[choice.worst.category]) if found else None


def _choices(tool: _Tool) -> Iterator[Choice]:
    named = bool(tool.names) and tool.names[0].strong and tool.names[0].verb not in EMPTY
    filters = tool.reads and all(VERBS[phrase.verb] is Category.READ for phrase in tool.texts)
    for argument in tool.arguments:
        parts = words(argument.name)
        chooser = chooses(argument) and (len(parts) == 1 or parts[-1] in {"action", "command", "operation"})
        values = argument.values or (quoted(argument) if chooser and argument.is_text else ())
        if len(values) < 2 or (named and len(parts) > 1) or not _METHODS.isdisjoint(values):
            continue
        if ITEMS in argument.path and _PATCHES.issuperset(map(str.lower, values)):
            continue
        actions = tuple(_actions(tool, values))
        firsts = {words(action.value)[0] for action in actions}
        if named and firsts <= _CONTROL:
            continue
        if named and filters and all(action.category is not Category.READ for action in actions):
            continue  # which events are looked for
        all_verbs = len(actions) == len(values) and firsts.isdisjoint(ALSO_NOUNS)
        if len(actions) >= 2 and (
            (all_verbs and ITEMS not in argument.path) or (chooser and len(actions) * 2 >= len(values))
        ):
            yield Choice(argument.path, actions)


def _actions(tool: _Tool, values: Sequence[str]) -> Iterable[Action]:
    for value in values:
        phrases = phrases_of_name(value)
        if phrases and (phrases[0].strong or words(value)[0] == phrases[0].verb):
            phrase = phrases[0]
            category, _ = _meaning(
                phrase.verb, phrase.heads | tool.heads, tool.words.union(phrase.things) - {phrase.verb}
            )
            yield Action(value, category)


# --- what raises it ---------------------------------------------------------------------------------------------------


def _holds_code(tool: _Tool, argument: Argument) -> str:
    """What `argument` holds that is run: `SQL`, `a command`, or empty."""
    if not (argument.is_text or argument.is_list) or not tool.verbs.isdisjoint(_ANALYSING):
        return ""
    found = frozenset(words(argument.name)[-1:])
    if ("sql" in words(argument.name) and found & _SQL_TEXTS) or (
        found & _SQL_NAMES and _SQL.search(argument.description + tool.description[:300])
    ):
        return "SQL"
    if "pipeline" in found and "aggregat" in tool.description.lower():
        return "a query"
    if len(argument.path) > 1:
        return ""
    if not _MORE.isdisjoint(words(argument.name)) and found & _OPTIONS:
        return "options of a command"
    if found & _COMMAND_NAMES or (found & _MAYBE_CODE and _RUNS_CODE.search(first_sentence(tool.description))):
        return "a command or code"
    return ""


def _by_arguments(tool: _Tool, vote: _Vote) -> _Vote | None:
    if vote.category is Category.WRITE and (told := _money(tool)):
        return _Vote(Category.FINANCIAL, told, vote.verb)
    for argument in tool.arguments:
        if what := _holds_code(tool, argument):
            return _Vote(Category.EXECUTE, f"argument `{argument.name}` holds {what}", vote.verb)
        if (
            "method" in words(argument.name)
            and _METHODS & set(re.findall("[A-Z]+", " ".join(argument.values).upper() or argument.description))
            and tool.verbs.isdisjoint(_ANALYSING)
        ):
            return _Vote(Category.EXECUTE, f"argument `{argument.name}` can be any HTTP method", vote.verb)
    if vote.category is Category.READ and (told := _written(tool)):
        return _Vote(Category.WRITE, f"{told}: a file that it writes", vote.verb)
    return None


def _written(tool: _Tool) -> str:
    """What says that a tool that reads puts the answer into a file of its own machine; empty if nothing does.

    Most tools that merely can do so are asked for the answer itself.
    """
    fetches = not tool.verbs.isdisjoint(_FETCHES)
    if fetches and (told := _TO_FILE.search(first_sentence(tool.description))):
        return f"description: `{told[0]}`"
    for argument in tool.arguments:
        parts = frozenset(words(argument.name))
        if not argument.is_text or parts.isdisjoint(_FILES):
            continue
        if (fetches and parts & (_OUTPUTS | _NEAR)) or (argument.required and parts & _OUTPUTS):
            return f"argument `{argument.name}`"
    return ""


def _money(tool: _Tool) -> str:
    """Which arguments say that money moves or is committed; empty if none does."""
    found = {argument.name: frozenset(words(argument.name)) for argument in tool.arguments if len(argument.path) == 1}
    amount = next((name for name, parts in found.items() if "amount" in parts), "")
    receiver = next((name for name, parts in found.items() if parts & _RECEIVERS or parts in _TO), "")
    if amount and receiver and tool.verbs & _MAKES:
        return f"arguments `{amount}` and `{receiver}`"
    if "campaign" in tool.heads and tool.verbs & _LAUNCHES:
        if budget := next((name for name, parts in found.items() if parts & _BUDGETS), ""):
            return f"argument `{budget}` of a campaign"
        if told := _ADVERTISING.search(f"{' '.join(words(tool.name))} {first_sentence(tool.description)}"):
            return f"a campaign, and `{told[0]}`"
    return ""


def _by_phrases(tool: _Tool, vote: _Vote) -> _Vote | None:
    acting = sorted(_BROWSER.intersection(words(tool.name)))
    changes = vote.category is Category.WRITE and _KEEPING.isdisjoint(words(tool.name))
    if acting and (changes or vote.verb in _AT_SCREENS):
        return _Vote(Category.EXECUTE, f"name: acts in a `{acting[0]}`", vote.verb)
    if changes and (part := next((each for each in tool.arguments if _IN_A_PAGE.search(each.description)), None)):
        return _Vote(Category.EXECUTE, f"argument `{part.name}` is a part of a page", vote.verb)
    if vote.category is Category.READ:
        told = _ALSO_CHANGES.search(tool.description[:600])
        if told and tool.reads and "also" not in told[0].lower():
            told = None  # it may be something else that does so
        return _Vote(Category.WRITE, f"description: `{' '.join(told[0].split())}`", vote.verb) if told else None
    if vote.category is Category.WRITE and (told := _ANY_REQUEST.search(first_sentence(tool.description))):
        return _Vote(Category.EXECUTE, f"description: `{told[0]}`", vote.verb)
    if not tool.verbs.isdisjoint(_MAKES) and (told := _BUYS.search(first_sentence(tool.description))):
        return _Vote(Category.FINANCIAL, f"description: `{told[0]}`", vote.verb)
    if vote.category is Category.EXECUTE and (told := _DESTRUCTIVE.search(first_sentence(tool.description))):
        return _Vote(Category.DESTRUCTIVE, f"description: `{told[0]}`", vote.verb)
    if (
        (vote.category is Category.EXECUTE or not vote.verb)
        and vote.verb != "deploy"
        and (told := _IRREVERSIBLE.search(tool.description[:1500]))
    ):
        return _Vote(Category.DESTRUCTIVE, f"description: `{' '.join(told[0].split())}`", vote.verb)
    return None


# --- how bad it is ----------------------------------------------------------------------------------------------------


def _weigh(tool: _Tool, definition: Json, vote: _Vote, evidence: list[str], choice: Choice | None) -> Verdict:
    category = vote.category
    secret = returns_secrets(tool.name, tool.description, tool.arguments, category)
    private = is_private(tool.heads) if category is Category.READ else ""
    code = {argument.name: what for argument in tool.arguments if (what := _holds_code(tool, argument))}
    reached = tuple(
        argument.name
        for argument in tool.arguments
        if _ADDRESSES & set(words(argument.name)[-1:]) and argument.is_text and ITEMS not in argument.path
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
        read_only=bool(_READ_ONLY.search(tool.description)),
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
    if not isinstance(hints, dict):
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
