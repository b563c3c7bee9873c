"""Private copies of pure standard modules, with our ``os`` and ``io`` in them."""

from __future__ import annotations

import pathlib
import sys
from types import ModuleType
from typing import Any

from unionfs_sim.fakefs.accounts import FakeGrp, FakePwd
from unionfs_sim.fakefs.fake_io import FakeIo
from unionfs_sim.fakefs.fake_os import FakeOs
from unionfs_sim.fakefs.refusal import refuse
from unionfs_sim.fakefs.session import Session
from unionfs_sim.fakefs.standard import copy_of, rebuilt_class


class FakeShutil:
    """The module ``shutil``, working on the union."""

    def __init__(self, session: Session) -> None:
        self._module = copy_of("shutil", os=FakeOs.of(session), open=FakeIo(session).open)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class FakePathlib:
    """The module ``pathlib``: its pure paths are the real ones, ``Path`` works on the union."""

    def __init__(self, session: Session) -> None:
        made = session.made.get("pathlib")
        self._names: dict[str, Any] = made if made is not None else _path_names(session)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise AttributeError(f"module 'pathlib' has no attribute {name!r}") from None


def _path_names(session: Session) -> dict[str, Any]:
    """The globals of ``pathlib`` for one session, its classes rebuilt over them."""
    module = sys.modules.get("pathlib._local", pathlib)
    names: dict[str, Any] = {**vars(module), "os": FakeOs.of(session), "io": FakeIo(session)}
    names |= {name: make(session) for name, make in (("pwd", FakePwd), ("grp", FakeGrp)) if name in names}
    session.made["pathlib"] = names
    # In Python 3.12 the methods of Path reach the file system through PurePath's attribute _flavour as well,
    # which must stay as it is: paths are equal only if it is the same.
    renamed = (
        {"_flavour": "_files"} if isinstance(getattr(pathlib.PurePath, "_flavour", None), ModuleType) else {}
    )
    names["Path"] = rebuilt_class(pathlib.Path, pathlib.Path.__bases__, names, renamed)
    names["Path"]._files = names["os"].path
    names["PosixPath"] = rebuilt_class(pathlib.PosixPath, (names["Path"], pathlib.PurePosixPath), names)
    names["WindowsPath"] = refuse("pathlib.WindowsPath")
    return names


def FakePathlibPath(session: Session) -> type:  # noqa: N802 - stands for the class Path
    """The class ``pathlib.Path``, for modules that imported it alone."""
    path = FakePathlib(session).Path
    assert isinstance(path, type)
    return path
