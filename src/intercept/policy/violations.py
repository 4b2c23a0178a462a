"""Which parts of an argument schema arguments do not satisfy: for people, when a decision is explained.

Deciding only asks whether they do; this asks the same validator for more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from ..values import Json
from .validators import Where, _validator

Violation: TypeAlias = tuple[Where, Where, str]
"""Where in the schema the keyword stands, where in the arguments the value does, and what is wrong, value included."""


def violations(schema: dict[str, Any], arguments: dict[str, Json]) -> Iterator[Violation]:
    """What is wrong with `arguments`; `schema` is one that `validators.argument_schema` took."""
    for error in _validator(schema).iter_errors(arguments):
        yield tuple(error.schema_path), tuple(error.instance_path), error.message
