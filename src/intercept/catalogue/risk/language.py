"""What a name and a description say in words: verbs, and what they act on. What that means is decided elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from .lexicon import ALSO_NOUNS, FOREIGN, PLAIN_READING, VERBS, each
from .model import Category

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BRAND: Final = re.compile(
    "BigQuery|BuildKite|ClickHouse|ClickUp|CloudFormation|CloudWatch|CodeBuild|CodeDeploy|CodePipeline|DocuSign|"
    "LaunchDarkly|LinkedIn|MailChimp|MailerSend|OneDrive|OpenAI|OpenAPI|OpenSearch|PayPal|PostHog|PowerBI|PowerPoint|"
    "SendGrid|SharePoint|SnapChat|WordPress|YouTube"
)
"""Names of things that fall apart into verbs when they are cut at their capitals."""
_VERSION: Final = re.compile(r"[_-]?[vV][0-9]+$")
_TOKEN: Final = re.compile(r"[A-Za-z\u00c0-\u00ff][A-Za-z\u00c0-\u00ff'\u2019-]*|[,/&]")
_BRACKETS: Final = re.compile(r"\([^(),]{0,200},[^()]{0,200}\)")
"""What enumerates examples."""
_SENTENCE: Final = re.compile(r"(?<=[.!?:])\s+|\n+|\s+[-\u2013\u2014|]\s+")
_NOISE: Final = re.compile(r"\A(?:[^A-Za-z\[(<`]+|\[[^\]]{0,60}\]\s*|\([^)]{0,60}\)\s*|<[^>]{0,60}>\s*|[`*_\[(<])")
_ASIDE: Final = re.compile(
    r"(?:args?|beta|caution|deprecat\w*|experimental|important|note|prerequisites?|requires?|returns:|security|start\s+here|warning)\b",
    re.IGNORECASE,
)
"""How a sentence begins that does not say what the tool does."""
_PREAMBLE: Final = re.compile(
    r"""\A(?:
      (?:this|the|an?)\s+(?:mcp\s+|single\s+|unified\s+|powerful\s+)?
        (?:action|api|call|command|endpoint|function|method|operation|tool)\b
        (?:\s+(?:agents?|allows?|are|be|can|designed|enables?|for|helps?|is|lets?|may|that|to|used|useful|users?|which|will
           |you))*
    | (?:you\s+can\s+)?use\s+(?:this|it)\b
        (?:\s+(?:command|endpoint|for|function|method|need|needs|operation|the|to|tool|user|want|wants|when|whenever|you))*
    | (?:allows?|helps?|lets?)\s+(?:(?:agents?|an?|llms?|model|the|to|users?|you)\s+)*
    | enables?\s+(?:(?:agents?|an?|llms?|model|the|users?|you)\s+)+to\s+
    | (?:action|description|overview|purpose|summary|usage|use(?:\s+case)?|what\s+it\s+does)\s*:
    | (?:helper|tool|used|useful|utility)\s+(?:for|that|to|which)
    | (?:also|can|please|to|will|you\s+can)\b
    | (?:advanced|asynchronously|atomically|automatically|batch|bulk|completely|conditionally|directly|easily
       |efficiently|fast|force|forcefully|forcibly|full|fully|gracefully|hard|immediately|instantly|intelligently|interactively
       |manually|optionally|partially|permanently|programmatically|quickly|recursively|remotely|safely|securely
       |selectively|simply|soft|temporarily)[\s-]+
    )\s*""",
    re.IGNORECASE | re.VERBOSE,
)
"""What stands before the verb without saying anything."""
_AFTER_VERB: Final = each("back down in off on out up")
"""With such a word behind it a verb is another one: `log in`, `top up`, `tear down`."""
_STOP: Final = each("""
    about across after against and as at based because before between by during for from given if in including into
    matching on over so that through to under unless until using via when where which while with within without
""")
"""What a verb acts on ends before one of these."""
_SMALL: Final = each("""
    a all an another any brand-new complete current detailed existing given its more multiple new of one or selected
    several single some specific specified the their these this up your
