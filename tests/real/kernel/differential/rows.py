"""The rows of behaviour that the comparison must reach, each with the sign that it was reached."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from .modes import Layout, Mode, Turn
from .operation import Op, Outcome
from .records import FRESH_NS, NOW, Record
from .trees import Node

ROWS: Final[Mapping[int, str]] = {
    1: "removing a lower name leaves a character device 0:0",
    2: "an empty file with a whiteout mark hides",
    3: "a name of the upper alone goes without a whiteout",
    4: "a device 0:0 cannot be made through the union",
    5: "a whiteout over nothing",
    6: "names that OCI would read as whiteouts",
    7: "OCI's rules for whiteouts in a tar (importer)",
    8: "a directory over a whiteout is opaque",
    9: "a new directory in a merged parent is opaque under four options",
    10: "an opaque root of a lower changes nothing",
    11: "a file between directories cuts the merge",
    12: "merged directories: attributes of the topmost, names of all",
    13: "what copies up",
    14: "what does not copy up",
    15: "parents are copied up with their times",
    16: "a copied-up file keeps its owner, mode, times and xattrs",
    17: "links to symlinks and special files",
    18: "hard links break without index",
    19: "hard links stay with index",
    20: "inode numbers stay over copy-up",
    21: "device numbers with layers on several file systems",
    22: "link counts of directories",
    23: "EXDEV for renaming a lower directory",
    24: "an upper directory over an emptied lower one",
    25: "redirects",
    26: "redirects not followed",
    27: "flags of renameat2",
    28: "renaming a lower file",
    29: "rmdir over whiteouts and over children",
    30: "metadata-only copy-up",
    31: "data-only lowers",
    32: "fs-verity (refused)",
    33: "descriptors from before copy-up",
    34: "ETXTBSY",
    35: "access times of lower files",
    36: "a listing is frozen when it is opened",
    37: "EROFS without an upper",
    38: "mounts that are refused",
    39: "marks in the user namespace",
    40: "marks set through the union are escaped",
    41: "a union over a union",
    42: "permission of the caller and of the mounter",
    43: "volatile mounts",
    44: "exported handles, casefold (refused)",
    45: "O_TMPFILE",
    46: "an upper becomes a lower",
    47: "limits of names, paths and links",
    48: "copy-up through the work directory",
    49: "suid, setgid and security attributes (not ACLs)",
    50: "the profile of fuse-overlayfs",
}
BY_DIRECTED_TESTS: Final = frozenset({7, 32, 34, 36, 38, 44, 48, 50})
"""Rows about mounting, tars, running programs and other programs: no call of the fuzzer shows them."""

_COPIES: Final = frozenset(
    ("chmod", "chown", "utime", "setxattr", "link", "rename", "truncate", "write_file")
)
_PATH_OF_NEW: Final = {"mkdir": 0, "mknod": 0, "write_file": 0, "symlink": 1, "link": 1, "rename": 1}
_FOUR: Final = ("redirect_dir", "metacopy", "index", "xino")


class RowCounter:
    """Counts how often each row was reached; reset per mount what is remembered of paths."""

    def __init__(self) -> None:
        self.hits: Counter[int] = Counter()
        self._new: set[str] = set()
        self._moved: set[str] = set()

    def mounted(self, turn: Turn) -> None:
        """A mount begins."""
        self._new.clear()
        self._moved.clear()
        self.hits[46] += turn is Turn.STACK
        self.hits[41] += turn is Turn.NEST

    def step(self, mode: Mode, op: Op, outcome: Outcome) -> None:
        """A call was made."""
        self.hits.update(_of_call(mode, op, outcome, op.args[0] in self._new))
        if outcome.errno:
            return
        if op.verb in _PATH_OF_NEW:
            self._new.add(op.args[_PATH_OF_NEW[op.verb]])
        if op.verb == "rename":
            self._moved.add(op.args[1])

    def layers(self, mode: Mode, layers: Mapping[str, Mapping[str, Node]]) -> None:
        """The raw layers were read: ``upper`` and ``lower0`` (base) and so on."""
        upper = layers.get("upper", {})
        for path, node in upper.items():
            self.hits.update(_of_upper(mode, path, node, path in self._moved))
        stack = [layers[f"lower{number}"] for number in range(len(layers) - ("upper" in layers))]
        for lower in stack:
            self.hits[10] += mode.prefix + "opaque" in dict(lower["/"].xattrs)
            if mode.later and mode.later.get("redirect_dir"):
                self.hits[26] += sum(mode.prefix + "redirect" in dict(node.xattrs) for node in lower.values())
        for below, above in pairwise(stack):
            self.hits.update(_of_pair(below, above))
        if stack:
            self.hits.update(_of_base(mode, stack[0], upper))


def _of_call(mode: Mode, op: Op, outcome: Outcome, own: bool) -> Iterator[int]:
    verb, number, args = op.verb, outcome.errno, op.args
    if number in _BY_ERRNO:
        yield _BY_ERRNO[number]
    if number in (errno.EACCES, errno.EPERM, errno.ENODATA):
        yield 14
        if op.caller:
            yield 42
    if verb == "mknod" and number == errno.EPERM and op.caller == 0:
        yield 4
    if verb in ("unlink", "rmdir") and not number and own:
        yield 3
    if not number and not own and (verb in _COPIES or (verb == "open" and args[2] & 3)):
        yield 13
    if verb == "renameat2" and args[2]:
        yield 27
    if verb == "rename" and not number and not own:
        yield 28
    if verb == "rmdir" and (number == errno.ENOTEMPTY or (not number and not own)):
        yield 29
    if verb in ("read", "pread") and not number:
        yield 33
    if verb == "setxattr" and not number and args[1].startswith("trusted.overlay."):
        yield 40
    if verb == "open" and args[2] & os.O_TMPFILE == os.O_TMPFILE and not number:
        yield 45
    if mode.prefix == "user.overlay.":
        yield 39
    if "volatile" in mode.options:
        yield 43
    if mode.data_lowers and verb == "read_file" and not number:
        yield 31
    if isinstance(outcome.value, Record):
        yield from _of_record(mode, outcome.value)


_BY_ERRNO: Final = {errno.EXDEV: 23, errno.EROFS: 37, errno.ENAMETOOLONG: 47, errno.ELOOP: 47}


def _of_record(mode: Mode, record: Record) -> Iterator[int]:
    yield 21 if mode.layout is Layout.SEVERAL else 20
    if stat.S_ISDIR(record.mode) and record.nlink != 2:
        yield 22
    if record.atime not in (None, NOW):
        yield 35


def _of_upper(mode: Mode, path: str, node: Node, moved: bool) -> Iterator[int]:
    record, marks = node.record, dict(node.xattrs)
    if record is None:
        return
    if stat.S_ISCHR(record.mode) and record.rdev == 0:
        yield 1
        return
    directory = stat.S_ISDIR(record.mode)
    old = record.mtime != NOW and isinstance(record.mtime, int) and record.mtime < FRESH_NS
    if mode.prefix + "opaque" in marks:
        yield 9 if any(mode.options.get(name) == "on" for name in _FOUR) else 8
        if moved:
            yield 24
    if mode.prefix + "redirect" in marks:
        yield 25
    if mode.prefix + "metacopy" in marks:
        yield 30
    if mode.prefix + "origin" in marks and old:
        yield 15 if directory else 16
    if not directory and not stat.S_ISREG(record.mode) and record.nlink > 1:
        yield 17
    if record.mode & 0o6000:
        yield 49


def _of_pair(below: Mapping[str, Node], above: Mapping[str, Node]) -> Iterator[int]:
    for path, node in above.items():
        other = below.get(path)
        if path == "/" or other is None or not node.record or not other.record:
            continue
        pair = stat.S_ISDIR(node.record.mode), stat.S_ISDIR(other.record.mode)
        if pair == (True, True):
            yield 12
        elif any(pair):
            yield 11


def _of_base(mode: Mode, base: Mapping[str, Node], upper: Mapping[str, Node]) -> Iterator[int]:
    for path, node in base.items():
        if node.record is None:
            continue
        if stat.S_ISCHR(node.record.mode) and node.record.rdev == 0:
            yield 5
        if path.rpartition("/")[2].startswith(".wh."):
            yield 6
        if mode.prefix + "whiteout" in dict(node.xattrs):
            yield 2
        copied = upper.get(path)
        if stat.S_ISREG(node.record.mode) and node.record.nlink > 1 and copied and copied.record:
            yield 19 if mode.options.get("index") == "on" else 18
