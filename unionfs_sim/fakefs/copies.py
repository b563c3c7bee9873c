"""Private copies of pure standard modules, with our ``os`` and ``io`` in them."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unionfs_sim.fakefs.session import Session


def copy_of(name: str, **replaced: object) -> ModuleType:
    """A new module made from the source of the standard module ``name``, some of its names replaced."""
    original = importlib.import_module(name)
    assert original.__spec__ is not None and original.__file__ is not None
    spec = importlib.util.spec_from_file_location(name, original.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for global_name, value in replaced.items():
        setattr(module, global_name, value)
    return module


class _Copy:
    """A module that looks its names up in a private copy."""

    _module: ModuleType

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class FakeShutil(_Copy):
    """The module ``shutil``, working on the union."""

    def __init__(self, session: Session) -> None:
        from unionfs_sim.fakefs.accounts import FakeGrp, FakePwd
        from unionfs_sim.fakefs.fake_io import FakeIo
        from unionfs_sim.fakefs.fake_os import FakeOs

        fake_os, fake_io = FakeOs(session), FakeIo(session)
        self._module = copy_of("shutil", os=fake_os, open=fake_io.open)
        self._accounts = {"pwd": FakePwd(session), "grp": FakeGrp(session)}


class FakePathlib(_Copy):
    """The module ``pathlib``, working on the union."""

    def __init__(self, session: Session) -> None:
        from unionfs_sim.fakefs.fake_io import FakeIo
        from unionfs_sim.fakefs.fake_os import FakeOs

        name = "pathlib._local" if "pathlib._local" in sys.modules else "pathlib"
        self._module = copy_of(name, os=FakeOs(session), io=FakeIo(session))


def FakePathlibPath(session: Session) -> type:  # noqa: N802 - stands for the class Path
    """The class ``pathlib.Path``, for modules that imported it alone."""
    path = FakePathlib(session).Path
    assert isinstance(path, type)
    return path
