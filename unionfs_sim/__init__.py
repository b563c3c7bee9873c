"""What overlayfs does, in memory: layers, and the union that shows them as one tree."""

from unionfs_sim.caller import ROOT, Caller
from unionfs_sim.layer import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Layer, Symlink, layer

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
    "Symlink",
    "layer",
]
