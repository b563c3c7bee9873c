"""Frozen nouns without the standard library's ``dataclasses``.

That module loads ``inspect``, ``ast`` and ``tokenize``: half of the time that ``import unionfs_sim`` may
take. To type checkers a record is a frozen dataclass (PEP 681).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, TypeVar, cast, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

RecordT = TypeVar("RecordT", bound="Record")
_MISSING: Final = object()


class _Specified:
    """What ``field`` says of a field, until its class is made."""

    __slots__ = ("compare", "default", "default_factory", "hash", "repr")

    def __init__(
        self, default: object, default_factory: Callable[[], object] | None, hidden: tuple[bool, bool, bool]
    ) -> None:
        self.default = default
        self.default_factory = default_factory
        self.repr, self.compare, self.hash = hidden


def field(  # type: ignore[explicit-any]
    *,
    default: Any = _MISSING,
    default_factory: Callable[[], Any] | None = None,
    repr: bool = True,
    compare: bool = True,
    hash: bool = True,
) -> Any:
    """A field that ``repr``, ``==`` or ``hash`` leaves out, or with a default that is made each time.

    To type checkers it is of any type, as the standard library's is: only the annotation says which.
    """
    return _Specified(default, default_factory, (repr, compare, hash and compare))


class _Fields:
    """``__dataclass_fields__``, for who has loaded ``dataclasses``: its functions take records as well."""

    def __get__(self, instance: object, owner: type[Record]) -> dict[str, Field[object]]:
        known: dict[str, Field[object]] | None = owner.__dict__.get("_known_fields")
        if known is None:
            import dataclasses

            given = [(name, object, _field_of(owner, name)) for name in owner._names]
            made = dataclasses.make_dataclass(owner.__name__, given, kw_only=True)
            known = owner._known_fields = {each.name: each for each in dataclasses.fields(made)}
        return known


def _field_of(owner: type[Record], name: str) -> Field[object]:
    """The field as ``dataclasses`` describes it."""
    import dataclasses

    shown, compared, hashed = (name in names for names in (owner._shown, owner._compared, owner._hashed))
    described = partial(dataclasses.field, repr=shown, compare=compared, hash=hashed)
    if name in owner._factories:
        return cast("Field[object]", described(default_factory=owner._factories[name]))
    if name in owner._defaults:
        default = owner._defaults[name]
        if type(default).__hash__ is None:  # ``dataclasses`` takes that for a sign that it can change.
            return cast("Field[object]", described(default_factory=lambda: default))
        return cast("Field[object]", described(default=default))
    return cast("Field[object]", described())


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """A value with named fields: compared and printed by them, never changed.

    >>> class Point(Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar[_Fields] = _Fields()

    _names: ClassVar[tuple[str, ...]] = ()
    _allowed: ClassVar[frozenset[str]] = frozenset()
    _shown: ClassVar[tuple[str, ...]] = ()
    _compared: ClassVar[tuple[str, ...]] = ()
    _hashed: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, object]] = {}
    _factories: ClassVar[dict[str, Callable[[], object]]] = {}
    _known_fields: ClassVar[dict[str, Field[object]]]

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        super().__init_subclass__()
        annotated = [n for n, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]
        own = [name for name in annotated if name not in cls._allowed]
        cls.__match_args__ = () if kw_only else (*cls.__match_args__, *own)  # type: ignore[misc]
        cls._names += tuple(own)
        cls._allowed |= frozenset(own)
        said = {name: cls.__dict__.get(name, _MISSING) for name in annotated}
        specified = {name: value for name, value in said.items() if isinstance(value, _Specified)}
        for name, value in specified.items():
            said[name] = value.default
            if value.default is _MISSING:
                delattr(cls, name)
            else:
                setattr(cls, name, value.default)
        cls._defaults = cls._defaults | {name: value for name, value in said.items() if value is not _MISSING}
        cls._factories = cls._factories | {
            name: value.default_factory for name, value in specified.items() if value.default_factory
        }
        cls._shown += tuple(name for name in own if name not in specified or specified[name].repr)
        cls._compared += tuple(name for name in own if name not in specified or specified[name].compare)
        cls._hashed += tuple(name for name in own if name not in specified or specified[name].hash)

    def __init__(self, *values: object, **named: object) -> None:
        kind = type(self)
        given = {**kind._defaults, **dict(zip(kind.__match_args__, values, strict=False)), **named}
        if len(given) < len(kind._names):
            for name, make in kind._factories.items():
                if name not in given:
                    given[name] = make()
        if (
            len(given) != len(kind._names)
            or len(values) > len(kind.__match_args__)
            or (named and not kind._allowed.issuperset(named))
            or (named and values and not named.keys().isdisjoint(kind.__match_args__[: len(values)]))
        ):
            kind._refuse(values, named, given)
        self.__dict__.update(given)

    @classmethod
    def _refuse(
        cls, values: tuple[object, ...], named: Mapping[str, object], given: Mapping[str, object]
    ) -> NoReturn:
        kind = cls.__name__
        if len(values) > len(cls.__match_args__):
            raise TypeError(f"{kind} takes {len(cls.__match_args__)} positions, not {len(values)}")
        for name in named:
            if name not in cls._allowed or name in cls.__match_args__[: len(values)]:
                raise TypeError(f"{kind} has no field {name!r} to set, or has it twice")
        lacking = next(name for name in cls._names if name not in given)
        raise TypeError(f"{kind} lacks its field {lacking!r}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot change")

    def _values(self, names: tuple[str, ...]) -> tuple[object, ...]:
        known = self.__dict__
        return tuple([known[name] for name in names])

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values(self._compared) == other._values(self._compared)

    def __hash__(self) -> int:
        return hash((type(self), *self._values(self._hashed)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={_told(name, self.__dict__[name])}" for name in self._shown)
        return f"{type(self).__name__}({shown})"


def _told(name: str, value: object) -> str:
    """A value as Python has it, a mode in octal as everybody reads it."""
    return oct(value) if name == "mode" and type(value) is int else repr(value)


def replace(record: RecordT, **changes: object) -> RecordT:
    """A record like ``record`` with some fields changed."""
    kept = record.__dict__
    return type(record)(**({name: kept[name] for name in record._names} | changes))


def fields(kind: type[Record]) -> tuple[str, ...]:
    """The names of a record's fields, in order."""
    return kind._names
