"""The functions of ``os`` about the process: where it is, who it is, its umask."""

from __future__ import annotations

import os
from typing import Any

from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, spelt
from unionfs_sim.nodes.caller import Caller


class ProcessVerbs:
    """``os.getcwd`` to ``os.getgroups``: those of the caller, not of Python's own process."""

    _session: Session

    def getcwd(self) -> str:
        return self._session.cwd

    def getcwdb(self) -> bytes:
        return os.fsencode(self._session.cwd)

    def chdir(self, path: Any) -> None:
        path = spelt("chdir", path, number=True)
        named(path, lambda: self._session.change_directory(path))

    def fchdir(self, fd: Any) -> None:
        self._session.change_directory(self._session.descriptors.number(fd))

    def umask(self, mask: int, /) -> int:
        return self._session.change_umask(mask)

    @property
    def _caller(self) -> Caller:
        return self._session.view.caller

    def getuid(self) -> int:
        return self._caller.uid

    def geteuid(self) -> int:
        return self._caller.uid

    def getgid(self) -> int:
        return self._caller.gid

    def getegid(self) -> int:
        return self._caller.gid

    def getgroups(self) -> list[int]:
        return sorted(self._caller.groups)

    def getresuid(self) -> tuple[int, int, int]:
        return (self._caller.uid,) * 3

    def getresgid(self) -> tuple[int, int, int]:
        return (self._caller.gid,) * 3
