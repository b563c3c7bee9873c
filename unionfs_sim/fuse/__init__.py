"""Serves a layer or a union on an open /dev/fuse descriptor, so that real programs run on the model.

The protocol is spoken directly (linux/fuse.h), without libfuse. The kernel's own VFS walks paths and checks
permissions (mount with ``default_permissions``); what is asked here are the operations on inodes that a real
overlayfs would be asked. Mounting is another's business.
"""

from unionfs_sim.fuse.server import Server

__all__ = ["Server"]
