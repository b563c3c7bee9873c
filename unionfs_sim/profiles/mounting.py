"""Mounting under another profile than the kernel's."""

from __future__ import annotations

import errno

from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import Seat, Stack, Union, assemble
from unionfs_sim.overlay.options import MAX_LOWERS, Options, RedirectDir
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.profiles.fuse_overlayfs import FuseOverlayTree, NoDeviceTree
from unionfs_sim.profiles.fuse_union import FuseUnion
from unionfs_sim.profiles.oci_unpack import Unpacked
from unionfs_sim.profiles.profile import Profile
from unionfs_sim.vfs.permission import fail


def mount_as(profile: Profile, stack: Stack, options: Options, seat: Seat) -> Union:
    """What ``union.mount`` gives for a profile that is not the kernel's.

    EINVAL for a redirect_dir that fuse-overlayfs would refuse; options that it ignores are ignored.
    """
    lowers, upper, data_lowers = stack
    if not lowers or len(lowers) > MAX_LOWERS or data_lowers:
        fail(errno.EINVAL)
    if upper is not None and upper.is_frozen and profile is not Profile.OCI_UNPACK:
        fail(errno.EROFS)
    if profile is Profile.OCI_UNPACK:
        layers = [lower for lower in lowers if isinstance(lower, Layer)]
        if len(layers) != len(lowers):
            fail(errno.EINVAL)
        return Unpacked(layers, upper, options, seat)
    if options.redirect_dir is RedirectDir.ON:
        fail(errno.EINVAL)
    heeded = Options(userxattr=options.userxattr)
    kind = FuseOverlayTree if profile is Profile.FUSE_OVERLAYFS else NoDeviceTree
    union = assemble(kind, stack, WorkDir(), heeded, seat)
    return FuseUnion(union.tree, seat.caller, union.lowers, union.upper)
