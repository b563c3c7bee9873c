"""The program make: its command line, and the world that its rules act upon."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Mapping
from typing import Final

from builder.world.machine.descriptor import Collector, opened
from builder.world.machine.process import Process
from builder.world.programs.make.functions import functions
from builder.world.programs.make.reader import Reader
from builder.world.programs.make.runner import Habits, Runner
from builder.world.programs.make.switches import LETTERS, Request, UsageError, inherited, read_words
from builder.world.programs.make.variables import MakeError, MissingMakefileError, Origin, Variables

MAX_MAKEFILE_BYTES: Final = 4 * 1024 * 1024
_USUAL_NAMES: Final = ("GNUmakefile", "makefile", "Makefile")
_BUILT_IN: Final[Mapping[str, str]] = {
    "CC": "cc", "CXX": "g++", "AR": "ar", "ARFLAGS": "-rv", "RM": "rm -f", "LD": "ld", "SHELL": "/bin/sh",
    "CPP": "$(CC) -E", "COMPILE.c": "$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c",
    "LINK.o": "$(CC) $(LDFLAGS) $(TARGET_ARCH)",
    "LINK.c": "$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)", "OUTPUT_OPTION": "-o $@",
}  # fmt: skip
_BUILT_IN_RULES: Final = """
%: %.o
\t$(LINK.o) $^ $(LOADLIBES) $(LDLIBS) -o $@
%: %.c
\t$(LINK.c) $^ $(LOADLIBES) $(LDLIBS) -o $@
%.o: %.c
\t$(COMPILE.c) $(OUTPUT_OPTION) $<
"""


def make(process: Process) -> int:
    """Bring targets up to date; 2 if something went wrong (GNU make manual, "How to Run make")."""
    try:
        request = read_words([*inherited(process.env), *process.argv[1:]])
    except UsageError as error:
        process.complain(str(error))
        return 2
    if request.wants_version:
        process.out("GNU Make 4.4.1 (simulated)\n")
        return 0
    level = process.env.get("MAKELEVEL", "0")
    name = "make" if level == "0" else f"make[{level}]"
    for directory in request.directories:
        try:
            process.fs.listdir(directory)
        except OSError as error:
            process.stderr.write(
                f"{name}: *** {directory}: {error.strerror}.  Stop.\n".encode("utf-8", "surrogateescape")
            )
            return 2
        process.cwd = os.path.normpath(os.path.join(process.cwd, directory))
        process.fs = process.fs.acting_as(process.fs.caller, cwd=process.cwd)
    return _Make(process, request, name).run()


class _Make:
    """One run: Surroundings of the functions and Shop of the runner."""

    def __init__(self, process: Process, request: Request, name: str) -> None:
        self._process = process
        self._request = request
        self._name = name
        self.variables = Variables(functions(self))
        self._reader = Reader(self.variables, self._read, self.glob, self.shell)

    def run(self) -> int:
        request, level = self._request, self._process.env.get("MAKELEVEL", "0")
        told = request.prints_directory
        if told is None:
            told = (bool(request.directories) or level != "0") and "s" not in request.letters
        if told:
            self.say(f"{self._name}: Entering directory '{self._process.cwd}'", as_error=False)
        try:
            status = self._work()
        except MissingMakefileError as error:
            self.say(f"{error.where or self._name}: {error.name}: No such file or directory", as_error=True)
            self.say(f"{self._name}: *** {error.what}.  Stop.", as_error=True)
            status = 2
        except MakeError as error:
            place = f"{error.where}: " if error.where else f"{self._name}: "
            self.say(f"{place}*** {error.what}.  Stop.", as_error=True)
            status = 2
        if told:
            self.say(f"{self._name}: Leaving directory '{self._process.cwd}'", as_error=False)
        return status

    def _work(self) -> int:
        self._set_variables()
        request, makefile = self._request, self._reader.makefile
        for name in request.files or self._usual():
            text = self._read(name)
            if text is None:
                raise MissingMakefileError(name)
            self._reader.file(name, text)
        if request.knows_rules:
            count = len(makefile.patterns)
            self._reader.file("<builtin>", _BUILT_IN_RULES)
            own = {(rule.targets, rule.prerequisites) for rule in makefile.patterns[:count]}
            makefile.patterns[count:] = [
                rule for rule in makefile.patterns[count:] if (rule.targets, rule.prerequisites) not in own
            ]
        goal = self.variables.value(".DEFAULT_GOAL") or makefile.default_goal
        goals = request.goals or ([goal] if goal else [])
        if not goals:
            known = bool(request.files or self._usual())
            raise MakeError("No targets" if known else "No targets specified and no makefile found")
        habits = Habits(**{LETTERS[letter]: True for letter in request.letters if letter in LETTERS})
        runner = Runner(self._name, makefile, self.variables, habits, self)
        good = True
        for target in goals:
            good = runner.goal(target) and good
            if not good and not habits.keeps_going:
                break
        if habits.asks and good:
            return 1 if runner.ran else 0
        return 0 if good else 2

    def _usual(self) -> list[str]:
        return [name for name in _USUAL_NAMES if self.modified(name) is not None][:1]

    def _set_variables(self) -> None:
        variables, request = self.variables, self._request
        for name, value in _BUILT_IN.items():
            variables.set(name, value, is_simple=False, origin=Origin.DEFAULT)
        for name, value in self._process.env.items():
            if name not in ("SHELL", "MAKEFLAGS", "MAKELEVEL"):
                variables.set(name, value, is_simple=True, origin=Origin.ENVIRONMENT)
        for name, sign, value in request.values:
            is_simple = ":" in sign
            text = variables.expand(value) if is_simple else value
            variables.set(name, text, is_simple=is_simple, origin=Origin.COMMAND_LINE)
        simple = {
            "MAKE": "make", "CURDIR": self._process.cwd, "MAKECMDGOALS": " ".join(request.goals),
            "MAKELEVEL": self._process.env.get("MAKELEVEL", "0"), "MAKEFLAGS": request.letters,
            "MAKE_VERSION": "4.4.1", "MAKEFILE_LIST": " ".join(request.files or self._usual()),
        }  # fmt: skip
        for name, value in simple.items():
            variables.set(name, value, is_simple=True, origin=Origin.FILE)

    def _read(self, name: str) -> str | None:
        candidates = [name, *(f"{directory}/{name}" for directory in self._request.includes)]
        for path in candidates:
            try:
                if path == "-":
                    content = self._process.stdin.read()
                else:
                    content = self._process.fs.read_bytes(path)
            except OSError:
                continue
            if len(content) > MAX_MAKEFILE_BYTES:
                raise MakeError(f"{path}: too large")
            return content.decode("utf-8", "surrogateescape")
        return None

    # ---- what functions and rules need from the world ---------------------------------------------

    def glob(self, pattern: str) -> list[str]:
        """The names that match, sorted."""
        if not any(sign in pattern for sign in "*?["):
            return [pattern] if self.modified(pattern) is not None else []
        found = [""] if not pattern.startswith("/") else ["/"]
        for part in pattern.strip("/").split("/"):
            found = [path for base in found for path in self._step(base, part)]
        return sorted(found)

    def _step(self, base: str, part: str) -> list[str]:
        prefix = base if base in ("", "/") else base + "/"
        if not any(sign in part for sign in "*?["):
            return [prefix + part] if self.modified(prefix + part) is not None else []
        try:
            names = self._process.fs.listdir(base or ".")
        except OSError:
            return []
        return [
            prefix + name
            for name in names
            if fnmatch.fnmatchcase(name, part) and (part.startswith(".") or not name.startswith("."))
        ]

    def shell(self, command: str) -> str:
        """What a command prints, newlines turned into spaces."""
        collector = Collector(self._process.machine.account_captured)
        output = opened(collector)
        fds = {**self._process.fds, 1: output}
        self._process.spawn([self.variables.value("SHELL"), "-c", command], fds=fds)
        text = b"".join(collector.pieces).decode("utf-8", "surrogateescape")
        return text.rstrip("\n").replace("\n", " ")

    def say(self, text: str, *, as_error: bool) -> None:
        """Print a line."""
        stream = self._process.stderr if as_error else self._process.stdout
        stream.write(f"{text}\n".encode("utf-8", "surrogateescape"))

    def absolute(self, path: str) -> str:
        """The absolute path, links left alone."""
        return os.path.normpath(os.path.join(self._process.cwd, path))

    def real_path(self, path: str) -> str:
        """The absolute path if the file exists."""
        return self.absolute(path) if self.modified(path) is not None else ""

    def modified(self, path: str) -> int | None:
        """The time of the last change in nanoseconds."""
        try:
            return self._process.fs.stat(path).st_mtime_ns
        except OSError:
            return None

    def execute(self, line: str) -> int:
        """Run a line by the shell; its status."""
        env = dict(self._process.env)
        makefile, request = self._reader.makefile, self._request
        names = self.variables.names() if makefile.exports_all else sorted(makefile.exported)
        for name in {*names, *(name for name, _, _ in request.values), *self._process.env}:
            known = self.variables.get(name)
            if known is not None and (known.origin is not Origin.DEFAULT or name in makefile.exported):
                env[name] = self.variables.value(name)
        env["MAKELEVEL"] = str(int(self._process.env.get("MAKELEVEL", "0") or "0") + 1)
        values = [f"{name}={value}".replace(" ", "\\ ") for name, _, value in request.values]
        env["MAKEFLAGS"] = " ".join([request.letters, *(["--", *values] if values else [])])
        return self._process.spawn([self.variables.value("SHELL"), "-c", line], env=env)

    def remove(self, path: str) -> None:
        """Take a half-made file away."""
        self._process.fs.remove(path)

    def touch(self, path: str) -> None:
        """Give a file the time of now, making it if needed."""
        self._process.fs.open(path, os.O_WRONLY | os.O_CREAT, 0o666).close()
        now = self._process.machine.now_ns()
        self._process.fs.utime(path, (now, now))
