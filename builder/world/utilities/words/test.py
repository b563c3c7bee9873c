"""test and [: expressions about strings, numbers and files."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from typing import Final

from builder.world.machine.process import Process
from unionfs_sim.filesystem import Stat
from unionfs_sim.vfs.posix import Posix

_INTEGER: Final = re.compile(r"\s*[+-]?[0-9]+\s*")


class TestError(Exception):
    """An expression that means nothing; the exit status is 2."""

    __test__ = False  # pytest must not collect it


_KINDS: Final[dict[str, Callable[[int], bool]]] = {
    "-b": stat.S_ISBLK,
    "-c": stat.S_ISCHR,
    "-d": stat.S_ISDIR,
    "-f": stat.S_ISREG,
    "-p": stat.S_ISFIFO,
    "-S": stat.S_ISSOCK,
}
_BITS: Final = {"-u": stat.S_ISUID, "-g": stat.S_ISGID, "-k": stat.S_ISVTX}
_ACCESS: Final = {"-r": os.R_OK, "-w": os.W_OK, "-x": os.X_OK}
_UNARY: Final = frozenset(
    {*_KINDS, *_BITS, *_ACCESS, "-e", "-h", "-L", "-s", "-O", "-G", "-t", "-z", "-n", "-N"}
)


def integer(text: str) -> int:
    """The number; TestError if it is none, or none that fits 64 bits."""
    if not _INTEGER.fullmatch(text):
        raise TestError(f"{text}: bad number" if text else "bad number")
    value = int(text)
    if not -(1 << 63) <= value < 1 << 63:
        raise TestError(f"{text}: out of range")
    return value


_NUMERIC: Final[dict[str, Callable[[int, int], bool]]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_TEXTUAL: Final[dict[str, Callable[[str, str], bool]]] = {
    "=": lambda a, b: a == b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
}
_FILES: Final = frozenset({"-nt", "-ot", "-ef"})
_BINARY: Final = frozenset({*_NUMERIC, *_TEXTUAL, *_FILES})


class Expression:
    """One command line of test, evaluated on a file system.

    ``is_terminal`` answers ``-t``; nothing of the simulated world is a terminal.
    """

    def __init__(self, words: Sequence[str], fs: Posix, is_terminal: Callable[[int], bool]) -> None:
        self._words = list(words)
        self._at = 0
        self._fs = fs
        self._is_terminal = is_terminal

    def value(self) -> bool:
        """Whether it is true. POSIX decides by the number of words up to four; then the grammar does."""
        words = self._words
        if len(words) == 0:
            return False
        if len(words) == 1:
            return words[0] != ""
        if len(words) == 3 and words[1] in _BINARY:
            return self._binary(words[0], words[1], words[2])
        if len(words) == 4 and words[0] == "!" and words[2] in _BINARY:
            return not self._binary(words[1], words[2], words[3])
        result = self._or()
        if self._at < len(words):
            raise TestError(f"{words[self._at]}: unknown operand")
        return result

    def _peek(self, offset: int = 0) -> str | None:
        at = self._at + offset
        return self._words[at] if at < len(self._words) else None

    def _take(self) -> str:
        word = self._peek()
        if word is None:
            raise TestError("argument expected")
        self._at += 1
        return word

    def _or(self) -> bool:
        result = self._and()
        while self._peek() == "-o":
            self._at += 1
            result = self._and() or result
        return result

    def _and(self) -> bool:
        result = self._not()
        while self._peek() == "-a":
            self._at += 1
            result = self._not() and result
        return result

    def _not(self) -> bool:
        if self._peek() == "!" and self._peek(1) is not None:
            self._at += 1
            return not self._not()
        return self._primary()

    def _primary(self) -> bool:
        word = self._take()
        operator = self._peek()
        if operator in _BINARY and self._peek(1) is not None:
            self._at += 2
            return self._binary(word, operator or "", self._words[self._at - 1])
        if word == "(" and operator is not None:
            result = self._or()
            if self._peek() != ")":
                raise TestError("closing paren expected")
            self._at += 1
            return result
        if word in _UNARY and operator is not None:
            return self._unary(word, self._take())
        if operator in _BINARY:
            raise TestError(f"{operator}: argument expected")
        return word != ""

    def _stat(self, path: str, *, follow: bool = True) -> Stat | None:
        try:
            return self._fs.stat(path) if follow else self._fs.lstat(path)
        except (OSError, ValueError):
            return None

    def _unary(self, operator: str, operand: str) -> bool:
        if operator in ("-z", "-n"):
            return (operand == "") == (operator == "-z")
        if operator == "-t":
            return self._is_terminal(integer(operand))
        if operator in ("-h", "-L"):
            link = self._stat(operand, follow=False)
            return link is not None and stat.S_ISLNK(link.st_mode)
        status = self._stat(operand)
        if status is None:
            return False
        if operator in _KINDS:
            return _KINDS[operator](status.st_mode)
        if operator in _BITS:
            return bool(status.st_mode & _BITS[operator])
        if operator in _ACCESS:
            return self._fs.access(operand, _ACCESS[operator])
        if operator == "-s":
            return status.st_size > 0
        if operator == "-O":
            return status.st_uid == self._fs.caller.uid
        if operator == "-G":
            return status.st_gid == self._fs.caller.gid
        return operator == "-e" or status.st_mtime_ns > status.st_atime_ns

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in _TEXTUAL:
            return _TEXTUAL[operator](left, right)
        if operator in _NUMERIC:
            return _NUMERIC[operator](integer(left), integer(right))
        first, second = self._stat(left), self._stat(right)
        if first is None or second is None:
            return False
        if operator == "-ef":
            return (first.st_dev, first.st_ino) == (second.st_dev, second.st_ino)
        if operator == "-nt":
            return first.st_mtime_ns > second.st_mtime_ns
        return first.st_mtime_ns < second.st_mtime_ns


def _never(_descriptor: int) -> bool:
    return False


def evaluate(words: Sequence[str], fs: Posix, *, is_terminal: Callable[[int], bool] = _never) -> bool:
    """Whether the expression (test's words, or those between ``[`` and ``]``) is true. Raises TestError."""
    return Expression(words, fs, is_terminal).value()


def test(process: Process) -> int:
    """0 if the expression is true, 1 if it is false, 2 if it means nothing."""
    words = list(process.argv[1:])
    if process.name in ("[", "[["):
        closing = process.name.replace("[", "]")
        if not words or words.pop() != closing:
            process.complain(f"missing {closing}")
            return 2
    try:
        return 0 if evaluate(words, process.fs) else 1
    except TestError as error:
        process.complain(str(error))
        return 2


test.__test__ = False  # type: ignore[attr-defined]  # pytest must not collect it
