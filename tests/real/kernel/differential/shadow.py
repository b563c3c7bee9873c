"""What the generator believes the tree looks like; being wrong costs only variety."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Iterable, Sequence

from .operation import Op, Outcome
from .trees import Tree

DIRECTORY, FILE, SYMLINK, OTHER = "dfls"


class Shadow:
    """Paths by kind, updated by the outcomes and renewed by a walk now and then."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {"/": DIRECTORY}
        self._by_kind: dict[str, list[str]] | None = None
        self.xattrs: list[tuple[str, str]] = []
        self.slots: dict[int, int] = {}
        self.directory_slots: set[int] = set()
        self.doubtful_slots: set[int] = set()
        """Slots of directories that may have been removed since they were opened."""
        self.slot_xattrs: list[tuple[int, str]] = []

    def renew(self, tree: Tree) -> None:
        """Read the whole tree."""
        self._kinds = {}
        self.xattrs = []
        self._read(tree, "/")
        self._by_kind = None

    def _read(self, tree: Tree, path: str) -> None:
        try:
            mode = tree.lstat(path).st_mode
        except OSError:
            return
        kind = _kind(mode)
        self._kinds[path] = kind
        self.xattrs += [(path, name) for name in sorted(tree.xattrs(path))]
        if kind == DIRECTORY:
            try:
                names = sorted(tree.listdir(path))
            except OSError:
                return
            for name in names:
                self._read(tree, f"{path.rstrip('/')}/{name}")

    def pick(self, rng: random.Random, kinds: str) -> str:
        """A path of one of the kinds (letters), the root if there is none."""
        if self._by_kind is None:
            self._by_kind = {}
            for path, kind in self._kinds.items():
                self._by_kind.setdefault(kind, []).append(path)
        if kinds == DIRECTORY and rng.random() < 0.8:
            below = [path for path in self._by_kind.get(DIRECTORY, ()) if path != "/"]
            if below:
                return rng.choice(below)
        choices = [paths for kind in kinds if (paths := self._by_kind.get(kind))]
        return rng.choice(rng.choice(choices)) if choices else "/"

    def empty_directory(self, rng: random.Random) -> str:
        """A directory that seems to hold nothing."""
        parents = {path.rpartition("/")[0] or "/" for path in self._kinds}
        empty = [
            path
            for path, kind in self._kinds.items()
            if kind == DIRECTORY and path not in parents and path != "/"
        ]
        return rng.choice(empty) if empty else self.pick(rng, DIRECTORY)

    def fresh(self, rng: random.Random, names: Sequence[str]) -> str:
        """A path in a directory that seems not to exist yet."""
        path = ""
        for _ in range(4):
            path = f"{self.pick(rng, DIRECTORY).rstrip('/')}/{rng.choice(names)}"
            if path not in self._kinds:
                break
        return path

    def observe(self, op: Op, outcome: Outcome) -> None:
        """Learn from a call."""
        if outcome.errno or outcome.crash:
            return
        args = op.args
        match op.verb:
            case "mkdir":
                self._set(args[0], DIRECTORY)
            case "symlink":
                self._set(args[1], SYMLINK)
            case "mknod":
                self._set(args[0], _kind(args[1]))
            case "write_file":
                self._set(args[0], FILE)
            case "open" if outcome.value is None:
                self.slots[args[0]] = args[2]
                self.directory_slots.discard(args[0])
                self.doubtful_slots.discard(args[0])
                if args[2] & os.O_DIRECTORY or self._kinds.get(args[1], DIRECTORY) == DIRECTORY:
                    self.directory_slots.add(args[0])
                self.slot_xattrs = [pair for pair in self.slot_xattrs if pair[0] != args[0]]
                if args[2] & 0o100:
                    self._set(args[1], FILE)
            case "close":
                self.slots.pop(args[0], None)
            case "link":
                self._set(args[1], self._kinds.get(args[0], FILE))
            case "unlink":
                self._forget(args[0])
            case "rmdir":
                self.doubtful_slots |= self.directory_slots
                self._forget(args[0])
            case "rename":
                self.doubtful_slots |= self.directory_slots
                self._move(args[0], args[1])
            case "renameat2":
                self._exchange(args)
            case "fsetxattr":
                self.slot_xattrs = [*self.slot_xattrs[-4:], (args[0], args[1])]
            case "setxattr":
                self.xattrs = [*self.xattrs[-20:], (args[0], args[1])]

    def _set(self, path: str, kind: str) -> None:
        # Only the plain spelling is remembered: the next renewal sees the rest.
        if path.startswith("/") and not path.endswith(("/", "/.")) and "//" not in path and "/.." not in path:
            self._kinds[path] = kind
            self._by_kind = None

    def _below(self, path: str) -> Iterable[str]:
        return [other for other in self._kinds if other == path or other.startswith(path + "/")]

    def _forget(self, path: str) -> None:
        for gone in self._below(path):
            del self._kinds[gone]
        self._by_kind = None

    def _move(self, source: str, target: str) -> None:
        moved = {target + path[len(source) :]: self._kinds[path] for path in self._below(source)}
        self._forget(source)
        self._forget(target)
        for path, kind in moved.items():
            self._set(path, kind)

    def _exchange(self, args: tuple[str, str, int]) -> None:
        source, target, flags = args
        if not flags & 2:
            self.doubtful_slots |= self.directory_slots
            self._move(source, target)
            return
        self._move(source, source + "\0")
        self._move(target, source)
        self._move(source + "\0", target)


def _kind(mode: int) -> str:
    match stat.S_IFMT(mode):
        case stat.S_IFDIR:
            return DIRECTORY
        case stat.S_IFREG | 0:
            return FILE
        case stat.S_IFLNK:
            return SYMLINK
    return OTHER
