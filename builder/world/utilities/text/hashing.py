"""md5sum and its kin, cksum and base64: digests and encodings of files."""

from __future__ import annotations

import base64 as encoding
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import (
    Output,
    chunks,
    contents,
    inputs,
    open_input,
    reason,
    text_lines,
    words,
)

_USAGE: Final = "[-c[sw]] [FILE]..."
_ENTRY: Final = re.compile(rb"([0-9a-fA-F]+)( [ *]|\s+)(.+)", re.DOTALL)


def _digest(stream: Stream, algorithm: str) -> str:
    made = hashlib.new(algorithm, usedforsecurity=False)
    for piece in chunks(stream):
        made.update(piece)
    return made.hexdigest()


def _check(process: Process, out: Output, options: Options, algorithm: str, name: str) -> None:
    """Compare what a list of digests says with the files; complaints make the status 1."""
    failed = total = 0
    for line in text_lines(process, open_input(process, name)):
        match = _ENTRY.fullmatch(line)
        total += 1
        if match is None:
            failed += 1
            out.status = 1
            if "w" in options:
                out.complain("invalid format")
            continue
        path = words(match[3])
        try:
            same = _digest(open_input(process, path), algorithm) == match[1].decode().lower()
        except OSError as error:
            out.complain(f"can't open '{path}': {reason(error)}")
            same = False
        failed += not same
        if not same:
            out.status = 1
        if "s" not in options:
            out.print(f"{path}: {'OK' if same else 'FAILED'}")
    if failed and "s" not in options:
        out.complain(f"WARNING: {failed} of {total} computed checksums did NOT match")
    if total == 0:
        out.complain(f"{name}: no checksum lines found")


def _summer(algorithm: str) -> Callable[[Process], int]:
    def program(process: Process) -> int:
        long = {"check": "c", "status": "s", "warn": "w", "binary": "b", "text": "t", "quiet": "q"}
        options = parse(process.argv[1:], "scwbtq", long, usage=_USAGE)
        if "c" not in options and ("s" in options or "w" in options):
            raise UsageError("", _USAGE)
        with Output(process) as out:
            if "c" in options:
                for name in options.operands or ("-",):
                    try:
                        _check(process, out, options, algorithm, name)
                    except OSError as error:
                        out.failed(name, error)
                return out.status
            for name, stream in inputs(process, options.operands, out, wording="can't open '{}'"):
                out.print(f"{_digest(stream, algorithm)}  {name}")
        return out.status

    program.__doc__ = f"Print or check {algorithm} digests."
    return program


md5sum = _summer("md5")
sha1sum = _summer("sha1")
sha256sum = _summer("sha256")
sha512sum = _summer("sha512")


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        value = byte << 24
        for _ in range(8):
            value = (value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1
        table.append(value & 0xFFFFFFFF)
    return table


def cksum(process: Process) -> int:
    """Print the CRC and size of files (POSIX cksum)."""
    options = parse(process.argv[1:], "", usage="FILE...")
    table = _crc_table()
    with Output(process) as out:
        for name, stream in inputs(process, options.operands, out):
            crc, size = 0, 0
            for piece in chunks(stream):
                size += len(piece)
                for byte in piece:
                    crc = ((crc << 8) ^ table[(crc >> 24) ^ byte]) & 0xFFFFFFFF
            length = size
            while length:
                crc = ((crc << 8) ^ table[(crc >> 24) ^ (length & 0xFF)]) & 0xFFFFFFFF
                length >>= 8
            out.print(f"{crc ^ 0xFFFFFFFF} {size}" + (f" {name}" if options.operands else ""))
    return out.status


def base64(process: Process) -> int:
    """Encode or decode in base 64 (RFC 4648)."""
    usage = "[-d] [-w COL] [FILE]"
    options = parse(process.argv[1:], "dw:i", {"decode": "d", "wrap": "w"}, usage=usage)
    if len(options.operands) > 1:
        raise UsageError("", usage)
    width = number(options.value("w", "76"))
    name = options.operands[0] if options.operands else "-"
    content = contents(process, open_input(process, name))
    with Output(process) as out:
        if "d" in options:
            return _decode(process, out, content)
        encoded = encoding.b64encode(content)
        if not width:
            out.write(encoded)
            return 0
        for at in range(0, len(encoded), width):
            out.write(encoded[at : at + width] + b"\n")
    return 0


def _decode(process: Process, out: Output, content: bytes) -> int:
    packed = content.translate(None, b" \t\r\n")
    valid = re.match(rb"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", packed)
    length = valid.end() if valid else 0
    try:
        out.write(binascii.a2b_base64(packed[:length]))
    except binascii.Error:
        length = -1
    if length != len(packed):
        out.flush()
        process.complain("truncated input" if length >= 0 and len(packed) - length < 4 else "invalid input")
        return 1
    return 0
