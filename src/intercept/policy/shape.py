"""How the shape of a policy file is declared, and read: one class a mapping, one line a key.

    class Limit(Model):
        max = field(Positive, missing="write for example `max: 10`")
        counter = field(Name, None, "limits with the same counter share their use; default: its own")

`max` must be there, `counter` is None where it is left out, and no other key is taken. What may stand behind a key is
a `Kind`: a `Notation`, or a model. `Model.read` makes an instance of a tree, or raises `Refusal` with every mistake in
it. A kind takes values of its own type, and nothing that could be made into one.

Our own, because the proxy reads its policy while a client waits (CONTRIBUTING says what a library for it would cost).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Generic, NamedTuple, NoReturn, Protocol, Self, TypeAlias, TypeVar, overload

from .tree import KeyPath
from .wording import did_you_mean, listed, nearest, rewritten, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Schema: TypeAlias = dict[str, Any]
"""A JSON Schema."""


class Complaint(NamedTuple):
    """A mistake by the way that leads to it."""

    path: KeyPath
    message: str
    help: str = ""
    of_key: bool = False
    """Whether the key at the end of `path` is meant, rather than its value."""


class Refusal(Exception):  # noqa: N818  # says what it is about, and never leaves the package
    """A value is not what it should be."""

    def __init__(self, complaints: list[Complaint]) -> None:
        super().__init__()
        self.complaints = complaints

    def below(self, key: str | int) -> list[Complaint]:
        """The complaints as they are from one level up, where the value stands at `key`."""
        return [complaint._replace(path=(key, *complaint.path)) for complaint in self.complaints]


def refuse(message: str, advice: str = "", at: KeyPath = (), *, of_key: bool = False) -> NoReturn:
    """Report one mistake: what is wrong, what to write instead, and where below the value that is looked at.

    Raises:
        Refusal: always.
    """
    raise Refusal([Complaint(at, message, advice, of_key)])


# --- what may stand behind a key --------------------------------------------------------------------------------------


class Kind(Protocol[T_co]):
    """What a value may be. The classes of models are kinds too."""

    def read(self, value: object, /) -> T_co:
        """What `value` says.

        Raises:
            Refusal: it is of another kind.
        """

    def json_schema(self) -> Schema:
        """The JSON Schema of what `read` takes; it may take more, but never less."""


class Notation(Generic[T]):
    """A kind that is a function and a schema."""

    def __init__(self, read: Callable[[object], T], json_schema: Callable[[], Schema]) -> None:
        self.read = read
        self.json_schema = json_schema


class Later(Generic[T]):
    """The kind `kind()`, which is not there yet: a model that holds its like."""

    def __init__(self, kind: Callable[[], Kind[T]]) -> None:
        self._kind = kind

    def read(self, value: object, /) -> T:
        """As `Kind` has it."""
        return self._kind().read(value)

    def json_schema(self) -> Schema:
        """As `Kind` has it."""
        return self._kind().json_schema()


def expected(what: str, found: object) -> NoReturn:
    """Refuse `found`, which is not `what`.

    Raises:
        Refusal: always.
    """
    refuse(f"expected {what}, found {shown(found)}", rewritten(what, found))


def _text(value: object) -> str:
    return value if isinstance(value, str) else expected("text", value)


def _name(value: object) -> str:
    return _text(value) or refuse("expected text, found an empty string")


def _flag(value: object) -> bool:
    return value if isinstance(value, bool) else expected("true or false", value)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else expected("a mapping", value)


def _anything(value: object) -> Any:  # noqa: ANN401  # that is what it says
    return value


Text: Final = Notation(_text, lambda: {"type": "string"})
Name: Final = Notation(_name, lambda: {"type": "string", "minLength": 1})
Flag: Final = Notation(_flag, lambda: {"type": "boolean"})
Object: Final = Notation(_object, lambda: {"type": "object", "additionalProperties": True})
"""A mapping whose keys are not ours."""
Anything: Final = Notation(_anything, dict)


def whole(at_least: int, at_most: int | None = None) -> Notation[int]:
    """A whole number between these, which are taken too."""
    bounds = {"minimum": at_least} if at_most is None else {"minimum": at_least, "maximum": at_most}

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            expected("a whole number", value)
        if value < at_least:
            refuse(f"expected at least {at_least}, found {shown(value)}")
        if at_most is not None and value > at_most:
            refuse(f"expected at most {at_most:,}, found {shown(value)}")
        return value

    return Notation(read, lambda: {"type": "integer", **bounds})


def one_of(*words: str, called: str = "") -> Notation[str]:
    """One of `words`, which together are `called` something if they are too many to be listed in a message."""

    def read(value: object) -> str:
        if isinstance(value, str) and value in words:
            return value
        guess = nearest(value, words) if isinstance(value, str) else ""
        advice = did_you_mean(guess) if len(words) > 1 else ""
        if called:
            advice = advice or f"known are {', '.join(words)}"
        refuse(f"expected {called or listed([*words])}, found {shown(value)}", advice)

    return Notation(read, lambda: {"type": "string", **({"enum": [*words]} if len(words) > 1 else {"const": words[0]})})


def many(item: Kind[T]) -> Notation[list[T]]:
    """A list of `item`."""

    def read(value: object) -> list[T]:
        if not isinstance(value, list):
            expected("a list", value)
        items, complaints = [], []
        for at, written in enumerate(value):
            try:
                items.append(item.read(written))
            except Refusal as refusal:
                complaints += refusal.below(at)
        if complaints:
            raise Refusal(complaints)
        return items

    return Notation(read, lambda: {"type": "array", "items": item.json_schema()})


def named(value: object, read: Callable[[str, object], T], instead_of: Callable[[object], str]) -> dict[str, T]:
    """What `read` makes of each name and value in the mapping `value`; else `instead_of` it says what to write.

    Raises:
        Refusal: with the mistakes in all of them.
    """
    if not isinstance(value, dict):
        refuse(f"expected a mapping, found {shown(value)}", instead_of(value) or rewritten("a mapping", value))
    items, complaints = {}, []
    for name, written in value.items():
        try:
            items[name] = read(name, written)
        except Refusal as refusal:
            complaints += refusal.below(name)
    if complaints:
        raise Refusal(complaints)
    return items


# --- mappings ---------------------------------------------------------------------------------------------------------

_REQUIRED: Final = object()


class Field(NamedTuple):
    """One key of a mapping."""

    attribute: str
    kind: Kind[Any]
    default: object
    description: str
    missing: str
    """What to write where the key must be and is not."""

    @property
    def is_required(self) -> bool:
        """Whether it must be there."""
        return self.default is _REQUIRED


@overload
def field(kind: Kind[T], /, *, description: str = "", missing: str = "") -> T: ...
@overload
def field(kind: Kind[T], /, default: T, description: str = "") -> T: ...
def field(
    kind: Kind[Any], /, default: object = _REQUIRED, description: str = "", missing: str = ""
) -> Any:  # the attribute of an instance, as the overloads say
    """A key with a value of this `kind`. Left out it is `default`, of which no copies are made: treat it as frozen.

    Written, it is never null (unless the kind takes that): `rate_limit:` with nothing behind it limits nothing, and
    its author believes that it does.
    """
    return Field("", kind, default, description, missing)


class Model:
    """A mapping of a policy file; each `field` of the class is one of its keys. Frozen.

    The key of an attribute that would hide a word of Python has no underscore at its end: `not_` is `not`.
    """

    fields: ClassVar[Mapping[str, Field]] = {}
    """By name, in their order."""
    required: ClassVar[tuple[str, ...]] = ()
    """Names of keys that must be there."""

    def __init_subclass__(cls) -> None:
        fields = dict(cls.fields)
        for attribute, declared in list(vars(cls).items()):
            if isinstance(declared, Field):
                fields[attribute.rstrip("_")] = declared._replace(attribute=attribute)
                # The class has the defaults, an instance what was written.
                if declared.is_required:
                    delattr(cls, attribute)
                else:
                    setattr(cls, attribute, declared.default)
        cls.fields = fields
        cls.required = tuple(name for name, declared in fields.items() if declared.is_required)

    @classmethod
    def of(cls, **attributes: object) -> Self:
        """A model that nobody wrote, or that was read before: nothing is checked."""
        model = cls()
        model.__dict__.update(attributes)
        return model

    @classmethod
    def read(cls, value: object, /) -> Self:
        """As `Kind` has it."""
        if not isinstance(value, dict):
            refuse(f"expected a mapping, found {shown(value)}", cls.instead_of(value))
        attributes, strange, complaints = {}, [], []
        for name, written in value.items():
            known = cls.fields.get(name)
            if known is None:
                strange.append(name)
                continue
            try:
                attributes[known.attribute] = known.kind.read(written)
            except Refusal as refusal:
                complaints += refusal.below(name)
        missing = [name for name in cls.required if name not in value]
        if strange or missing:
            from .messages import misnamed

            complaints += misnamed(cls, strange, missing)
        if complaints:
            raise Refusal(complaints)
        model = cls.of(**attributes)
        model.check()
        return model

    @classmethod
    def json_schema(cls) -> Schema:
        """As `Kind` has it: a reference, so that a model may hold its like."""
        return {"$ref": f"#/$defs/{cls.__name__}"}

    @classmethod
    def instead_of(cls, value: object) -> str:
        """What to write instead of `value`, which is no mapping."""
        return rewritten("a mapping", value)

    def check(self) -> None:
        """Look at keys that are sound by themselves, together.

        Raises:
            Refusal: they do not go together.
        """

    def has(self, attribute: str) -> bool:
        """Whether the author wrote the key of `attribute`."""
        return attribute in self.__dict__

    def content(self) -> dict[str, Any]:
        """What each attribute stands for, whether it was written or not."""
        return {each.attribute: getattr(self, each.attribute) for each in self.fields.values()}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.content() == other.content()

    __hash__ = None  # type: ignore[assignment]  # lists and mappings are in it

    def __setattr__(self, attribute: str, value: object) -> NoReturn:
        raise AttributeError(f"`{attribute}` cannot be set: what a file says does not change")
