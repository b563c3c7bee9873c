"""Trees of files described in text: what the base images and the packages are made of.

One line an entry, ``#`` begins a comment; missing parent directories are made with mode 0755::

    dir PATH [MODE] [UID:GID]
    link PATH TARGET                        a symbolic link
    links DIRECTORY TARGET NAME...          many symbolic links to one file (busybox)
    program PATH NAME SIZE [MODE]           an executable of the simulated world
    programs DIRECTORY SIZE NAME...         many executables, each named as its program
    padding PATH SIZE [MODE]                a file of which only the size matters
    library PATH SONAME SIZE [SYMBOL...]    a shared library
    archive PATH SIZE [SYMBOL...]           a static library; @libc stands for what libc.abilist names
    headers DIRECTORY NAME                  the C headers of a library that lie in the package
    text PATH [MODE] [UID:GID]              the lines that follow, each behind "| "

SIZE is the size of the real thing (``824K``, ``4.1M``); the file that is made has 1/SCALE of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, TypeAlias

from builder.world.machine.executable import PROGRAM_MAGIC
from builder.world.machine.objects import native_archive, native_library
from builder.world.scale import SCALE

_HERE: Final = Path(__file__).parent
_HEADERS: Final = _HERE / "headers"
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KM]?)")
_UNITS: Final = {"": 1, "K": 1024, "M": 1024 * 1024}

Kind: TypeAlias = Literal["dir", "file", "link"]


class TreeFormatError(ValueError):
    """A description of a tree that does not follow the grammar above."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, directory or symbolic link. ``target`` is a link's; ``content`` a file's."""

    path: str
    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    content: bytes = field(default=b"", repr=False)
    target: str = ""


def scaled(size: str) -> int:
    """The number of bytes that stand for ``size`` of the real thing.

    >>> scaled("1M"), scaled("250")
    (10485, 2)
    """
    match = _SIZE.fullmatch(size)
    if match is None:
        raise TreeFormatError(f"not a size: {size!r}")
    return int(float(match[1]) * _UNITS[match[2]]) // SCALE


def padded(head: bytes, size: str) -> bytes:
    """``head``, filled up with zeros to what stands for ``size``."""
    return head.ljust(scaled(size), b"\0")


def read_tree(text: str) -> list[Entry]:
    """The entries that ``text`` describes, in its order; TreeFormatError names a wrong line."""
    entries: list[Entry] = []
    lines = _Lines(text)
    for line in lines:
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        make = _MAKERS.get(words[0])
        if make is None:
            raise TreeFormatError(f"line {lines.number}: unknown kind {words[0]!r}")
        try:
            entries.extend(make(words[1:], lines))
        except (IndexError, ValueError) as error:
            raise TreeFormatError(f"line {lines.number}: {line}: {error}") from error
    return entries


def read_text(directory: Path, name: str) -> str:
    """The text of a description that lies in the package."""
    return (directory / name).read_text(encoding="utf-8")


class _Lines:
    """The lines of a description, and the texts that hang on some of them."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines()
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        while self.number < len(self._lines):
            self.number += 1
            yield self._lines[self.number - 1]

    def hanging(self) -> bytes:
        """The text behind ``|`` in the lines that follow."""
        begin = self.number
        while self.number < len(self._lines) and self._lines[self.number].startswith("|"):
            self.number += 1
        taken = [line[2:] for line in self._lines[begin : self.number]]
        return "".join(line + "\n" for line in taken).encode()


def _attributes(words: list[str], mode: int) -> tuple[int, int, int]:
    uid = gid = 0
    for word in words:
        if ":" in word:
            owner, _, group = word.partition(":")
            uid, gid = int(owner), int(group)
        else:
            mode = int(word, 8)
    return mode, uid, gid


def _dir(words: list[str], _lines: _Lines) -> list[Entry]:
    return [Entry(words[0], "dir", *_attributes(words[1:], 0o755))]


def _link(words: list[str], _lines: _Lines) -> list[Entry]:
    return [Entry(words[0], "link", 0o777, target=words[1])]


def _links(words: list[str], _lines: _Lines) -> list[Entry]:
    return [Entry(f"{words[0]}/{name}", "link", 0o777, target=words[1]) for name in words[2:]]


def _program(words: list[str], _lines: _Lines) -> list[Entry]:
    content = padded(PROGRAM_MAGIC + words[1].encode() + b"\n", words[2])
    return [Entry(words[0], "file", *_attributes(words[3:], 0o755), content)]


def _programs(words: list[str], lines: _Lines) -> list[Entry]:
    return [entry for name in words[2:] for entry in _program([f"{words[0]}/{name}", name, words[1]], lines)]


def _padding(words: list[str], _lines: _Lines) -> list[Entry]:
    return [Entry(words[0], "file", *_attributes(words[2:], 0o644), padded(b"", words[1]))]


def _library(words: list[str], _lines: _Lines) -> list[Entry]:
    content = padded(native_library(words[1], _symbols(words[3:])), words[2])
    return [Entry(words[0], "file", 0o755, content=content)]


def _archive(words: list[str], _lines: _Lines) -> list[Entry]:
    content = native_archive(words[0].rpartition("/")[2] + ".o", _symbols(words[2:]), scaled(words[1]))
    return [Entry(words[0], "file", 0o644, content=content)]


def _symbols(words: list[str]) -> list[str]:
    """The symbols that ``words`` name; ``@NAME`` stands for all of NAME.abilist (as glibc calls it)."""
    found: list[str] = []
    for word in words:
        found += read_text(_HERE, f"{word[1:]}.abilist").split() if word.startswith("@") else [word]
    return found


def _headers(words: list[str], _lines: _Lines) -> list[Entry]:
    root = _HEADERS / words[1]
    return [
        Entry(f"{words[0]}/{path.relative_to(root).as_posix()}", "file", 0o644, content=path.read_bytes())
        for path in sorted(root.rglob("*.h"))
    ]


def _text(words: list[str], lines: _Lines) -> list[Entry]:
    return [Entry(words[0], "file", *_attributes(words[1:], 0o644), lines.hanging())]


_MAKERS: Final[dict[str, Callable[[list[str], _Lines], list[Entry]]]] = {
    "dir": _dir,
    "link": _link,
    "links": _links,
    "program": _program,
    "programs": _programs,
    "padding": _padding,
    "library": _library,
    "archive": _archive,
    "headers": _headers,
    "text": _text,
}
