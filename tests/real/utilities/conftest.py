"""Runs the same command lines on Debian's busybox-static and in the simulation, and compares.

A case is a command line without a shell: words in quotes or without, ``|`` and ``;``. Each case has a
directory of its own with the tree that its table gives. Compared are descriptor 1, descriptor 2 (without
busybox's help text), the exit status, and the whole tree afterwards: names, types, modes, owners, links,
contents, and every time of change that is not "just now".
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from builder.world.machine.machine import Machine
from builder.world.machine.process import Process
from builder.world.utilities import UTILITIES
from unionfs_sim.layers.layer import Layer
from unionfs_sim.nodes.caller import ROOT, Caller

LONG_AGO_NS = 1_580_702_706 * 10**9
PASSWD = b"root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\napp:x:1000:1000:App:/home/app:/bin/sh\n"
GROUP = b"root:x:0:\ndaemon:x:1:\nstaff:x:50:app\napp:x:1000:\n"

Tree: TypeAlias = Mapping[str, "str | bytes | int | tuple[Any, ...] | None"]
"""A file: its text, or ``(text, mode[, uid, gid])``; ``"d/": mode``; ``"-> to"``; ``"= other"``; ``"|"``."""


@dataclass(frozen=True)
class Case:
    """One command line; ``files``: in addition to the table's tree."""

    command: str
    stdin: bytes = b""
    files: Tree = field(default_factory=dict)
    uid: int = 0
    sorted: bool = False
    stderr: bool = True
    stdout: bool = True
    compare: Callable[[str, bytes], bytes] | None = None


@dataclass(frozen=True)
class Outcome:
    """What a case did."""

    stdout: bytes
    stderr: bytes
    status: int
    tree: dict[str, tuple[Any, ...]]


_TOKEN = re.compile(r"""\s*(?:([|;])|((?:'[^']*'|"[^"]*"|[^\s'"|;])+))""")


def pipelines(command: str) -> list[list[list[str]]]:
    """The pipelines of a command line, each a list of argument vectors."""
    found: list[list[list[str]]] = [[[]]]
    for operator, word in _TOKEN.findall(command):
        if operator == ";":
            found.append([[]])
        elif operator == "|":
            found[-1].append([])
        else:
            found[-1][-1].append(
                "".join(
                    part[1:-1] if part[0] in "'\"" else part
                    for part in re.findall(r"""'[^']*'|"[^"]*"|[^'"]+""", word)
                )
            )
    return found


class _Buffer:
    def __init__(self, content: bytes = b"") -> None:
        self.content = bytearray(content)

    def read(self, size: int = -1, /) -> bytes:
        taken = bytes(self.content if size < 0 else self.content[:size])
        del self.content[: len(taken)]
        return taken

    def write(self, data: bytes, /) -> int:
        if len(self.content) > 1 << 22:
            raise BrokenPipeError
        self.content += data
        return len(data)

    def close(self) -> None:
        return None


class Bench(Process):
    """A process that finds the utilities, and only them, whatever the tree holds."""

    def spawn(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        fds: Mapping[int, Any] | None = None,
        caller: Caller | None = None,
    ) -> int:
        name = argv[0].rpartition("/")[2]
        if name not in UTILITIES:
            self.complain(f"{argv[0]}: No such file or directory")
            return 127
        variables = dict(self.env if env is None else env)
        return UTILITIES[name](replace(self, argv=argv, env=variables, fds={**self.fds, **(fds or {})}))


def _entries(tree: Tree) -> Iterator[tuple[str, str, Any, int | None, tuple[int, int]]]:
    for name, value in tree.items():
        mode: int | None = None
        owner = (0, 0)
        if isinstance(value, tuple):
            value, mode, *rest = value
            owner = (rest[0], rest[1]) if rest else owner
        if name.endswith("/"):
            yield name.rstrip("/"), "d", None, value if isinstance(value, int) else mode, owner
        elif isinstance(value, str) and value.startswith("-> "):
            yield name, "l", value[3:], None, owner
        elif isinstance(value, str) and value.startswith("= "):
            yield name, "h", value[2:], None, owner
        elif value == "|":
            yield name, "p", None, mode, owner
        else:
            yield name, "f", value.encode() if isinstance(value, str) else value, mode, owner


def build(fs: Any, root: str, tree: Tree) -> None:
    """Make the tree below ``root``, by the verbs that ``os`` and the simulation share."""
    fs.mkdir(root, 0o755)
    paths = []
    for name, kind, content, mode, owner in _entries(tree):
        path = f"{root}/{name}"
        paths.append((path, kind, mode, owner))
        match kind:
            case "d":
                fs.mkdir(path, 0o755)
            case "l":
                fs.symlink(content, path)
            case "h":
                fs.link(f"{root}/{content}", path)
            case "p":
                fs.mknod(path, stat.S_IFIFO | 0o644)
            case "f" if fs is os:
                Path(path).write_bytes(content)
            case _:
                fs.write_bytes(path, content)
    for path, kind, mode, owner in [*reversed(paths), (root, "d", 0o777, (0, 0))]:
        fs.chown(path, *owner, follow_symlinks=False)
        if mode is not None and kind != "l":
            fs.chmod(path, mode)
        fs.utime(path, ns=(LONG_AGO_NS, LONG_AGO_NS), follow_symlinks=False)


