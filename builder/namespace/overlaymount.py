"""Mounts a real overlayfs where nobody else sees it, and lets somebody work on it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import NoReturn, Protocol

from builder.errors import BuildError
from builder.namespace import private, syscalls


class Work(Protocol):
    """What to mount and what to do with it; ``course.playground.replay`` has one."""

    @property
    def options(self) -> str:
        """The mount's options; their paths are relative to the prepared directory."""
        ...

    def prepare(self) -> None:
        """Fill the empty working directory with the layers."""
        ...

    def act(self) -> bytes:
        """Called with the union as root directory."""
        ...

    def look(self, acted: bytes, /) -> bytes:
        """Called afterwards in the prepared directory, the union at ``merged``, with what ``act`` gave."""
        ...


def needs_userxattr() -> bool:
    """Whether a mount of this process can have no ``trusted.overlay.*`` attributes."""
    return os.geteuid() != 0


def on_overlay(work: Work) -> bytes:
    """What ``work.look`` gives, on a tmpfs in namespaces of its own; nothing stays.

    BuildError for what the kernel refuses of it.
    """
    with tempfile.TemporaryDirectory() as place:
        return _answer(lambda: _prepared(work, place))


def _prepared(work: Work, place: str) -> bytes:
    private.enter_mounts()
    syscalls.die_with_parent()
    syscalls.mount("tmpfs", place, "tmpfs", 0, "mode=755")
    os.chdir(place)
    os.umask(0o022)
    work.prepare()
    os.mkdir("merged")
    try:
        syscalls.mount("overlay", "merged", "overlay", 0, work.options)
    except OSError as error:
        fix = "options that need trusted.* attributes need root" if needs_userxattr() else "see dmesg"
        raise BuildError(f"the kernel refuses: {error.strerror}", where=work.options, fix=fix) from None
    return work.look(_answer(lambda: _as_root_directory(work)))


def _as_root_directory(work: Work) -> bytes:
    syscalls.die_with_parent()
    os.chroot("merged")
    os.chdir("/")
    return work.act()


def _answer(ask: Callable[[], bytes]) -> bytes:
    """What ``ask`` gives, called in a child: the first byte tells an answer from an error."""
    listens, speaks = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(listens)
        _speak(speaks, ask)
    os.close(speaks)
    with open(listens, "rb") as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if said[:1] == b"+":
        return said[1:]
    raise BuildError(said[1:].decode(errors="replace") or "the process on the mount ended without an answer")


def _speak(speaks: int, ask: Callable[[], bytes]) -> NoReturn:
    try:
        try:
            said = b"+" + ask()
        except (BuildError, OSError) as error:
            said = b"-" + str(error).encode(errors="replace")
        with open(speaks, "wb") as pipe:
            pipe.write(said)
    finally:
        os._exit(0)
