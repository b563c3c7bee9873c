"""Frozen nouns without the standard library's ``dataclasses``.

That module loads ``inspect``, ``ast`` and ``tokenize``: half of the time that ``import unionfs_sim`` may
take. To type checkers a record is a frozen dataclass (PEP 681).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NoReturn, TypeVar, dataclass_transform

if TYPE_CHECKING:
    from dataclasses import Field

RecordT = TypeVar("RecordT", bound="Record")


class _Fields:
    """``__dataclass_fields__``, for who has loaded ``dataclasses``: its functions take records as well."""

    def __get__(self, instance: object, owner: type[Record]) -> dict[str, Field[object]]:
        import dataclasses

        made = dataclasses.make_dataclass(owner.__name__, owner._names)
        return {field.name: field for field in dataclasses.fields(made)}


@dataclass_transform(frozen_default=True)
class Record:
    """A value with named fields: compared and printed by them, never changed.

    >>> class Point(Record):
    ...     x: int
    ...     y: int = 0
    >>> Point(1), Point(1) == Point(1, 0), replace(Point(1), y=2)
    (Point(x=1, y=0), True, Point(x=1, y=2))
    """

    __match_args__: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, *, kw_only: bool = False) -> None:
        names = list(cls.__annotations__)
        cls.__match_args__ = () if kw_only else tuple(names)  # type: ignore[misc]
        cls._names = tuple(names)

    _names: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar[_Fields] = _Fields()

    def __init__(self, *values: object, **named: object) -> None:
        kind = type(self)
        if len(values) > len(kind.__match_args__):
            raise TypeError(f"{kind.__name__} takes {len(kind.__match_args__)} positions, not {len(values)}")
        given = dict(zip(kind.__match_args__, values, strict=False))
        for name, value in named.items():
            if name in given or name not in kind._names:
                raise TypeError(f"{kind.__name__} has no field {name!r} to set, or has it twice")
            given[name] = value
        for name in kind._names:
            if name not in given:
                try:
                    given[name] = getattr(kind, name)
                except AttributeError:
                    raise TypeError(f"{kind.__name__} lacks its field {name!r}") from None
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__}.{name} cannot change")

    def _values(self) -> tuple[object, ...]:
        known = self.__dict__
        return tuple(known[name] for name in self._names)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *self._values()))

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._names)
        return f"{type(self).__name__}({fields})"


def replace(record: RecordT, **changes: object) -> RecordT:
    """A record like ``record`` with some fields changed."""
    return type(record)(**(record.__dict__ | changes))
