"""Programs of the simulated world beyond the utilities, loaded when first used: name → program."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from typing import Final, cast

from builder.world.machine.process import Process, Program

_PLACES: Final[Mapping[str, tuple[str, str]]] = {
    "adduser": ("accounts.adduser", "adduser"),
    "addgroup": ("accounts.adduser", "addgroup"),
    "deluser": ("accounts.adduser", "deluser"),
    "delgroup": ("accounts.adduser", "delgroup"),
    "userdel": ("accounts.shadow", "userdel"),
    "groupdel": ("accounts.shadow", "groupdel"),
    "useradd": ("accounts.shadow", "useradd"),
    "groupadd": ("accounts.shadow", "groupadd"),
    "usermod": ("accounts.shadow", "usermod"),
    "apk": ("packages.apk", "apk"),
    "apt": ("packages.apt", "apt_get"),
    "apt-get": ("packages.apt", "apt_get"),
    "apt-cache": ("packages.aptquery", "apt_cache"),
    "apt-mark": ("packages.aptquery", "apt_mark"),
    "dpkg": ("packages.dpkg", "dpkg"),
    "dpkg-query": ("packages.dpkg", "dpkg_query"),
    "ar": ("cc.linking.binutils", "ar"),
    "ranlib": ("cc.linking.binutils", "ranlib"),
    "strip": ("cc.linking.binutils", "strip"),
    "ld": ("cc.linking.binutils", "ld"),
    "busybox": ("busybox", "busybox"),
    "cc": ("cc.driver", "cc"),
    "gcc": ("cc.driver", "cc"),
    "c99": ("cc.driver", "cc"),
    "compiled": ("cc.loader", "run_compiled"),
    "curl": ("web.download", "curl"),
    "wget": ("web.download", "wget"),
    "ldconfig": ("cc.ldconfig", "ldconfig"),
    "ldd": ("cc.ldconfig", "ldd"),
    "make": ("make.make", "make"),
    "nginx": ("web.nginx", "nginx"),
}


def _load(module: str, function: str) -> Program:
    from builder.world.utilities.commandline import UsageError
    from builder.world.utilities.streams import guarded_exit

    program = cast(Program, getattr(importlib.import_module(f"{__name__}.{module}"), function))

    @functools.wraps(program)
    def guarded(process: Process) -> int:
        try:
            return program(process)
        except UsageError as error:
            return guarded_exit(process, error)

    return guarded


class _Programs(Mapping[str, Program]):
    """The table; a program's module is imported when the program is looked up."""

    def __init__(self) -> None:
        self._load = functools.cache(_load)

    def __getitem__(self, name: str) -> Program:
        module, function = _PLACES[name]
        return self._load(module, function)

    def __contains__(self, name: object) -> bool:
        return name in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


PROGRAMS: Final[Mapping[str, Program]] = _Programs()
"""The program behind each name."""
