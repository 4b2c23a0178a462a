"""`intercept schema`: the JSON Schema of policy files, for editors, on stdout. Exit code 0; 2: wrong command line."""

from __future__ import annotations

import argparse
import json
from typing import Final

_EPILOG: Final = """example:
  intercept schema > policy.schema.json

An editor with the YAML language server (VS Code, Neovim, Helix, Zed, ...) completes and checks a policy whose first
line is
  # yaml-language-server: $schema=policy.schema.json
and editors that know JSON Schema do the same for a policy in JSON.

The schema accepts every policy that loads. It cannot say that a number is written whole (1 and not 1.0), how long
`9999d` is, nor what paths, globs, patterns, time zones and argument schemas mean: `intercept lint` checks all of it.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `intercept`."""
    subparsers.add_parser(
        "schema",
        help="the JSON Schema of policy files, for editors",
        description="Print the JSON Schema (draft 2020-12) of policy files.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def run(_: argparse.Namespace) -> int:
    """Print the schema; return 0."""
    from ..policy.json_schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
