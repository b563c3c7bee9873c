"""Listing directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.wire import Op
from unionfs_sim.nodes.inode import DEAD

if TYPE_CHECKING:
    from unionfs_sim.fuse.server import Server


class Listings:
    """The names of open directories, each frozen at its first read; a rewind reads anew."""

    def __init__(self) -> None:
        self._names: dict[int, tuple[list[str], object]] = {}

    def names(self, tree: Any, handle: int, directory: Any, *, anew: bool) -> list[str]:
        """The names of a directory as ``handle`` sees them, ``.`` and ``..`` first."""
        if anew or handle not in self._names:
            if directory.children is DEAD:
                return []
            held = tree.hold_listing(directory)
            self._names[handle] = [".", "..", *tree.entries(directory)], held
        return self._names[handle][0]

    def forget(self, handle: int) -> None:
        """An open directory was closed."""
        self._names.pop(handle, None)


def open_directory(server: Server, _: Any, __: Request) -> bytes:
    """OPENDIR."""
    return server.opened(directory=True)


def release_directory(server: Server, _: Any, request: Request) -> bytes:
    """RELEASEDIR."""
    server.listings.forget(int.from_bytes(request.body[:8], "little"))
    return b""


def read_directory(server: Server, directory: Any, request: Request) -> bytes:
    """READDIR and READDIRPLUS: as many names as there is room for."""
    handle, position, room, _, _, _ = wire.READ_IN.unpack_from(request.body)
    names = server.listings.names(server.tree, handle, directory, anew=position == 0)
    plus = request.op == Op.READDIRPLUS
    out = bytearray()
    for place, name in enumerate(names[position:], position + 1):
        record = _record(server, directory, name, place, room - len(out) if plus else None)
        if len(out) + len(record) > room:
            break
        out += record
    return bytes(out)


def _record(server: Server, directory: Any, name: str, place: int, room: int | None) -> bytes:
    """An entry of a listing; with ``room`` (READDIRPLUS) it tells the file too, if there is room for that."""
    node = _listed(server, directory, name)
    # A stray whiteout is listed although it leads nowhere; readdir(3) knows no better type for it.
    told = server.tree.stat(node) if node is not None else None
    ino, kind = (told.st_ino, told.st_mode >> 12) if told is not None else (1, 0)
    record = wire.dirent(name.encode("utf-8", "surrogateescape"), ino, place, kind & 15)
    if room is None:
        return record
    # An entry that is told counts as a lookup: only what will be sent may be told.
    if node is None or name in (".", "..") or wire.ENTRY_SIZE + len(record) > room:
        return wire.entry(0, None, 0) + record
    return server.entry(node) + record


def _listed(server: Server, directory: Any, name: str) -> Any:
    if name == ".":
        return directory
    if name == "..":
        return directory.parent
    return server.tree.lookup(directory, name)
