"""tr: bytes translated, squeezed or deleted."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.regex import CLASSES
from builder.world.utilities.commandline import UsageError, at_least, parse
from builder.world.utilities.escapes import escape
from builder.world.utilities.streams import Output, chunks, octets

_USAGE: Final = "[-cds] STRING1 [STRING2]"


def _class_members(name: bytes) -> bytes:
    import re

    inside = re.compile(b"[" + CLASSES[name] + b"]")
    return bytes(byte for byte in range(256) if inside.match(bytes([byte])))


def _character(text: bytes, at: int) -> tuple[bytes, int]:
    if text[at : at + 1] == b"\\":
        piece, end = escape(text, at + 1)
        return (piece[-1:], end) if len(piece) > 1 else (piece, end)
    return text[at : at + 1], at + 1


def expanded(text: bytes) -> bytes:
    """The bytes that a STRING of tr lists: escapes, ranges, ``[:class:]`` and ``[=x=]`` resolved.

    >>> expanded(b"a-c[:digit:]")
    b'abc0123456789'
    """
    members = bytearray()
    at = 0
    while at < len(text):
        if (
            text[at : at + 2] == b"[:"
            and (end := text.find(b":]", at + 2)) >= 0
            and text[at + 2 : end] in CLASSES
        ):
            members += _class_members(text[at + 2 : end])
            at = end + 2
            continue
        if text[at : at + 2] == b"[=" and text[at + 3 : at + 5] == b"=]":
            members += text[at + 2 : at + 3]
            at += 5
            continue
        low, at = _character(text, at)
        if text[at : at + 1] == b"-" and at + 1 < len(text):
            high, at = _character(text, at + 1)
            members += bytes(range(low[0], high[0] + 1))
        else:
            members += low
    return bytes(members)


def tr(process: Process) -> int:
    """Copy descriptor 0 to descriptor 1 with its bytes translated."""
    long = {"complement": "c", "delete": "d", "squeeze-repeats": "s"}
    options = parse(process.argv[1:], "+Ccds", long, usage=_USAGE)
    at_least(options, 1, _USAGE)
    first = expanded(octets(options.operands[0]))
    second = expanded(octets(options.operands[1])) if len(options.operands) > 1 else b""
    if "c" in options or "C" in options:
        first = bytes(byte for byte in range(256) if byte not in first)
    table = None
    if len(options.operands) > 1 and "d" not in options:
        if not second:
            raise UsageError("STRING2 cannot be empty")
        mapping = bytearray(range(256))
        for at, byte in enumerate(first):
            mapping[byte] = second[min(at, len(second) - 1)]
        table = bytes(mapping)
    deleted = first if "d" in options else b""
    squeezed = frozenset((second or first) if "s" in options else b"")
    last = -1
    with Output(process) as out:
        for piece in chunks(process.stdin):
            changed = piece.translate(table, deleted)
            if squeezed:
                kept = bytearray()
                for byte in changed:
                    if byte != last or byte not in squeezed:
                        kept.append(byte)
                    last = byte
                changed = bytes(kept)
            out.write(changed)
    return 0
