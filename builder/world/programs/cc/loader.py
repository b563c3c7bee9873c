"""Running a compiled program: its loader, its shared libraries, and then main()."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.objects import Archive, Binary, ObjectFormatError, decode
from builder.world.machine.process import Process
from builder.world.programs.cc.compiler.statements import compile_unit
from builder.world.programs.cc.library.natives import NATIVES
from builder.world.programs.cc.machine import Fault, Machine, ProgramExit
from builder.world.programs.cc.source.tokens import CompileError

MUSL_DIRECTORIES: Final = ("/lib", "/usr/local/lib", "/usr/lib")
GLIBC_DIRECTORIES: Final = ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib", "/usr/lib")
LD_CACHE: Final = "/etc/ld.so.cache"
NOT_FOUND: Final = 127
_SIGNAL_TEXT: Final[Mapping[int, str]] = {
    4: "Illegal instruction",
    6: "Aborted",
    8: "Floating point exception",
    9: "Killed",
    11: "Segmentation fault",
}


class _LoadError(Exception):
    """Why the loader gives up, in its own words."""


def run_compiled(process: Process) -> int:
    """Run the program in ``process.executable``; 127 if its loader or a library is missing."""
    try:
        program = decode(process.fs.read_bytes(process.executable))
    except ObjectFormatError as error:
        process.complain(f"cannot execute: {error}")
        return 126
    if isinstance(program, Archive):
        return 126
    loader = program.interpreter
    if loader and not process.fs.exists(loader):
        process.stderr.write(
            f"sh: {process.argv[0]}: not found (the program needs the loader {loader}, "
            "which is not here)\n".encode("utf-8", "surrogateescape")
        )
        return NOT_FOUND
    try:
        parts = _Libraries(process, program, is_musl="musl" in (loader or "")).load()
    except _LoadError as error:
        process.stderr.write(f"{error}\n".encode("utf-8", "surrogateescape"))
        return NOT_FOUND
    return _run(process, parts)


@dataclass(slots=True)
class _Libraries:
    process: Process
    program: Binary
    is_musl: bool
    found: dict[str, Binary] = field(default_factory=dict)

    def load(self) -> list[Binary]:
        """The program and every library that it needs, in the order that symbols are looked up."""
        waiting = [(name, self.process.argv[0]) for name in self.program.needed]
        while waiting:
            name, by = waiting.pop(0)
            if name not in self.found:
                library = self.found[name] = self._open(name, by)
                waiting.extend((other, name) for other in library.needed)
        parts = [self.program, *self.found.values()]
        have = frozenset().union(*(part.defines for part in parts))
        for part in parts:
            for symbol in sorted(part.needs - have):
                raise _LoadError(self._unresolved(part.soname or self.process.argv[0], symbol))
        return parts

    def _directories(self) -> Sequence[str]:
        own = os.path.dirname(self.process.executable)
        listed = filter(None, self.process.env.get("LD_LIBRARY_PATH", "").split(":"))
        runpath = (entry.replace("$ORIGIN", own) for entry in self.program.runpath)
        return (*listed, *runpath, *(MUSL_DIRECTORIES if self.is_musl else GLIBC_DIRECTORIES))

    def _open(self, name: str, by: str) -> Binary:
        fs = self.process.fs
        candidates = [f"{directory}/{name}" for directory in self._directories()]
        if not self.is_musl and fs.exists(LD_CACHE):
            for line in fs.read_bytes(LD_CACHE).decode("utf-8", "replace").splitlines():
                if line.partition(" => ")[0] == name:
                    candidates.append(line.partition(" => ")[2])
        for path in candidates:
            if fs.exists(path):
                try:
                    library = decode(fs.read_bytes(path))
                except ObjectFormatError as error:
                    raise _LoadError(f"{self.process.argv[0]}: {path}: invalid library: {error}") from error
                if isinstance(library, Binary):
                    return library
        if self.is_musl:
            raise _LoadError(
                f"Error loading shared library {name}: No such file or directory (needed by {by})"
            )
        raise _LoadError(
            f"{self.process.argv[0]}: error while loading shared libraries: {name}: "
            "cannot open shared object file: No such file or directory"
        )

    def _unresolved(self, where: str, symbol: str) -> str:
        if self.is_musl:
            return f"Error relocating {where}: {symbol}: symbol not found"
        return f"{self.process.argv[0]}: symbol lookup error: {where}: undefined symbol: {symbol}"


def _run(process: Process, parts: Sequence[Binary]) -> int:
    machine = Machine(process, NATIVES)
    try:
        _fill(machine, parts)
        words = [machine.new_text(os.fsencode(word)) for word in process.argv]
        vector = machine.allocate(8 * (len(words) + 1))
        for index, address in enumerate(words):
            machine.write(vector + 8 * index, address.to_bytes(8, "little"))
        return machine.call(machine.symbols["main"], [len(words), vector]) & 255
    except ProgramExit as end:
        return end.status
    except CompileError as error:
        process.complain(f"cannot execute: {error}")
        return 126
    except Fault as fault:
        text = str(fault) or _SIGNAL_TEXT.get(fault.signal, "Killed")
        process.stderr.write(f"{text}\n".encode("utf-8", "surrogateescape"))
        return 128 + fault.signal


def _fill(machine: Machine, parts: Sequence[Binary]) -> None:
    """Put functions and objects into the machine; the first definition of a symbol counts."""
    pending = []
    for part in parts:
        for unit in part.units:
            # Static names stay apart even when two units were compiled from files of one name.
            compiled = compile_unit(unit.source, f"{len(machine.functions)} {unit.name}")
            for symbol, function in compiled.functions.items():
                if symbol not in machine.symbols:
                    machine.add_function(symbol, function)
            for symbol, item in compiled.globals.items():
                if symbol not in machine.symbols:
                    machine.symbols[symbol] = machine.allocate(item.size)
                    pending.append(item)
        for symbol in part.native:
            if symbol not in machine.symbols:
                machine.add_function(symbol, symbol)
    for item in pending:
        if item.fill is not None:
            item.fill(machine, machine.symbols[item.symbol])
