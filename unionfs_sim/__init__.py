"""What overlayfs does, in memory: layers, and the union that shows them as one tree."""

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
