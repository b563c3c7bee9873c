"""What the simulated compiler writes: objects, archives, shared libraries and programs.

Each is a magic and one line of JSON (then padding, if any), so that equal inputs give equal bytes and
a learner can read what was linked. Object and shared library: ``OBJECT_MAGIC``; archive: the real
``!<arch>`` and one line per member; program: ``PROGRAM_MAGIC`` with the name ``compiled``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

OBJECT_MAGIC: Final = b"\x7fOBJ\n"
ARCHIVE_MAGIC: Final = b"!<arch>\n"
COMPILED_MAGIC: Final = b"\x7fSIM compiled\n"
MAX_HEADER_BYTES: Final = 8 * 1024 * 1024
DEBUG_BYTES_PER_LINE: Final = 24
"""How much -g adds for each line of source; strip takes it away again."""


class ObjectFormatError(ValueError):
    """Bytes that are no object, archive or program of this compiler."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One translation unit after preprocessing: its text, and which functions are found elsewhere.

    ``source`` holds line markers (``# 12 "main.c"``), so that messages name the file that was written.
    """

    name: str
    source: str
    defines: tuple[str, ...]
    needs: tuple[str, ...]
    debug_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Binary:
    """An object, shared library or program: units, and native symbols that the simulation provides."""

    units: tuple[Unit, ...] = ()
    native: tuple[str, ...] = ()
    soname: str | None = None
    needed: tuple[str, ...] = ()
    interpreter: str | None = None
    runpath: tuple[str, ...] = ()
    symbols_kept: bool = True
    padding: int = 0

    @property
    def defines(self) -> frozenset[str]:
        """Every symbol that something linked with this may use."""
        return frozenset(self.native).union(*(unit.defines for unit in self.units))

    @property
    def needs(self) -> frozenset[str]:
        """The symbols used here and not defined here."""
        return frozenset().union(*(unit.needs for unit in self.units)) - self.defines


@dataclass(frozen=True, slots=True)
class Archive:
    """A static library: members by name, in the order they were added."""

    members: Mapping[str, Binary] = field(default_factory=dict)


def encode_object(binary: Binary) -> bytes:
    """``binary`` as the bytes of an object or a shared library."""
    return OBJECT_MAGIC + _encode(binary)


def encode_program(binary: Binary) -> bytes:
    """``binary`` as the bytes of an executable file."""
    return COMPILED_MAGIC + _encode(binary)


def encode_archive(archive: Archive) -> bytes:
    """``archive`` as the bytes of a ``.a`` file."""
    lines = [
        _dump({"member": name, **_document(member)}) + b"\0" * _extra(member)
        for name, member in archive.members.items()
    ]
    return ARCHIVE_MAGIC + b"".join(line + b"\n" for line in lines)


def decode(data: bytes) -> Binary | Archive:
    """What ``data`` holds; ObjectFormatError if it was not written by this compiler."""
    for magic in (OBJECT_MAGIC, COMPILED_MAGIC):
        if data.startswith(magic):
            return _binary(_load(data[len(magic) :]))
    if data.startswith(ARCHIVE_MAGIC):
        members: dict[str, Binary] = {}
        for line in data[len(ARCHIVE_MAGIC) :].split(b"\n"):
            if line:
                document = _load(line)
                members[str(document.get("member"))] = _binary(document)
        return Archive(members)
    raise ObjectFormatError("file format not recognized")


def native_library(
    soname: str, symbols: Sequence[str], needed: Sequence[str] = (), padding: int = 0
) -> bytes:
    """The bytes of a shared library whose functions the simulation itself provides."""
    return encode_object(Binary(native=tuple(symbols), soname=soname, needed=tuple(needed), padding=padding))


def native_archive(member: str, symbols: Sequence[str], padding: int = 0) -> bytes:
    """The bytes of a static library whose functions the simulation itself provides."""
    return encode_archive(Archive({member: Binary(native=tuple(symbols), padding=padding)}))


def _encode(binary: Binary) -> bytes:
    return _dump(_document(binary)) + b"\n" + b"\0" * _extra(binary)


def _extra(binary: Binary) -> int:
    return binary.padding + sum(unit.debug_bytes for unit in binary.units)


def _document(binary: Binary) -> dict[str, object]:
    whole = {
        "units": [
            {
                "name": unit.name,
                "source": unit.source,
                "defines": list(unit.defines),
                "needs": list(unit.needs),
                "debug": unit.debug_bytes,
            }
            for unit in binary.units
        ],
        "native": list(binary.native),
        "soname": binary.soname,
        "needed": list(binary.needed),
        "interpreter": binary.interpreter,
        "runpath": list(binary.runpath),
        "stripped": not binary.symbols_kept,
        "padding": binary.padding,
    }
    return {key: value for key, value in whole.items() if value}


def _dump(document: Mapping[str, object]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _load(data: bytes) -> Mapping[str, Any]:
    end = data.find(b"\n")
    line = (data if end < 0 else data[:end]).rstrip(b"\0")
    if len(line) > MAX_HEADER_BYTES:
        raise ObjectFormatError("file too big")
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ObjectFormatError("file truncated") from error
    if not isinstance(document, dict):
        raise ObjectFormatError("file format not recognized")
    return document


def _names(value: object) -> tuple[str, ...]:
    if not isinstance(value, Iterable) or isinstance(value, str | bytes):
        raise ObjectFormatError("bad value")
    return tuple(str(item) for item in value)


def _binary(document: Mapping[str, Any]) -> Binary:
    try:
        units = tuple(
            Unit(
                str(unit["name"]),
                str(unit["source"]),
                _names(unit["defines"]),
                _names(unit["needs"]),
                max(0, int(unit.get("debug", 0))),
            )
            for unit in document.get("units", ())
        )
        return Binary(
            units=units,
            native=_names(document.get("native", ())),
            soname=document.get("soname"),
            needed=_names(document.get("needed", ())),
            interpreter=document.get("interpreter"),
            runpath=_names(document.get("runpath", ())),
            symbols_kept=not document.get("stripped", False),
            padding=min(max(0, int(document.get("padding", 0))), 1 << 30),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ObjectFormatError("bad value") from error