""")
_ARTICLES: Final = each("a all an any the this your")
"""`Query a table` is surely an act, `query language` is not; of verbs that change something, one is careful anyway."""
EMPTY: Final = each("access do execute handle have help make manage perform provide run support take use")
"""Verbs that say little of their own: what follows them does."""
_MEASURES: Final = each("batch copy kind list number set type")
"""In `a list of webhooks` the thing is the webhook."""
_CONVERTING: Final = frozenset({"convert", "transform", "translate", "turn"})
_CARRIERS: Final = each(
    "batch instance intent item line link order quantity query request run schedule session task token"
)
"""Things that take their kind from the word before them: a payment link, an invoice item, a simulation run."""
_THINGS_IN_TEXT: Final = each("building indexes listings mapping meeting meetings settings")


@dataclass(frozen=True, slots=True)
class Phrase:
    """A verb and what it acts on."""

    verb: str
    things: tuple[str, ...]
    """All words that belong to it, singular, in lower case."""
    heads: frozenset[str]
    """The thing itself, in `payment method` the method, and the pair of words that ends with it: `payment_method`."""
    strong: bool
    """Whether the word can hardly be anything but a verb here."""


@cache
def words(name: str) -> tuple[str, ...]:
    """The words of `name` in lower case, however it is written, without numbers and version suffixes."""
    whole = _BRAND.sub(lambda brand: brand[0].capitalize(), _VERSION.sub("", name))
    found = (word.lower() for word in _WORD.findall(whole))
    return tuple(word for word in found if not word.isdecimal())


def singular(word: str) -> str:
    """`word` without the ending of a plural, roughly: enough to compare two words."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "tics")):
        return word[:-1]
    return word


def _forms(verb: str) -> Iterator[str]:
    yield from (verb, verb + "s", verb + "es", verb + "ing")
    if verb.endswith("y"):
        yield verb[:-1] + "ies"
    if verb.endswith("e"):
        yield verb[:-1] + "ing"
    if len(verb) > 2 and verb[-1] not in "aeiouwxy" and verb[-2] in "aeiou":
        yield verb + verb[-1] + "ing"


_VERB_OF: Final = (
    FOREIGN | {form: verb for verb in sorted(VERBS) for form in _forms(verb)} | {verb: verb for verb in VERBS}
)


def verb_of(word: str) -> str | None:
    """The verb of which `word` is a form (`creates`, `creating`), or None."""
    if word in {"access", "accesses"}:  # in a description only: as a name it is the thing
        return "view"
    return None if word in _THINGS_IN_TEXT else _VERB_OF.get(word)


# --- names ------------------------------------------------------------------------------------------------------------


def phrases_of_name(name: str) -> tuple[Phrase, ...]:
    """The verbs in `name`, in order; empty if there is none.

    Words that are nouns as often count only where no other word is a verb, `merge_request_list` lists, or behind
    another act: `list_and_pay`.
    """
    found = words(name)
    verbs = [at for at, word in enumerate(found) if word in VERBS and word not in ALSO_NOUNS]
    joined = {
        place
        for at, word in enumerate(found)
        if word in {"and", "then"} and at + 1 < len(found) and found[at + 1] in VERBS
        for place in (at - 1, at + 1)
        if place >= 0 and found[place] in VERBS
    }
    strong = bool(verbs or joined)
    verbs = sorted({*verbs, *joined}) or [at for at, word in enumerate(found) if word in VERBS]
    return tuple(Phrase(found[at], _others(found, at), _heads_of_name(found, at), strong) for at in verbs)


def _others(found: Sequence[str], at: int) -> tuple[str, ...]:
    return tuple(singular(word) for word in (*found[:at], *found[at + 1 :]))


def _heads_of_name(found: Sequence[str], at: int) -> frozenset[str]:
    after = found[at + 1 :]
    cut = next(
        (i for i, word in enumerate(after) if word in _STOP or word in {"of", "or", "batch", "bulk"}), len(after)
    )
    return _heads(after[:cut] or found[:at])