def snapshot(
    fs: Any, root: str, since_ns: int, compare: Callable[[str, bytes], bytes] | None
) -> dict[str, tuple[Any, ...]]:
    """Everything below ``root``."""
    found: dict[str, tuple[Any, ...]] = {}
    firsts: dict[int, str] = {}

    def visit(path: str, name: str) -> None:
        status = fs.lstat(path)
        kind = stat.S_IFMT(status.st_mode)
        content: Any = None
        if kind == stat.S_IFREG:
            content = Path(path).read_bytes() if fs is os else fs.read_bytes(path)
            content = compare(name, content) if compare else content
        elif kind == stat.S_IFLNK:
            content = fs.readlink(path)
        elif kind != stat.S_IFDIR:
            content = status.st_rdev
        same = firsts.setdefault(status.st_ino, name) if kind != stat.S_IFDIR else name
        recent = status.st_mtime_ns > since_ns
        found[name] = (
            oct(status.st_mode),
            status.st_uid,
            status.st_gid,
            content,
            same,
            "now" if recent else status.st_mtime_ns,
        )
        if kind == stat.S_IFDIR:
            for child in sorted(fs.listdir(path)):
                visit(f"{path}/{child}", f"{name}/{child}")

    visit(root, ".")
    return found


def _said(text: bytes) -> bytes:
    """Descriptor 2 without the help text after a wrong command line, and the directory of the program."""
    text = re.sub(rb"(?m)^/bin/(\S+: )", rb"\1", text)
    lines = [line for line in text.split(b"\n") if not line.startswith(b"BusyBox v")]
    for at, line in enumerate(lines):
        if line.startswith(b"Usage: "):
            return b"\n".join([*(part for part in lines[:at] if part), b"Usage"])
    return b"\n".join(lines).rstrip(b"\n")


