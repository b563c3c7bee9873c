"""read: one line from a descriptor, split into variables (POSIX XCU, read)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from builder.world.machine.descriptor import ByteSource, Descriptor, Stream
from builder.world.machine.pipe import ReadEnd
from builder.world.shell.builtins.arguments import number
from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import CommandFailed
from builder.world.shell.expansion.expander import DEFAULT_IFS
from builder.world.shell.language.words import NAME
from builder.world.shell.state import Shell
from unionfs_sim.vfs.openfile import File

_BLOCK = 4096


def _line(stream: Stream, account: Callable[[int], None]) -> bytes:
    """One line with its newline, and nothing of what follows it: others read that (XCU, read, "STDIN")."""
    source = stream.source if isinstance(stream, Descriptor) else None
    if isinstance(source, (ReadEnd, ByteSource)):
        return source.read_line()
    if isinstance(source, File):
        return _line_of_file(source, account)
    pieces: list[bytes] = []
    while piece := stream.read(1):
        pieces.append(piece)
        if piece == b"\n":
            break
        account(len(pieces))
    return b"".join(pieces)


def _line_of_file(file: File, account: Callable[[int], None]) -> bytes:
    pieces: list[bytes] = []
    while block := file.read(_BLOCK):
        end = block.find(b"\n")
        if end >= 0:
            pieces.append(block[: end + 1])
            if end + 1 < len(block):
                file.seek(end + 1 - len(block), 1)
            break
        pieces.append(block)
        account(len(pieces) * _BLOCK)
    return b"".join(pieces)


def _logical_line(
    stream: Stream, account: Callable[[int], None], *, raw: bool
) -> tuple[str, list[bool], bool]:
    """The line without its newline, which of its characters were escaped, and whether it ended with one."""
    text, escaped = "", list[bool]()
    while True:
        line = _line(stream, account).replace(b"\0", b"").decode("utf-8", "surrogateescape")
        complete = line.endswith("\n")
        line = line[:-1] if complete else line
        if raw or "\\" not in line:
            return text + line, escaped + [False] * len(line), complete
        at, joined = 0, False
        while at < len(line):
            if line[at] != "\\":
                text += line[at]
                escaped.append(False)
                at += 1
            elif at + 1 < len(line):
                text += line[at + 1]
                escaped.append(True)
                at += 2
            else:
                joined = complete
                at += 1
        if not joined:
            return text, escaped, complete


def split_fields(text: str, escaped: Sequence[bool], ifs: str, count: int) -> list[str]:
    """``text`` in ``count`` fields: the last takes what is left, without the blanks of IFS at its end."""
    blanks = {c for c in ifs if c in " \t\n"}
    size, at = len(text), 0

    def is_in(index: int, members: set[str]) -> bool:
        return index < size and text[index] in members and not escaped[index]

    separators = set(ifs)
    fields: list[str] = []
    while is_in(at, blanks):
        at += 1
    while len(fields) < count - 1 and at < size:
        start = at
        while at < size and not is_in(at, separators):
            at += 1
        fields.append(text[start:at])
        while is_in(at, blanks):
            at += 1
        if is_in(at, separators - blanks):
            at += 1
            while is_in(at, blanks):
                at += 1
    if at < size:
        fields.append(_last(text, at, is_in, blanks, separators))
    return fields + [""] * (count - len(fields))


def _last(text: str, start: int, is_in: object, blanks: set[str], separators: set[str]) -> str:
    """The rest from ``start``, without trailing blanks or a lone delimiter that ends its only field."""
    assert callable(is_in)
    end = len(text)
    while end > start and is_in(end - 1, blanks):
        end -= 1
    hard = separators - blanks
    if (
        end > start
        and is_in(end - 1, hard)
        and not any(is_in(index, separators) for index in range(start, end - 1))
    ):
        end -= 1
    return text[start:end]


def read(shell: Shell, words: Sequence[str]) -> int:
    """``read [-r] [-p prompt] [-u fd] name…``; 1 at the end of the input."""
    raw, prompt, descriptor, at = False, "", 0, 1
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        for position, letter in enumerate(word[1:], 2):
            if letter == "r":
                raw = True
            elif letter == "s" and shell.dialect is not Dialect.DASH:
                continue
            elif letter in ("p", "u", "t", "n", "d") and (letter == "p" or shell.dialect is not Dialect.DASH):
                value = word[position:] or (words[at] if at < len(words) else "")
                at += not word[position:]
                if letter == "p":
                    prompt = value
                elif letter == "u":
                    descriptor = number(value)
                elif letter != "t":
                    raise CommandFailed(f"-{letter} is not simulated", 2)
                break
            else:
                raise CommandFailed(f"Illegal option -{letter}", 2)
    names = list(words[at:])
    if not names:
        if shell.dialect is Dialect.DASH:
            raise CommandFailed("arg count", 2)
        names = ["REPLY"]
    for name in names:
        if not NAME.fullmatch(name):
            raise CommandFailed(f"{name}: bad variable name", 2)
    if prompt:
        shell.say(prompt, 2)
    stream = shell.fds.get(descriptor)
    if stream is None:
        return 1
    text, escaped, complete = _logical_line(stream, shell.machine.account_memory, raw=raw)
    ifs = shell.variables.get("IFS")
    fields = split_fields(text, escaped, DEFAULT_IFS if ifs is None else ifs, len(names))
    for name, value in zip(names, fields, strict=True):
        shell.variables.set(name, value)
    return 0 if complete else 1
