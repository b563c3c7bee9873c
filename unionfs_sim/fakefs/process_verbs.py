"""The functions of ``os`` about the process: where it is, who it is, its umask."""

from __future__ import annotations

import os

from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.spelling import named, spelt_or_number


def getcwd(session: Session) -> str:
    return session.cwd


def getcwdb(session: Session) -> bytes:
    return os.fsencode(session.cwd)


def chdir(session: Session, path: object) -> None:
    place = spelt_or_number("chdir", path)
    named(place, lambda: session.change_directory(place))


def fchdir(session: Session, fd: object) -> None:
    session.change_directory(session.descriptors.number(fd))


def umask(session: Session, mask: int, /) -> int:
    return session.change_umask(mask)


def getuid(session: Session) -> int:
    return session.view.caller.uid


def geteuid(session: Session) -> int:
    return session.view.caller.uid


def getgid(session: Session) -> int:
    return session.view.caller.gid


def getegid(session: Session) -> int:
    return session.view.caller.gid


def getgroups(session: Session) -> list[int]:
    return sorted(session.view.caller.groups)


def getresuid(session: Session) -> tuple[int, int, int]:
    return (session.view.caller.uid,) * 3


def getresgid(session: Session) -> tuple[int, int, int]:
    return (session.view.caller.gid,) * 3
