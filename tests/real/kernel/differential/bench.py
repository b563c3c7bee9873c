"""A handle for directed tests: the same words drive the kernel (in a worker process) and the model."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from . import syscalls
from .machine import Machine
from .modes import Layout, Mode, Turn
from .operation import Op
from .real import RealMachine
from .stacks import Entry

OLD: Final = 10**9 * 1_000_000_000
"""The time of everything in a layer that does not say otherwise, in nanoseconds."""


def file(
    content: str | bytes = "data", *, mode: int = 0o644, uid: int = 0, gid: int = 0, **xattrs: bytes
) -> Entry:
    """A regular file; keywords are user xattrs."""
    body = content.encode() if isinstance(content, str) else content
    return Entry("", "file", mode, uid, gid, OLD, tuple((f"user.{k}", v) for k, v in xattrs.items()), body)


def directory(
    *, mode: int = 0o755, uid: int = 0, gid: int = 0, marks: Mapping[str, bytes] | None = None
) -> Entry:
    """A directory; ``marks`` are raw xattrs by full name."""
    return Entry("", "directory", mode, uid, gid, OLD, tuple((marks or {}).items()))


def marked_file(marks: Mapping[str, bytes], content: bytes = b"") -> Entry:
    """A file with raw xattrs."""
    return Entry("", "file", 0o644, 0, 0, OLD, tuple(marks.items()), content)


def symlink(target: str) -> Entry:
    """A symlink."""
    return Entry("", "symlink", 0o777, 0, 0, OLD, (), target)


def hardlink(target: str) -> Entry:
    """A second name of a file that stands earlier in the layer."""
    return Entry("", "hardlink", body=target)


def fifo() -> Entry:
    """A named pipe."""
    return Entry("", "fifo", 0o644, 0, 0, OLD)


WHITEOUT: Final = Entry("", "whiteout")
ROOT: Final = Entry("/", "directory", 0o755, 0, 0, OLD)
Layer = Mapping[str, "Entry | str"]


def entries(layer: Layer) -> tuple[Entry, ...]:
    """The layer's entries; missing parents are made."""
    found: dict[str, Entry] = {"/": ROOT}
    for path, value in layer.items():
        parts = path.strip("/").split("/")
        for depth in range(1, len(parts)):
            parent = "/" + "/".join(parts[:depth])
            found.setdefault(parent, directory()._replace(path=parent))
        found[path] = (file(value) if isinstance(value, str) else value)._replace(path=path)
    return tuple(found.values())


class Bench:
    """Mounts small stacks on one side and makes calls there."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._busy = False

    def mount(
        self,
        *lowers: Layer,
        options: Mapping[str, str] | None = None,
        upper: Entry | None = ROOT,
        layout: Layout = Layout.ONE,
        data_lowers: int = 0,
        turns: Sequence[Turn] = (),
    ) -> None:
        """Mount lowers (base first); raises OSError if the mount is refused. ``upper`` None: read-only."""
        self.finish()
        mode = Mode(
            "directed",
            options or {},
            layout=layout,
            turns=tuple(turns),
            writable=upper is not None,
            data_lowers=data_lowers,
        )
        self._machine.begin(mode, [entries(layer) for layer in lowers], upper or ROOT)
        self._busy = True
        self.again(Turn.FIRST)

    def again(self, turn: Turn) -> None:
        """Unmount and mount once more, the upper used as ``turn`` says; raises OSError if refused."""
        if turn is not Turn.FIRST:
            self._machine.unmount(keep=turn is Turn.NEST)
        outcome = self._machine.mount(turn)
        if outcome.errno or outcome.crash:
            raise OSError(outcome.errno, outcome.crash or "mount")

    def finish(self) -> None:
        """Unmount and forget."""
        if self._busy:
            self._machine.end()
            self._busy = False

    def do(self, verb: str, *args: Any, caller: int = 0) -> Any:
        """The value of a call; raises OSError as the call does."""
        outcome = self._machine.call(Op(verb, caller, args))
        if outcome.crash:
            raise AssertionError(outcome.crash)
        if outcome.errno:
            raise OSError(outcome.errno, os.strerror(outcome.errno))
        return outcome.value

    def upper(self) -> dict[str, str]:
        """What lies in the upper, without its root: path → f, d, l, p, s, c, b or wh (whiteout)."""
        with self._machine.outside() as trees:
            tree = trees["upper"]
            found: dict[str, str] = {}
            pending = ["/"]
            while pending:
                path = pending.pop()
                st = tree.lstat(path)
                if path != "/":
                    found[path] = _letter(st)
                if stat.S_ISDIR(st.st_mode):
                    pending += [f"{path.rstrip('/')}/{name}" for name in tree.listdir(path)]
        return dict(sorted(found.items()))

    def marks(self, path: str, layer: str = "upper") -> dict[str, bytes]:
        """The raw xattrs of a name in a layer."""
        with self._machine.outside() as trees:
            return dict(trees[layer].xattrs(path))

    def raw(self, path: str, layer: str = "upper") -> Any:
        """The raw lstat of a name in a layer, comparable."""
        with self._machine.outside() as trees:
            return self._machine.classes.record(trees[layer].lstat(path))


_LETTERS: Final = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFIFO: "p",
    stat.S_IFSOCK: "s",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
}


def _letter(st: Any) -> str:
    if stat.S_ISCHR(st.st_mode) and st.st_rdev == 0:
        return "wh"
    return _LETTERS[stat.S_IFMT(st.st_mode)]


class KernelBench:
    """A Bench that lives in a worker process with its own mounts; any method is passed on."""

    def __init__(self) -> None:
        script = Path(__file__).parent.parent / "worker.py"
        self._worker = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def _ask(self, name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
        assert self._worker.stdin and self._worker.stdout
        pickle.dump((name, args, keywords), self._worker.stdin)
        self._worker.stdin.flush()
        failed, value = pickle.load(self._worker.stdout)
        if failed:
            raise value
        return value

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **keywords: self._ask(name, args, keywords)

    def stop(self) -> None:
        """End the worker; its mounts go with it."""
        assert self._worker.stdin and self._worker.stdout
        self._worker.stdin.close()
        self._worker.wait()
        self._worker.stdout.close()


def serve() -> None:
    """The worker: answers calls from standard input on standard output until the input ends."""
    syscalls.enter_private_mounts()
    with tempfile.TemporaryDirectory() as workspace:
        machine = RealMachine(workspace)
        bench = Bench(machine)
        try:
            while True:
                try:
                    name, args, keywords = pickle.load(sys.stdin.buffer)
                except EOFError:
                    return
                try:
                    answer = False, getattr(bench, name)(*args, **keywords)
                except (OSError, AssertionError, KeyError) as error:
                    answer = True, error
                pickle.dump(answer, sys.stdout.buffer)
                sys.stdout.buffer.flush()
        finally:
            bench.finish()
            machine.leave_workspace()


@contextmanager
def refused(number: int) -> Iterator[None]:
    """Assert that the block raises OSError with this errno."""
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0)
        assert error.errno == number, f"{name} instead of {errno.errorcode[number]}"
    else:
        raise AssertionError(f"no {errno.errorcode[number]}")
