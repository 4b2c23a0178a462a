"""Policies: loaded once, compiled once, evaluated purely.

Importing this package costs next to nothing: pydantic, the YAML parser and the pattern engine are imported by `load`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ..errors import PolicyError, Problem
from .evaluate import Policy, PolicySet
from .model import (
    Charge,
    Circumstances,
    Decision,
    Effect,
    Exhausted,
    Kind,
    RuleRef,
    Scope,
    ToolCall,
    Window,
)

__all__ = [
    "Charge",
    "Circumstances",
    "Decision",
    "Effect",
    "Exhausted",
    "Kind",
    "PolicySet",
    "RuleRef",
    "Scope",
    "ToolCall",
    "Window",
    "load",
]


def load(paths: Sequence[str]) -> PolicySet:
    """Read and compile the policy files at `paths`, all of which will have to allow a call.

    Raises:
        PolicyError: with every mistake in every file.
        ValueError: there are no paths.
    """
    from hashlib import sha256

    from .compile import compile_policy
    from .document import read

    if not paths:
        raise ValueError("no policy to load")
    policies: list[Policy] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        document = read(path)
        found = list(document.problems)
        if document.file is not None:
            policy, wrong = compile_policy(document, os.path.realpath(path))
            policies.append(policy)
            found += wrong
        problems += sorted(found, key=lambda problem: (problem.line, problem.column))
    if problems:
        raise PolicyError(tuple(problems))
    digests = sorted(policy.digest for policy in policies)
    together = digests[0] if len(digests) == 1 else sha256("\n".join(digests).encode()).hexdigest()
    return PolicySet(policies, together)
