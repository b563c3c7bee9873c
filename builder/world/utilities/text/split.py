"""split: a file in pieces.

Debian's busybox has none; coreutils is the model.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import UsageError, number, parse
from builder.world.utilities.streams import CHUNK, create, lines, open_input, reason

_USAGE: Final = "[OPTION]... [FILE [PREFIX]]"
_SIZES: Final = {"": 1, "b": 512, "k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20, "G": 1 << 30}


def _suffixes(length: int, alphabet: str) -> Iterator[str]:
    for letters in itertools.product(alphabet, repeat=length):
        yield "".join(letters)


def _by_lines(process: Process, stream: Stream, count: int) -> Iterator[Iterator[bytes]]:
    reader = lines(process, stream)
    for first in reader:
        yield itertools.chain((first,), itertools.islice(reader, count - 1))


def _by_bytes(stream: Stream, size: int) -> Iterator[Iterator[bytes]]:
    while first := stream.read(min(size, CHUNK)):

        def piece(begin: bytes) -> Iterator[bytes]:
            yield begin
            left = size - len(begin)
            while left and (more := stream.read(min(left, CHUNK))):
                left -= len(more)
                yield more

        yield piece(first)


def split(process: Process) -> int:
    """Write the pieces of a file to files of their own."""
    words = [f"-l{word[1:]}" if word[:1] == "-" and word[1:].isdigit() else word for word in process.argv[1:]]
    long = {"bytes": "b", "lines": "l", "suffix-length": "a", "numeric-suffixes": "d"}
    options = parse(words, "b:l:a:d", long, usage=_USAGE)
    if len(options.operands) > 2:
        raise UsageError(f"extra operand '{options.operands[2]}'")
    name = options.operands[0] if options.operands else "-"
    prefix = options.operands[1] if len(options.operands) > 1 else "x"
    size = number(options.value("b") or options.value("l", "1000"), _SIZES if "b" in options else None)
    if size == 0:
        raise UsageError(
            "invalid number of lines: '0'" if "b" not in options else "invalid number of bytes: '0'"
        )
    try:
        stream = open_input(process, name)
    except OSError as error:
        process.complain(f"cannot open '{name}' for reading: {reason(error)}")
        return 1
    alphabet = "0123456789" if "d" in options else "abcdefghijklmnopqrstuvwxyz"
    suffixes = _suffixes(number(options.value("a", "2")), alphabet)
    for piece in _by_bytes(stream, size) if "b" in options else _by_lines(process, stream, size):
        suffix = next(suffixes, None)
        if suffix is None:
            raise UsageError("output file suffixes exhausted")
        sink = create(process, prefix + suffix)
        for part in piece:
            sink.write(part)
        sink.close()
    return 0
