"""xargs: commands, made of words from descriptor 0."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import CANNOT_OPEN, contents, octets, open_input, reason, words

_USAGE: Final = "[OPTIONS] [PROG ARGS]"
_MOST: Final = 32 * 1024
"""Bytes of a command line, as busybox limits them."""

_BLANK: Final = b" \t\n\v\f\r"


def _unquoted(text: bytes) -> Iterator[bytes]:
    """The words of the input: blanks separate, quotes and backslashes protect."""
    word = bytearray()
    started = False
    quote = 0
    at = 0
    while at < len(text):
        byte = text[at]
        at += 1
        if quote:
            if byte == quote:
                quote = 0
            elif byte == 10:
                break
            else:
                word.append(byte)
        elif byte in b"'\"":
            quote, started = byte, True
        elif byte == 92 and at < len(text):
            word.append(text[at])
            started = True
            at += 1
        elif byte in _BLANK:
            if started:
                yield bytes(word)
            word.clear()
            started = False
        else:
            word.append(byte)
            started = True
    if quote:
        raise UsageError(f"unmatched {'single' if quote == 39 else 'double'} quote")
    if started:
        yield bytes(word)


def _items(text: bytes, options: Options) -> Iterator[str]:
    if "0" in options:
        yield from (words(item) for item in text.removesuffix(b"\0").split(b"\0") if text)
        return
    if "I" in options:
        for line in text.replace(b"\0", b"\n").split(b"\n"):
            # A whole line is one item; busybox leaves its quotes and backslashes alone.
            item = line.lstrip(_BLANK)
            if item:
                yield words(item)
        return
    stop = options.value(options.last("Ee")) or None
    for item in _unquoted(text):
        word = item.partition(b"\0")[0]  # where an argument of execve(2) ends
        if stop is not None and words(word) == stop:
            return
        yield words(word)


def _batches(items: Iterator[str], command: list[str], options: Options) -> Iterator[list[str]]:
    most = number(options.value("n")) if "n" in options else None
    size = number(options.value("s")) if "s" in options else _MOST
    room = size - sum(len(octets(word)) + 1 for word in command)
    batch: list[str] = []
    used = 0
    for item in items:
        length = len(octets(item)) + 1
        if batch and (len(batch) == most or used + length > room):
            yield batch
            batch, used = [], 0
        if length > room:
            raise UsageError("can't fit single argument within argument list size limit")
        batch.append(item)
        used += length
    if batch:
        yield batch


def _text(process: Process, options: Options) -> bytes:
    if "a" not in options:
        return contents(process, process.stdin)
    name = options.value("a")
    try:
        return contents(process, open_input(process, name))
    except OSError as error:
        raise UsageError(f"{CANNOT_OPEN.format(name)}: {reason(error)}") from error


class _Runner:
    """Runs the commands; the exit statuses are those of POSIX xargs."""

    def __init__(self, process: Process, options: Options) -> None:
        self.process = process
        self.trace = "t" in options
        self.status = 0

    def run(self, argv: list[str]) -> bool:
        """Run one command; False if no more are to be run."""
        if self.trace:
            self.process.stderr.write(octets(" ".join(argv)) + b"\n")
        status = self.process.spawn(argv)
        if status in (126, 127):
            self.status = status
            return False
        if status == 255:
            self.process.complain(f"{argv[0]}: exited with status 255; aborting")
            self.status = 124
            return False
        if status >= 128:
            self.process.complain(f"{argv[0]}: terminated by signal {status - 128}")
            self.status = 125
            return False
        self.status = 123 if status else self.status
        return True


def xargs(process: Process) -> int:
    """Run a command with the words of descriptor 0 as arguments."""
    long = {
        "null": "0",
        "no-run-if-empty": "r",
        "max-args": "n",
        "max-procs": "P",
        "replace": "I",
        "verbose": "t",
    }
    options = parse(process.argv[1:], "+0ra:tE:e::I:n:s:P:x", long, usage=_USAGE)
    command = list(options.operands) or ["echo"]
    if "n" in options and number(options.value("n")) == 0:
        raise UsageError(f"number {options.value('n')} is not in 1..2147483647 range")
    text = _text(process, options)
    runner = _Runner(process, options)
    items = _items(text, options)
    if "I" in options:
        for item in items:
            if not runner.run([word.replace(options.value("I"), item) for word in command]):
                break
        return runner.status
    ran = False
    for batch in _batches(items, command, options):
        ran = True
        if not runner.run([*command, *batch]):
            return runner.status
    if not ran and "r" not in options:
        runner.run(command)
    return runner.status
