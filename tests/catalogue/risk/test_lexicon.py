"""The tables of words agree with each other."""

from __future__ import annotations

import pytest

from intercept.catalogue.risk import Category
from intercept.catalogue.risk.language import phrases_of_description, phrases_of_name, singular, verb_of, words
from intercept.catalogue.risk.lexicon import ALSO_NOUNS, PLAIN_READING, VERBS
from intercept.catalogue.risk.senses import SENSES


def test_every_word_that_is_looked_up_is_a_verb() -> None:
    assert not ALSO_NOUNS - set(VERBS)
    assert {VERBS[verb] for verb in PLAIN_READING} == {Category.READ}
    for sense in SENSES:
        assert not sense.verbs - set(VERBS), sense.why


def test_things_are_written_as_they_are_looked_up() -> None:
    for sense in SENSES:
        for thing in sense.things | sense.unless:
            assert thing == "_".join(map(singular, thing.split("_"))), thing


def test_no_sense_contradicts_itself() -> None:
    for sense in SENSES:
        assert sense.things.isdisjoint(sense.unless), sense.why
        assert sense.verbs or sense.things, sense.why


@pytest.mark.parametrize("name", ["sendText", "send-text", "send_text", "SendTextV2", "send.text", "send_text_v1"])
def test_a_name_has_the_same_words_however_it_is_written(name: str) -> None:
    assert words(name) == ("send", "text")


def test_brands_do_not_fall_apart_into_verbs() -> None:
    assert words("listWordPressSites") == ("list", "wordpress", "sites")
    assert words("getPayPalOrder") == ("get", "paypal", "order")


@pytest.mark.parametrize(("form", "verb"), [
    ("creates", "create"), ("creating", "create"), ("runs", "run"), ("running", "run"), ("modifies", "modify"),
    ("pushes", "push"), ("settings", None), ("created", None), ("banana", None),
])  # fmt: skip
def test_forms_of_verbs_are_recognised(form: str, verb: str | None) -> None:
    assert verb_of(form) == verb


@pytest.mark.parametrize(("description", "verb", "head"), [
    ("Get a list of webhooks for a site", "get", "webhook"),
    ("**Purpose:** Delete one record.", "delete", "record"),
    ("[Beta] This endpoint lets you permanently remove a user", "remove", "user"),
    ("Deprecated: use another.\nReturns the status", "return", "status"),
    ("tool_x uploads files to the server", "upload", "file"),
    ("Convert a page to markdown", "convert", "markdown"),
    ("Stripe | Create a payment link", "create", "payment_link"),
])  # fmt: skip
def test_the_first_sentence_yields_a_verb_and_what_it_acts_on(description: str, verb: str, head: str) -> None:
    (phrase,) = phrases_of_description("tool_x", description)

    assert phrase.verb == verb
    assert head in phrase.heads


def test_verbs_joined_by_commas_and_words_all_count() -> None:
    found = phrases_of_description("", "Create, update or delete a label")

    assert [phrase.verb for phrase in found] == ["create", "update", "delete"]


def test_nouns_count_as_verbs_only_where_no_other_word_is_one() -> None:
    assert [phrase.verb for phrase in phrases_of_name("merge_request_list")] == ["list"]
    assert [phrase.verb for phrase in phrases_of_name("merge")] == ["merge"]