class Comparison:
    """One chroot with busybox in it, and a layer that is its twin."""

    def __init__(self, place: Path, busybox: str) -> None:
        self.place = place
        self.count = 0
        self.started_ns = time.time_ns() - 86_400 * 10**9
        for name in ("bin", "etc", "tmp", "c", "r", "dev", "home"):
            (place / name).mkdir()
        (place / "tmp").chmod(0o1777)
        shutil.copy(busybox, place / "bin/busybox")
        for name in sorted(UTILITIES):
            (place / "bin" / name).symlink_to("busybox")
        (place / "bin/sh").symlink_to("busybox")
        (place / "etc/passwd").write_bytes(PASSWD)
        (place / "etc/group").write_bytes(GROUP)
        self._lend_coreutils(busybox)
        for name in ("passwd", "group"):
            os.utime(place / "etc" / name, ns=(LONG_AGO_NS, LONG_AGO_NS))
        os.mknod(place / "dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))

    def _lend_coreutils(self, busybox: str) -> None:
        """For what Debian's busybox lacks, coreutils is the oracle, with the libraries that it needs."""
        applets = subprocess.run(
            [busybox, "--list"], capture_output=True, text=True, check=True
        ).stdout.split()
        for name in sorted(set(UTILITIES) - set(applets)):
            found = shutil.which(name)
            (self.place / "bin" / name).unlink()
            if found is None:
                continue
            shutil.copy(found, self.place / "bin" / name)
            libraries = subprocess.run(["ldd", found], capture_output=True, text=True, check=True).stdout
            for library in re.findall(r"(/\S+) \(", libraries):
                target = self.place / library[1:]
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(library, target)

    @cached_property
    def twin(self) -> Layer:
        """The layer that every case begins with a copy of."""
        layer = Layer(clock=time.time_ns)
        for name in ("bin", "etc", "tmp", "c", "dev", "home"):
            layer.mkdir(f"/{name}")
        layer.chmod("/tmp", 0o1777)
        layer.write_bytes("/bin/busybox", b"\x7fSIM busybox\n", 0o777)
        for name in sorted(UTILITIES):
            layer.symlink("busybox", f"/bin/{name}")
        layer.symlink("busybox", "/bin/sh")
        layer.write_bytes("/etc/passwd", PASSWD)
        layer.write_bytes("/etc/group", GROUP)
        for name in ("passwd", "group"):
            layer.utime(f"/etc/{name}", ns=(LONG_AGO_NS, LONG_AGO_NS))
        layer.mknod("/dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        return layer

    def real(self, cases: Sequence[tuple[str, Case, Tree]]) -> list[Outcome]:
        for uid in {case.uid for _, case, _ in cases}:
            script = []
            for name, case, tree in cases:
                if case.uid != uid:
                    continue
                build(os, f"{self.place}/c/{name}", tree)
                (self.place / "r" / f"{name}.in").write_bytes(case.stdin)
                line = " ; ".join(
                    " | ".join(shlex.join(["/bin/" + argv[0], *argv[1:]]) for argv in pipeline)
                    for pipeline in pipelines(case.command)
                )
                script.append(
                    f"cd /c/{name}; {{ {line} ; }} </r/{name}.in >/r/{name}.out 2>/r/{name}.err; "
                    f"echo $? >/r/{name}.status\n"
                )
            self.place.joinpath("r").chmod(0o777)
            os.chown(self.place / "r", uid, uid)
            for leftover in self.place.joinpath("r").iterdir():
                os.chown(leftover, uid, uid)
            (self.place / "r/script").write_text("".join(script))
            subprocess.run(
                [
                    shutil.which("chroot") or "/usr/sbin/chroot",
                    f"--userspec={uid}:{uid}",
                    "--groups=",
                    str(self.place),
                    "/bin/busybox",
                    "sh",
                    "-c",
                    "umask 022; . /r/script",
                ],
                env={"PATH": "/bin", "HOME": "/"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=60,
            )
            (self.place / "r/script").unlink()
        return [self._outcome(name, case) for name, case, _ in cases]

    def _outcome(self, name: str, case: Case) -> Outcome:
        results = self.place / "r" / name
        tree = snapshot(os, f"{self.place}/c/{name}", self.started_ns, case.compare)
        shutil.rmtree(self.place / "c" / name)
        read = [results.with_suffix(suffix).read_bytes() for suffix in (".out", ".err", ".status")]
        return Outcome(read[0], read[1], int(read[2]), tree)

    def simulated(self, name: str, case: Case, tree: Tree) -> Outcome:
        layer = self.twin.copy()
        root = f"/c/{name}"
        build(layer, root, tree)
        caller = ROOT if case.uid == 0 else Caller(case.uid, case.uid)
        fs = layer.acting_as(caller, cwd=root)
        out, err = _Buffer(), _Buffer()
        status = 0
        stdin = _Buffer(case.stdin)
        machine = Machine(clock=time.time_ns)
        for pipeline in pipelines(case.command):
            source = stdin
            for at, argv in enumerate(pipeline):
                sink = out if at == len(pipeline) - 1 else _Buffer()
                process = Bench(
                    machine,
                    UTILITIES,
                    fs,
                    argv,
                    {"PATH": "/bin", "HOME": "/"},
                    root,
                    {0: source, 1: sink, 2: err},
                )
                try:
                    status = UTILITIES[argv[0]](process)
                except BrokenPipeError:
                    status = 141
                source = sink
        return Outcome(
            bytes(out.content),
            bytes(err.content),
            status,
            snapshot(layer, root, self.started_ns, case.compare),
        )

    def differences(self, tree: Tree, commands: Sequence[str | Case]) -> list[str]:
        """What differs, case by case, in words."""
        cases = []
        for command in commands:
            case = command if isinstance(command, Case) else Case(command)
            self.count += 1
            cases.append((f"{self.count:04d}", case, {**tree, **case.files}))
        found = []
        for (name, case, files), real in zip(cases, self.real(cases), strict=True):
            real, mine = _comparable(real, case), _comparable(self.simulated(name, case, files), case)
            if real != mine:
                found.append(f"{case.command}\n{_difference(real, mine)}")
        return found


def _comparable(outcome: Outcome, case: Case) -> Outcome:
    stdout = outcome.stdout
    if case.sorted:
        stdout = b"\n".join(sorted(stdout.split(b"\n")))
    return replace(
        outcome, stdout=stdout if case.stdout else b"", stderr=_said(outcome.stderr) if case.stderr else b""
    )


def _difference(real: Outcome, mine: Outcome) -> str:
    found: list[tuple[str, Any, Any]] = []
    for name in ("stdout", "stderr", "status"):
        found.append((name, getattr(real, name), getattr(mine, name)))
    for path in sorted({*real.tree, *mine.tree}):
        found.append((path, real.tree.get(path), mine.tree.get(path)))
    return "\n".join(
        f"    {name}: busybox {there!r}\n    {' ' * len(name)}  here    {here!r}"
        for name, there, here in found
        if there != here
    )


def _directory_in_memory() -> str | None:
    """A place where making thousands of files is quick; None: the usual one will do."""
    place = Path("/dev/shm")
    if not os.access(place, os.W_OK) or os.statvfs(place).f_flag & os.ST_NOEXEC:
        return None
    return str(place)


@pytest.fixture(scope="session")
def comparison() -> Iterator[Comparison]:
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    busybox = shutil.which("busybox")
    assert busybox is not None
    old = os.umask(0o022)
    try:
        with tempfile.TemporaryDirectory(dir=_directory_in_memory()) as place:
            Path(place).chmod(0o755)
            yield Comparison(Path(place), busybox)
    finally:
        os.umask(old)


@pytest.fixture
def same(comparison: Comparison) -> Callable[..., None]:
    """Fails unless every command does in the simulation what it does on busybox; at least ten of them."""

    def check(tree: Tree, commands: Sequence[str | Case], *, least: int = 10) -> None:
        assert len(commands) >= least
        differing = comparison.differences(tree, commands)
        assert not differing, f"{len(differing)} of {len(commands)} differ:\n" + "\n".join(differing)

    return check


@pytest.fixture(scope="session")
def case() -> type[Case]:
    """A case with more than a command line."""
    return Case
