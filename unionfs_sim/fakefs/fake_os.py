"""The stand-in for ``os``: verbs of the union, harmless functions of the real one, ENOSYS for the rest."""

from __future__ import annotations

import os
from typing import Any, Final

from unionfs_sim.fakefs.attribute_verbs import AttributeVerbs
from unionfs_sim.fakefs.descriptor_verbs import DescriptorVerbs
from unionfs_sim.fakefs.fake_io import FakeIo
from unionfs_sim.fakefs.fake_path import FakePath
from unionfs_sim.fakefs.path_verbs import PathVerbs
from unionfs_sim.fakefs.process_verbs import ProcessVerbs
from unionfs_sim.fakefs.refusal import refuse
from unionfs_sim.fakefs.scanning import DirEntry
from unionfs_sim.fakefs.session import Session

HARMLESS: Final = frozenset({
    "PathLike", "abc", "cpu_count", "device_encoding", "error", "fsdecode", "fsencode", "fspath",
    "get_exec_path", "getenv", "getenvb", "getloadavg", "getpgid", "getpgrp", "getpid", "getppid",
    "getsid", "getrandom", "major", "makedev", "minor", "stat_result", "statvfs_result", "strerror",
    "sched_yield", "sysconf", "terminal_size", "times", "times_result", "uname", "uname_result",
    "urandom", "waitstatus_to_exitcode", "WCOREDUMP", "WEXITSTATUS", "WIFCONTINUED", "WIFEXITED",
    "WIFSIGNALED", "WIFSTOPPED", "WSTOPSIG", "WTERMSIG",
})  # fmt: skip
"""Functions and types of the real ``os`` that touch neither files nor processes."""

_DIR_FD: Final = (
    "access", "chmod", "chown", "link", "lstat", "mkdir", "mkfifo", "mknod", "open", "readlink", "rename",
    "rmdir", "stat", "symlink", "unlink", "utime",
)  # fmt: skip
_FD: Final = (
    "chdir", "chmod", "chown", "getxattr", "listdir", "listxattr", "removexattr", "scandir", "setxattr",
    "stat",
    "pathconf", "statvfs", "truncate", "utime",
)  # fmt: skip
_FOLLOW: Final = (
    "access", "chown", "getxattr", "link", "listxattr", "removexattr", "setxattr", "stat", "utime",
)  # fmt: skip

_VERBS: Final = (PathVerbs, AttributeVerbs, DescriptorVerbs, ProcessVerbs)


class FakeOs(PathVerbs, AttributeVerbs, DescriptorVerbs, ProcessVerbs):
    """The module ``os`` on a union."""

    DirEntry = DirEntry
    use_original = False  # asked by pyfakefs' own path functions

    def __init__(self, session: Session) -> None:
        self._session = session
        self.path = FakePath(self)
        for name in self.dir():
            setattr(self, name, getattr(self, name))  # bound once: shutil compares functions by identity
        self.supports_dir_fd = {getattr(self, name) for name in _DIR_FD}
        self.supports_fd = {getattr(self, name) for name in _FD}
        self.supports_follow_symlinks = {getattr(self, name) for name in _FOLLOW}

    @classmethod
    def bound_to(cls, session: Session) -> type[FakeOs]:
        """This class as pyfakefs wants it: made with its file system alone."""

        class Bound(cls):  # type: ignore[valid-type, misc]
            def __init__(self, _filesystem: object = None) -> None:
                self.__dict__.update(cls.of(session).__dict__)

        return Bound

    @classmethod
    def of(cls, session: Session) -> FakeOs:
        """The one of a session, so that its functions are the same objects in all modules."""
        made = session.made.get("fake os")
        if made is None:
            made = session.made["fake os"] = cls(session)
        assert isinstance(made, FakeOs)
        return made

    @staticmethod
    def dir() -> list[str]:
        """The functions that others import from the module by name."""
        return sorted(name for kind in _VERBS for name in vars(kind) if not name.startswith("_"))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(os, name)
        if not callable(found) or name in HARMLESS:
            return found
        return refuse(f"os.{name}")

    def fdopen(self, fd: int, *args: Any, **named: Any) -> Any:
        """A file object for a descriptor of the union."""
        self._session.descriptors.get(fd)
        return FakeIo(self._session).open(fd, *args, **named)

    def get_terminal_size(self, *_: object) -> os.terminal_size:
        """Raises OSError, as without a terminal: callers fall back to 80 columns."""
        raise OSError("a union has no terminal")
