"""Mounting under another profile than the kernel's."""

from __future__ import annotations

import errno

from unionfs_sim.events import Events
from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.merge import apply, merged
from unionfs_sim.nodes.journal import Journal
from unionfs_sim.overlay.mounting import Seat, Stack, assemble
from unionfs_sim.overlay.options import MAX_LOWERS, Options, RedirectDir, Settings, refuse
from unionfs_sim.overlay.union import Union
from unionfs_sim.overlay.workdir import WorkDir
from unionfs_sim.profiles.explaining import explain_as_fuse, explain_unpacked
from unionfs_sim.profiles.fuse_overlayfs import FuseOverlayTree, NoDeviceTree
from unionfs_sim.profiles.profile import Profile


def mount_as(profile: Profile, stack: Stack, asked: Options, seat: Seat) -> Union:
    """What ``mount`` gives for a profile that is not the kernel's.

    EINVAL for a redirect_dir that fuse-overlayfs would refuse; options that it ignores are ignored.
    """
    asked.check()
    if not stack.lowers:
        refuse("a union needs a lower layer")
    if len(stack.lowers) > MAX_LOWERS:
        refuse(f"at most {MAX_LOWERS} lower layers, not {len(stack.lowers)}")
    if stack.data_lowers:
        refuse("only the kernel's overlayfs knows data-only layers")
    if profile is Profile.OCI_UNPACK:
        return _unpacked(stack, asked, seat)
    if stack.upper is not None and stack.upper.is_frozen:
        refuse("the upper is frozen; give a new Layer(), or upper.copy()", errno.EROFS)
    if asked.redirect_dir is RedirectDir.ON or asked.metacopy:
        refuse("fuse-overlayfs has neither redirect_dir=on nor metacopy=on")
    kind = FuseOverlayTree if profile is Profile.FUSE_OVERLAYFS else NoDeviceTree
    tree = assemble(kind, stack, WorkDir(), Settings(userxattr=asked.userxattr), seat)
    return Union(
        tree,
        seat.caller,
        lowers=tuple(stack.lowers),
        upper=stack.upper,
        options=tree.options,
        events=tree.events,
        explainer=explain_as_fuse,
    )


def _unpacked(stack: Stack, asked: Options, seat: Seat) -> Union:
    """No union at run time: layers are applied to one plain tree, as image tools unpack an image.

    Nothing is looked up in a layer once the tree is there: what a layer deletes is gone, hard links between
    names of the tree hold, directories can be renamed, and what changed later can only be found by comparing.
    What is written goes to the tree, which is the union's ``upper``; it heeds no option, and has no events.
    """
    layers = [lower for lower in stack.lowers if isinstance(lower, Layer)]
    if len(layers) != len(stack.lowers):
        refuse("only layers can be unpacked, not unions")
    whole = merged(layers)
    if stack.upper is not None:
        apply(stack.upper, whole)
    tree = whole.tree
    tree.clock = seat.clock
    tree.read_only = stack.upper is None
    if seat.history and stack.upper is not None:
        tree.watch(Journal(seat.history), ())
    return Union(
        tree,
        seat.caller,
        lowers=tuple(layers),
        upper=whole,
        options=asked.settled(has_upper=stack.upper is not None),
        events=Events(),
        explainer=explain_unpacked,
    )
