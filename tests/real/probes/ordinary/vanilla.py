"""Probes on pyfakefs' own file system, filled with the merged view: what one has without this package."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from typing import Any

from pyfakefs.fake_filesystem_unittest import Patcher
from pyfakefs.helpers import set_gid, set_uid

from ordinary.outcome import outcome_of
from ordinary.probe import Probe
from ordinary.stack import lowers
from unionfs_sim import Layer, mount


def run(probes: Sequence[Probe]) -> dict[str, str]:
    """Outcome by name of the probe."""
    return {probe.name: _one(probe) for probe in probes}


def _one(probe: Probe) -> str:
    union = mount(lowers(), Layer(), clock=time.time_ns)
    with Patcher() as patcher:
        set_uid(0)
        set_gid(0)
        _fill(patcher.fs, union)
        patcher.fs.umask = probe.caller.umask
        set_uid(probe.caller.uid)
        set_gid(probe.caller.gid)
        return outcome_of(probe.run)


def _fill(fs: Any, union: Any) -> None:
    """The merged view as far as pyfakefs can hold it: no devices, no fifos, no extended attributes.

    ``os`` is pyfakefs' own here, as in every module while it patches.
    """
    for path, directories, others in union.walk("/"):
        stem = path.rstrip("/")
        for name in (*directories, *others):
            place = f"{stem}/{name}"
            told = union.lstat(place)
            if stat.S_ISLNK(told.st_mode):
                fs.create_symlink(place, union.readlink(place))
                continue
            if stat.S_ISDIR(told.st_mode):
                if not fs.exists(place):
                    fs.create_dir(place)
            elif stat.S_ISREG(told.st_mode):
                fs.create_file(place, contents=union.read_bytes(place))
            else:
                continue
            os.chown(place, told.st_uid, told.st_gid)
            os.chmod(place, stat.S_IMODE(told.st_mode))
            os.utime(place, ns=(told.st_atime_ns, told.st_mtime_ns))
