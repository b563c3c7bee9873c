"""find: the files of a tree that an expression is true for."""

from __future__ import annotations

import stat

from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.find.expression import USAGE, Parser, Primaries, Test
from builder.world.utilities.streams import Output, octets
from builder.world.utilities.walks import Follow, Found, joined, look
from unionfs_sim.filesystem import Stat

_BATCH = 32_000
"""Bytes of arguments that one command of ``-exec … +`` is given at most."""


class _Quit(Exception):
    """-quit was reached."""


class Finder:
    """One run of find: what it walks, and what its actions do."""

    def __init__(self, process: Process, out: Output, follow: Follow) -> None:
        self.process = process
        self.out = out
        self.follow = follow
        self.pruned = False
        self.batches: list[tuple[list[str], list[str]]] = []
        self.status = 0

    def action(self, word: str, parser: Parser) -> Test:
        """The test that does what ``word`` says and tells whether that succeeded."""
        match word:
            case "-print":
                return lambda found, _status: self._print(found.path + "\n")
            case "-print0":
                return lambda found, _status: self._print(found.path + "\0")
            case "-prune":
                return self._prune
            case "-delete":
                parser.depth_first = True
                return self._delete
            case "-quit":
                return self._quit
        return self._exec(parser)

    def _print(self, text: str) -> bool:
        self.out.write(octets(text))
        return True

    def _prune(self, _found: Found, _status: Stat) -> bool:
        self.pruned = True
        return True

    def _quit(self, _found: Found, _status: Stat) -> bool:
        raise _Quit

    def _delete(self, found: Found, _status: Stat) -> bool:
        if found.path == ".":
            return True
        try:
            self.process.fs.remove(found.path)
        except OSError as error:
            self.out.failed(found.path, error)
            self.status = 1
            return False
        return True

    def _exec(self, parser: Parser) -> Test:
        command: list[str] = []
        while True:
            if parser.at >= len(parser.words):
                raise UsageError("-exec requires an argument")
            word = parser.argument()
            if word == ";" or (word == "+" and command[-1:] == ["{}"]):
                break
            command.append(word)
        if not command:
            raise UsageError("-exec requires an argument")
        if word == "+":
            names: list[str] = []
            self.batches.append((command[:-1], names))
            return lambda found, _status: self._gather(command[:-1], names, found.path)

        def run(found: Found, _status: Stat) -> bool:
            return self._run([part.replace("{}", found.path) for part in command]) == 0

        return run

    def _run(self, argv: list[str]) -> int:
        self.out.flush()
        return self.process.spawn(argv)

    def _gather(self, command: list[str], names: list[str], path: str) -> bool:
        names.append(path)
        if sum(len(name) + 1 for name in names) >= _BATCH:
            self._run_batch(command, names)
        return True

    def _run_batch(self, command: list[str], names: list[str]) -> None:
        if names:
            self.status = self._run([*command, *names]) or self.status
            names.clear()

    def visit(
        self, path: str, test: Test, parser: Parser, depth: int = 0, above: tuple[tuple[int, int], ...] = ()
    ) -> None:
        """Evaluate the expression for the path and all that is below it."""
        through = self.follow is Follow.ALL or (self.follow is Follow.OPERANDS and depth == 0)
        try:
            status = look(self.process.fs, path, follow_symlinks=through)
        except OSError as error:
            self.out.failed(path, error)
            self.status = 1
            return
        found = Found(path, status, depth)
        acts = depth >= parser.shallowest
        self.pruned = False
        if acts and not parser.depth_first:
            test(found, status)
        if stat.S_ISDIR(status.st_mode) and not self.pruned and depth != parser.deepest:
            here = (status.st_dev, status.st_ino)
            if here not in above:
                self._descend(path, test, parser, depth + 1, (*above, here))
        if acts and parser.depth_first:
            test(found, status)

    def _descend(
        self, path: str, test: Test, parser: Parser, depth: int, above: tuple[tuple[int, int], ...]
    ) -> None:
        try:
            names = sorted(self.process.fs.listdir(path))
        except OSError as error:
            self.out.failed(path, error)
            self.status = 1
            return
        for name in names:
            self.visit(joined(path, name), test, parser, depth, above)

    def finish(self) -> None:
        """Run the commands of ``-exec … +`` for the files gathered since."""
        for command, names in self.batches:
            self._run_batch(command, names)


def find(process: Process) -> int:
    """Print (or act on) the files for which the expression is true."""
    words = list(process.argv[1:])
    follow = Follow.NONE
    while words and words[0] in ("-H", "-L", "-P"):
        follow = Follow(words.pop(0)[1])
    paths: list[str] = []
    while words and not words[0].startswith("-") and words[0] not in ("!", "("):
        paths.append(words.pop(0))
    if "-follow" in words:
        follow = Follow.ALL
    with Output(process) as out:
        finder = Finder(process, out, follow)
        parser = Parser(words, Primaries(process, process.fs.clock()), finder.action)
        test = parser.parse()
        if not parser.acts:
            found_test = test
            printing = finder.action("-print", parser)

            def test(found: Found, status: Stat) -> bool:
                return found_test(found, status) and printing(found, status)

        try:
            for path in paths or ["."]:
                finder.visit(path, test, parser)
        except _Quit:
            pass
        finder.finish()
    return finder.status


__all__ = ["USAGE", "find"]
