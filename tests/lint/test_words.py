"""What names tell: right about real tools, and silent about the rest."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from intercept.lint import words


@pytest.mark.parametrize("name", ["sendText", "send-text", "send_text", "send.text", "SendText", "send/text"])
def test_words_are_the_same_however_a_name_is_written(name: str) -> None:
    assert words.words(name) == ("send", "text")


@pytest.mark.parametrize(
    ("name", "verb"),
    [
        ("fb_get_post", "get"),
        ("storage_blob_get", "get"),
        ("post_list", "list"),
        ("VPS_deleteSnapshotV1", "delete"),
        ("send_option_list", "send"),
        ("drop_view", "drop"),
        ("slack_post_message", "post"),
        ("directory_tree", ""),
    ],
)
def test_the_verb_is_the_first_word_that_is_surely_one(name: str, verb: str) -> None:
    assert words.verb(name) == verb


@pytest.mark.parametrize(
    ("guess", "right", "wrong"),
    [
        (
            words.deletes,
            "delete_repository purge_queue revoke_agent lb-delete",
            "remove_label get_deleted",
        ),
        (
            words.pays,
            "create_refund execute_payment fund_transfer pay",
            "list_payments transfer_issue",
        ),
        (
            words.sends,
            "send_text slack_post_message fb_reply_comment",
            "fb_get_post port_forward fb_send_typing",
        ),
        (
            words.runs_commands,
            "run-code shell_execute exec_in_pod pods_exec",
            "run_tests get_shell_history",
        ),
        (words.runs_sql, "execute_sql read_query run_sql_transaction", "query search_queries list_sql_servers"),
        (words.fetches_urls, "fetch fetch_url http_request read_web_page", "retrieve_media_url get_page fetch_orders"),
        (words.opens_files, "read_file write_file move_file readTextFile", "upload_file get_file_contents"),
        (
            words.reads_private,
            "read_file list-emails run_sql",
            "write_query list_orders write_file",
        ),
        (words.reads_strangers, "fetch_url search_web read_inbox", "read_file search_docs"),
        (words.sends_out, "send_email http_request", "publish-template get_email"),
    ],
)
def test_a_guess_is_right_about_real_names_and_silent_about_others(
    guess: Callable[[str], bool], right: str, wrong: str
) -> None:
    assert [name for name in right.split() if not guess(name)] == []
    assert [name for name in wrong.split() if guess(name)] == []


@pytest.mark.parametrize("name", ["", "***", "\u00e9\u00e9", "123", "_"])
def test_a_name_without_words_tells_nothing(name: str) -> None:
    guesses = (words.deletes, words.pays, words.sends, words.writes, words.runs_commands, words.runs_sql)

    assert not any(guess(name) for guess in guesses)
    assert not words.reads_private(name)
    assert not words.sends_out(name)
