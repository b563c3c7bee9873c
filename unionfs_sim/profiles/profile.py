"""Whose rules a union follows: the closed choice of a mount."""

from __future__ import annotations

import enum


class Profile(enum.Enum):
    """An implementation of the union."""

    KERNEL = "kernel"
    """overlayfs of Linux."""

    FUSE_OVERLAYFS = "fuse-overlayfs"
    """The file system in user space that rootless podman and buildah can mount."""

    FUSE_OVERLAYFS_NODEV = "fuse-overlayfs-nodev"
    """The same over an upper that takes no devices, as before Linux 5.8 without root."""

    OCI_UNPACK = "oci-unpack"
    """No union at run time: every layer is applied to one plain tree, as image tools unpack them."""
