"""The stand-in for ``os``: verbs of the union, harmless functions of the real one, ENOSYS for the rest."""

from __future__ import annotations

import os
from types import FunctionType, MethodType
from typing import Any, Final

from unionfs_sim.fakefs import attribute_verbs, descriptor_verbs, path_verbs, process_verbs
from unionfs_sim.fakefs.fake_io import FakeIo
from unionfs_sim.fakefs.fake_path import FakePath
from unionfs_sim.fakefs.refusal import refuse
from unionfs_sim.fakefs.scanning import DirEntry
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.standard import rebuilt

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

_VERBS: Final = {
    name: verb
    for module in (path_verbs, attribute_verbs, descriptor_verbs, process_verbs)
    for name, verb in vars(module).items()
    if isinstance(verb, FunctionType) and verb.__module__ == module.__name__ and not name.startswith("_")
}
"""The functions of ``os`` that are simulated; each takes the session first."""

_BUILT: Final = ("walk", "fwalk", "makedirs", "removedirs", "renames")
"""Those that the standard library builds in Python from the others."""


class FakeOs:
    """The module ``os`` on a union."""

    DirEntry = DirEntry
    use_original = False  # asked by pyfakefs' own path functions

    def __init__(self, session: Session) -> None:
        self._session = session
        # Bound once: shutil compares functions by identity.
        own: dict[str, Any] = {name: MethodType(verb, session) for name, verb in _VERBS.items()}
        self.__dict__.update(own)
        self.path = FakePath(self)
        names = {**vars(os), **own, "path": self.path}
        for name in (*_BUILT, "_walk", "_fwalk"):
            if hasattr(os, name):  # the two with underscores come and go with Python's versions
                names[name] = rebuilt(getattr(os, name), names)
        self.__dict__.update((name, names[name]) for name in _BUILT)
        self.supports_dir_fd = {getattr(self, name) for name in _DIR_FD}
        self.supports_fd = {getattr(self, name) for name in _FD}
        self.supports_follow_symlinks = {getattr(self, name) for name in _FOLLOW}

    @classmethod
    def bound_to(cls, session: Session) -> type[FakeOs]:
        """This class as pyfakefs wants it: made with its file system alone."""
        made = cls.of(session)

        class Bound(cls):  # type: ignore[valid-type, misc]
            def __init__(self, _filesystem: object = None) -> None:
                self.__dict__.update(made.__dict__)

        for name in cls.dir():  # pyfakefs asks the class for them
            setattr(Bound, name, getattr(made, name))
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
        return sorted([*_VERBS, *_BUILT])

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
