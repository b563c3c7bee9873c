"""The union beside its peers, in one run: pyfakefs, MemoryFS, fuse-overlayfs and the kernel's overlayfs.

    python bench/overlay.py [--files N] [--json]

Everybody does the same through public calls: as uid 1000, three directories deep, permissions on, lowers
frozen. What the machine lacks (root, fuse-overlayfs, the package ``fs``) is left out and said so.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

DEEP = "/home/user/work"
LAYERS = 100
UID = 1000


def per_second(count: int, work: Callable[[], object]) -> float:
    """Operations per second of ``work``, which does ``count`` of them."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def measure(system: Any, prefix: str, files: int) -> dict[str, float]:
    """All figures of one file system that has ``files`` lower files in DEEP.

    ``system``: has open, close, read, stat, listdir, unlink and walk, as ``os`` has them.
    """
    lower = [f"{prefix}{DEEP}/lower{number:05d}" for number in range(files)]
    fresh = [f"{prefix}{DEEP}/fresh{number:05d}" for number in range(files)]

    def create() -> None:
        for path in fresh:
            system.close(system.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))

    def look(paths: list[str]) -> Callable[[], None]:
        def run() -> None:
            for path in paths:
                system.stat(path)

        return run

    def read() -> None:
        for path in lower:
            descriptor = system.open(path, os.O_RDONLY)
            system.read(descriptor, 1 << 16)
            system.close(descriptor)

    def copy_up() -> None:
        for path in lower:
            system.close(system.open(path, os.O_WRONLY))

    def remove() -> None:
        for path in lower:
            system.unlink(path)

    def walk() -> int:
        return sum(len(names) + len(others) for _, names, others in system.walk(prefix or "/"))

    entries = walk()
    figures = {"walk (entries)": per_second(entries, walk)}
    figures["stat, first time"] = per_second(files, look(lower))
    figures["stat"] = per_second(files, look(lower))
    figures["read"] = per_second(files, read)
    figures["create"] = per_second(files, create)
    figures["copy-up"] = per_second(files, copy_up)
    figures["unlink"] = per_second(files, remove)
    return figures


