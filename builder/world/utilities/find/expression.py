"""The expression of find: primaries, operators, and what each asks of a file."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Sequence
from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.pattern import matches
from builder.world.matching.regex import RegexError, compiled
from builder.world.utilities.commandline import UsageError
from builder.world.utilities.dates import NANOSECONDS
from builder.world.utilities.filenames import base_name
from builder.world.utilities.modes import ModeError, changed_mode
from builder.world.utilities.streams import octets, reason
from builder.world.utilities.walks import Found
from unionfs_sim.accounts import group_named, user_named
from unionfs_sim.filesystem import Stat

USAGE: Final = "[-HL] [PATH]... [OPTIONS] [ACTIONS]"
ACTIONS: Final = frozenset({"-print", "-print0", "-exec", "-delete", "-quit"})

Test = Callable[[Found, Stat], bool]

_TYPES: Final = {
    "f": stat.S_IFREG,
    "d": stat.S_IFDIR,
    "l": stat.S_IFLNK,
    "b": stat.S_IFBLK,
    "c": stat.S_IFCHR,
    "s": stat.S_IFSOCK,
    "p": stat.S_IFIFO,
}
_UNITS: Final = {"": 512, "b": 512, "c": 1, "w": 2, "k": 1024, "M": 1024**2, "G": 1024**3}
_TIMES: Final = {"a": "st_atime_ns", "m": "st_mtime_ns", "c": "st_ctime_ns"}


def compared(text: str, scale: Callable[[str], int]) -> Callable[[int], bool]:
    """The test that ``N``, ``+N`` (more) or ``-N`` (less) means."""
    sign, digits = (text[0], text[1:]) if text[:1] in ("+", "-") else ("", text)
    wanted = scale(digits)
    if sign == "+":
        return lambda value: value > wanted
    return (lambda value: value < wanted) if sign == "-" else (lambda value: value == wanted)


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise UsageError(f"invalid number '{text}'")
    return int(text)


class Primaries:
    """Makes the test behind each word of an expression. ``now_ns``: what -mtime and its kin count from."""

    def __init__(self, process: Process, now_ns: int) -> None:
        self.process = process
        self.now_ns = now_ns

    def make(self, word: str, argument: Callable[[], str]) -> Test | None:
        """The test, or None if there is no such primary."""
        name = word[1:]
        if name in ("name", "iname", "path", "ipath", "wholename", "regex"):
            return self._named(name, argument())
        if name in ("type", "perm", "size", "links", "inum", "newer", "samefile", "user", "group"):
            return getattr(self, f"_{name}")(argument())  # type: ignore[no-any-return]
        if re.fullmatch("[amc](time|min)", name):
            return self._time(name, argument())
        simple: dict[str, Test] = {
            "true": lambda _found, _status: True,
            "false": lambda _found, _status: False,
            "empty": self._empty,
            "executable": lambda found, _status: self.process.fs.access(found.path, 1),
        }
        return simple.get(name)

    def _named(self, kind: str, pattern: str) -> Test:
        if kind == "regex":
            try:
                expression = compiled(octets(pattern), check=self.process.machine.check)
            except RegexError as error:
                raise UsageError(f"bad regex '{pattern}': {error}") from error
            return lambda found, _status: expression.fullmatch(octets(found.path)) is not None
        fold = kind.startswith("i")
        pattern = pattern.lower() if fold else pattern

        def test(found: Found, _status: Stat) -> bool:
            text = base_name(found.path) if kind.endswith("name") and kind != "wholename" else found.path
            return matches(pattern, text.lower() if fold else text)

        return test

    def _type(self, letters: str) -> Test:
        kinds = letters.split(",")
        if not all(kind in _TYPES for kind in kinds):
            raise UsageError(f"invalid argument '{letters}' to '-type'")
        wanted = {_TYPES[kind] for kind in kinds}
        return lambda _found, status: stat.S_IFMT(status.st_mode) in wanted

    def _perm(self, text: str) -> Test:
        sign = text[0] if text[:1] in ("-", "+", "/") else ""
        try:
            mask = changed_mode(text[len(sign) :], 0, umask=0, directory=False)
        except ModeError as error:
            raise UsageError(f"invalid mode '{text}'") from error
        if sign == "-":
            return lambda _found, status: status.st_mode & mask == mask
        if sign:
            return lambda _found, status: bool(status.st_mode & mask) or mask == 0
        return lambda _found, status: stat.S_IMODE(status.st_mode) == mask

    def _size(self, text: str) -> Test:
        unit = text.lstrip("+-").lstrip("0123456789")
        if unit not in _UNITS:
            raise UsageError(f"invalid number '{text}'")
        # busybox compares bytes; it does not round up to whole units as POSIX has it.
        test = compared(text.removesuffix(unit), lambda digits: _decimal(digits) * _UNITS[unit])
        return lambda _found, status: test(status.st_size)

    def _links(self, text: str) -> Test:
        test = compared(text, _decimal)
        return lambda _found, status: test(status.st_nlink)

    def _inum(self, text: str) -> Test:
        wanted = _decimal(text)
        return lambda _found, status: status.st_ino == wanted

    def _reference(self, path: str) -> Stat:
        try:
            return self.process.fs.stat(path)
        except OSError as error:
            raise UsageError(f"can't stat '{path}': {reason(error)}") from error

    def _newer(self, path: str) -> Test:
        reference = self._reference(path).st_mtime_ns
        return lambda _found, status: status.st_mtime_ns > reference

    def _samefile(self, path: str) -> Test:
        reference = self._reference(path)
        return lambda _found, status: (status.st_dev, status.st_ino) == (reference.st_dev, reference.st_ino)

    def _user(self, text: str) -> Test:
        uid = user_named(self.process.fs, text)
        if uid is None:
            raise UsageError(f"unknown user {text}")
        return lambda _found, status: status.st_uid == uid

    def _group(self, text: str) -> Test:
        gid = group_named(self.process.fs, text)
        if gid is None:
            raise UsageError(f"unknown group {text}")
        return lambda _found, status: status.st_gid == gid

    def _time(self, name: str, text: str) -> Test:
        unit = 60 if name.endswith("min") else 86_400
        test = compared(text, _decimal)
        attribute = _TIMES[name[0]]
        return lambda _found, status: test((self.now_ns - getattr(status, attribute)) // NANOSECONDS // unit)

    def _empty(self, found: Found, status: Stat) -> bool:
        if stat.S_ISDIR(status.st_mode):
            try:
                return not self.process.fs.listdir(found.path)
            except OSError:
                return False
        return stat.S_ISREG(status.st_mode) and status.st_size == 0


class Parser:
    """Reads an expression: ``!`` binds more than ``-a``, and ``-a`` more than ``-o``.

    ``action`` makes the test of a word of ACTIONS; the maximum and minimum depths and -depth are options
    that hold for the whole run, wherever they stand.
    """

    def __init__(
        self, words: Sequence[str], primaries: Primaries, action: Callable[[str, Parser], Test]
    ) -> None:
        self.words = list(words)
        self.at = 0
        self.primaries = primaries
        self.action = action
        self.acts = False
        self.deepest: int | None = None
        self.shallowest = 0
        self.depth_first = False

    def parse(self) -> Test:
        """The whole expression. Raises UsageError."""
        if not self.words:
            return lambda _found, _status: True
        test = self._or()
        if self.at < len(self.words):
            raise UsageError(f"unrecognized: {self.words[self.at]}", USAGE)
        return test

    def argument(self) -> str:
        """The argument of the word just read."""
        if self.at >= len(self.words):
            raise UsageError(f"{self.words[self.at - 1]} requires an argument")
        self.at += 1
        return self.words[self.at - 1]

    def _peek(self) -> str | None:
        return self.words[self.at] if self.at < len(self.words) else None

    def _or(self) -> Test:
        test = self._and()
        while self._peek() in ("-o", "-or"):
            self.at += 1
            test = _either(test, self._and())
        return test

    def _and(self) -> Test:
        tests = [self._not()] if self._peek() not in (None, ")", "-o", "-or") else []
        while self._peek() not in (None, ")", "-o", "-or"):
            if self._peek() in ("-a", "-and"):
                self.at += 1
            tests.append(self._not())
        return lambda found, status: bool(tests) and all(test(found, status) for test in tests)

    def _not(self) -> Test:
        word = self._peek()
        if word in ("!", "-not"):
            self.at += 1
            if self._peek() is None:
                return lambda _found, _status: False
            test = self._not()
            return lambda found, status: not test(found, status)
        if word == "(":
            self.at += 1
            test = self._or()
            if self._peek() != ")":
                raise UsageError("unpaired '('")
            self.at += 1
            return test
        return self._primary()

    def _primary(self) -> Test:
        word = self._peek()
        if word is None:
            return lambda _found, _status: True
        self.at += 1
        if word in ("-maxdepth", "-mindepth"):
            depth = _decimal(self.argument())
            self.deepest, self.shallowest = (
                (depth, self.shallowest) if word == "-maxdepth" else (self.deepest, depth)
            )
            return lambda _found, _status: True
        if word in ("-depth", "-xdev", "-mount", "-follow", "-noleaf"):
            self.depth_first = self.depth_first or word == "-depth"
            return lambda _found, _status: True
        if word in ACTIONS or word == "-prune":
            self.acts = self.acts or word != "-prune"
            return self.action(word, self)
        test = self.primaries.make(word, self.argument) if word.startswith("-") else None
        if test is None:
            raise UsageError(f"unrecognized: {word}", USAGE)
        return test


def _either(first: Test, second: Test) -> Test:
    return lambda found, status: first(found, status) or second(found, status)
