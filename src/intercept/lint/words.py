"""What the name of a tool says that it does: a careful guess, silent about names that could mean something else.

Names are all that a policy has to go by. Descriptions and annotations are not looked at: they are the server's own
word. The words were chosen on real servers so that what is found is right; much that is dangerous has a name that tells
nothing.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")

READING: Final = frozenset({
    "analyze", "browse", "calculate", "check", "count", "describe", "diff", "explain", "fetch", "find", "get",
    "inspect", "list", "lookup", "peek", "preview", "query", "read", "resolve", "retrieve", "scan", "search", "show",
    "stat", "status", "summarize", "validate", "verify", "view", "watch",
})  # fmt: skip
DELETING: Final = frozenset({"delete", "destroy", "drop", "erase", "purge", "remove", "revoke", "truncate", "wipe"})
SENDING: Final = frozenset(
    {"broadcast", "dm", "email", "forward", "notify", "post", "publish", "reply", "send", "tweet"}
)
WRITING: Final = frozenset({
    "add", "append", "apply", "approve", "archive", "assign", "close", "commit", "create", "disable", "edit", "enable",
    "grant", "import", "insert", "invite", "merge", "modify", "move", "patch", "push", "rename", "replace", "reset",
    "schedule", "set", "submit", "update", "upload", "upsert", "write",
})  # fmt: skip
RUNNING: Final = frozenset({"cancel", "deploy", "execute", "kill", "restart", "run", "start", "stop", "trigger"})
PAYING: Final = frozenset({"charge", "pay", "payout", "refund", "withdraw"})
_MOVES_MONEY: Final = frozenset({"authorize", "capture", "confirm", "create", "execute", "issue", "make", "send"})
VERBS: Final = READING | DELETING | SENDING | WRITING | RUNNING | PAYING | _MOVES_MONEY | {"transfer"}

_THINGS: Final = frozenset({"charge", "check", "diff", "email", "post", "query", "refund", "status", "view", "watch"})
"""Verbs that are nouns as often."""

_MONEY: Final = frozenset({"charge", "invoice", "mandate", "payment", "payout", "purchase", "refund"})
_LITTLE: Final = frozenset({
    "bookmark", "bookmarks", "emoji", "favorite", "label", "labels", "like", "participant", "reaction", "reactions",
    "star", "tag", "tags", "typing", "vote",
})  # fmt: skip
"""What is put on and taken off again without much harm."""

_SHELLS: Final = frozenset({"bash", "cmd", "eval", "exec", "powershell", "shell", "terminal"})
_CODE: Final = frozenset({"code", "command", "commands", "javascript", "process", "program", "python", "script"})
_SQL: Final = frozenset({"sql", "query", "queries"})
_AROUND_SQL: Final = _SQL | {
    "database", "db", "duckdb", "execute", "mysql", "pg", "postgres", "read", "run", "select", "sqlite", "statement",
    "transaction", "write",
}  # fmt: skip
_WEB: Final = frozenset({"http", "https", "url", "urls", "web", "webpage", "website"})
_AROUND_WEB: Final = _WEB | {
    "browse", "browser", "content", "crawl", "curl", "download", "extract", "fetch", "get", "html", "load", "markdown",
    "navigate", "open", "page", "post", "read", "request", "scrape", "site", "to", "visit",
}  # fmt: skip
_WEB_ALONE: Final = frozenset({"crawl", "curl", "fetch", "navigate", "scrape"})
_FILES: Final = frozenset({
    "append_file", "append_to_file", "create_directory", "directory_tree", "edit_file", "list_directory",
    "list_directory_with_sizes", "move_file", "read_file", "read_media_file", "read_multiple_files", "read_text_file",
    "save_file", "search_files", "write_file", "write_to_file",
})  # fmt: skip
_MAIL: Final = frozenset({"email", "emails", "gmail", "inbox", "mail", "mails"})


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words of `name` in lower case, however it is written: `sendText`, `send-text`, `send_text`."""
    return tuple(word.lower() for word in _WORD.findall(name))


def verb(name: str) -> str:
    """What the tool does, in one word; empty if no word tells.

    The first verb counts, because prefixes come before it: `fb_get_post` gets. What could be a thing counts last:
    `post_list` lists, `slack_post_message` posts.
    """
    found = [word for word in words(name) if word in VERBS]
    return next((word for word in found if word not in _THINGS), found[0] if found else "")


def deletes(name: str) -> bool:
    """Whether it deletes or revokes something that matters."""
    return verb(name) in DELETING and _LITTLE.isdisjoint(words(name))


def pays(name: str) -> bool:
    """Whether it moves money or obliges someone to pay."""
    found = words(name)
    doing = verb(name)
    if doing in PAYING:
        return True
    if doing == "transfer":
        return found[-1] in {"funds", "money"} or found in {("fund", "transfer"), ("transfer",)}
    return doing in _MOVES_MONEY and found[-1] in _MONEY | {"transfer"}


def sends(name: str) -> bool:
    """Whether it says something to other people, or publishes it."""
    found = words(name)
    return verb(name) in SENDING and _LITTLE.isdisjoint(found) and found[-1] != "forward"


def writes(name: str) -> bool:
    """Whether it changes something, in whatever way."""
    return verb(name) in WRITING | RUNNING | DELETING | SENDING or pays(name)


def runs_commands(name: str) -> bool:
    """Whether it runs commands or code that an argument holds."""
    found = frozenset(words(name))
    doing = verb(name)
    if doing in READING or "history" in found:
        return False
    return not _SHELLS.isdisjoint(found) or (doing in {"run", "execute"} and not _CODE.isdisjoint(found))


def runs_sql(name: str) -> bool:
    """Whether it runs SQL that an argument holds."""
    found = frozenset(words(name))
    return found <= _AROUND_SQL and not _SQL.isdisjoint(found) and len(found) > 1


def fetches_urls(name: str) -> bool:
    """Whether it requests an address that an argument holds."""
    found = frozenset(words(name))
    if found <= _AROUND_WEB and found & _WEB and len(found) > 1:
        return True
    return bool(found & _WEB_ALONE) and found <= _AROUND_WEB


def opens_files(name: str) -> bool:
    """Whether it works on the file or folder whose path an argument holds."""
    return "_".join(words(name)) in _FILES


def reads_mail(name: str) -> bool:
    """Whether it returns mail."""
    return verb(name) in READING and words(name)[-1] in _MAIL


def reads_private(name: str) -> bool:
    """Whether it returns what is not meant for strangers: files, mail, what a database holds."""
    if runs_sql(name):
        return "write" not in words(name)
    return reads_mail(name) or (opens_files(name) and verb(name) in READING)


def reads_strangers(name: str) -> bool:
    """Whether it returns text that anybody can have written: web pages, incoming mail."""
    return fetches_urls(name) or reads_mail(name) or (verb(name) == "search" and "web" in words(name))


def sends_out(name: str) -> bool:
    """Whether it can carry text to a place that an argument names."""
    return (verb(name) in {"email", "forward", "post", "reply", "send"} and sends(name)) or fetches_urls(name)
