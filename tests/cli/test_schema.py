from __future__ import annotations

import json
import os
import subprocess
import sys

import jsonschema_rs
import pytest

from intercept.cli import main
from intercept.policy.json_schema import json_schema


def test_the_schema_and_nothing_else_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    out, err = capsys.readouterr()

    assert json.loads(out) == json_schema()
    assert err == ""


def test_it_finds_a_misspelt_key(capsys: pytest.CaptureFixture[str]) -> None:
    main(["schema"])
    validator = jsonschema_rs.Draft202012Validator(json.loads(capsys.readouterr().out))

    assert validator.is_valid({"default": "deny", "tools": {"send": {"rate_limit": "10/minute"}}})
    assert not validator.is_valid({"default": "deny", "tools": {"send": {"rate_limt": "10/minute"}}})


def test_help_says_how_an_editor_uses_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["schema", "--help"])

    assert stopped.value.code == 0
    out = capsys.readouterr().out
    assert "intercept schema > policy.schema.json" in out
    assert "# yaml-language-server: $schema=policy.schema.json" in out


def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["schema", "more"])

    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as gone:
        ended = subprocess.run(
            [sys.executable, "-m", "intercept", "schema"], stdout=gone, stderr=subprocess.PIPE, check=False
        )

    assert ended.returncode == 141
    assert ended.stderr == b""
