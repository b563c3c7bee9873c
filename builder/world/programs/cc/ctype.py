"""The types of the C subset: integers, pointers, arrays, structures, unions and functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, eq=False, slots=True)
class CType:
    """A type. ``kind``: void, int, pointer, array, record or function; sizes in bytes (LP64)."""

    kind: str
    size: int = 0
    signed: bool = True
    target: CType | None = None
    length: int = 0
    parameters: tuple[tuple[str, CType], ...] = ()
    variadic: bool = False

    @property
    def align(self) -> int:
        """The alignment of an object of this type."""
        if self.kind == "array" and self.target is not None:
            return self.target.align
        return min(self.size, 8) or 1


@dataclass(eq=False, slots=True)
class Fields:
    """The members of a structure or union, filled in when its body has been read."""

    tag: str
    places: dict[str, tuple[int, CType]] = field(default_factory=dict)
    size: int = 0
    complete: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class Record(CType):
    """A structure or union; its members may become known later than the type itself."""

    fields: Fields = field(default_factory=lambda: Fields(""))


VOID: Final = CType("void", 1)
CHAR: Final = CType("int", 1)
UNSIGNED_CHAR: Final = CType("int", 1, signed=False)
SHORT: Final = CType("int", 2)
UNSIGNED_SHORT: Final = CType("int", 2, signed=False)
INT: Final = CType("int", 4)
UNSIGNED: Final = CType("int", 4, signed=False)
LONG: Final = CType("int", 8)
UNSIGNED_LONG: Final = CType("int", 8, signed=False)

BY_WORDS: Final[Mapping[tuple[int, bool], CType]] = {
    (1, True): CHAR,
    (1, False): UNSIGNED_CHAR,
    (2, True): SHORT,
    (2, False): UNSIGNED_SHORT,
    (4, True): INT,
    (4, False): UNSIGNED,
    (8, True): LONG,
    (8, False): UNSIGNED_LONG,
}


def pointer_to(target: CType) -> CType:
    """The type of a pointer to ``target``."""
    return CType("pointer", 8, signed=False, target=target)


def array_of(target: CType, length: int) -> CType:
    """The type of an array of ``length`` objects."""
    return CType("array", size_of(target) * length, target=target, length=length)


def size_of(ctype: CType) -> int:
    """The size of an object of this type, in bytes."""
    return ctype.fields.size if isinstance(ctype, Record) else ctype.size


def decayed(ctype: CType) -> CType:
    """The type of a value of this type in an expression (ISO C 6.3.2.1)."""
    if ctype.kind == "array" and ctype.target is not None:
        return pointer_to(ctype.target)
    return pointer_to(ctype) if ctype.kind == "function" else ctype


def common(left: CType, right: CType) -> CType:
    """The type in which two numbers are calculated with (usual arithmetic conversions)."""
    if left.kind == "pointer":
        return left
    if right.kind == "pointer":
        return right
    size = max(left.size, right.size, 4)
    is_signed = all(side.signed or side.size < size for side in (left, right))
    return BY_WORDS[(size, is_signed)]


def wrap(value: int, ctype: CType) -> int:
    """``value`` as an object of ``ctype`` holds it."""
    if ctype.kind == "int":
        bits = ctype.size * 8
        value &= (1 << bits) - 1
        return value - (1 << bits) if ctype.signed and value >> (bits - 1) else value
    return value & 0xFFFFFFFFFFFFFFFF if ctype.kind == "pointer" else value
