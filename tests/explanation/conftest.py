from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from intercept.explanation import Explanation, Situation, explain
from intercept.policy import Kind
from intercept.policy.loading import load_with_sources
from intercept.rehearsal import request_for

NOON = 1_800_014_400.0
"""2027-01-15, a Friday, 12:00 UTC."""

Explain = Callable[..., Explanation]


@pytest.fixture
def explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    """Explains a call under policies that are given as texts (`policy.yaml`, `policy1.yaml`, ...)."""
    monkeypatch.chdir(tmp_path)

    def explained(
        texts: str | list[str], name: str, arguments: str = "{}", *, kind: Kind = Kind.TOOL, **situation: Any
    ) -> Explanation:
        paths = []
        for index, text in enumerate([texts] if isinstance(texts, str) else texts):
            paths.append(f"policy{index or ''}.yaml")
            Path(paths[-1]).write_text(text)
        request = request_for(kind, name, arguments)
        return explain(load_with_sources(paths), request, kind, Situation(**({"now": NOON} | situation)))

    return explained
