"""What an argument or a phrase of the description adds to what the verbs say."""

from __future__ import annotations

import re
from typing import Final

from .arguments import Argument
from .choices import METHODS, told_of
from .language import first_sentence, words
from .lexicon import each
from .model import SEVERITY, Category
from .tool import Tool, Vote

_BROWSER: Final = each(
    " computer android browser chrome chromium cursor keyboard mobile mouse playwright puppeteer simulator"
)
"""In a tool's name: what it changes, it changes by acting like a person at a screen."""
_KEEPING: Final = each("clipboard export save")
"""In the name of such a tool: what is seen there is kept, and nothing is done to it."""
_AT_SCREENS: Final = each("check choose select uncheck")
"""Verbs that only look anywhere else."""
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
_FETCHES: Final = each("download dump export render save")
"""Verbs that put what they read into a file, if an argument names one."""
_OUTPUTS: Final = each("download output save")
_NEAR: Final = each("dest destination local target")
_FILES: Final = each("dir directory file filename folder path to")
"""In an argument's name: `output_path`, `saveTo`; with one of `_NEAR` it may be where something is read as well."""
_TO_FILE: Final = re.compile(
    r"\bto (?:an? |the |your )?(?:(?:image|local) )?(?:disk|file|filesystem|folder|path)\b", re.IGNORECASE
)
_ANALYSING: Final = each("""
    add analyse analyze check compare convert create define delete diff edit estimate explain format generate lint
    list optimise optimize parse put register remove review save schedule search set store suggest translate update
    validate verify
""")
"""Verbs that take code or SQL as text and do not run it."""
_BUYS: Final = re.compile(
    r"\b(?:and|to) (?:bill|buy|charge|credit|debit|pay|purchase|refund|withdraw)\b", re.IGNORECASE
)
_FOR_PAYMENT: Final = re.compile(r"\bfor (?:an? |the )?(?:\w+ )?payments?\b", re.IGNORECASE)
_COLLECTING: Final = each("code link page qr_code request session url")
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
    r"\b(?:any|arbitrary|custom|raw)\s+(?:[\w-]+\s+){0,2}(?:API|endpoint|HTTP|method|request)s?\b"
    r"|\b(?:issue|make|perform|send)s? (?:an? )?(?:\w+ )?(?:API|HTTPS?|REST)(?:/[0-9.]+)? (?:call|request)s?\b",
    re.IGNORECASE,
)
_LOSES: Final = re.compile(
    r"\b(?:deletes|erases|removes|wipes)\s+(?:(?:the|all|any)\s+)?(?:existing|previous|saved)\b"
    r"|\b(?:deletes|erases|wipes)\s+(?:all|every)\b|\b(?:is|are) destructive\b",
    re.IGNORECASE,
)
"""What a change does besides."""
_DESTRUCTIVE: Final = re.compile(r"(?<!non-)(?<!non )(?<!not )\bdestructive\b", re.IGNORECASE)
_IRREVERSIBLE: Final = re.compile(
    r"\b(?:all|any|existing|current|the) [^.\n]{0,40}\b(?:data|changes?|contents?|files?|disk)\b[^.\n]{0,40}"
    r"\b(?:deleted|destroyed|erased|lost|overwritten|removed|wiped)\b"
    r"|\b(?:irreversibl\w+|(?:cannot|can't) be undone|(?:is|are) destructive|factory (?:defaults|reset|settings))\b",
    re.IGNORECASE,
)


def holds_code(tool: Tool, argument: Argument) -> str:
    """What `argument` holds that is run: `SQL`, `a command`, or empty."""
    if not (argument.is_text or argument.is_list) or not tool.verbs.isdisjoint(_ANALYSING):
        return ""
    if tool.reads and not tool.heads.isdisjoint({"link", "url"}):
        return ""  # it goes into the address
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


def by_arguments(tool: Tool, vote: Vote) -> Vote | None:
    """What the arguments make of a tool that was taken for `vote`; None if nothing more."""
    if vote.category is Category.WRITE and (told := _money(tool)):
        return Vote(Category.FINANCIAL, told, vote.verb)
    for argument in tool.arguments:
        if what := holds_code(tool, argument):
            return Vote(Category.EXECUTE, f"argument `{argument.name}` holds {what}", vote.verb)
        if (
            "method" in words(argument.name)
            and METHODS & set(re.findall("[A-Z]+", " ".join(argument.values).upper() or argument.description))
            and tool.verbs.isdisjoint(_ANALYSING)
        ):
            return Vote(Category.EXECUTE, f"argument `{argument.name}` can be any HTTP method", vote.verb)
    if vote.category is Category.READ and (told := _written(tool)):
        return Vote(Category.WRITE, f"{told}: a file that it writes", vote.verb)
    return None


def _written(tool: Tool) -> str:
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


def _money(tool: Tool) -> str:
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


def by_phrases(tool: Tool, vote: Vote) -> Vote | None:
    """What name and description say beside their verbs of a tool that was taken for `vote`; None if nothing more."""
    acting = sorted(_BROWSER.intersection(words(tool.name)))
    changes = vote.category is Category.WRITE and not tool.reads and _KEEPING.isdisjoint(words(tool.name))
    if acting and (changes or vote.verb in _AT_SCREENS):
        return Vote(Category.EXECUTE, f"name: acts in a `{acting[0]}`", vote.verb)
    if changes and (part := next((each for each in tool.arguments if _IN_A_PAGE.search(each.description[:500])), None)):
        return Vote(Category.EXECUTE, f"argument `{part.name}` is a part of a page", vote.verb)
    if (
        vote.verb in {"create", "generate"}
        and not tool.heads.isdisjoint(_COLLECTING)
        and (told := _FOR_PAYMENT.search(first_sentence(tool.description)))
    ):
        return Vote(Category.FINANCIAL, f"description: `{told[0]}`", vote.verb)
    if (worst := told_of(tool)) is not None and SEVERITY[worst.category] > SEVERITY[Category.WRITE]:
        return Vote(worst.category, f"description: an action is `{worst.value}`", vote.verb)
    if vote.category is Category.READ:
        told = _ALSO_CHANGES.search(tool.description[:600])
        if told and tool.reads and "also" not in told[0].lower():
            told = None  # it may be something else that does so
        return Vote(Category.WRITE, f"description: `{' '.join(told[0].split())}`", vote.verb) if told else None
    if vote.category is Category.WRITE and (told := _ANY_REQUEST.search(first_sentence(tool.description))):
        return Vote(Category.EXECUTE, f"description: `{told[0]}`", vote.verb)
    if not tool.verbs.isdisjoint(_MAKES) and (told := _BUYS.search(first_sentence(tool.description))):
        return Vote(Category.FINANCIAL, f"description: `{told[0]}`", vote.verb)
    if vote.category is Category.WRITE and (told := _LOSES.search(tool.description[:500])):
        return Vote(Category.DESTRUCTIVE, f"description: `{' '.join(told[0].split())}`", vote.verb)
    if (vote.category is Category.EXECUTE or not vote.verb) and (
        told := _DESTRUCTIVE.search(first_sentence(tool.description))
    ):
        return Vote(Category.DESTRUCTIVE, f"description: `{told[0]}`", vote.verb)
    if (
        (vote.category is Category.EXECUTE or not vote.verb)
        and vote.verb != "deploy"
        and (told := _IRREVERSIBLE.search(tool.description[:1500]))
    ):
        return Vote(Category.DESTRUCTIVE, f"description: `{' '.join(told[0].split())}`", vote.verb)
    return None
