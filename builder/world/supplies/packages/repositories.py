"""Package repositories of the toy internet: packages described in text, served as index and archives.

A description is a series of packages, each begun by ``package NAME VERSION SIZE``, then::

    about TEXT               one line
    needs NAME...            dependencies
    provides NAME...         other names (so:libz.so.1)
    group NAME               base | universe: where it is listed
    run COMMAND              what is run after unpacking, by /bin/sh
    (entries of a tree)      see builder.world.supplies.description
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from builder.world.scale import SCALE
from builder.world.supplies.archive import gzip_stored, make_tar, with_directories
from builder.world.supplies.description import Entry, read_text, read_tree, scaled

_HERE: Final = Path(__file__).parent
_PROGRAMS: Final = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
SCRIPT: Final = ".post-install"
"""The member of a package's archive that is run after unpacking."""


@dataclass(frozen=True, slots=True)
class Package:
    """One package: what the index says of it, and its files."""

    name: str
    version: str
    size: str
    about: str = ""
    needs: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    script: str = ""
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    @property
    def file_name(self) -> str:
        """The name of its archive in the repository, without the ending."""
        return f"{self.name}-{self.version}"

    @property
    def installed_bytes(self) -> int:
        """What it stands for when installed, in bytes of the real thing."""
        return scaled(self.size) * SCALE


@cache
def packages(repository: str) -> Mapping[str, Package]:
    """The packages of ``repository`` (``alpine``, ``debian``) by name."""
    text = read_text(_HERE, f"{repository}.txt")
    return {package.name: package for package in _read(text)}


def bringing(repository: str, program: str) -> list[str]:
    """The packages of ``repository`` that put a program of that name where commands are looked for."""
    places = {f"{directory}/{program}" for directory in _PROGRAMS}
    return [
        package.name
        for package in packages(repository).values()
        if any(entry.path in places for entry in package.entries)
    ]


def index_of(repository: str) -> bytes:
    """The index: one JSON object a line, as apk and apt-get of this world read it."""
    lines = [
        json.dumps(
            {
                "name": package.name,
                "version": package.version,
                "size": package.installed_bytes,
                "about": package.about,
                "needs": package.needs,
                "provides": package.provides,
            },
            sort_keys=True,
        )
        for package in packages(repository).values()
    ]
    return "".join(line + "\n" for line in lines).encode()


def archive_of(package: Package) -> bytes:
    """The package's archive (tar.gz), padded to what its download stands for."""
    entries = list(with_directories(files_of(package)))
    if package.script:
        entries.append(Entry(SCRIPT, "file", 0o755, content=f"#!/bin/sh\n{package.script}\n".encode()))
    return gzip_stored(make_tar(entries))


def files_of(package: Package) -> list[Entry]:
    """The package's files, with one that weighs what its size promises beyond them."""
    listed = sum(len(entry.content) for entry in package.entries)
    rest = scaled(package.size) - listed
    entries = list(package.entries)
    if rest > 0:
        entries.append(Entry(f"/usr/share/{package.name}/contents", "file", 0o644, content=b"\0" * rest))
    return entries


def _read(text: str) -> Iterator[Package]:
    for block in text.split("\npackage ")[1:]:
        first, _, rest = block.partition("\n")
        name, version, size = first.split()
        found: dict[str, list[str]] = {"about": [], "needs": [], "provides": [], "run": []}
        tree: list[str] = []
        for line in rest.split("\n"):
            word, _, value = line.partition(" ")
            if word in found:
                found[word].append(value)
            else:
                tree.append(line)
        yield Package(
            name,
            version,
            size,
            about=" ".join(found["about"]),
            needs=tuple(" ".join(found["needs"]).split()),
            provides=tuple(" ".join(found["provides"]).split()),
            script="\n".join(found["run"]),
            entries=tuple(read_tree("\n".join(tree))),
        )
