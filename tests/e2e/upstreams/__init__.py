"""Servers to put behind the proxy, each reading its lines in another way.

`danger`, `safe` and `echo` append what really ran to a journal (the first argument of every server), one JSON object
a line, so that a test can ask what happened instead of what was said. `hold` answers only when `release` is called.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

_HERE: Final = Path(__file__).parent

KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "python_sdk": (sys.executable, str(_HERE / "python_sdk.py")),
        "typescript_sdk": ("node", str(_HERE / "typescript_sdk.mjs")),
        "node_lines": ("node", str(_HERE / "node_lines.mjs")),
        "python_lines": (sys.executable, "-I", str(_HERE / "python_lines.py")),
    }
)
"""What starts each kind; the journal's path is still to be appended."""

MISBEHAVE: Final = (sys.executable, "-I", str(_HERE / "misbehave.py"))
"""A server that breaks the protocol in the way its first argument names."""

CHANGING: Final = (sys.executable, "-I", str(_HERE / "changing.py"))
"""A server whose definitions change in the way its first argument names; then comes the journal."""


def ran(journal: Path) -> list[str]:
    """The tools that really ran, in order."""
    if not journal.exists():
        return []
    # Not splitlines(): a name may hold what Python takes for a line break.
    return [json.loads(line)["tool"] for line in journal.read_bytes().split(b"\n") if line]


def received(journal: Path) -> list[bytes]:
    """The lines that `python_lines` got, as they came."""
    return Path(f"{journal}.lines").read_bytes().splitlines(keepends=True)
