"""Layers as the names in their tar, as `tar tf` shows them, both ways through a real tar."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Mapping, Sequence

from unionfs_sim import WHITEOUT, Device, Dir, File, Layer, layer, mount
from unionfs_sim.layers.markers import OPAQUE_MARKER, WHITEOUT_PREFIX
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


def answered_by(path: str, layers: Sequence[Sequence[str]]) -> int | None:
    """The layer whose entry a reader of ``path`` gets; None if nobody can see it.

    ``layers``: base first, each the names in its tar. ``path`` has no slash at its start or end.

    >>> answered_by("motd", [["motd"], ["motd"]]), answered_by("motd", [["motd"], [".wh.motd"]])
    (1, None)
    """
    return mount([mounted(names) for names in layers], Layer()).explain(f"/{path}").answered_by


def mounted(names: Sequence[str]) -> Layer:
    """The layer whose tar holds ``names``, as `unpacked` gives it, without a tar: many times faster.

    >>> mounted(["etc/", "etc/.wh.motd"])
    Layer(/etc/, /etc/motd (whiteout))
    """
    tree: dict[str, File | Dir | Device] = {}
    for name in names:
        above, _, leaf = name.rstrip("/").rpartition("/")
        prefix = above + "/" if above else ""
        if leaf == OPAQUE_MARKER:
            continue
        if leaf.startswith(WHITEOUT_PREFIX):
            hidden = prefix + leaf.removeprefix(WHITEOUT_PREFIX)
            # An opaque directory hides the name already, and the unpacker keeps no second mark.
            known = {hidden, hidden + "/", prefix + OPAQUE_MARKER if prefix else ""}
            if known.isdisjoint(names):
                tree["/" + hidden] = WHITEOUT
        elif name.endswith("/"):
            replaced = prefix + WHITEOUT_PREFIX + leaf in names
            tree["/" + name[:-1]] = Dir(opaque=replaced or name + OPAQUE_MARKER in names)
        else:
            tree["/" + name] = File("")
    return layer(tree)
