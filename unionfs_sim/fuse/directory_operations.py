"""Listing directories."""

from __future__ import annotations

from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.served import Served
from unionfs_sim.fuse.wire import Op
from unionfs_sim.nodes.inode import Node


def open_directory(server: Served, _: Node, __: Request) -> bytes:
    """OPENDIR."""
    return server.opened(directory=True)


def release_directory(server: Served, _: Node, request: Request) -> bytes:
    """RELEASEDIR."""
    server.listings.forget(int.from_bytes(request.body[:8], "little"))
    return b""


def read_directory(server: Served, directory: Node, request: Request) -> bytes:
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


def _record(server: Served, directory: Node, name: str, place: int, room: int | None) -> bytes:
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


def _listed(server: Served, directory: Node, name: str) -> Node | None:
    if name == ".":
        return directory
    if name == "..":
        return directory.parent
    return server.tree.lookup(directory, name)
