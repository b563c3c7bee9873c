"""The simulated half on a machine whose ``os`` has little: macOS, Windows and WebAssembly lack these names.

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
LACKING_SIGNALS = [
    *("SIGKILL", "SIGHUP", "SIGCHLD", "SIGALRM", "SIGPIPE", "SIGSTOP", "SIGCONT", "SIGUSR1", "SIGUSR2"),
    *("alarm", "setitimer", "pthread_sigmask", "pthread_kill", "sigwait", "sigpending"),
]
LACKING_ERRORS = [
    "EMULTIHOP",
    "ENODATA",
    "ENOTNAM",
    "EUCLEAN",
    "EBADFD",
    "ENOMEDIUM",
    "EKEYEXPIRED",
    "ERFKILL",
]
MODULES = ("fcntl", "grp", "pwd", "termios", "resource", "syslog", "pty", "tty")
TAKE_AWAY = """
import importlib, os, sys
for name in {names!r}:
    if hasattr(os, name):
        delattr(os, name)
for name in {modules!r}:
    sys.modules[name] = None
"""
TAKE_MORE = """
import errno, signal
for module, names in ((signal, {signals!r}), (errno, {errors!r})):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
"""
BUILD = """
import pathlib
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.recipe import Recipe, built
from builder.stores.memory import MemoryStore
from unionfs_sim import layer
example = pathlib.Path({example!r})
files = {{f"/{{path.name}}": path.read_bytes() for path in example.iterdir() if path.is_file()}}
graph = plan(parse((example / "Dockerfile").read_text(encoding="utf-8")))
recipe = Recipe(graph=graph, context=Source(BuildContext(layer(files)), LABEL))
with built(recipe, MemoryStore()) as build:
    print(len(build.result.stages), build.weight(build.result.stages[-1]) > 10_000)
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


def simulated() -> list[str]:
    """Every module of the builder that a simulated build may need."""
    root = Path(unionfs_sim.__file__).parents[1]
    rooms = ("world", "engine", "dockerfile", "image", "context", "security")
    paths = [path for room in rooms for path in (root / "builder" / room).rglob("*.py")]
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    others = [
        "builder.recipe",
        "builder.runners.simulated",
        "builder.snapshotters.memory",
        "builder.stores.memory",
    ]
    return sorted(name.removesuffix(".__init__") for name in [*names, *others])


@pytest.mark.parametrize("missing", [*LACKING, "all of it"])
def test_the_union_is_imported_and_works_without(missing: str) -> None:
    names = LACKING.get(missing) or [name for some in LACKING.values() for name in some]
    script = TAKE_AWAY.format(names=names, modules=MODULES) + IMPORT.format(ours=modules()) + WORK

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "['dev', 'etc']\n"


@pytest.mark.parametrize("missing", [*LACKING, "all of it"])
def test_the_nginx_example_is_built_without(missing: str) -> None:
    names = LACKING.get(missing) or [name for some in LACKING.values() for name in some]
    example = Path(unionfs_sim.__file__).parents[1] / "examples" / "nginx"
    script = (
        TAKE_AWAY.format(names=names, modules=MODULES)
        + TAKE_MORE.format(signals=LACKING_SIGNALS, errors=LACKING_ERRORS)
        + IMPORT.format(ours=simulated())
        + BUILD.format(example=str(example))
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" True\n")
