"""Linking: objects, archives and shared libraries into a program or a shared library (ld(1))."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from builder.world.machine.objects import Archive, Binary, ObjectFormatError, Unit, decode
from unionfs_sim.vfs.posix import Posix


class LinkError(Exception):
    """Why linking failed: the lines that ld(1) would print."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)


@dataclass(frozen=True, slots=True)
class Target:
    """What the compiler's specs say of the system it compiles for."""

    machine: str = "x86_64-linux"
    version: str = "0"
    description: str = ""
    interpreter: str = ""
    start_file: str = ""
    includes: tuple[str, ...] = ("/usr/local/include", "/usr/include")
    libraries: tuple[str, ...] = ("/usr/local/lib", "/usr/lib", "/lib")


def read_target(text: str) -> Target:
    """The target that a specs file describes: lines of ``name value...``."""
    found = {words[0]: words[1:] for line in text.splitlines() if (words := line.split())}

    def one(name: str) -> str:
        return " ".join(found.get(name, ()))

    usual = Target()
    return Target(
        machine=one("machine") or usual.machine,
        version=one("version") or usual.version,
        description=one("description"),
        interpreter=one("interpreter"),
        start_file=one("start_file"),
        includes=tuple(found.get("includes", usual.includes)),
        libraries=tuple(found.get("libraries", usual.libraries)),
    )


@dataclass(slots=True)
class Linker:
    """One link: what has been taken in so far, and what is still missing."""

    fs: Posix
    directories: tuple[str, ...]
    is_static: bool = False
    units: list[Unit] = field(default_factory=list)
    native: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    provided: set[str] = field(default_factory=set)
    missing: dict[str, str] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)

    def add_file(self, path: str) -> None:
        """Take in an object, archive or shared library."""
        try:
            content = decode(self.fs.read_bytes(path))
        except OSError:
            self.trouble.append(f"/usr/bin/ld: cannot find {path}: No such file or directory")
            return
        except ObjectFormatError as error:
            self.trouble.append(f"/usr/bin/ld: {path}: {error}")
            return
        self._add(path, content)

    def add_library(self, name: str) -> None:
        """Take in ``-lname``; a shared library is preferred unless linking is static."""
        endings = (".a",) if self.is_static else (".so", ".a")
        for directory in self.directories:
            for ending in endings:
                path = f"{directory}/lib{name}{ending}"
                if self.fs.exists(path):
                    self.add_file(path)
                    return
        self.trouble.append(f"/usr/bin/ld: cannot find -l{name}: No such file or directory")

    def _add(self, path: str, content: Binary | Archive) -> None:
        if isinstance(content, Archive):
            self._add_members(content)
        elif content.soname is not None:
            if self.is_static:
                self.trouble.append(f"/usr/bin/ld: attempted static link of dynamic object `{path}'")
            elif content.soname not in self.needed:
                self.needed.append(content.soname)
                self._provide(content.defines)
        else:
            self.add_units(path, content)

    def _add_members(self, archive: Archive) -> None:
        """Members that define something missing, until nothing changes (an archive is read once)."""
        waiting = dict(archive.members)
        changed = True
        while changed:
            changed = False
            for name, member in list(waiting.items()):
                if member.defines & self.missing.keys():
                    del waiting[name]
                    self.add_units(name, member)
                    changed = True

    def add_units(self, path: str, binary: Binary) -> None:
        """Take in what was compiled, whether something needs it or not."""
        for unit in binary.units:
            for symbol in unit.defines:
                if symbol in self.provided and not binary.native:
                    self.trouble.append(f"/usr/bin/ld: {path}: multiple definition of `{symbol}'")
            self.units.append(unit)
            self._provide(frozenset(unit.defines))
            for symbol in unit.needs:
                if symbol not in self.provided:
                    self.missing.setdefault(symbol, unit.name)
        if binary.native:
            # A native archive stands for many members; only what is used becomes part of the program.
            used = sorted(frozenset(binary.native) & self.missing.keys())
            self.native.extend(used)
            self._provide(frozenset(used))

    def _provide(self, symbols: frozenset[str]) -> None:
        self.provided |= symbols
        for symbol in symbols:
            self.missing.pop(symbol, None)

    def finish(self, users: Mapping[str, str], *, entry: str | None) -> Binary:
        """Everything as one binary; LinkError if something is missing. ``users``: symbol → function."""
        lines = list(self.trouble)
        if entry is not None and entry not in self.provided:
            lines.append(f"/usr/bin/ld: (.text+0x1b): undefined reference to `{entry}'")
        for symbol, name in sorted(self.missing.items(), key=lambda item: (item[1], item[0])):
            if entry is not None:
                function = users.get(symbol)
                if function:
                    lines.append(f"/usr/bin/ld: {name}: in function `{function}':")
                lines.append(f"{name}:(.text): undefined reference to `{symbol}'")
        if lines:
            raise LinkError([*lines, "collect2: error: ld returned 1 exit status"])
        return Binary(tuple(self.units), tuple(sorted(set(self.native))), needed=tuple(self.needed))


def stripped(binary: Binary) -> Binary:
    """``binary`` without debugging information and symbol table (strip(1))."""
    return replace(
        binary, units=tuple(replace(unit, debug_bytes=0) for unit in binary.units), symbols_kept=False
    )
