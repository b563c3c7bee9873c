"""Every native function that a compiled program can reach: libc, and the libraries of the world.

``<simd/http.h>`` is how a C program of the simulated world becomes a web server::

    struct http_settings { char *name, *version, *prefix, *conf, *globals, *defaults; };
    int http_check(struct http_settings *);      0, or 1 after saying why on stderr
    int http_serve(struct http_settings *);      does not return in the foreground

``defaults`` is lines of ``directive value``; ``globals`` is configuration text, as behind ``-g``.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.world.programs.cc.library.libc import LIBC
from builder.world.programs.cc.machine import Machine, Native
from builder.world.programs.web.server import Settings, check, serve


def _settings(machine: Machine, address: int) -> Settings:
    texts = []
    for index in range(6):
        pointer = int.from_bytes(machine.read(address + 8 * index, 8), "little")
        texts.append(machine.text(pointer).decode("utf-8", "surrogateescape") if pointer else "")
    name, version, prefix, conf, globals_, lines = texts
    defaults = dict(line.split(" ", 1) for line in lines.splitlines() if " " in line)
    return Settings(name, version, prefix, conf, globals_, defaults)


def _http_check(machine: Machine, args: list[int]) -> int:
    return check(machine.process, _settings(machine, args[0]))


def _http_serve(machine: Machine, args: list[int]) -> int:
    return serve(machine.process, _settings(machine, args[0]))


def _fixed(text: bytes) -> Native:
    return lambda machine, _args: machine.new_text(text)


HTTP: Final[Mapping[str, Native]] = MappingProxyType({"http_check": _http_check, "http_serve": _http_serve})

LIBRARIES: Final[Mapping[str, Native]] = MappingProxyType(
    {
        "zlibVersion": _fixed(b"1.3.1"),
        "crc32": lambda m, a: zlib.crc32(m.read(a[1], a[2]), a[0]) if a[1] else 0,
        "adler32": lambda m, a: zlib.adler32(m.read(a[1], a[2]), a[0]) if a[1] else 1,
        "pcre_version": _fixed(b"8.45 2021-06-15"),
        "OpenSSL_version": _fixed(b"OpenSSL 3.1.4 24 Oct 2023"),
    }
)

NATIVES: Final[Mapping[str, Native]] = MappingProxyType({**LIBC, **HTTP, **LIBRARIES})
"""All of them, by symbol."""
