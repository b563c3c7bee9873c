"""The embedded base images: described in text, made when first asked for, equal on every machine.

Programs and libraries in them weigh 1/``SCALE`` of the real ones; text files are as they are.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import zip_longest
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from builder.world.scale import SCALE
from builder.world.supplies.description import Entry, TreeFormatError, read_tree
from builder.world.supplies.packages.installed import (
    APK_DATABASE,
    APK_WORLD,
    DPKG_LISTS,
    DPKG_STATUS,
    Installed,
    write_apk,
    write_dpkg,
)
from builder.world.supplies.packages.repositories import Package, files_of, packages
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer

_ONLY_ONE: Final = 100.0
"""How far two tags are apart where only one goes on with a number."""

_TREES: Final = Path(__file__).parent / "trees"


@dataclass(frozen=True, slots=True)
class BaseImage:
    """An embedded image. ``layers``: base first, frozen; ``created_by``: one line for each layer.

    ``config``: as it is written in an image's JSON (OCI image-spec config.md, "config").
    """

    name: str
    about: str
    layers: tuple[Layer, ...] = field(repr=False)
    created_by: tuple[str, ...]
    config: Mapping[str, Any]
    created: str
    scale: int = SCALE


@dataclass(frozen=True, slots=True)
class _Description:
    """What a file in ``trees/`` says."""

    names: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    tree: str = field(repr=False)

    def one(self, name: str, usual: str = "") -> str:
        return next(iter(self.values.get(name, ())), usual)


def names() -> tuple[str, ...]:
    """Every name and tag under which an embedded image can be had, sorted."""
    return tuple(sorted(_catalogue()))


def find(name: str) -> BaseImage | None:
    """The embedded image that ``name`` names, ``:latest`` if it has no tag; None if there is none."""
    whole = name if ":" in name else f"{name}:latest"
    file_name = _catalogue().get(whole)
    return None if file_name is None else _load(file_name, whole)


def nearest(reference: str) -> tuple[str, ...]:
    """The embedded names that look most like ``reference``."""
    return tuple(difflib.get_close_matches(reference, names(), n=3, cutoff=0.4))


def relative(reference: str) -> str | None:
    """The embedded name of the same repository that is nearest to ``reference``; None if it has none.

    Words of the tag count first (``slim``, ``alpine``), then how near the numbers are.

    >>> relative("alpine:3.20"), relative("nginx:1.29-alpine"), relative("elsewhere/alpine:3")
    ('alpine:3.19', 'nginx:1.24-alpine', None)
    """
    if find(reference) is not None:
        return reference
    repository, _, tag = reference.partition(":")
    family = [name for name in names() if name.partition(":")[0] == repository]
    return min(family, key=lambda name: _distance(tag, name.partition(":")[2]), default=None)


def _distance(asked: str, offered: str) -> tuple[int, list[float], int, str]:
    """How far two tags are from each other: words that only one has, differences of numbers, length."""
    words, numbers = _parts(asked)
    other_words, other_numbers = _parts(offered)
    pairs = zip_longest(numbers, other_numbers)
    apart = [_ONLY_ONE if None in pair else abs(float(pair[0]) - float(pair[1])) for pair in pairs]
    return len(words ^ other_words), apart if numbers else [], len(offered), offered


def _parts(tag: str) -> tuple[frozenset[str], list[str]]:
    pieces = [piece for piece in re.split(r"[-._]|(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", tag) if piece]
    words = frozenset(piece for piece in pieces if not piece.isdigit()) - {"latest"}
    return words, [piece for piece in pieces if piece.isdigit()]


@cache
def _catalogue() -> Mapping[str, str]:
    """Which description each name stands for."""
    found: dict[str, str] = {}
    for path in sorted(_TREES.glob("*.txt")):
        for name in _describe(path.name).names:
            found[name] = path.name
    return MappingProxyType(found)


@cache
def _describe(file_name: str) -> _Description:
    header, _, tree = (_TREES / file_name).read_text(encoding="utf-8").partition("\ntree\n")
    values: dict[str, list[str]] = {}
    for line in header.splitlines():
        word, _, value = line.partition(" ")
        if word and not word.startswith("#"):
            values.setdefault(word, []).append(value)
    listed = tuple(name for line in values.pop("names", []) for name in line.split())
    return _Description(listed, MappingProxyType({key: tuple(value) for key, value in values.items()}), tree)


@cache
def _load(file_name: str, name: str) -> BaseImage:
    chain = _chain(file_name)
    parts = [part for part in chain if part.tree.strip() or part.values.get("packages")]
    return BaseImage(
        name=name,
        about=chain[-1].one("about"),
        layers=_layers(file_name),
        created_by=tuple(part.one("history") for part in parts),
        config=_config(chain),
        created=chain[-1].one("created"),
    )


@cache
def _layers(file_name: str) -> tuple[Layer, ...]:
    """The layers of an image, base first; two images that share a base share its layers."""
    description = _describe(file_name)
    parent = description.one("from")
    lowers = _layers(f"{parent}.txt") if parent else ()
    installed: list[Installed] = []
    entries: list[Entry] = []
    for part in _chain(file_name):
        entries = _entries(part, installed)
    made = _frozen(entries, description.one("created"))
    return (*lowers, made) if made.root.children else lowers


def _chain(file_name: str) -> tuple[_Description, ...]:
    """The descriptions that an image is made of, base first."""
    description = _describe(file_name)
    parent = description.one("from")
    return (*_chain(f"{parent}.txt"), description) if parent else (description,)


def _config(chain: Iterable[_Description]) -> Mapping[str, Any]:
    config: dict[str, Any] = {}
    env: dict[str, str] = {}
    labels: dict[str, str] = {}
    ports: set[str] = set()
    for part in chain:
        env |= dict(line.split("=", 1) for line in part.values.get("env", ()))
        labels |= dict(line.split("=", 1) for line in part.values.get("label", ()))
        ports.update(part.values.get("expose", ()))
        for word, member in (("cmd", "Cmd"), ("entrypoint", "Entrypoint")):
            if part.one(word):
                config[member] = json.loads(part.one(word))
        for word, member in (("workdir", "WorkingDir"), ("user", "User"), ("stopsignal", "StopSignal")):
            if part.one(word):
                config[member] = part.one(word)
    config |= {"Env": [f"{name}={value}" for name, value in env.items()], "Labels": labels}
    config["ExposedPorts"] = {port: {} for port in sorted(ports)}
    return MappingProxyType(config)


def _entries(part: _Description, installed: list[Installed]) -> list[Entry]:
    """The files of one layer: those of its packages, their database, and its own tree."""
    entries: list[Entry] = []
    for line in part.values.get("packages", ()):
        repository, *wanted = line.split()
        known = packages(repository)
        have = {package.name for package in installed}
        for package in _closure(known, wanted):
            if package.name not in have:
                files = files_of(package)
                entries.extend(files)
                installed.append(_record(package, files, wanted))
        entries.extend(_database(repository, installed))
    return [*entries, *read_tree(part.tree)]


def _closure(known: Mapping[str, Package], wanted: Iterable[str]) -> list[Package]:
    """The packages and everything they need, needed ones first."""
    ordered: dict[str, Package] = {}
    waiting: set[str] = set()

    def add(name: str) -> None:
        if name in ordered or name in waiting:
            return
        if name not in known:
            raise TreeFormatError(f"no such package: {name}")
        waiting.add(name)
        for need in known[name].needs:
            add(need)
        ordered[name] = known[name]

    for name in wanted:
        add(name)
    return list(ordered.values())


def _record(package: Package, files: Iterable[Entry], wanted: Iterable[str]) -> Installed:
    paths = tuple(entry.path for entry in files if entry.kind != "dir")
    return Installed(
        package.name,
        package.version,
        package.installed_bytes,
        package.needs,
        package.provides,
        paths,
        is_wanted=package.name in wanted,
    )


def _database(repository: str, installed: list[Installed]) -> list[Entry]:
    if repository == "alpine":
        world = "".join(f"{package.name}\n" for package in installed if package.is_wanted)
        return [
            Entry(APK_DATABASE, "file", 0o644, content=write_apk(installed)),
            Entry(APK_WORLD, "file", 0o644, content=world.encode()),
        ]
    lists = [
        Entry(f"{DPKG_LISTS}/{package.name}.list", "file", 0o644, content="\n".join(package.files).encode())
        for package in installed
    ]
    return [Entry(DPKG_STATUS, "file", 0o644, content=write_dpkg(installed)), *lists]


def _frozen(entries: Iterable[Entry], created: str) -> Layer:
    tree: dict[str, File | Dir | Symlink] = {}
    mtime = int(datetime.fromisoformat(created).timestamp()) * 1_000_000_000
    for entry in entries:
        if entry.kind == "dir":
            tree[entry.path] = Dir(entry.mode, entry.uid, entry.gid, mtime)
        elif entry.kind == "link":
            tree[entry.path] = Symlink(entry.target, entry.uid, entry.gid, mtime)
        else:
            tree[entry.path] = File(entry.content, entry.mode, entry.uid, entry.gid, mtime)
    return layer(tree).freeze()
