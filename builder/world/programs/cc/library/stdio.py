"""<stdio.h> of the simulated C library: streams, files and formatted output."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.programs.cc.library.printf import format_text
from builder.world.programs.cc.machine import Fault, Machine, Native

_MODES: Final[Mapping[bytes, int]] = MappingProxyType(
    {
        b"r": os.O_RDONLY,
        b"r+": os.O_RDWR,
        b"w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
        b"w+": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
        b"a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
        b"a+": os.O_RDWR | os.O_CREAT | os.O_APPEND,
    }
)
_EOF: Final = -1


def _stream(machine: Machine, handle: int) -> Stream:
    stream = machine.files.get(handle)
    if stream is None:
        raise Fault("Segmentation fault")
    return stream  # type: ignore[return-value]


def _standard(machine: Machine, args: list[int]) -> int:
    """FILE *__stream(int): what stdin, stdout and stderr stand for."""
    handle = machine.symbols.get(f"\0fd {args[0]}")
    if handle is None:
        handle = machine.allocate(16)
        machine.symbols[f"\0fd {args[0]}"] = handle
        machine.files[handle] = machine.process.fds[args[0]]
    return handle


def _errno(machine: Machine, _args: list[int]) -> int:
    place = machine.symbols.get("\0errno")
    if place is None:
        place = machine.symbols["\0errno"] = machine.allocate(8)
    return place


def failed(machine: Machine, error: OSError, result: int) -> int:
    """Set errno from ``error``; ``result``."""
    machine.write(_errno(machine, []), (error.errno or 0).to_bytes(4, "little"))
    return result


def _formatted(machine: Machine, args: list[int], first: int) -> bytes:
    return format_text(machine.text(args[first]), args[first + 1 :], machine.text)


def _printf(machine: Machine, args: list[int]) -> int:
    text = _formatted(machine, args, 0)
    machine.process.stdout.write(text)
    return len(text)


def _fprintf(machine: Machine, args: list[int]) -> int:
    text = _formatted(machine, args, 1)
    _stream(machine, args[0]).write(text)
    return len(text)


def _sprintf(machine: Machine, args: list[int]) -> int:
    text = _formatted(machine, args, 1)
    machine.write(args[0], text + b"\0")
    return len(text)


def _snprintf(machine: Machine, args: list[int]) -> int:
    text = _formatted(machine, args, 2)
    if args[1] > 0:
        machine.write(args[0], text[: args[1] - 1] + b"\0")
    return len(text)


def _puts(machine: Machine, args: list[int]) -> int:
    machine.process.stdout.write(machine.text(args[0]) + b"\n")
    return 1


def _fputs(machine: Machine, args: list[int]) -> int:
    _stream(machine, args[1]).write(machine.text(args[0]))
    return 1


def _putchar(machine: Machine, args: list[int]) -> int:
    machine.process.stdout.write(bytes([args[0] & 255]))
    return args[0] & 255


def _fputc(machine: Machine, args: list[int]) -> int:
    _stream(machine, args[1]).write(bytes([args[0] & 255]))
    return args[0] & 255


def _fopen(machine: Machine, args: list[int]) -> int:
    flags = _MODES.get(machine.text(args[1]).replace(b"b", b"").replace(b"e", b""))
    if flags is None:
        return 0
    try:
        opened = machine.process.open(os.fsdecode(machine.text(args[0])), flags)
    except OSError as error:
        return failed(machine, error, 0)
    handle = machine.allocate(16)
    machine.files[handle] = opened
    return handle


def _fclose(machine: Machine, args: list[int]) -> int:
    _stream(machine, args[0]).close()
    del machine.files[args[0]]
    return 0


def _fgetc(machine: Machine, args: list[int]) -> int:
    byte = _stream(machine, args[0]).read(1)
    return byte[0] if byte else _EOF


def _fgets(machine: Machine, args: list[int]) -> int:
    stream, line = _stream(machine, args[2]), b""
    while len(line) < args[1] - 1 and not line.endswith(b"\n"):
        byte = stream.read(1)
        if not byte:
            break
        line += byte
    if not line:
        return 0
    machine.write(args[0], line + b"\0")
    return args[0]


def _fread(machine: Machine, args: list[int]) -> int:
    size = args[1] * args[2]
    machine.check(args[0], size)
    content = _stream(machine, args[3]).read(size)
    machine.write(args[0], content)
    return len(content) // (args[1] or 1)


def _fwrite(machine: Machine, args: list[int]) -> int:
    _stream(machine, args[3]).write(machine.read(args[0], args[1] * args[2]))
    return args[2]


def _perror(machine: Machine, args: list[int]) -> int:
    number = int.from_bytes(machine.read(_errno(machine, []), 4), "little")
    machine.process.stderr.write(machine.text(args[0]) + b": " + os.strerror(number).encode() + b"\n")
    return 0


def _strerror(machine: Machine, args: list[int]) -> int:
    return machine.new_text(os.strerror(args[0]).encode())


STDIO: Final[Mapping[str, Native]] = MappingProxyType(
    {
        "printf": _printf,
        "fprintf": _fprintf,
        "sprintf": _sprintf,
        "snprintf": _snprintf,
        "puts": _puts,
        "fputs": _fputs,
        "putchar": _putchar,
        "fputc": _fputc,
        "putc": _fputc,
        "fopen": _fopen,
        "fclose": _fclose,
        "fflush": lambda _m, _a: 0,
        "fgetc": _fgetc,
        "getc": _fgetc,
        "getchar": lambda m, _a: _fgetc(m, [_standard(m, [0])]),
        "fgets": _fgets,
        "fread": _fread,
        "fwrite": _fwrite,
        "__stream": _standard,
        "__errno_location": _errno,
        "perror": _perror,
        "strerror": _strerror,
    }
)
"""Every function of <stdio.h>, by its symbol."""
