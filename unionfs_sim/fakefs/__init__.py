"""Plain Python on a layer or a union: inside ``with learner(union):`` open, os and pathlib see its files.

pyfakefs replaces the modules, through its public door ``Patcher(modules_to_patch=…)``; what it puts in
their place is this package, over our own tree. Any other file-system callable raises ENOSYS and says its
name. This is a seat belt for honest learners, not a sandbox: code that means to can still reach the machine.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from unionfs_sim.fakefs.accounts import FakeGrp, FakePwd
from unionfs_sim.fakefs.copies import FakePathlib, FakePathlibPath, FakeShutil
from unionfs_sim.fakefs.fake_io import FakeIo
from unionfs_sim.fakefs.fake_os import FakeOs
from unionfs_sim.fakefs.refusal import refusing
from unionfs_sim.fakefs.session import Session

if TYPE_CHECKING:
    from unionfs_sim.nodes.caller import Caller
    from unionfs_sim.vfs.posix import Posix

HOSTS: Final = frozenset({
    "unionfs_sim", "builder", "course", "importlib", "_frozen_importlib_external", "zipimport",
    "io", "_io", "_pyio",
    "threading", "asyncio", "IPython", "ipykernel", "zmq", "tornado", "traitlets", "jupyter_client",
    "jupyter_core", "debugpy", "pytest", "_pytest", "pluggy", "xdist", "execnet", "hypothesis", "coverage",
})  # fmt: skip
"""Packages that keep the real modules: they run this one, and their files are not in the union.

``io`` and ``_io`` among them: an ``import`` inside the ``with`` reads the machine's modules through them."""

REFUSED: Final = ("posix", "fcntl", "subprocess", "ctypes", "sqlite3", "mmap", "_posixsubprocess")
"""Modules that would reach the machine behind our back: their callables answer ENOSYS."""


@contextmanager
def learner(fs: Posix, *, caller: Caller | None = None, cwd: str = "/") -> Iterator[Posix]:
    """For the time of a ``with``, let plain Python see ``fs`` as its file system.

    Open files of the learner are closed at the end. Not for several threads at once: the modules are
    replaced for the whole process. Raises ModuleNotFoundError if pyfakefs is missing, and RuntimeError inside
    another ``learner`` (or another use of pyfakefs).
    """
    from pyfakefs.fake_filesystem_unittest import Patcher

    if Patcher.REF_COUNT:
        raise RuntimeError("learner(…) is active already: leave the first one before entering another")
    session = Session(fs.acting_as(caller or fs.caller), cwd)
    # As modules, because pyfakefs compares their __name__, which sys.modules need not agree with.
    names: list[Any] = [module for name, module in sys.modules.items() if name.partition(".")[0] in HOSTS]
    patcher = Patcher(
        additional_skip_names=names,
        modules_to_patch=_doors(session),
        use_known_patches=False,
        use_cache=False,  # a module may import os between two uses; a cached one would keep the real one
    )
    with patcher:
        put_back = _mend_classes(patcher.fake_modules)
        try:
            yield session.view
        finally:
            put_back()
            session.close()


def _mend_classes(fakes: dict[str, Any]) -> Callable[[], None]:
    """Give the stand-in to classes that keep a module (dbm.dumb's does); returns how to undo it."""
    real = {id(module): fakes[name] for name, module in (("os", os), ("io", io))}
    found: list[tuple[type, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in HOSTS or not isinstance(module, ModuleType):
            continue
        for kind in list(vars(module).values()):
            if isinstance(kind, type) and kind.__module__ == module.__name__:
                found += [(kind, key, value) for key, value in vars(kind).items() if id(value) in real]
    for kind, key, value in found:
        setattr(kind, key, real[id(value)])

    def put_back() -> None:
        for kind, key, value in found:
            setattr(kind, key, value)

    return put_back


def _one_for(make: Callable[[Session], object], session: Session) -> Callable[[object], object]:
    return lambda _filesystem: make(session)


def _doors(session: Session) -> dict[str, Any]:
    """Module name → what makes its stand-in; each is made with pyfakefs' own, idle file system."""
    fake_os = FakeOs.bound_to(session)
    fake_io = FakeIo.bound_to(session)
    doors: dict[str, Any] = {
        "os": fake_os,
        "io": fake_io,
        "_io": fake_io,
        "shutil": lambda _: FakeShutil(session),
        "pathlib": lambda _: FakePathlib(session),
        "Path": lambda _: FakePathlibPath(session),
    }
    for name, make in (("pwd", FakePwd), ("grp", FakeGrp)):
        if find_spec(name) is not None:
            doors[name] = _one_for(make, session)
    if sys.version_info[:2] == (3, 13):
        doors["pathlib._local"] = doors["pathlib"]
    doors.update((name, refusing(import_module(name))) for name in REFUSED if find_spec(name) is not None)
    return doors
