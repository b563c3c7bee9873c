"""The model's side: the same layers as ``Layer`` trees, the union mounted in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from unionfs_sim import Options, mount  # here: later this process stands in a chroot
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.nodes.inode import Volume
from unionfs_sim.overlay import explain  # noqa: F401 - later this process stands in a chroot

from .machine import Slots, perform
from .modelcalls import ModelCalls
from .modes import Layout, Mode, Turn
from .operation import CALLERS, Op, Outcome
from .records import FRESH_NS, Classes
from .stacks import Entry, write
from .trees import Node, Tree, walk

BUILDER = Caller(0, 0, frozenset(), 0)
UNDO_EVERY = 5
"""Calls after which the last step is taken back and done again."""


def put_file(fs: Any, path: str, content: bytes) -> None:
    """Make a file; runs of zero pages become holes."""
    file = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        for start in range(0, len(content), 4096):
            page = content[start : start + 4096]
            if page.strip(b"\0"):
                file.pwrite(page, start)
        file.truncate(len(content))
    finally:
        file.close()


class ModelTree:
    """A tree of the model, as a walk needs it."""

    def __init__(self, fs: Any) -> None:
        self.lstat = fs.lstat
        self.listdir = fs.listdir
        self.readlink = fs.readlink
        self.xattrs = fs.xattrs
        self._fs = fs

    def content(self, path: str) -> bytes:
        file = self._fs.open(path, os.O_RDONLY | os.O_NOATIME | os.O_NOFOLLOW)
        try:
            content: bytes = file.read(1 << 22)
            return content
        finally:
            file.close()


class ModelMachine(ModelCalls):
    """Drives the model with the same calls; see Machine."""

    def __init__(self) -> None:
        self.classes = Classes()
        self._slots = Slots(lambda file: file.close())

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        self.classes = Classes(together=mode.is_together, reads=not mode.splits_inodes)
        self._mode = mode
        self._time = FRESH_NS
        self._turns = 0
        self._calls = 0
        self._upper_root = upper
        self._upper: Any = None
        self._union: Any = None
        self._workdir: Any = None
        self._stacked: list[Any] = []
        self._volumes = Volume(1), Volume(2 if mode.layout is Layout.SEVERAL else 1)
        self._lowers: list[Any] = [
            self._layer(entries, self._volumes[mode.layout is Layout.SEVERAL and number % 2 == 1])
            for number, entries in enumerate(lowers)
        ]

    def _clock(self) -> int:
        self._time += 1000
        return self._time

    def _layer(self, entries: Sequence[Entry], volume: Volume) -> Any:
        made = Layer(clock=self._clock, volume=volume)
        fs = made.acting_as(BUILDER)
        write(fs, "", entries, lambda path, content: put_file(fs, path, content))
        return made

    def mount(self, turn: Turn) -> Outcome:
        """See Machine.mount."""
        self.classes.forget_devices()
        self._turns += 1
        if self._mode.raw:
            self._union = self._lowers[-1]
            self._views = [self._union.acting_as(caller) for caller in CALLERS]
            return Outcome(0)
        if turn is Turn.NEST:
            self._lowers = [self._union]
        elif turn is Turn.STACK:
            self._lowers.append(self._upper)
        elif turn is Turn.OTHER:
            self._lowers.append(self._layer([self._upper_root], self._volumes[0]))
        elif turn is Turn.SELF:
            self._lowers = [self._upper]
        if turn in (Turn.FIRST, Turn.STACK, Turn.NEST) and self._mode.writable:
            self._upper = self._layer([self._upper_root], self._volumes[0])
        outcome = perform(self._mount, ())
        if outcome.errno == 0 and not outcome.crash:
            self._views = [self._union.acting_as(caller) for caller in CALLERS]
        return outcome

    def _mount(self) -> None:
        self._union = mount(
            lowers=self._lowers[self._mode.data_lowers :],
            data_lowers=self._lowers[: self._mode.data_lowers],
            upper=self._upper,
            options=options_of(self._mode, self._turns - 1),
            clock=self._clock,
            history=2 if self._mode.writable else 0,
        )

    def merged(self) -> Tree:
        """See Machine.merged."""
        return ModelTree(self._views[0])

    def walk(self, tree: Tree) -> dict[str, Node]:
        """See Machine.walk."""
        return dict(walk(tree, self.classes))

    def unmount(self, *, keep: bool = False) -> None:
        """See Machine.unmount."""
        self.classes.forget_devices()
        self._slots.clear()
        if not self._mode.raw and not keep and self._union is not None:
            self._union.unmount()

    def raw(self) -> Mapping[str, Tree]:
        """See Machine.raw."""
        trees: dict[str, Tree] = {} if self._upper is None else {"upper": ModelTree(self._upper)}
        return trees | {f"lower{number}": ModelTree(fs) for number, fs in enumerate(self._lowers)}

    @contextmanager
    def outside(self) -> Iterator[Mapping[str, Tree]]:
        """See Machine.outside."""
        yield self.raw()
        self._views = [self._views[0].acting_as(caller) for caller in CALLERS]

    def misexplained(self, paths: Sequence[str]) -> str:
        """See Machine.misexplained."""
        if self._mode.raw:
            return ""
        for path in paths[self._calls % 3 :: 3]:
            for each in (path, f"{path.rstrip('/')}/nothing"):
                if self._union.explain(each).is_visible != _is_there(self._union.tree, each):
                    return each
        return ""

    def end(self) -> None:
        """See Machine.end."""
        self._slots.clear()

    # --- calls

    def call(self, op: Op) -> Outcome:
        """See Machine.call."""
        self._fs = self._views[op.caller]
        outcome = perform(getattr(self, "do_" + op.verb), op.args)
        self._calls += 1
        if not self._mode.raw and self._calls % UNDO_EVERY == 0 and self._union.undo():
            self._union.redo()  # to take a step back and do it again changes nothing
        return outcome


def _is_there(tree: Any, path: str) -> bool:
    """Whether the union finds a path, without following a symlink on the way."""
    node = tree.root
    try:
        for name in [name for name in path.split("/") if name]:
            node = tree.lookup(node, name) if node.is_dir else None
            if node is None:
                return False
    except OSError:
        return False
    return True


def options_of(mode: Mode, phase: int) -> Any:
    """The options of a phase as the model has them."""
    words = [f"{key}={value}" if value else key for key, value in mode.options_of(phase).items()]
    if mode.writable:
        words += ["upperdir=upper", "workdir=work"]
    return Options.parse(",".join(words))
