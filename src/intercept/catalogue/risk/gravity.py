"""How bad a wrong call is, once the class is known: by what is touched, and by what comes back."""

from __future__ import annotations

import re
from typing import Final

from .arguments import Argument
from .language import singular, words
from .lexicon import each
from .model import Category, Risk

_SECRETS: Final = each("credential kubeconfig passphrase password secret")
_KEYS: Final = each("access api auth bearer deploy private registration session signing ssh")
"""Before `key` or `token` they make a secret of it. A public key, a cache key and a page token are none."""
_GIVES_SECRET: Final = re.compile(
    r"\b(?:returns?|includ(?:es|ing)|contain(?:s|ing)?|exposes?|reveals?|shows?|with|and|get|retrieve|fetch|read|obtain)\b"
    r"[^.\n]{0,60}"
    r"\b(?:access tokens?|api keys?|auth tokens?|bearer tokens?|client secrets?|connection strings?|credentials"
    r"|decrypted values?|passwords?|private keys?|secret keys?|secret values?|signing secrets?)\b",
    re.IGNORECASE,
)
_KEEPS_SECRET: Final = re.compile(
    r"\b(?:never|not|without|excludes?|excluding|redacted|masked|names only|metadata only|no secret)\b[^.\n]{0,80}"
    r"|\b(?:requir(?:es?|ed|ing)|optional|using|provide|valid|your|authenticat\w*)\b[^.\n]{0,40}\b(?:credentials?|keys?|tokens?)\b",
    re.IGNORECASE,
)
_TELLS_SECRET: Final = re.compile(
    r"\b(?:returns?|responds? with|reveals?|exposes?|shows?)\b[^.\n]{0,60}"
    r"\b(?:(?:api|private|secret) keys?|(?:access|auth|bearer) tokens?|client secrets?|credentials|passwords?)\b"
    r"|\b(?:keys?|passwords?|secrets?|tokens?)\b[^.\n]{0,40}\b(?:returned|revealed|shown)\b"
    r"|\b(?:admin|auto[- ]?login|log[- ]?in|magic|one[- ]time|sign[- ](?:in|on)|sso)\s+(?:links?|urls?)\b",
    re.IGNORECASE,
)
"""What a tool that changes something says of its answer."""
_MINTING: Final = each("create generate issue mint regenerate renew reset rotate")
"""Verbs that make a new secret, which the answer has to tell to be of use."""
_CODES: Final = each("auth authorisation authorization epp otp pairing recovery")
_ENTRIES: Final = each("admin login magic signin sso")
"""Before `code`, and before `link` or `url`, they make what lets somebody in."""
_GIVEN: Final = each("data key password secret token value")
"""An argument of this name brings the secret along: it is none that comes back."""
_LOOKING: Final = each("check list validate verify")
"""Verbs that answer with names, or with yes and no."""
_REVEALING: Final = each("decrypt reveal unmask")
_BEFORE_ARGUMENTS: Final = re.compile(r"\n\s*(?:args|arguments|parameters|params|inputs?)\s*:|\bargs:", re.IGNORECASE)

_PRIVATE: Final = each("""
    applicant attendee candidate chat contact conversation customer dm email employee inbox invitee lead mail
    mailbox meeting message patient payee people person phone recipient recording sms subscriber thread transcript
    voicemail whois
""")
"""What people wrote or who they are."""
_IMPERSONAL: Final = each("""
    analytics attribute configuration console count error field insight label metadata metric permission property
    queue schema setting statistics stats status tag template topic type visibility webhook
""")
"""Beside such a word it is about the thing, not about the person."""

_GOVERNING: Final = each("""
    access acl certificate credential dns env environment_variable firewall forwarder forwarding iam key nameserver
    ownership password payout permission protection recipient role script secret ssh token variable visibility
    workflow
""")
"""A change to one of these changes who may do what, or what runs later."""
_TRIVIAL: Final = each("bookmark emoji favorite favourite like presence reaction read star tag typing unread vote")

