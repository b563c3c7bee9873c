"""Layers as the names in their tar, as `tar tf` shows them, both ways through a real tar."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping

from unionfs_sim import WHITEOUT, Device, Dir, File, Layer, layer
from unionfs_sim.tar.pack import entries
from unionfs_sim.tar.unpack import read_layer


def names(upper: Layer) -> list[str]:
    """The names in the layer tar of an upper, in its order; directories with a slash at their end.

    >>> names(held({"/etc": "dir", "/etc/motd": "whiteout"}))
    ['etc/', 'etc/.wh.motd']
    """
    return [entry.header.name for entry in entries(upper) if entry.header.name not in ("./", "/", ".")]


def held(kinds: Mapping[str, str]) -> Layer:
    """The layer that holds ``file``, ``dir``, ``opaque dir`` or ``whiteout`` at each path."""
    made: Mapping[str, Dir | File | Device] = {
        "file": File(""),
        "dir": Dir(),
        "opaque dir": Dir(opaque=True),
        "whiteout": WHITEOUT,
    }
    return layer({path: made[kind] for path, kind in sorted(kinds.items())}).freeze()


def unpacked(contents: Iterable[tuple[str, str]]) -> Layer:
    """The layer whose tar holds these names, in this order, each with its text ("" for directories)."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, text in contents:
            header = tarfile.TarInfo(name.rstrip("/"))
            header.mode = 0o755 if name.endswith("/") else 0o644
            header.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            header.size = len(text.encode())
            archive.addfile(header, io.BytesIO(text.encode()))
    stream.seek(0)
    return read_layer(stream).freeze()
