"""The one door: layers in, one tree out."""

from __future__ import annotations

from collections.abc import Sequence

from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import Caller, Clock, TickingClock
from unionfs_sim.overlay.mounting import LowerLayer, Seat, Stack, check_layers, mount_overlay
from unionfs_sim.overlay.options import Options
from unionfs_sim.overlay.union import Union
from unionfs_sim.profiles.profile import Profile

__all__ = ["Union", "mount"]


def mount(
    lowers: Sequence[LowerLayer],
    upper: Layer | None = None,
    *,
    data_lowers: Sequence[LowerLayer] = (),
    options: Options | None = None,
    caller: Caller | None = None,
    clock: Clock | None = None,
    history: int = 0,
    dev: int | None = None,
    profile: Profile = Profile.KERNEL,
) -> Union:
    """The union of ``lowers`` (base first) with ``upper`` on top; read-only without an upper.

    ``history``: how many operations ``undo`` can take back. ``dev``: the st_dev of the union. Raises
    OSError with the errno that mount(2) gives for layers or options that do not go together, and TypeError
    for what is no layer, option or profile at all. ``profile``: whose rules it follows.

    >>> from unionfs_sim import layer
    >>> mount([layer({"/etc/motd": "hello"})], Layer()).read_bytes("/etc/motd")
    b'hello'
    """
    asked = options if options is not None else Options()
    _require("options", asked, Options, "words are read by Options.parse")
    _require("profile", profile, Profile, ", ".join(f"Profile.{known.name}" for known in Profile))
    stack = Stack(lowers, upper, data_lowers)
    check_layers(stack)
    seat = Seat(caller or Caller(), clock or TickingClock(), history, dev)
    if profile is Profile.KERNEL:
        return mount_overlay(stack, asked.settled(has_upper=upper is not None), seat)
    # Imported when asked for, as few unions are anything but the kernel's.
    from unionfs_sim.profiles.mounting import mount_as

    return mount_as(profile, stack, asked, seat)


def _require(what: str, given: object, kind: type, advice: str) -> None:
    """Raise TypeError for a setting that would silently mean something else."""
    if not isinstance(given, kind):
        raise TypeError(f"{what} is of type {kind.__name__} ({advice}), not {given!r}")