_LARGE: Final = each("""
    account app application archive backup bucket cluster collection credential customer data database dataset
    directory disk domain droplet entity environment everything file folder host index instance key lb machine
    namespace object organisation organization page payment policy project queue record repo repository resource role
    row schema server service site snapshot stack storage store table tenant user vm volume website workspace zone
""")
"""What takes other things with it when it goes, or cannot be made again."""
_ALL_GONE: Final = each("""
    cleanup destroy drop empty nuke obliterate overwrite purge reset restore revoke truncate wipe
""")

_NARROW: Final = each("""
    abort cancel close compose convert forward generate open pause play preview reload replay resume retry simulate
    skip synthesise synthesize test
""")
_PREPARING: Final = each("cancel draft pause prepare preview quote simulate tokenise tokenize")


def reveals(argument: Argument) -> bool:
    """Whether its name says that it makes a secret visible."""
    return not _REVEALING.isdisjoint(words(argument.name))


def returns_secrets(name: str, description: str, arguments: tuple[Argument, ...], category: Category) -> str:
    """Which words say that the answer may contain a secret; empty if none does."""
    found = tuple(map(singular, words(name)))
    if (word := _secret_of(found)) and _answers_with_it(found, word, arguments, category):
        return f"name: `{word}`"
    for argument in arguments:
        if reveals(argument):
            return f"argument `{argument.name}`"
    text = _KEEPS_SECRET.sub("", _BEFORE_ARGUMENTS.split(description[:3000])[0])
    told = (_GIVES_SECRET.search(text) if category is Category.READ else None) or _TELLS_SECRET.search(text)
    return f"description: `{_last_words(told[0])}`" if told else ""


def _secret_of(found: tuple[str, ...]) -> str:
    """The word of a name that is a secret, or lets somebody in; empty if none is."""
    for before, word in zip(("", *found), found, strict=False):
        if (
            word in _SECRETS
            or (word in {"key", "token"} and before in _KEYS)
            or (word == "code" and before in _CODES)
            or (word in {"link", "url"} and before in _ENTRIES)
            or (before, word) == ("connection", "string")
        ):
            return word
    return ""


def _answers_with_it(found: tuple[str, ...], word: str, arguments: tuple[Argument, ...], category: Category) -> bool:
    if category is Category.READ:
        return word == "password" or _LOOKING.isdisjoint(found)
    return not _MINTING.isdisjoint(found) and all(_GIVEN.isdisjoint(words(each.name)) for each in arguments)


def _last_words(text: str) -> str:
    return " ".join(text.split()[-2:])


def is_private(things: frozenset[str]) -> str:
    """Which word says that the answer is about people; empty if none does."""
    found = sorted(things & _PRIVATE)
    return found[0] if found and things.isdisjoint(_IMPERSONAL) else ""


def risk_of(
    category: Category,
    verb: str,
    things: frozenset[str],
    *,
    secret: bool,
    private: bool,
    sql: bool,
    command: bool,
    read_only: bool,
) -> Risk:
    """The level, by the code book of the categories: what is touched, and whether it is narrow or all of it.

    `things` is what the tool acts on, `sql` and `command` whether an argument holds SQL, or a command or code, and
    `read_only` whether the description promises that nothing changes.
    """
    match category:
        case Category.READ:
            return Risk.HIGH if secret else Risk.MEDIUM if private else Risk.LOW
        case Category.WRITE:
            if secret:
                return Risk.HIGH
            if not things.isdisjoint(_TRIVIAL):
                return Risk.LOW
            governs = not things.isdisjoint(_GOVERNING) or verb in {
                "merge",
                "deploy",
                "grant",
                "protect",
                "unprotect",
                "invite",
            }
            return Risk.HIGH if governs else Risk.MEDIUM
        case Category.EXECUTE:
            if sql or command:
                return Risk.MEDIUM if read_only else Risk.CRITICAL if command else Risk.HIGH
            return Risk.MEDIUM if verb in _NARROW else Risk.HIGH
        case Category.DESTRUCTIVE:
            if not things.isdisjoint(_TRIVIAL):
                return Risk.MEDIUM
            return Risk.CRITICAL if verb in _ALL_GONE or not things.isdisjoint(_LARGE) else Risk.HIGH
        case Category.FINANCIAL:
            return Risk.HIGH if verb in _PREPARING and "subscription" not in things else Risk.CRITICAL
