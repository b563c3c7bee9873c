"""The C library of the simulated world: what <stdio.h>, <stdlib.h>, <string.h> and their kin declare.

Its symbols are what the base images' ``libc`` defines; a function that is not here cannot be linked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from builder.world.process import Stream
from builder.world.programs.cc.machine import Fault, Machine, Native, ProgramExit
from builder.world.programs.cc.printf import format_text

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
_SPACES: Final = b" \t\n\v\f\r"


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


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


def _failed(machine: Machine, error: OSError, result: int) -> int:
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
        opened = machine.process.fs.open(os.fsdecode(machine.text(args[0])), flags)
    except OSError as error:
        return _failed(machine, error, 0)
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


def _remove(machine: Machine, args: list[int]) -> int:
    try:
        machine.process.fs.remove(os.fsdecode(machine.text(args[0])))
    except OSError as error:
        return _failed(machine, error, -1)
    return 0


def _access(machine: Machine, args: list[int]) -> int:
    return 0 if machine.process.fs.access(os.fsdecode(machine.text(args[0])), args[1]) else -1


def _exit(_machine: Machine, args: list[int]) -> int:
    raise ProgramExit(args[0] & 255)


def _abort(_machine: Machine, _args: list[int]) -> int:
    raise Fault("Aborted", 6)


def _malloc(machine: Machine, args: list[int]) -> int:
    return machine.allocate(args[0])


def _calloc(machine: Machine, args: list[int]) -> int:
    return machine.allocate(args[0] * args[1])


def _realloc(machine: Machine, args: list[int]) -> int:
    address = machine.allocate(args[1])
    if args[0]:
        # The old size is not kept; memory only grows, so whatever follows the old block may be read.
        held = bytes(machine.memory[args[0] : min(args[0] + args[1], address)])
        machine.write(address, held)
    return address


def _free(_machine: Machine, _args: list[int]) -> int:
    return 0


def _atoi(machine: Machine, args: list[int]) -> int:
    return _number(machine.text(args[0]), 10)[0]


def _strtol(machine: Machine, args: list[int]) -> int:
    value, used = _number(machine.text(args[0]), args[2])
    if args[1]:
        machine.write(args[1], (args[0] + used).to_bytes(8, "little"))
    return value


def _number(text: bytes, base: int) -> tuple[int, int]:
    """The integer that ``text`` begins with, and how many bytes it takes (strtol(3))."""
    index = len(text) - len(text.lstrip(_SPACES))
    sign = -1 if text[index : index + 1] == b"-" else 1
    index += text[index : index + 1] in (b"-", b"+")
    if base in (0, 16) and text[index : index + 2].lower() == b"0x":
        base, index = 16, index + 2
    elif base == 0:
        base = 8 if text[index : index + 1] == b"0" else 10
    begin, value = index, 0
    while index < len(text):
        digit = b"0123456789abcdefghijklmnopqrstuvwxyz".find(text[index : index + 1].lower())
        if not 0 <= digit < base:
            break
        value, index = value * base + digit, index + 1
    return (sign * value, index) if index > begin else (0, 0)


def _getenv(machine: Machine, args: list[int]) -> int:
    value = machine.process.env.get(os.fsdecode(machine.text(args[0])))
    return 0 if value is None else machine.new_text(os.fsencode(value))


def _system(machine: Machine, args: list[int]) -> int:
    return machine.process.spawn(["/bin/sh", "-c", os.fsdecode(machine.text(args[0]))]) << 8


def _time(machine: Machine, args: list[int]) -> int:
    seconds = machine.process.fs.clock() // 1_000_000_000
    if args and args[0]:
        machine.write(args[0], seconds.to_bytes(8, "little", signed=True))
    return seconds


def _strlen(machine: Machine, args: list[int]) -> int:
    return len(machine.text(args[0]))


def _compare(left: bytes, right: bytes) -> int:
    return (left > right) - (left < right)


def _strcpy(machine: Machine, args: list[int]) -> int:
    machine.write(args[0], machine.text(args[1]) + b"\0")
    return args[0]


def _strncpy(machine: Machine, args: list[int]) -> int:
    machine.write(args[0], machine.text(args[1])[: args[2]].ljust(args[2], b"\0"))
    return args[0]


def _strcat(machine: Machine, args: list[int]) -> int:
    machine.write(args[0] + len(machine.text(args[0])), machine.text(args[1]) + b"\0")
    return args[0]


def _strncat(machine: Machine, args: list[int]) -> int:
    machine.write(args[0] + len(machine.text(args[0])), machine.text(args[1])[: args[2]] + b"\0")
    return args[0]


def _strdup(machine: Machine, args: list[int]) -> int:
    return machine.new_text(machine.text(args[0]))


def _found(address: int, offset: int) -> int:
    return address + offset if offset >= 0 else 0


def _memset(machine: Machine, args: list[int]) -> int:
    machine.check(args[0], args[2])
    machine.write(args[0], bytes([args[1] & 255]) * args[2])
    return args[0]


def _memcpy(machine: Machine, args: list[int]) -> int:
    machine.write(args[0], machine.read(args[1], args[2]))
    return args[0]


def _class(test: Callable[[bytes], bool]) -> Native:
    return lambda _machine, args: int(0 <= args[0] < 128 and test(bytes([args[0]])))


LIBC: Final[Mapping[str, Native]] = MappingProxyType(
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
        "perror": _perror,
        "strerror": _strerror,
        "remove": _remove,
        "unlink": _remove,
        "access": _access,
        "exit": _exit,
        "_exit": _exit,
        "abort": _abort,
        "malloc": _malloc,
        "calloc": _calloc,
        "realloc": _realloc,
        "free": _free,
        "atoi": _atoi,
        "atol": _atoi,
        "strtol": _strtol,
        "strtoul": _strtol,
        "abs": lambda _m, a: abs(a[0]),
        "getenv": _getenv,
        "system": _system,
        "time": _time,
        "strlen": _strlen,
        "strcmp": lambda m, a: _compare(m.text(a[0]), m.text(a[1])),
        "strncmp": lambda m, a: _compare(m.text(a[0])[: a[2]], m.text(a[1])[: a[2]]),
        "strcasecmp": lambda m, a: _compare(m.text(a[0]).lower(), m.text(a[1]).lower()),
        "strcpy": _strcpy,
        "strncpy": _strncpy,
        "strcat": _strcat,
        "strncat": _strncat,
        "strdup": _strdup,
        "strchr": lambda m, a: _found(a[0], (m.text(a[0]) + b"\0").find(bytes([a[1] & 255]))),
        "strrchr": lambda m, a: _found(a[0], (m.text(a[0]) + b"\0").rfind(bytes([a[1] & 255]))),
        "strstr": lambda m, a: _found(a[0], m.text(a[0]).find(m.text(a[1]))),
        "memset": _memset,
        "memcpy": _memcpy,
        "memmove": _memcpy,
        "memcmp": lambda m, a: _compare(m.read(a[0], a[2]), m.read(a[1], a[2])),
        "isdigit": _class(bytes.isdigit),
        "isalpha": _class(bytes.isalpha),
        "isalnum": _class(bytes.isalnum),
        "isspace": _class(lambda sign: sign in _SPACES),
        "isupper": _class(bytes.isupper),
        "islower": _class(bytes.islower),
        "toupper": lambda _m, a: a[0] - 32 if 97 <= a[0] <= 122 else a[0],
        "tolower": lambda _m, a: a[0] + 32 if 65 <= a[0] <= 90 else a[0],
        "getpid": lambda _m, _a: 1,
        "getuid": lambda m, _a: m.process.fs.caller.uid,
        "geteuid": lambda m, _a: m.process.fs.caller.uid,
        "__stream": _standard,
        "__errno_location": _errno,
    }
)
"""Every function of the simulated libc, by its symbol."""
