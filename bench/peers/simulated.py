"""unionfs_sim, through the verbs that a learner uses."""

from __future__ import annotations

import os
import tracemalloc
from typing import Any

from peers import workload
from peers.workload import DEEP, UID, Figures
from unionfs_sim import Caller, Dir, File, Layer, layer, mount

INODES = 100_000


class Simulated:
    """The union, seen by uid 1000."""

    def __init__(self, union: Any) -> None:
        view = union.acting_as(Caller(UID, UID))
        self.open, self.stat, self.listdir = view.open, view.stat, view.listdir
        self.unlink, self.walk = view.unlink, view.walk

    def close(self, file: Any) -> None:
        """Close it."""
        file.close()

    def read(self, file: Any, size: int) -> Any:
        """Read from it."""
        return file.read(size)

    def write(self, file: Any, piece: bytes) -> Any:
        """Write to it."""
        return file.write(piece)


def base() -> Layer:
    """The lower layer with all the files."""
    entries: dict[str, Any] = {path: Dir(uid=UID, gid=UID) for path in workload.folders()}
    entries |= {path: File(workload.BODY, uid=UID, gid=UID) for path in workload.files()}
    return layer({**entries, DEEP: File(workload.BODY)}).freeze()


def stack(layers: int) -> list[Layer]:
    """Layers that share the listed directories, base first."""
    places = [workload.listed_folder(number) for number in range(workload.LISTED_FOLDERS)]
    return [
        layer(
            {f"{place}/{name}": "" for place in places for name in workload.listed_names(number, layers)}
        ).freeze()
        for number in range(layers)
    ]


def measure() -> Figures:
    """One round."""
    figures = workload.measure_files(Simulated(mount([base()], Layer())))
    for layers in workload.STACKS:
        figures |= workload.measure_stack(Simulated(mount(stack(layers), Layer())), layers)
    return figures


def bytes_per_inode() -> float:
    """What an empty file in the upper takes."""
    folder = layer({"/home/user/work": Dir(uid=UID, gid=UID)}).freeze()
    union = Simulated(mount([folder], Layer()))
    names = [f"/home/user/work/{number:06d}" for number in range(INODES)]
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for name in names:
        union.close(union.open(name, os.O_CREAT | os.O_WRONLY, 0o644))
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return used / INODES
