"""Other file systems in memory for Python: pyfakefs, and PyFilesystem2's MemoryFS.

Neither has layers: their own files are the lowers, and copy-up and whiteouts are left out. MemoryFS knows
no permissions either.
"""

from __future__ import annotations

import os
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

from peers import workload
from peers.workload import DEEP, UID, Figures

INODES = 20_000
"""Fewer than ours, as they take long; the figure is per inode."""


def _spread(write: Callable[[str, bytes], object]) -> None:
    for path in (*workload.files(), DEEP):
        write(path, workload.BODY)
    for number in range(workload.LISTED_FOLDERS):
        for name in workload.listed_names(0, 1):
            write(f"{workload.listed_folder(number)}/{name}", b"")


def _pyfakefs() -> Any:
    """A fake ``os`` for root."""
    from pyfakefs.fake_filesystem import FakeFilesystem
    from pyfakefs.fake_os import FakeOsModule
    from pyfakefs.helpers import set_gid, set_uid

    set_uid(0)
    set_gid(0)
    system = FakeFilesystem()
    system.is_windows_fs = system.is_macos = False
    module: Any = FakeOsModule(system)
    module.system = system
    return module


def measure_pyfakefs() -> Figures:
    """One round of pyfakefs."""
    from pyfakefs.helpers import set_gid, set_uid

    module = _pyfakefs()
    _spread(lambda path, body: module.system.create_file(path, contents=body))
    for path in (*workload.folders(), *workload.files()):
        module.chown(path, UID, UID)
    set_uid(UID)
    set_gid(UID)
    figures = workload.measure_files(module, layered=False) | workload.measure_stack(module, 1)
    set_uid(0)
    set_gid(0)
    return figures


def pyfakefs_bytes_per_inode() -> float:
    """What an empty file takes."""
    module = _pyfakefs()
    module.makedirs("/home/user/work")
    return _memory(
        lambda name: module.close(module.open(f"/home/user/work/{name}", os.O_CREAT | os.O_WRONLY))
    )


def _memory(make: Callable[[str], object]) -> float:
    names = [f"{number:06d}" for number in range(INODES)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        make(name)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / INODES


class _Memory:
    """MemoryFS by the names of ``os``."""

    def __init__(self) -> None:
        from fs.memoryfs import MemoryFS

        self.system = MemoryFS()
        self.listdir, self.unlink = self.system.listdir, self.system.remove

    def make(self, path: str, body: bytes) -> None:
        self.system.makedirs(path.rpartition("/")[0], recreate=True)
        self.system.writebytes(path, body)

    def open(self, path: str, flags: int, mode: int = 0o777) -> Any:
        del mode
        if flags & os.O_EXCL:
            return self.system.openbin(path, "x")
        return self.system.openbin(path, "a" if flags & os.O_APPEND else "r")

    def close(self, file: Any) -> None:
        file.close()

    def read(self, file: Any, size: int) -> Any:
        return file.read(size)

    def write(self, file: Any, piece: bytes) -> Any:
        return file.write(piece)

    def stat(self, path: str) -> Any:
        return self.system.getinfo(path, ["details"])

    def walk(self, path: str) -> Iterator[tuple[str, list[str], list[str]]]:
        for step in self.system.walk(path):
            yield step.path, [info.name for info in step.dirs], [info.name for info in step.files]


def measure_memory_fs() -> Figures:
    """One round of MemoryFS."""
    system = _Memory()
    _spread(system.make)
    return workload.measure_files(system, layered=False) | workload.measure_stack(system, 1)


def memory_fs_bytes_per_inode() -> float:
    """What an empty file takes."""
    system = _Memory()
    system.system.makedirs("/home/user/work")
    return _memory(lambda name: system.system.touch(f"/home/user/work/{name}"))
