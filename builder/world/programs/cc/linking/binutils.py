"""ar, ranlib, strip and ld: what is done with objects beside compiling."""

from __future__ import annotations

from dataclasses import replace

from builder.world.machine.objects import (
    COMPILED_MAGIC,
    Archive,
    Binary,
    ObjectFormatError,
    decode,
    encode_archive,
    encode_object,
    encode_program,
)
from builder.world.machine.process import Process
from builder.world.programs.cc.linking.link import stripped


def ar(process: Process) -> int:
    """Make, list and take apart archives: operations r, q, d, t, x with the modifiers c, s, u, v."""
    words = list(process.argv[1:])
    if not words:
        process.complain("no operation specified")
        return 1
    letters = words.pop(0).lstrip("-")
    operation = next((letter for letter in letters if letter in "rqdtx"), "s" if "s" in letters else "")
    unknown = letters.translate({ord(letter): None for letter in "rqdtxcsuvDU"})
    if not operation or unknown:
        process.complain(f"not simulated: operation '{unknown or letters}'")
        return 1
    if not words:
        process.complain("usage: ar [-]{dqrtx}[csuvD] archive [member...]")
        return 1
    return _Ar(process, words[0], words[1:], letters).run(operation)


class _Ar:
    def __init__(self, process: Process, path: str, names: list[str], letters: str) -> None:
        self._process = process
        self._path = path
        self._names = names
        self._letters = letters

    def run(self, operation: str) -> int:
        fs = self._process.fs
        members: dict[str, Binary] = {}
        if fs.exists(self._path):
            try:
                archive = decode(fs.read_bytes(self._path))
            except ObjectFormatError as error:
                self._process.complain(f"{self._path}: {error}")
                return 1
            if not isinstance(archive, Archive):
                self._process.complain(f"{self._path}: file format not recognized")
                return 1
            members = dict(archive.members)
        elif operation not in "rq":
            self._process.complain(f"{self._path}: No such file or directory")
            return 1
        elif "c" not in self._letters:
            self._process.complain(f"creating {self._path}")
        return {
            "r": self._replace,
            "q": self._replace,
            "d": self._delete,
            "t": self._table,
            "x": self._extract,
        }.get(operation, lambda _members: 0)(members)

    def _replace(self, members: dict[str, Binary]) -> int:
        for path in self._names:
            try:
                content = decode(self._process.fs.read_bytes(path))
            except FileNotFoundError:
                self._process.complain(f"{path}: No such file or directory")
                return 1
            except ObjectFormatError as error:
                self._process.complain(f"{path}: {error}")
                return 1
            if isinstance(content, Archive):
                self._process.complain(f"{path}: not simulated: an archive inside an archive")
                return 1
            name = path.rpartition("/")[2]
            if "v" in self._letters:
                self._process.out(f"{'r' if name in members else 'a'} - {path}\n")
            members[name] = content
        return self._write(members)

    def _delete(self, members: dict[str, Binary]) -> int:
        for name in self._names:
            members.pop(name, None)
        return self._write(members)

    def _table(self, members: dict[str, Binary]) -> int:
        for name in members:
            if not self._names or name in self._names:
                self._process.out(f"{name}\n")
        return 0

    def _extract(self, members: dict[str, Binary]) -> int:
        for name in self._names or list(members):
            if name not in members:
                self._process.complain(f"no entry {name} in archive")
                return 1
            self._process.fs.write_bytes(name, encode_object(members[name]))
        return 0

    def _write(self, members: dict[str, Binary]) -> int:
        self._process.fs.write_bytes(self._path, encode_archive(Archive(members)))
        return 0


def ranlib(process: Process) -> int:
    """Check that each argument is an archive; their index is always up to date here."""
    for path in process.argv[1:]:
        if not path.startswith("-"):
            try:
                decode(process.fs.read_bytes(path))
            except ObjectFormatError as error:
                process.complain(f"{path}: {error}")
                return 1
    return 0


def strip(process: Process) -> int:
    """Take debugging information and symbols out of programs and libraries."""
    words = iter(process.argv[1:])
    paths, output = [], ""
    for word in words:
        if word == "-o":
            output = next(words, "")
        elif not word.startswith("-"):
            paths.append(word)
    if not paths:
        process.complain("no input files")
        return 1
    status = 0
    for path in paths:
        try:
            data = process.fs.read_bytes(path)
            content = decode(data)
        except ObjectFormatError:
            process.complain(f"{path}: file format not recognized")
            status = 1
            continue
        if isinstance(content, Archive):
            members = {name: stripped(member) for name, member in content.members.items()}
            smaller = encode_archive(Archive(members))
        else:
            encode = encode_program if data.startswith(COMPILED_MAGIC) else encode_object
            smaller = encode(replace(stripped(content), padding=content.padding))
        process.fs.write_bytes(output or path, smaller)
    return status


def ld(process: Process) -> int:
    """Refuse: programs are linked by the compiler driver here."""
    process.complain("not simulated: calling the linker itself; link with cc")
    return 2
