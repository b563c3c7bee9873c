"""What overlayfs does, in memory: layers, and the union that shows them as one tree.

The names of this package are loaded when they are first asked for: whoever needs only the protocol of files
(``unionfs_sim.filesystem``) does not pay for the union.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unionfs_sim.layers.layer import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Layer, Symlink, layer
    from unionfs_sim.mounting import Union, mount
    from unionfs_sim.nodes.caller import ROOT, Caller
    from unionfs_sim.overlay.options import Options, RedirectDir, Xino
    from unionfs_sim.profiles.profile import Profile

__all__ = [
    "ROOT",
    "WHITEOUT",
    "Caller",
    "Device",
    "Dir",
    "Fifo",
    "File",
    "Hardlink",
    "Layer",
    "Options",
    "Profile",
    "RedirectDir",
    "Symlink",
    "Union",
    "Xino",
    "layer",
    "mount",
]

_ROOMS = {
    "layers.layer": ("WHITEOUT", "Device", "Dir", "Fifo", "File", "Hardlink", "Layer", "Symlink", "layer"),
    "mounting": ("Union", "mount"),
    "nodes.caller": ("ROOT", "Caller"),
    "overlay.options": ("Options", "RedirectDir", "Xino"),
    "profiles.profile": ("Profile",),
}
_HOMES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    room = _HOMES.get(name)
    if room is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{room}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
