"""The two sides: the real fuse-overlayfs, and the model mounted with a profile."""

from __future__ import annotations

import enum
import errno
import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from differential import syscalls
from differential.machine import Slots
from differential.model import ModelMachine, options_of
from differential.modes import Mode
from differential.operation import Op, Outcome
from differential.real import RealMachine
from differential.records import Classes, Record
from differential.stacks import Entry

import unionfs_sim.profiles.mounting  # noqa: F401 - before the process is in a chroot
from unionfs_sim.profiles.profile import Profile

MODE: Final = Mode("default")


class Fields(enum.Enum):
    """What is compared of a file's attributes."""

    ALL = "all"
    """All but what fuse-overlayfs answers by chance or by what was looked up before: inode and device
    numbers, the link counts of files, access times (it mounts noatime) and blocks."""

    COMMON = "common"
    """Without what a union of the kernel counts in another way: links and sizes of directories."""


class ComparableClasses(Classes):
    """Records with the fields that are compared."""

    def __init__(self, fields: Fields) -> None:
        super().__init__()
        self._fields = fields

    def record(self, st: Any) -> Record:
        """See Classes.record."""
        record = super().record(st)._replace(identity=0, device=0, atime=None, blocks=None)
        if not stat.S_ISDIR(st.st_mode):
            return record._replace(nlink=0)
        return record if self._fields is Fields.ALL else record._replace(nlink=0, size=0)


LONGEST: Final = 251
"""A copy-up of a lower file with a longer name ends the server: such names are left out."""


def is_comparable(op: Op) -> bool:
    """Whether both sides can be asked (docs/profiles.md says what is left out)."""
    if op.verb == "statvfs" or (op.verb == "seek" and op.args[2] not in (os.SEEK_SET, os.SEEK_CUR)):
        return False
    if op.verb == "mknod" and op.args[1] & (stat.S_ISUID | stat.S_ISGID):
        return False
    if op.verb == "mknod" and op.args[1] & stat.S_IFCHR == stat.S_IFCHR:
        return False
    if op.verb == "listxattr" and op.caller:
        return False
    return all(
        len(part) <= LONGEST and not part.startswith(".wh.")
        for arg in op.args
        if isinstance(arg, str)
        for part in arg.split("/")
    )


class Died(Exception):
    """The server of the mount ended by itself: fuse-overlayfs crashed, and nothing can be compared."""


def _close(descriptor: int) -> None:
    with suppress(OSError):  # ENOTCONN, if the server died
        os.close(descriptor)


class FuseMachine(RealMachine):
    """Drives fuse-overlayfs on layers of a tmpfs; a Machine of the differential test."""

    def __init__(self, workspace: str, fields: Fields = Fields.ALL) -> None:
        super().__init__(workspace)
        self._fields = fields
        self._slots = Slots(_close)

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        super().begin(mode, lowers, upper)
        self.classes = ComparableClasses(self._fields)

    def _mount_overlay(self) -> None:
        options = ["timeout=0", "lowerdir=" + ":".join(reversed(self._lowers))]
        if self._mode.writable:
            options += [f"upperdir={self._upper}", f"workdir={self._work}"]
        # No pipes: the server in the background would hold them open.
        subprocess.run(
            ["fuse-overlayfs", "-o", ",".join(options), self._target],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def call(self, op: Op) -> Outcome:
        """See Machine.call; raises Died."""
        outcome = super().call(op)
        if outcome.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            raise Died(str(op))
        return outcome

    def end(self) -> None:
        """See Machine.end."""
        self._leave()
        for target in reversed(self._mounts):
            syscalls.unmount(target, flags=syscalls.MNT_DETACH)
        for home in self._homes:
            shutil.rmtree(home)


class ProfileMachine(ModelMachine):
    """Drives the model with one profile."""

    def __init__(self, profile: Profile, fields: Fields = Fields.ALL) -> None:
        super().__init__()
        self._fields = fields
        self._profile = profile

    def begin(self, mode: Mode, lowers: Sequence[Sequence[Entry]], upper: Entry) -> None:
        """See Machine.begin."""
        super().begin(mode, lowers, upper)
        self.classes = ComparableClasses(self._fields)

    def _mount(self) -> None:
        from unionfs_sim import mount

        self._union = mount(
            lowers=self._lowers,
            upper=self._upper,
            options=options_of(self._mode, 0),
            clock=self._clock,
            profile=self._profile,
        )
        if self._profile is Profile.OCI_UNPACK:
            self._upper = self._union.upper
