"""The stand-in for ``os.path``: the standard module's own source, with our ``os`` below it."""

from __future__ import annotations

import os
from typing import Any

from unionfs_sim.fakefs.standard import copy_of

_GENERIC = (
    "exists", "lexists", "isfile", "isdir", "islink", "isjunction", "getsize", "getmtime", "getatime",
    "getctime", "samefile", "sameopenfile", "samestat", "isdevdrive",
)  # fmt: skip


class FakePath:
    """The module ``os.path`` on a union.

    ``filesystem`` answers functions that a module imported by name (``from os.path import exists``): pyfakefs
    replaces those by its own, which ask this attribute.
    """

    def __init__(self, fake_os: Any) -> None:
        generic = copy_of("genericpath", os=fake_os)
        names = {name: getattr(generic, name) for name in _GENERIC if hasattr(generic, name)}
        self._module = copy_of("posixpath", os=fake_os, genericpath=generic, **names)
        self.os = fake_os
        self.filesystem = _Facts(self._module, fake_os)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _Facts:
    """What pyfakefs' own path functions ask their file system."""

    path_separator = "/"
    alternative_path_separator = None
    is_windows_fs = False
    is_macos = False
    has_patcher = False

    def __init__(self, module: Any, fake_os: Any) -> None:
        self._module, self._os = module, fake_os
        self.isabs, self.isdir, self.isfile, self.islink = (
            module.isabs,
            module.isdir,
            module.isfile,
            module.islink,
        )
        self.joinpaths, self.splitpath, self.splitdrive = module.join, module.split, module.splitdrive
        self.normpath, self.normcase = module.normpath, module.normcase
        self.stat = self.resolve = fake_os.stat

    @property
    def cwd(self) -> str:
        found: str = self._os.getcwd()
        return found

    def exists(self, path: Any, check_link: bool = False) -> bool:  # noqa: FBT001, FBT002 - pyfakefs' signature
        found = self._module.lexists(path) if check_link else self._module.exists(path)
        assert isinstance(found, bool)
        return found

    def ends_with_path_separator(self, path: Any) -> bool:
        return os.fsdecode(path).endswith("/")

    def raise_os_error(self, number: int, path: Any = None) -> None:
        raise OSError(number, os.strerror(number), path)

    def replace_windows_root(self, path: Any) -> Any:
        return path
