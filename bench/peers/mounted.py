"""Real mounts as Python sees them: the kernel's overlayfs, and fuse-overlayfs.

Each is mounted on a tmpfs in a private mount namespace by a child of ours, which then becomes uid 1000 and
measures. Run as a program, this module is that child.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import cast

from peers import workload
from peers.workload import DEEP, UID, Figures


def missing(kind: str) -> str | None:
    """Why this machine cannot mount that kind, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if kind == "fuse-overlayfs" and shutil.which(kind) is None:
        return "fuse-overlayfs is not installed"
    if kind == "fuse-overlayfs" and not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return "/dev/fuse cannot be opened"
    return None


def measure(kind: str) -> Figures:
    """One round, in a child; raises OSError if it cannot mount."""
    with tempfile.TemporaryDirectory() as place:
        child = [sys.executable, "-m", "peers.mounted", kind, place]
        done = subprocess.run(
            ["unshare", "-m", *child],
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise OSError((done.stderr.strip().splitlines() or ["unshare failed"])[-1])
    return cast(Figures, json.loads(done.stdout))


def _make_files(layer: Path) -> None:
    for folder in workload.folders():
        (layer / folder[1:]).mkdir(parents=True)
        os.chown(layer / folder[1:], UID, UID)
    for name in (*workload.files(), DEEP):
        path = layer / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(workload.BODY)
        os.chown(path, UID, UID)


def _make_listed(layer: Path, number: int, layers: int) -> None:
    for folder in range(workload.LISTED_FOLDERS):
        place = layer / workload.listed_folder(folder)[1:]
        place.mkdir(parents=True)
        for name in workload.listed_names(number, layers):
            (place / name).touch()


def _mount(kind: str, lowers: list[str], name: str) -> str:
    for part in ("upper", "work", "merged"):
        Path(f"{name}.{part}").mkdir()
    # The kernel's option string has the top layer first.
    options = f"lowerdir={':'.join(reversed(lowers))},upperdir={name}.upper,workdir={name}.work"
    target = f"{name}.merged"
    if kind == "kernel":
        subprocess.run(["mount", "-t", "overlay", "bench", "-o", options, target], check=True)
    else:
        subprocess.run(["fuse-overlayfs", "-o", f"{options},allow_other", target], check=True)
    return str(Path(target).absolute())


def _inside(kind: str, place: str) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "bench", place], check=True)
    os.umask(0o022)
    os.chdir(place)
    Path(place).chmod(0o755)
    base = Path("base")
    _make_files(base)
    merged = _mount(kind, ["base"], "files")
    stacks = {}
    for layers in workload.STACKS:
        names = [f"{layers}-{number}" for number in range(layers)]
        for number, name in enumerate(names):
            _make_listed(Path(name), number, layers)
        stacks[layers] = _mount(kind, names, f"stack{layers}")
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    figures = workload.measure_files(os, merged)
    for layers, prefix in stacks.items():
        figures |= workload.measure_stack(os, layers, prefix)
    print(json.dumps(figures))


if __name__ == "__main__":
    _inside(*sys.argv[1:])
