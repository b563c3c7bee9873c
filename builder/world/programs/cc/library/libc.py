"""The C library of the simulated world: what <stdio.h>, <stdlib.h>, <string.h> and their kin declare.

Its symbols are what the base images' ``libc`` defines; a function that is not here cannot be linked.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from builder.world.programs.cc.ctype import INT, wrap
from builder.world.programs.cc.library.stdio import STDIO, failed
from builder.world.programs.cc.machine import Fault, Machine, Native, ProgramExit

_SPACES: Final = b" \t\n\v\f\r"


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def _remove(machine: Machine, args: list[int]) -> int:
    try:
        machine.process.fs.remove(os.fsdecode(machine.text(args[0])))
    except OSError as error:
        return failed(machine, error, -1)
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


def _qsort(machine: Machine, args: list[int]) -> int:
    base, count, size, compare = args[:4]
    items = [machine.read(base + index * size, size) for index in range(count)]
    left, right = machine.allocate(size), machine.allocate(size)

    def order(one: bytes, two: bytes) -> int:
        machine.write(left, one)
        machine.write(right, two)
        return wrap(machine.call(compare, [left, right]), INT)

    ordered: list[bytes] = sorted(items, key=functools.cmp_to_key(order))
    machine.write(base, b"".join(ordered))
    return 0


def _strtok(machine: Machine, args: list[int]) -> int:
    begin = args[0] or machine.symbols.get("\0strtok", 0)
    signs = machine.text(args[1])
    if not begin:
        return 0
    text = machine.text(begin)
    begin += len(text) - len(text.lstrip(signs))
    text = text.lstrip(signs)
    if not text:
        machine.symbols["\0strtok"] = 0
        return 0
    end = next((index for index, sign in enumerate(text) if sign in signs), len(text))
    machine.symbols["\0strtok"] = begin + end + 1 if end < len(text) else 0
    machine.write(begin + end, b"\0")
    return begin


def _span(machine: Machine, args: list[int], *, inside: bool) -> int:
    text, signs = machine.text(args[0]), machine.text(args[1])
    return next((index for index, sign in enumerate(text) if (sign in signs) != inside), len(text))


def _sleep(machine: Machine, args: list[int]) -> int:
    machine.process.machine.sleep(args[0])
    return 0


def _class(test: Callable[[bytes], bool]) -> Native:
    return lambda _machine, args: int(0 <= args[0] < 128 and test(bytes([args[0]])))


LIBC: Final[Mapping[str, Native]] = MappingProxyType(
    {
        **STDIO,
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
        "labs": lambda _m, a: abs(a[0]),
        "qsort": _qsort,
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
        "strtok": _strtok,
        "strspn": lambda m, a: _span(m, a, inside=True),
        "strcspn": lambda m, a: _span(m, a, inside=False),
        "memchr": lambda m, a: _found(a[0], m.read(a[0], a[2]).find(bytes([a[1] & 255]))),
        "memset": _memset,
        "memcpy": _memcpy,
        "memmove": _memcpy,
        "memcmp": lambda m, a: _compare(m.read(a[0], a[2]), m.read(a[1], a[2])),
        "isdigit": _class(bytes.isdigit),
        "isalpha": _class(bytes.isalpha),
        "isalnum": _class(bytes.isalnum),
        "isspace": _class(lambda sign: sign in _SPACES),
        "isxdigit": _class(lambda sign: sign in b"0123456789abcdefABCDEF"),
        "isprint": _class(lambda sign: b" " <= sign <= b"~"),
        "ispunct": _class(lambda sign: b"!" <= sign <= b"~" and not sign.isalnum()),
        "isupper": _class(bytes.isupper),
        "islower": _class(bytes.islower),
        "toupper": lambda _m, a: a[0] - 32 if 97 <= a[0] <= 122 else a[0],
        "tolower": lambda _m, a: a[0] + 32 if 65 <= a[0] <= 90 else a[0],
        "sleep": _sleep,
        "getpid": lambda _m, _a: 1,
        "getuid": lambda m, _a: m.process.fs.caller.uid,
        "geteuid": lambda m, _a: m.process.fs.caller.uid,
    }
)
"""Every function of the simulated libc, by its symbol."""
