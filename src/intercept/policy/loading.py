"""Policies with the text that they were compiled from, for those who explain or test a policy rather than enforce it.

What `load` returns has forgotten its file, but for the lines that denials and logs name. A file is read once, because
it may be a pipe, and may change between two looks.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..errors import PolicyError, Problem
from ..hashes import sha256_of
from .compile import compile_policy
from .document import Document, read
from .evaluate import Policy, PolicySet

if TYPE_CHECKING:
    from .schema import PolicyFile


class Source(NamedTuple):
    """One policy and where everything in it stands."""

    document: Document
    file: PolicyFile
    """What `document` says, without mistakes."""
    policy: Policy


class Loaded(NamedTuple):
    """All policies that were named, and what they are together."""

    policy: PolicySet
    sources: tuple[Source, ...]
    """In the order in which they were named."""


def load_with_sources(paths: Sequence[str], *, shadow: bool = False) -> Loaded:
    """Read and compile the policy files at `paths`, as `intercept.policy.load` does, and keep what was read.

    Raises:
        PolicyError: with every mistake in every file.
        ValueError: there are no paths.
    """
    if not paths:
        raise ValueError("no policy to load")
    sources: list[Source] = []
    problems: list[Problem] = []
    for path in dict.fromkeys(paths):
        document = read(path)
        found = list(document.problems)
        if document.file is not None:
            policy, wrong = compile_policy(document, os.path.realpath(path), shadow=shadow)
            sources.append(Source(document, document.file, policy))
            found += wrong
        problems += sorted(found, key=lambda problem: (problem.line, problem.column))
    if problems:
        raise PolicyError(tuple(problems))
    digests = sorted(source.policy.digest for source in sources)
    together = digests[0] if len(digests) == 1 else sha256_of("\n".join(digests).encode())
    return Loaded(PolicySet([source.policy for source in sources], together), tuple(sources))