def _heads(thing: Sequence[str]) -> frozenset[str]:
    if not thing:
        return frozenset()
    last = singular(thing[-1])
    if len(thing) == 1:
        return frozenset({last})
    before = singular(thing[-2])
    return frozenset({last, f"{before}_{last}", *({before} if last in _CARRIERS else ())})


# --- descriptions -----------------------------------------------------------------------------------------------------


def phrases_of_description(name: str, description: str, sentences: int = 2) -> tuple[Phrase, ...]:
    """The verbs that the description opens with (`Create, update or delete a label`); empty if it does not tell.

    Further down than its first few `sentences` come examples, arguments and other tools.
    """
    looked = 0
    empty: tuple[Phrase, ...] = ()
    for sentence in _SENTENCE.split(description.strip()[:2000]):
        text = _opening(sentence, name)
        if len(text) < 3 or _ASIDE.match(text):
            continue
        found = _read(text)
        if empty:  # `Manage boards: create, rename or delete`
            return (*empty, *found) if len(found) > 1 else empty
        if found and EMPTY.issuperset(phrase.verb for phrase in found):
            empty = found
        elif found:
            return found
        looked += " " in text
        if looked >= sentences and not empty:
            break
    return empty


def first_sentence(description: str) -> str:
    """Up to the first full stop, colon or line break."""
    return _SENTENCE.split(description.strip()[:2000], maxsplit=1)[0]


def _opening(sentence: str, name: str) -> str:
    text = sentence.strip()
    if name and re.match(
        rf"{re.escape(name)}{'(?![A-Za-z])' if len(words(name)) > 1 else ' *[:-]'}", text, re.IGNORECASE
    ):
        text = text[len(name) :]
    before = ""
    while before != text:
        before = text
        text = _PREAMBLE.sub("", _NOISE.sub("", text.strip()), count=1) if text else text
    return text


def _read(text: str) -> tuple[Phrase, ...]:
    tokens = [token.lower() for token in _TOKEN.findall(_BRACKETS.sub(" ", text))]
    verbs: list[str] = []
    at = 0
    while at < len(tokens):
        following = (tokens[at + 1] if at + 1 < len(tokens) else "").removesuffix("to")  # `log into`
        verb = verb_of(tokens[at]) or verb_of(tokens[at].rpartition("-")[2])
        if following in _AFTER_VERB and (joined := f"{verb or tokens[at]}{following}") in VERBS:
            verb, at = joined, at + 1
            following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if verb is None:
            break
        at += 1
        if verb in ALSO_NOUNS and following in VERBS and following not in ALSO_NOUNS:
            continue  # `reverse geocode an address`
        verbs.append(verb)
        if at == len(tokens) or tokens[at] not in {",", "/", "or", "and", "&", "then"}:
            break
        while at < len(tokens) and tokens[at] in {",", "/", "or", "and", "&", "then"}:
            at += 1
    rest = tokens[at:]
    if verbs and verbs[-1] in _CONVERTING:  # what comes out of it counts
        rest = rest[next((i + 1 for i, token in enumerate(rest[:8]) if token in {"to", "into"}), 0) :]
    things = _things(rest)
    acting = bool(rest) and rest[0] in _ARTICLES
    return tuple(
        Phrase(
            verb,
            tuple(map(singular, things)),
            _heads(things),
            verb not in ALSO_NOUNS or verb in PLAIN_READING or (acting and VERBS[verb] is Category.READ),
        )
        for verb in dict.fromkeys(verbs)
    )


def _things(tokens: Sequence[str]) -> list[str]:
    found: list[str] = []
    for token in tokens:
        if token in _STOP or token in {",", "/"} or len(found) == 6:
            break
        if found and token in {"of"}:
            if singular(found[-1]) not in _MEASURES:
                break
            found.clear()
        elif token not in _SMALL:
            found.append(token)
    return found