def measure_layers(system: Any, prefix: str, files: int) -> dict[str, float]:
    """Figures of a stack of LAYERS lowers with 200 names in /d/e/f, two of them in each."""
    place = f"{prefix}/d/e/f"

    def listing(times: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(times):
                system.listdir(place)

        return run

    def deep() -> None:
        for _ in range(files):
            system.stat(f"{place}/n000")

    return {
        "listdir of 200 names, first time": per_second(1, listing(1)),
        "listdir of 200 names": per_second(50, listing(50)),
        f"stat in the lowest of {LAYERS} layers": per_second(files, deep),
    }


class Simulated:
    """The union, through the verbs that a learner uses."""

    def __init__(self, union: Any) -> None:
        from unionfs_sim import Caller

        view = union.acting_as(Caller(UID, UID))
        self.open, self.stat, self.listdir = view.open, view.stat, view.listdir
        self.unlink, self.walk = view.unlink, view.walk

    def close(self, file: Any) -> None:
        """Close it."""
        file.close()

    def read(self, file: Any, size: int) -> bytes:
        """Read from it."""
        found: bytes = file.read(size)
        return found


def simulator(files: int) -> dict[str, float]:
    """The figures of unionfs_sim."""
    from unionfs_sim import Dir, File, Layer, layer, mount

    owned = {"uid": UID, "gid": UID}
    entries: dict[str, Any] = {
        f"{DEEP}/lower{number:05d}": File("x" * 100, **owned) for number in range(files)
    }
    base = layer({**entries, DEEP: Dir(**owned)}).freeze()
    figures = measure(Simulated(mount([base], Layer())), "", files)
    stack = [
        layer({f"/d/e/f/n{number:03d}": "", f"/d/e/f/m{number:03d}": ""}).freeze() for number in range(LAYERS)
    ]
    figures |= measure_layers(Simulated(mount(stack, Layer())), "", files)
    one = Simulated(mount([stack[0]], Layer()))
    one.stat("/d/e/f/n000")
    single = per_second(files, lambda: [one.stat("/d/e/f/n000") for _ in range(files)])
    figures["stat in one layer"] = single
    tracemalloc.start()
    union = Simulated(mount([layer({DEEP: Dir(**owned)})], Layer()))
    before = tracemalloc.get_traced_memory()[0]
    for number in range(files):
        union.close(union.open(f"{DEEP}/fresh{number:05d}", os.O_CREAT | os.O_WRONLY, 0o644))
    figures["bytes per inode"] = (tracemalloc.get_traced_memory()[0] - before) / files
    tracemalloc.stop()
    return figures


def pyfakefs(files: int) -> dict[str, float]:
    """The figures of pyfakefs, which has no layers: its own files are the lowers."""
    from pyfakefs.fake_filesystem import FakeFilesystem
    from pyfakefs.fake_os import FakeOsModule
    from pyfakefs.helpers import set_gid, set_uid

    system = FakeFilesystem()
    system.is_windows_fs = system.is_macos = False
    for number in range(files):
        system.create_file(f"{DEEP}/lower{number:05d}", contents="x" * 100)
    for number in range(LAYERS):
        system.create_file(f"/d/e/f/n{number:03d}")
        system.create_file(f"/d/e/f/m{number:03d}")
    module: Any = FakeOsModule(system)
    for name in [DEEP, *(f"{DEEP}/lower{number:05d}" for number in range(files))]:
        module.chown(name, UID, UID)
    set_uid(UID)
    set_gid(UID)
    figures = measure(module, "", files) | measure_layers(module, "", files)
    figures.pop("copy-up")
    return figures


def memory_fs(files: int) -> dict[str, float]:
    """The figures of PyFilesystem2's MemoryFS, which knows neither layers nor permissions."""
    from fs.memoryfs import MemoryFS

    system = MemoryFS()
    system.makedirs(DEEP)
    for number in range(files):
        system.writebytes(f"{DEEP}/lower{number:05d}", b"x" * 100)

    class Adapter:
        def open(self, path: str, flags: int, mode: int = 0o777) -> Any:
            del mode
            name = {os.O_RDONLY: "rb", os.O_WRONLY: "r+b"}.get(flags & ~(os.O_CREAT | os.O_EXCL), "rb")
            return system.openbin(path, "xb" if flags & os.O_EXCL else name)

        def close(self, file: Any) -> None:
            file.close()

        def read(self, file: Any, size: int) -> bytes:
            found: bytes = file.read(size)
            return found

        def stat(self, path: str) -> Any:
            return system.getinfo(path, ["details"])

        def listdir(self, path: str) -> list[str]:
            names: list[str] = system.listdir(path)
            return names

        def unlink(self, path: str) -> None:
            system.remove(path)

        def walk(self, path: str) -> Iterable[tuple[str, list[str], list[str]]]:
            for step in system.walk(path):
                yield step.path, [info.name for info in step.dirs], [info.name for info in step.files]

    figures = measure(Adapter(), "", files)
    figures.pop("copy-up")
    return figures


def mounted(kind: str, files: int) -> dict[str, float]:
    """The figures of a real mount, made in a mount namespace of its own."""
    with tempfile.TemporaryDirectory() as place:
        words = [sys.executable, __file__, "--mounted", kind, "--place", place, "--files", str(files)]
        done = subprocess.run(["unshare", "-m", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "unshare failed")
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def inside(kind: str, place: str, files: int) -> None:
    """Runs in the namespace: mount, become uid 1000, measure, print."""
    root = Path(place)
    subprocess.run(["mount", "-t", "tmpfs", "bench", place], check=True)
    os.umask(0)
    deep = root / ("l" + DEEP)
    deep.mkdir(parents=True)
    os.chown(deep, UID, UID)
    for number in range(files):
        path = deep / f"lower{number:05d}"
        path.write_bytes(b"x" * 100)
        os.chown(path, UID, UID)
    stack = []
    for number in range(LAYERS):
        directory = root / f"s{number}/d/e/f"
        directory.mkdir(parents=True)
        (directory / f"n{number:03d}").touch()
        (directory / f"m{number:03d}").touch()
        stack.insert(0, f"s{number}")
    os.chdir(root)
    root.chmod(0o755)
    for name in ("u", "w", "m", "u2", "w2", "m2"):
        (root / name).mkdir()
    make_mount(kind, "lowerdir=l,upperdir=u,workdir=w", "m")
    make_mount(kind, f"lowerdir={':'.join(stack)},upperdir=u2,workdir=w2", "m2")
    os.setgid(UID)
    os.setuid(UID)
    figures = measure(os, f"{place}/m", files) | measure_layers(os, f"{place}/m2", files)
    print(json.dumps(figures))


def make_mount(kind: str, options: str, target: str) -> None:
    """Mount an overlay of one kind."""
    if kind == "kernel":
        subprocess.run(["mount", "-t", "overlay", "bench", "-o", options, target], check=True)
    else:
        subprocess.run(["fuse-overlayfs", "-o", f"{options},allow_other", target], check=True)


def gather(files: int) -> tuple[dict[str, dict[str, float]], list[str]]:
    """All figures by contender, and why some are missing."""
    contenders: dict[str, Callable[[], dict[str, float]]] = {
        "unionfs_sim": lambda: simulator(files),
        "pyfakefs": lambda: pyfakefs(max(files // 5, 100)),
        "MemoryFS": lambda: memory_fs(max(files // 5, 100)),
        "fuse-overlayfs": lambda: mounted("fuse", max(files // 5, 100)),
        "kernel": lambda: mounted("kernel", files),
    }
    figures, missing = {}, []
    for name, run in contenders.items():
        if name in ("fuse-overlayfs", "kernel") and os.geteuid() != 0:
            missing.append(f"{name}: needs root")
        elif name == "fuse-overlayfs" and shutil.which("fuse-overlayfs") is None:
            missing.append(f"{name}: not installed")
        else:
            try:
                figures[name] = run()
            except (ImportError, OSError) as error:
                missing.append(f"{name}: {error}")
    return figures, missing


def main() -> None:
    """Measure everybody and print one table: operations per second, and ours as a multiple of theirs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--mounted", help=argparse.SUPPRESS)
    parser.add_argument("--place", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.mounted:
        inside(chosen.mounted, chosen.place, chosen.files)
        return
    figures, missing = gather(chosen.files)
    if chosen.json:
        print(json.dumps({"per_second": figures, "missing": missing}, indent=2))
        return
    ours = figures["unionfs_sim"]
    others = [name for name in figures if name != "unionfs_sim"]
    print(f"{'operations per second':<36}{'unionfs_sim':>12}" + "".join(f"{name:>24}" for name in others))
    for name, value in ours.items():
        line = f"{name:<36}{value:12,.0f}"
        for other in others:
            theirs = figures[other].get(name)
            line += f"{'–':>24}" if theirs is None else f"{theirs:14,.0f} ({value / theirs:6.1f}×)"
        print(line)
    for reason in missing:
        print("left out:", reason, file=sys.stderr)


if __name__ == "__main__":
    main()
