"""The compiler driver: cc, gcc and c99 (what follows argv[0] decides, as with gcc(1))."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.objects import (
    DEBUG_BYTES_PER_LINE,
    Binary,
    Unit,
    encode_object,
    encode_program,
)
from builder.world.machine.process import Process
from builder.world.programs.cc.compiler.scope import CompiledUnit
from builder.world.programs.cc.compiler.statements import compile_unit
from builder.world.programs.cc.invocation import Goal, OptionError, Request, read_options
from builder.world.programs.cc.linking.link import Linker, LinkError, Target, read_target, stripped
from builder.world.programs.cc.source.preprocessor import Preprocessor
from builder.world.programs.cc.source.tokens import CompileError

SPECS: Final = "/usr/lib/gcc/specs"
"""Where a package that brings the compiler describes its target."""

MAX_SOURCE_BYTES: Final = 4 * 1024 * 1024
_OTHER_LANGUAGES: Final = frozenset((".cc", ".cpp", ".cxx", ".C", ".m", ".f", ".go", ".s", ".S"))


def cc(process: Process) -> int:
    """Compile and link as the command line says; 1 if something is wrong with the sources."""
    try:
        request = read_options(process.argv[1:])
    except OptionError as error:
        process.complain(str(error))
        return 1
    return _Driver(process, request).run()


@dataclass(slots=True)
class _Driver:
    process: Process
    request: Request
    target: Target = field(default_factory=Target)
    users: dict[str, str] = field(default_factory=dict)

    def run(self) -> int:
        if not self.process.fs.exists(SPECS):
            self.process.complain(f"fatal error: cannot read spec file '{SPECS}': No such file or directory")
            return 1
        self.target = read_target(self.process.fs.read_bytes(SPECS).decode("utf-8", "replace"))
        if self.request.asks:
            return self._answer()
        if not self.request.inputs:
            self.process.complain("fatal error: no input files\ncompilation terminated.")
            return 1
        try:
            return self._build()
        except CompileError as error:
            self.process.stderr.write(f"{error}\n".encode("utf-8", "surrogateescape"))
            if error.fatal:
                self.process.stderr.write(b"compilation terminated.\n")
            return 1
        except LinkError as error:
            self.process.stderr.write(
                "".join(line + "\n" for line in error.lines).encode("utf-8", "surrogateescape")
            )
            return 1

    def _answer(self) -> int:
        target = self.target
        match self.request.asks:
            case "-dumpmachine":
                self.process.out(f"{target.machine}\n")
            case "-dumpversion":
                self.process.out(f"{target.version}\n")
            case "--version":
                self.process.out(f"{self.process.name} {target.description} {target.version} (simulated)\n")
            case _:
                self.process.stderr.write(
                    f"Target: {target.machine}\ngcc version {target.version}\n".encode(
                        "utf-8", "surrogateescape"
                    )
                )
        return 0

    def _build(self) -> int:
        request = self.request
        sources = [path for path in request.inputs if self._is_source(path)]
        if request.goal in (Goal.COMPILE, Goal.PREPROCESS, Goal.CHECK):
            if request.output and len(sources) > 1:
                self.process.complain("fatal error: cannot specify '-o' with '-c' with multiple files")
                return 1
            return max([self._one(path) for path in sources], default=0)
        return self._link()

    def _is_source(self, path: str) -> bool:
        ending = os.path.splitext(path)[1]
        if ending in _OTHER_LANGUAGES:
            raise CompileError(f"not simulated: compiling {ending} files (C only)", path)
        return ending in (".c", ".i", ".h") or path == "-"

    def _one(self, path: str) -> int:
        request = self.request
        preprocessor, text = self._preprocess(path)
        if request.goal is Goal.PREPROCESS:
            if request.output:
                self.process.fs.write_bytes(request.output, text.encode("utf-8", "surrogateescape"))
            else:
                self.process.out(text)
            return 0
        unit = self._compile(path, text)
        if unit is None:
            return 1
        if request.goal is Goal.COMPILE:
            output = request.output or os.path.splitext(path.rpartition("/")[2])[0] + ".o"
            self.process.fs.write_bytes(output, encode_object(Binary((unit,))))
            self._write_depends(output, preprocessor.files)
        return 0

    def _preprocess(self, path: str) -> tuple[Preprocessor, str]:
        includes = (*self.request.includes, *self.target.includes)
        preprocessor = Preprocessor(self._read, includes, {**_BUILT_IN, **self.request.defined})
        return preprocessor, preprocessor.run(path)

    def _read(self, path: str) -> str | None:
        if path == "-":
            return self.process.stdin.read().decode("utf-8", "surrogateescape")
        try:
            content = self.process.fs.read_bytes(path)
        except OSError:
            return None
        if len(content) > MAX_SOURCE_BYTES:
            raise CompileError("file is too large", path)
        return content.decode("utf-8", "surrogateescape")

    def _compile(self, path: str, text: str) -> Unit | None:
        compiled = compile_unit(text, path)
        self.users.update({symbol: compiled.used_by.get(symbol, "") for symbol in compiled.needs})
        if not self._warn(compiled):
            return None
        debug = DEBUG_BYTES_PER_LINE * text.count("\n") if self.request.has_debug else 0
        return Unit(path, _packed(text), tuple(compiled.defines), tuple(compiled.needs), debug)

    def _warn(self, compiled: CompiledUnit) -> bool:
        """Print warnings; False if they count as errors."""
        strict = self.request.treats_warnings_as_errors
        for warning in () if self.request.is_quiet else compiled.warnings:
            line = warning.replace("warning:", "error:", 1) if strict else warning
            self.process.stderr.write(f"{line}\n".encode("utf-8", "surrogateescape"))
        return not (strict and compiled.warnings)

    def _write_depends(self, output: str, files: list[str]) -> None:
        if self.request.depends is not None:
            path = self.request.depends or os.path.splitext(output)[0] + ".d"
            target = self.request.depends_target or output
            seen = list(dict.fromkeys(name for name in files if not name.startswith("/usr/include/")))
            self.process.fs.write_bytes(
                path, f"{target}: {' '.join(seen)}\n".encode("utf-8", "surrogateescape")
            )

    def _link(self) -> int:
        request, is_shared = self.request, self.request.goal is Goal.SHARED
        linker = Linker(
            self.process.fs, (*request.libraries, *self.target.libraries), is_static=request.is_static
        )
        start = self.target.start_file
        if request.uses_libc and start and not self.process.fs.exists(start):
            name = start.rpartition("/")[2]
            linker.trouble.append(f"/usr/bin/ld: cannot find {name}: No such file or directory")
        for path in request.inputs:
            if path.startswith("-l"):
                linker.add_library(path[2:])
            elif self._is_source(path):
                unit = self._compile(path, self._preprocess(path)[1])
                if unit is None:
                    return 1
                linker.add_units(path, Binary((unit,)))
            else:
                linker.add_file(path)
        if request.uses_libc:
            linker.add_library("c")
        whole = linker.finish(self.users, entry=None if is_shared else "main")
        self._write(whole, is_shared=is_shared)
        return 0

    def _write(self, whole: Binary, *, is_shared: bool) -> None:
        request = self.request
        output = request.output or "a.out"
        interpreter = None if request.is_static or is_shared else self.target.interpreter
        soname = (request.soname or output.rpartition("/")[2]) if is_shared else None
        whole = Binary(whole.units, whole.native, soname, whole.needed, interpreter, tuple(request.runpath))
        if request.is_stripped:
            whole = stripped(whole)
        fs = self.process.fs
        if fs.exists(output):
            fs.unlink(output)
        fs.write_bytes(output, encode_object(whole) if is_shared else encode_program(whole), 0o777)


_BUILT_IN: Final[Mapping[str, str]] = {
    "__STDC__": "1",
    "__STDC_VERSION__": "201710L",
    "__linux__": "1",
    "__x86_64__": "1",
    "__GNUC__": "12",
    "__unix__": "1",
    "__CHAR_BIT__": "8",
    "NULL": "((void *)0)",
}


def _packed(text: str) -> str:
    """``text`` without runs of empty lines: line markers keep the numbers right."""
    packed: list[str] = []
    file, number, skipped = "", 0, 0
    for line in text.split("\n"):
        number += 1
        if line.startswith("# ") and line.endswith('"'):
            _, count, file = line.split(" ", 2)
            number, skipped = int(count) - 1, 1
        elif not line.strip():
            skipped += 1
        else:
            if skipped:
                packed.append(f"# {number} {file}")
            packed.append(line.strip())
            skipped = 0
    return "\n".join(packed)
