"""Patterns and argument schemas, matched in time linear in the text by `jsonschema-rs` (Rust `regex`: no backtracking).

The only module that knows the library. It is imported when a policy first has a pattern or a schema.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final, TypeAlias

import jsonschema_rs

from ..values import Json, MalformedError

Where: TypeAlias = tuple[str | int, ...]
"""Keys from the top of a schema to a part of it."""
Flaw: TypeAlias = tuple[Where, str, str]
"""Where in a schema, what is wrong, and what to write instead."""

_NO_LOOKING: Final = "look-around and backreferences are not part of the language"


@lru_cache(maxsize=1024)
def pattern(text: str) -> Callable[[str], bool]:
    """A function that tells whether the pattern `text` is found in a text; `^` and `$` are the ends of the text.

    Raises:
        MalformedError: the pattern does not compile, or would take too much memory.
    """
    try:
        found: Callable[[str], bool] = _validator({"pattern": text}).is_valid
    except ValueError:
        raise MalformedError(f"`{text}` is not a pattern", _NO_LOOKING) from None
    return found


def argument_schema(schema: dict[str, Any]) -> Callable[[dict[str, Json]], bool] | list[Flaw]:
    """A function that tells whether arguments satisfy `schema`, or what is wrong with it."""
    if found := list(_flaws(schema, schema, ())):
        return found
    try:
        accepts: Callable[[dict[str, Json]], bool] = _validator(schema).is_valid
    except jsonschema_rs.ValidationError as error:
        return [(tuple(error.instance_path), f"not a JSON Schema: {error.message.splitlines()[0]}", "")]
    return accepts


def _validator(schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        schema,
        pattern_options=jsonschema_rs.RegexOptions(),
        validate_formats=True,
        ignore_unknown_formats=False,
        offline=True,
    )


_ONE: Final = frozenset({
    "additionalProperties", "propertyNames", "unevaluatedProperties", "items", "unevaluatedItems", "contains",
    "not", "if", "then", "else",
})  # fmt: skip
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_MAPS: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_VALUES: Final = frozenset({
    "type", "enum", "const", "format", "pattern", "minLength", "maxLength", "multipleOf", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains",
    "minProperties", "maxProperties", "required", "dependentRequired",
    "$schema", "$ref", "$comment", "title", "description", "default", "deprecated", "examples",
})  # fmt: skip
KEYWORDS: Final = _ONE | _LISTS | _MAPS | _VALUES
_ADVICE: Final[Mapping[str, str]] = {
    "definitions": "write `$defs`",
    "dependencies": "write `dependentRequired` or `dependentSchemas`",
    "additionalItems": "write `items` beside `prefixItems`",
    "$id": "a schema here has no name of its own; leave it out",
    "$anchor": "refer to `#/$defs/...` instead",
    "nullable": 'write `type: [string, "null"]`',
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def _flaws(schema: Any, root: Any, at: Where) -> Iterator[Flaw]:  # noqa: ANN401  # any shape, checked as it goes
    """What would be ignored, or would reach outside the schema; values of keywords are left to the library."""
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        yield at, "expected a schema", "a schema is a mapping, `true` or `false`"
        return
    for key, value in schema.items():
        here = (*at, key)
        if key in _ONE:
            yield from _flaws(value, root, here)
        elif key in _LISTS and isinstance(value, list):
            for index, part in enumerate(value):
                yield from _flaws(part, root, (*here, index))
        elif key in _MAPS and isinstance(value, dict):
            for name, part in value.items():
                yield from _flaws(part, root, (*here, name))
        elif key == "$ref":
            yield from _bad_reference(value, root, here)
        elif key == "$schema" and str(value).rstrip("#") != _DIALECT:
            yield here, f"`{value}` is not supported", f"schemas are JSON Schema 2020-12: `{_DIALECT}`"
        elif key not in KEYWORDS:
            near = get_close_matches(key, KEYWORDS, 1)
            yield (
                here,
                f"unsupported keyword `{key}`",
                _ADVICE.get(key) or (f"did you mean `{near[0]}`?" if near else ""),
            )


def _bad_reference(reference: Any, root: Any, at: Where) -> Iterator[Flaw]:  # noqa: ANN401
    if reference != "#" and not (isinstance(reference, str) and reference.startswith("#/")):
        yield (
            at,
            f"`{reference}` is outside the schema",
            "`$ref` is `#` or begins with `#/`, for example `#/$defs/name`",
        )
        return
    seen = set()
    while isinstance(reference, str) and reference.startswith("#"):
        if reference in seen:
            yield at, f"`{reference}` leads back to itself, so it would allow anything", ""
            return
        seen.add(reference)
        target = _resolve(root, reference)
        if target is None:
            yield at, f"`{reference}` is not in the schema", ""
            return
        reference = target.get("$ref") if isinstance(target, dict) else None


def _resolve(root: Any, reference: str) -> Any:  # noqa: ANN401
    """The part of `root` that a JSON pointer leads to (RFC 6901), None if there is none."""
    target = root
    for part in reference.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, dict):
            target = target.get(key)
        elif isinstance(target, list) and key.isdecimal() and int(key) < len(target):
            target = target[int(key)]
        else:
            return None
    return target
