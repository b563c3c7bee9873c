"""What is attached to a root, and where: /dev, and what RUN --mount asks for."""

from __future__ import annotations

import posixpath
import stat
from collections.abc import Iterable
from dataclasses import dataclass

from unionfs_sim.layers.layer import Device, Dir, Layer, Symlink, layer
from unionfs_sim.nodes.kinds import device_number
from unionfs_sim.vfs.posix import Posix


@dataclass(frozen=True, slots=True)
class Attachment:
    """A tree (or one file or directory of it, at ``path``) that stands at ``target`` of the root."""

    target: str
    tree: Posix
    path: str = "/"
    read_only: bool = False


def devices() -> Attachment:
    """A fresh /dev with what every container finds there (OCI runtime-spec, "Default Devices")."""
    links = {"/stdin": "0", "/stdout": "1", "/stderr": "2"}
    tree = layer(
        {
            "/": Dir(mode=0o755),
            "/null": Device(device_number(1, 3), mode=stat.S_IFCHR | 0o666),
            "/zero": Device(device_number(1, 5), mode=stat.S_IFCHR | 0o666),
            "/full": Device(device_number(1, 7), mode=stat.S_IFCHR | 0o666),
            "/random": Device(device_number(1, 8), mode=stat.S_IFCHR | 0o666),
            "/urandom": Device(device_number(1, 9), mode=stat.S_IFCHR | 0o666),
            "/tty": Device(device_number(5, 0), mode=stat.S_IFCHR | 0o666),
            "/fd": Symlink("/proc/self/fd"),
            "/shm": Dir(mode=0o1777),
            "/mqueue": Dir(mode=0o1777),
            "/pts": Dir(mode=0o755),
            "/ptmx": Symlink("pts/ptmx"),
            **{name: Symlink(f"/proc/self/fd/{number}") for name, number in links.items()},
        }
    )
    return Attachment("/dev", tree)


class MountTable:
    """Where which tree stands. ``stubs`` has the directories that lead to a target and may not exist."""

    def __init__(self, attachments: Iterable[Attachment]) -> None:
        self.by_target: dict[str, Attachment] = {}
        self.longest_first: list[str] = []
        self.first_names: set[str] = set()
        self.implied = {"/"}
        self.stubs = Layer()
        for attachment in attachments:
            self.attach(attachment)

    def attach(self, attachment: Attachment) -> None:
        """Let one more tree stand where it says; over what stood there, as mount(2) does."""
        target = attachment.target
        self.by_target[target] = attachment
        self.longest_first = sorted(self.by_target, key=len, reverse=True)
        self.first_names.add(target.split("/")[1])
        parents = target.split("/")[1:-1]
        for depth in range(1, len(parents) + 1):
            parent = "/" + "/".join(parents[:depth])
            if parent not in self.implied:
                self.implied.add(parent)
                self.stubs.mkdir(parent, 0o755)

    def names_in(self, directory: str) -> list[str]:
        """The names that targets have, or lead through, in ``directory``."""
        places = [*self.by_target, *self.implied]
        return [
            place.rpartition("/")[2]
            for place in places
            if place != "/" and posixpath.dirname(place) == directory
        ]
