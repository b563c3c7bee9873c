"""What the helper's working directory holds before anything is built in it.

On disk the builder makes it. Where the kernel takes no upper directory there (the state lies on overlayfs, as
in a container without a volume), the helper makes the same on a tmpfs that only it sees: layers are then
unpacked for each build anew, and lie in memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from builder.namespace import mounts, syscalls
from builder.namespace.command import ONE_ID_APT
from builder.namespace.directories import clear, sweep
from builder.namespace.pivot import AT, HOLD, SHARED
from builder.namespace.stack import NOTHING, STUB

LAYERS: Final = "layers"
SESSIONS: Final = "sessions"
CACHES: Final = "caches"

DIRECTORIES: Final = (
    *(LAYERS, SESSIONS, CACHES, NOTHING, AT, HOLD, SHARED, STUB),
    *(f"{STUB}/dev", f"{STUB}/proc", f"{STUB}/sys", f"{STUB}/etc"),
)
"""Parents first."""

FILES: Final[Mapping[str, bytes]] = {
    f"{STUB}/etc/resolv.conf": b"",
    f"{STUB}/etc/hosts": b"",
    f"{STUB}{ONE_ID_APT}": b'APT::Sandbox::User "root";\n',
}


def settle(session: str, *, trusted: bool = False) -> str:
    """In the helper: stay in the working directory, or move to a tmpfs. Why it moved; "" if it stays.

    What others have left behind here is removed first. ``session``: a directory of this builder alone, in
    which an overlay is tried, with ``trusted`` attributes or the user's.
    """
    sweep(SESSIONS)
    trial = f"{session}/trial"
    os.mkdir(trial)
    try:
        for name in ("upper", "work"):
            os.mkdir(f"{trial}/{name}")
        os.close(mounts.overlay((NOTHING,), f"{trial}/upper", f"{trial}/work", trusted=trusted))
        return ""
    except OSError as error:
        _move(session)
        return error.strerror or str(error)
    finally:
        if os.path.lexists(trial):
            clear(trial)


def _move(session: str) -> None:
    caches = mounts.bind(CACHES)
    attributes = syscalls.MOUNT_ATTR_NOSUID | syscalls.MOUNT_ATTR_NODEV
    mounts.attach(mounts.file_system("tmpfs", attributes, {"mode": "755"}), HOLD)
    os.chdir(HOLD)
    for name in (*DIRECTORIES, session):
        os.mkdir(name, 0o755)
    for name, content in FILES.items():
        with open(name, "wb") as file:
            file.write(content)
    mounts.attach(caches, CACHES)
