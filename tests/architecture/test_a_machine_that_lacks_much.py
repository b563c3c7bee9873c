"""The union on a machine whose ``os`` has little: macOS, Windows and WebAssembly lack these names.

Taken away from this machine's Python, in a process of its own, before anything of ours is imported.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import unionfs_sim

LACKING = {
    "flags (macOS, Windows)": ["O_PATH", "O_TMPFILE", "O_NOATIME"],
    "flags (Windows)": ["O_DIRECTORY", "O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY", "O_ACCMODE"],
    "places (Windows, macOS)": ["SEEK_DATA", "SEEK_HOLE", "ST_RDONLY", "RTLD_NOW"],
    "attributes (macOS, Windows)": [
        "setxattr",
        "getxattr",
        "listxattr",
        "removexattr",
        "XATTR_CREATE",
        "XATTR_REPLACE",
    ],
    "calls (Windows, WebAssembly)": [
        *("chown", "lchown", "fchown", "fchmod", "getuid", "geteuid", "getgid", "getegid", "getgroups"),
        *("mknod", "mkfifo", "major", "minor", "makedev", "pread", "pwrite", "readv", "writev", "statvfs"),
        *("statvfs_result", "pathconf", "pathconf_names", "fork", "posix_spawn", "sendfile", "chroot"),
    ],
}
MODULES = ("fcntl", "grp", "pwd", "termios", "resource", "syslog", "pty", "tty")
TAKE_AWAY = """
import importlib, os, sys
for name in {names!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {modules!r}:
    sys.modules[name] = None
"""
IMPORT = "for name in {ours!r}: importlib.import_module(name)\n"
WORK = """
import io
from unionfs_sim import Device, Layer, Options, layer, mount
from unionfs_sim.tar.pack import pack, read_layer
from unionfs_sim.vfs import flags
lower = layer({"/etc/motd": "hello", "/dev/null": Device(259)})
union = mount([lower], Layer(), history=3)
union.unlink("/etc/motd")
union.undo()
with union.open("/etc", flags.DIRECTORY | flags.PATH) as directory:
    assert union.beside(directory).read_bytes("motd") == b"hello"
with union.open("/", flags.TMPFILE | flags.RDWR) as unnamed:
    unnamed.write(b"x")
union.setxattr("/etc/motd", "user.a", b"1", flags.XATTR_CREATE)
assert union.open("/dev/null").read() == b""
read = read_layer(io.BytesIO(b"".join(pack(lower))))
assert read == lower, read
print(sorted(union.listdir("/")))
"""


def modules() -> list[str]:
    """Every module of the simulated half of the union: all but real mounts and pyfakefs' stand-ins."""
    room = Path(unionfs_sim.__file__).parent
    names = [
        ".".join(("unionfs_sim", *path.relative_to(room).with_suffix("").parts))
        for path in room.rglob("*.py")
    ]
    later = ("unionfs_sim.cli", "unionfs_sim.replay")
    return sorted(name.removesuffix(".__init__") for name in names if not name.startswith(later))


@pytest.mark.parametrize("missing", [*LACKING, "all of it"])
def test_the_union_is_imported_and_works_without(missing: str) -> None:
    names = LACKING.get(missing) or [name for some in LACKING.values() for name in some]
    script = TAKE_AWAY.format(names=names, modules=MODULES) + IMPORT.format(ours=modules()) + WORK

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "['dev', 'etc']\n"
