"""Putting layers together: what mount(2) refuses, and the union of what it accepts."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

from unionfs_sim.layers.layer import Layer
from unionfs_sim.layers.layertree import LayerTree
from unionfs_sim.nodes.caller import Caller, Clock
from unionfs_sim.nodes.journal import Journal
from unionfs_sim.overlay.operations import UnionTree
from unionfs_sim.overlay.options import MAX_LOWERS, Settings, refuse
from unionfs_sim.overlay.state import State
from unionfs_sim.overlay.union import Union
from unionfs_sim.overlay.workdir import WorkDir

MAX_DEPTH = 2
"""Unions on unions, as the kernel has it (FILESYSTEM_MAX_STACK_DEPTH)."""

LowerLayer: TypeAlias = Layer | Union


class Stack(NamedTuple):
    """The layers of a mount, each list base first."""

    lowers: Sequence[LowerLayer]
    upper: Layer | None
    data_lowers: Sequence[LowerLayer] = ()

    @property
    def all_lowers(self) -> tuple[LowerLayer, ...]:
        """Lowers and data-only lowers."""
        return (*self.lowers, *self.data_lowers)


class Seat(NamedTuple):
    """What a mount has besides its layers: who sees it, its clock, its history and its device number."""

    caller: Caller
    clock: Clock
    history: int
    dev: int | None


def mount_overlay(stack: Stack, settings: Settings, seat: Seat) -> Union:
    """The union as overlayfs makes it; OSError with the errno of mount(2) for what does not go together."""
    _check(stack)
    work = WorkDir() if stack.upper is None else _work_of(stack.upper, stack.lowers, settings)
    tree = assemble(UnionTree, stack, work, settings, seat)
    return union_of(tree, stack, seat)


def union_of(tree: State, stack: Stack, seat: Seat) -> Union:
    """A tree of mounted layers, as somebody sees it."""
    return Union(
        tree,
        seat.caller,
        lowers=tuple(stack.lowers),
        upper=stack.upper,
        options=tree.options,
        events=tree.events,
    )


def assemble(kind: type[State], stack: Stack, work: WorkDir, settings: Settings, seat: Seat) -> State:
    """The tree of checked layers, whose operations are those of ``kind``."""
    upper = stack.upper.tree if stack.upper is not None else None
    tree = kind(
        [lower.tree for lower in reversed(stack.lowers)],
        upper,
        work,
        data_layers=[lower.tree for lower in reversed(stack.data_lowers)],
        options=settings,
        clock=seat.clock,
        dev=seat.dev if seat.dev is not None else _free_device(stack.lowers),
    )
    journal = Journal(seat.history) if seat.history and upper is not None else None
    tree.watch(journal, ())
    for layer in tree.raw_layers():
        if layer.read_only:
            continue  # nothing can change in it, and it may outlive many unions
        # Who changes a layer behind the union's back sees it there at once. On Linux that is undefined
        # (overlayfs.rst, "Changes to underlying filesystems").
        layer.watch(journal if layer is upper else layer.journal, (*layer.mounts, tree))
    if upper is not None:
        upper.clock = seat.clock
    return tree


def _free_device(lowers: Iterable[LowerLayer]) -> int:
    """A device number that no union among the lowers has; those behind it are for their layers."""
    return max([0, *(_device(lower.tree) + MAX_LOWERS for lower in lowers)]) + 64


def _device(tree: State | LayerTree) -> int:
    return tree.dev if isinstance(tree, State) else -MAX_LOWERS


def check_layers(stack: Stack) -> None:
    """Raise TypeError for what is no layer."""
    if isinstance(stack.lowers, (str, bytes, Layer, Union)):
        raise TypeError(f"lowers is a list of layers, not {type(stack.lowers).__name__}")
    for place, lower in enumerate(stack.all_lowers):
        if not isinstance(lower, (Layer, Union)):
            raise TypeError(f"lower {place} is a {type(lower).__name__}; make a layer of it: layer({{…}})")
    if stack.upper is not None and not isinstance(stack.upper, Layer):
        raise TypeError(f"the upper is a Layer() or None, not {type(stack.upper).__name__}")


def _check(stack: Stack) -> None:
    """What mount(2) refuses."""
    lowers, upper, data_lowers = stack
    if not lowers:
        refuse("a union needs a lower layer")
    if len(stack.all_lowers) > MAX_LOWERS:
        refuse(f"at most {MAX_LOWERS} lower layers, not {len(stack.all_lowers)}")
    if upper is None and len(lowers) == 1 and not data_lowers:
        refuse("a single lower layer without an upper is no union")
    if upper is not None and any(lower is upper for lower in stack.all_lowers):
        refuse("the upper is a lower layer as well; give it Layer(), or upper.copy()", errno.ELOOP)
    if len({id(lower) for lower in stack.all_lowers}) != len(stack.all_lowers):
        refuse("the same layer stands twice among the lowers; give the second place its copy()", errno.ELOOP)
    if upper is not None and upper.is_frozen:
        refuse("the upper is frozen; give a new Layer(), or upper.copy()", errno.EROFS)
    if max(_depth(lower.tree) for lower in stack.all_lowers) >= MAX_DEPTH:
        refuse(f"unions can lie on unions {MAX_DEPTH} deep, and no deeper")


def _depth(tree: object) -> int:
    """How many unions stand on one another here."""
    return 1 + max(map(_depth, tree.stack)) if isinstance(tree, State) else 0


def _work_of(upper: Layer, lowers: Sequence[LowerLayer], settings: Settings) -> WorkDir:
    """The workdir that belongs to an upper; refuses a volatile one, and an index made for other layers."""
    tree = upper.tree
    work = tree.work if isinstance(tree.work, WorkDir) else WorkDir()
    tree.work = work
    if work.is_volatile:
        refuse("the upper was mounted volatile: nobody knows whether all of it was written")
    if settings.index:
        top = lowers[-1].root
        if work.lowers is not None and work.lowers is not top:
            refuse("the upper's index was made for other lower layers", errno.ESTALE)
        work.lowers = top
    work.is_volatile = settings.volatile
    return work
