"""Probes on a real overlay mount: each on a fresh upper, in a child that is chrooted into the merged view."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import tempfile
from collections.abc import Sequence

from ordinary.outcome import outcome_of
from ordinary.probe import Probe
from ordinary.stack import lowers, write

CLONE_NEWNS = 0x20000
MS_REC_PRIVATE = 0x44000
MNT_DETACH = 2
_LIBC = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    if _LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), f"mount {kind}", target)


def run(probes: Sequence[Probe]) -> dict[str, str]:
    """Outcome by name of the probe. Needs root, and a process of its own: it leaves the mount namespace."""
    if _LIBC.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount("none", "/", "", MS_REC_PRIVATE)
    with tempfile.TemporaryDirectory() as space:
        _mount("tmpfs", space, "tmpfs", options="mode=755")
        names = [f"{space}/l{number}" for number, _ in enumerate(lowers())]
        for name, layer in zip(names, lowers(), strict=True):
            os.mkdir(name)
            write(layer, name)
        outcomes = {
            probe.name: _one(probe, space, number, ":".join(reversed(names)))
            for number, probe in enumerate(probes)
        }
        _LIBC.umount2(space.encode(), MNT_DETACH)
    return outcomes


def _one(probe: Probe, space: str, number: int, lowerdir: str) -> str:
    upper, work, merged = (f"{space}/{kind}{number}" for kind in "uwm")
    for directory in (upper, work, merged):
        os.mkdir(directory, 0o755)
    _mount("overlay", merged, "overlay", options=f"lowerdir={lowerdir},upperdir={upper},workdir={work}")
    try:
        return _in_child(probe, merged)
    finally:
        _LIBC.umount2(merged.encode(), MNT_DETACH)


def _in_child(probe: Probe, merged: str) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.chdir(merged)
            os.chroot(".")
            caller = probe.caller
            os.umask(caller.umask)
            os.setgroups(sorted(caller.groups))
            os.setresgid(caller.gid, caller.gid, caller.gid)
            os.setresuid(caller.uid, caller.uid, caller.uid)
            os.write(writing, outcome_of(probe.run).encode("utf-8", "surrogateescape"))
        finally:
            os._exit(0)
    os.close(writing)
    try:
        return _all_of(reading, child)
    finally:
        os.close(reading)
        os.waitpid(child, 0)


def _all_of(pipe: int, child: int) -> str:
    """What the child writes; ``hangs`` if it is silent for five seconds."""
    parts = []
    while True:
        ready, _, _ = select.select([pipe], [], [], 5)
        if not ready:
            os.kill(child, signal.SIGKILL)
            return "hangs"
        part = os.read(pipe, 1 << 16)
        if not part:
            return b"".join(parts).decode("utf-8", "surrogateescape")
        parts.append(part)
