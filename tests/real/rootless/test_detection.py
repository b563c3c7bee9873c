"""Which changes each way of looking notices: the project's table, measured again on a real overlayfs."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from builder.namespace.overlaymount import on_overlay
from builder.snapshotters.detection import Noticed, detection
from builder.snapshotters.fingerprint import Mode
from builder.snapshotters.ignored import IgnoreList
from builder.snapshotters.scan.held import HeldSurvey
from builder.snapshotters.scan.known import Known, compare, look

pytestmark = pytest.mark.kernel

DATED = {"nanoseconds": 10**17 + 5, "whole seconds": 10**17}
RAW_NET = bytes.fromhex("0100000200200000000000000000000000000000")
"""cap_net_raw, permitted and effective (setcap cap_net_raw+ep)."""


def write(path: str, content: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def at_the_old_time(act: Callable[[], object], path: str) -> None:
    before = os.lstat(path)
    act()
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns), follow_symlinks=False)


def new(*, dated: int | None = None) -> None:
    write("/new", "new")
    if dated is not None:
        os.utime("/new", (dated, dated))


def retarget() -> None:
    os.unlink("/ln")
    os.symlink("g", "/ln")


def delete_tree() -> None:
    os.unlink("/d/sub/y")
    os.rmdir("/d/sub")
    os.unlink("/d/x")
    os.rmdir("/d")


def make_again() -> None:
    delete_tree()
    os.mkdir("/d")
    write("/d/z", "z")


def to_directory() -> None:
    os.unlink("/g")
    os.mkdir("/g")


def make_and_delete() -> None:
    write("/t", "t")
    os.unlink("/t")


ACTS: dict[str, Callable[[], object]] = {
    "new file": new,
    "new file, dated 2001": lambda: new(dated=978_307_200),
    "content of another size": lambda: write("/f", "longer"),
    "content of the same size": lambda: write("/f", "F"),
    "content of the same size, time restored": lambda: at_the_old_time(lambda: write("/f", "F"), "/f"),
    "content of another size, time restored": lambda: at_the_old_time(lambda: write("/f", "FF"), "/f"),
    "the same bytes written again": lambda: write("/f", "f"),
    "touch": lambda: os.utime("/f"),
    "chmod": lambda: os.chmod("/f", 0o600),
    "chown": lambda: os.chown("/f", 5, 5),
    "security.capability set": lambda: os.setxattr("/f", "security.capability", RAW_NET),
    "user.* attribute set": lambda: os.setxattr("/f", "user.note", b"n"),
    "symlink to another target of the same length, time restored": lambda: at_the_old_time(retarget, "/ln"),
    "file deleted": lambda: os.unlink("/g"),
    "tree deleted": delete_tree,
    "directory removed and made again": make_again,
    "file renamed": lambda: os.rename("/g", "/g2"),
    "file replaced by a directory": to_directory,
    "hard link": lambda: os.link("/f", "/hl"),
    "fifo": lambda: os.mkfifo("/p"),
    "created and deleted": make_and_delete,
    "only read": lambda: open("/f", encoding="utf-8").read(),
}


@dataclass
class Measuring:
    """One change on a mount of its own. Implements ``overlaymount.Work``."""

    row: Noticed
    options: str = field(default="lowerdir=lower,upperdir=upper,workdir=work", init=False)

    def prepare(self) -> None:
        for name in ("lower", "upper", "work", "lower/d", "lower/d/sub"):
            os.mkdir(name)
        for name, content in (("f", "f"), ("g", "g"), ("d/x", "x"), ("d/sub/y", "y")):
            write(f"lower/{name}", content)
        os.symlink("f", "lower/ln")
        for name in ("f", "g", "d/x", "d/sub/y", "ln", "d/sub", "d", "."):
            times = DATED[self.row.times], DATED[self.row.times]
            os.utime(f"lower/{name}", ns=times, follow_symlinks=False)

    def act(self) -> bytes:
        root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        looks: dict[Mode, Known] = {mode: looked(root, mode) for mode in Mode}
        ACTS[self.row.change]()
        found: dict[str, list[str]] = {}
        for mode, before in looks.items():
            difference = compare(before, looked(root, mode))
            changed = [named(before, path) for path in difference.changed]
            found[mode.value] = sorted([*changed, *(f"-{path[1:]}" for path in difference.deleted)])
        return json.dumps(found).encode()

    def look(self, acted: bytes, /) -> bytes:
        found = {**json.loads(acted), "upper": entries(Upper.DOCKER), "buildkit": entries(Upper.BUILDKIT)}
        return json.dumps(found).encode()


def looked(root: int, mode: Mode) -> Known:
    return look(HeldSurvey(root), IgnoreList.of(()), mode)


def named(before: Known, path: str) -> str:
    above, _, name = path.rpartition("/")
    return f"{'~' if name in before.directories.get(above or '/', {}) else '+'}{path[1:]}"


class Upper:
    """What is made of the names in an upper directory: all (docker), or those that differ (BuildKit)."""

    DOCKER = "docker"
    BUILDKIT = "buildkit"


def entries(how: str) -> list[str]:
    """The names in the upper directory, and what a directory hides that was made again."""
    found: list[str] = []
    for top, directories, names in os.walk("upper"):
        for name in sorted([*directories, *names]):
            path = os.path.relpath(os.path.join(top, name), "upper")
            status, lower = os.lstat(f"upper/{path}"), f"lower/{path}"
            below = os.lstat(lower) if os.path.lexists(lower) else None
            if stat.S_ISCHR(status.st_mode) and status.st_rdev == 0:
                found += [f"-{path}"]
                continue
            opaque = stat.S_ISDIR(status.st_mode) and xattr(f"upper/{path}", "trusted.overlay.opaque") == b"y"
            if opaque and os.path.isdir(lower):
                there = set(os.listdir(f"upper/{path}"))
                found += [f"-{path}/{each}" for each in os.listdir(lower) if each not in there]
            if below is None:
                found += [f"+{path}"]
            elif how == Upper.DOCKER or not same(path, below, status):
                found += [f"~{path}"]
    return sorted(found)


def xattr(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return None


def same(path: str, below: os.stat_result, above: os.stat_result) -> bool:
    """BuildKit ``util/overlay`` and containerd continuity ``fs/diff``: what it takes for the same."""
    if any(
        getattr(below, name) != getattr(above, name) for name in ("st_mode", "st_uid", "st_gid", "st_rdev")
    ):
        return False
    capability = "security.capability"
    if xattr(f"lower/{path}", capability) != xattr(f"upper/{path}", capability):
        return False
    if stat.S_ISDIR(above.st_mode):
        return True
    if below.st_size != above.st_size or below.st_mtime_ns // 10**9 != above.st_mtime_ns // 10**9:
        return False
    if below.st_mtime_ns % 10**9 == above.st_mtime_ns % 10**9 == 0:
        return content(f"lower/{path}") == content(f"upper/{path}")
    return below.st_mtime_ns == above.st_mtime_ns


def content(path: str) -> Any:
    if os.path.islink(path):
        return os.readlink(path)
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("row", detection(), ids=lambda row: f"{row.change}, {row.times}")
def test_what_is_noticed_on_a_real_overlay_is_what_the_table_says(row: Noticed) -> None:
    found = json.loads(on_overlay(Measuring(row)))

    assert {name: bool(noticed) for name, noticed in found.items()} == {
        "full": row.full,
        "redo": row.redo,
        "time": row.time,
        "upper": row.upper,
        "buildkit": row.buildkit,
    }
    assert (found["full"], found["upper"], found["buildkit"]) == (
        list(row.scanned),
        list(row.in_upper),
        list(row.in_buildkit),
    )


def test_the_table_has_every_change_with_both_kinds_of_times() -> None:
    assert {(row.times, row.change) for row in detection()} == {(t, c) for t in DATED for c in ACTS}
    assert len(detection()) == 44
