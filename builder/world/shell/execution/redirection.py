"""Redirections: which descriptor refers to what while a command runs (POSIX XCU 2.7)."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import Final

from builder.world.machine.descriptor import ByteSource, Descriptor, Stream, duplicate, opened
from builder.world.machine.devices import open_path
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.language.syntax import HereDocument, Redirection
from builder.world.shell.state import Shell

_FLAGS: Final = {
    "<": os.O_RDONLY,
    "<>": os.O_RDWR | os.O_CREAT,
    ">": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    ">|": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    ">>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "&>": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "&>>": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
}
_HIGHEST: Final = 1023


class Saved:
    """The descriptors that redirections replaced, and how to bring them back."""

    __slots__ = ("_entries", "_table")

    def __init__(self, table: dict[int, Stream]) -> None:
        self._table = table
        self._entries: list[tuple[int, Stream | None]] = []

    def put(self, number: int, stream: Stream | None) -> None:
        """Let ``number`` refer to ``stream`` (None: closed), and remember what it was."""
        self._entries.append((number, self._table.pop(number, None)))
        if stream is not None:
            self._table[number] = stream

    def original(self, number: int) -> Stream | None:
        """What ``number`` referred to before."""
        for entry, stream in self._entries:
            if entry == number:
                return stream
        return self._table.get(number)

    def restore(self) -> None:
        """Bring back what was there; what the redirections opened is closed."""
        while self._entries:
            number, old = self._entries.pop()
            new = self._table.pop(number, None)
            if new is not None:
                new.close()
            if old is not None:
                self._table[number] = old

    def keep(self) -> None:
        """Make the redirections permanent (``exec`` without a command)."""
        for _, old in self._entries:
            if old is not None:
                old.close()
        self._entries = []


def redirect(shell: Shell, redirections: Sequence[Redirection], saved: Saved) -> None:
    """Apply ``redirections`` to the shell's table from left to right; CommandFailed if one cannot be had."""
    for redirection in redirections:
        operator = redirection.operator
        if redirection.document is not None:
            text = _document_text(shell, redirection.document, is_string=operator == "<<<")
            saved.put(redirection.descriptor, opened(ByteSource(text.encode("utf-8", "surrogateescape"))))
            continue
        target = shell.expander.text(redirection.target)
        if operator in ("<&", ">&"):
            _duplicate(shell, redirection.descriptor, target, saved, both=operator == ">&")
            continue
        stream = open_target(shell, operator, target)
        saved.put(redirection.descriptor, stream)
        if operator[0] == "&":
            saved.put(2, stream.duplicate())


def _document_text(shell: Shell, document: HereDocument, *, is_string: bool) -> str:
    text = shell.expander.text(document.body)
    return text + "\n" if is_string else text


def _duplicate(shell: Shell, number: int, target: str, saved: Saved, *, both: bool) -> None:
    if target == "-":
        saved.put(number, None)
        return
    if not (target.isascii() and target.isdigit()):
        if both and shell.dialect.has_extensions and number == 1:
            stream = open_target(shell, "&>", target)
            saved.put(1, stream)
            saved.put(2, stream.duplicate())
            return
        raise CommandFailed(f"{target}: bad fd number", 2)
    source = shell.fds.get(int(target))
    if source is None or int(target) > _HIGHEST:
        raise CommandFailed(f"{target}: Bad file descriptor", 2)
    saved.put(number, duplicate(source))


def open_target(shell: Shell, operator: str, target: str) -> Descriptor:
    """The file that a redirection names, opened as its operator wants it."""
    flags = _FLAGS[operator]
    if operator == ">" and shell.option("C") and _is_regular(shell, target):
        raise CommandFailed(f"cannot create {target}: File exists", 2)
    try:
        return open_path(shell.fs, shell.fds, target, flags, 0o666, check=shell.machine.scheduler.check)
    except (OSError, ValueError) as error:
        raise _refused(shell, target, error, creates=bool(flags & os.O_CREAT)) from None


def _refused(shell: Shell, target: str, error: OSError | ValueError, *, creates: bool) -> CommandFailed:
    """The failure to open a target, as the dialect words it."""
    dash = shell.dialect is Dialect.DASH
    what = ("cannot" if dash else "can't") + (" create" if creates else " open")
    if not isinstance(error, OSError):
        why = str(error)
    elif error.errno not in (errno.ENOENT, errno.ENOTDIR):
        why = error.strerror or str(error)
    elif dash:
        why = "Directory nonexistent" if creates else "No such file"
    else:
        why = "nonexistent directory" if creates else "no such file"
    return CommandFailed(f"{what} {target}: {why}", 2 if dash else 1)


def _is_regular(shell: Shell, path: str) -> bool:
    try:
        return stat.S_ISREG(shell.fs.stat(path).st_mode)
    except (OSError, ValueError):
        return False
