"""The walls around a submission: bubblewrap where it works, else Landlock, else none, and then it says so.

The worker sees an interpreter and its standard library, and nothing of the project, wherever that was
installed: folders of packages are covered, and the submission itself comes through a pipe.
"""

from __future__ import annotations

import base64
import functools
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from builder.namespace import seccomp, syscalls
from course.grader import calls
from course.grader.kind import Isolation
from course.grader.zygote import STABLE, Zygote, ZygoteError

WORKER: Final = Path(__file__).with_name("worker.py")
SCRATCH_BYTES: Final = 16 << 20
"""All that a submission may write in the sandbox, in /tmp and in /dev/shm each."""

NOBODY: Final = 65534
MANY_IDS: Final = 1 << 30
"""Root's submissions are a nobody each, so that the kernel does not count one's threads as another's."""


class NoIsolationError(Exception):
    """What was asked for does not work on this machine; the text says why."""


@functools.cache
def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine; found out by trying."""
    for isolation in (Isolation.BUBBLEWRAP, Isolation.LANDLOCK):
        if not why_not(isolation):
            return isolation
    return Isolation.NONE


@functools.cache
def why_not(isolation: Isolation) -> str:
    """Why a submission cannot be held so on this machine; "" if it can."""
    try:
        worker = start(b"def ready(): pass\n", "ready", isolation)
    except NoIsolationError as error:
        return str(error)
    try:
        os.set_blocking(worker.answers, True)
        said = os.read(worker.answers, 1 << 12).decode(errors="replace").strip()
    finally:
        worker.kill()
    return "" if said == '{"ready": true}' else said


def interpreter() -> str:
    """The Python that runs submissions: this one, and not the link in a virtual environment."""
    return os.path.realpath(sys.executable)


@dataclass(slots=True)
class Worker:
    """A running worker: where to ask, where it answers, where it prints.

    ``worked``: the seconds of processor time that it took, known when it was killed.
    """

    zygote: Zygote
    questions: IO[bytes]
    answers: int
    printed: int
    worked: float = 0.0

    def kill(self) -> None:
        """End it and everything that it started; idempotent."""
        if self.answers < 0:
            return
        try:
            self.worked = float(str(self.zygote.ask({"end": True})["ended"]))
        except ZygoteError:
            STABLE.drop(self.zygote)
        else:
            STABLE.give_back(self.zygote)
        try:
            self.questions.close()
        except BrokenPipeError:  # a question was left in the buffer, and nobody is there to read it
            pass
        for descriptor in (self.answers, self.printed):
            if descriptor >= 0:
                os.close(descriptor)
        self.answers = self.printed = -1


def start(source: bytes, function: str, isolation: Isolation) -> Worker:
    """A worker that holds ``source``; its first line says whether that could be loaded.

    NoIsolationError where this machine cannot hold it so.
    """
    source_read = _readable(source)
    questions_read, questions_write = os.pipe()
    answers_read, answers_write = os.pipe()
    printed_read, printed_write = os.pipe()
    theirs = (source_read, questions_read, answers_write, printed_write)
    try:
        zygote = _forked(function, isolation, theirs)
    except NoIsolationError:
        for descriptor in (questions_write, answers_read, printed_read):
            os.close(descriptor)
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
    os.set_blocking(answers_read, False)
    os.set_blocking(printed_read, False)
    return Worker(zygote, os.fdopen(questions_write, "wb"), answers_read, printed_read)


def _forked(function: str, isolation: Isolation, descriptors: tuple[int, ...]) -> Zygote:
    """A warm process that has a child; a new one if the idle one was no use any more."""
    while True:
        idle = STABLE.take(isolation.value)
        zygote = idle or _warmed(isolation)
        order = {"function": function, "uid": _uid(zygote.number), "others": _others(isolation)}
        try:
            zygote.fork(order, descriptors)
        except ZygoteError as error:
            STABLE.drop(zygote)
            if idle is None:
                raise NoIsolationError(str(error)) from None
        else:
            return zygote


def _warmed(isolation: Isolation) -> Zygote:
    """A new warm process."""
    python = [interpreter(), "-I", "-S", "-u", "-X", "utf8"]
    inside = isolation is Isolation.BUBBLEWRAP
    argv = [*_bubblewrap(), *python, "/worker.py"] if inside else [*python, str(WORKER)]
    try:
        return STABLE.start(isolation.value, argv, _holds(isolation))
    except ZygoteError as error:
        raise NoIsolationError(str(error)) from None


def _holds(isolation: Isolation) -> dict[str, object]:
    """What shall hold the children of a warm process."""
    machine = os.uname().machine
    known = sys.platform == "linux" and seccomp.knows(machine)
    inside = isolation is Isolation.BUBBLEWRAP
    if not known and isolation in (Isolation.BUBBLEWRAP, Isolation.LANDLOCK):
        raise NoIsolationError(f"the system calls of this machine are not known: {machine}")
    filters = calls.filters(shares_processes=not inside) if known else []
    return {
        "namespaces": inside,
        "scratch": _scratch() if inside else [],
        "scratch_bytes": SCRATCH_BYTES,
        "landlock": sorted(_readable_paths()) if isolation is Isolation.LANDLOCK else None,
        "filters": [base64.b64encode(program).decode() for program in filters],
        "numbers": dict(syscalls.NUMBERS[machine]) if known else {},
    }


def _uid(number: int) -> int:
    """Who a submission becomes if root grades."""
    try:
        mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    except OSError:
        return NOBODY
    wanted = MANY_IDS + number
    return wanted if any(int(at) <= wanted < int(at) + int(count) for at, _, count in mapped) else NOBODY


@functools.cache
def _others(isolation: Isolation) -> int:
    """How many processes the kernel counts beside a submission's own, if it counts them together."""
    return 0 if isolation is Isolation.BUBBLEWRAP or os.getuid() == 0 else 64 + _tasks_of(os.getuid())


def _readable(source: bytes) -> int:
    """A descriptor to read ``source`` from: a file without a name, since it may not fit into a pipe."""
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(source)
        file.seek(0)
        return os.dup(file.fileno())


def _bubblewrap() -> list[str]:
    """No network, an empty environment, only Python to read; the powers left each child gives up itself."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        raise NoIsolationError("bubblewrap is not installed")
    argv = [bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    argv += ["--clearenv", "--cap-drop", "ALL"]
    powers = ["CAP_SYS_ADMIN"]
    if os.getuid() == 0:
        powers += ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"]
    else:
        argv += ["--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    for power in powers:
        argv += ["--cap-add", power]
    argv += ["--dev", "/dev", "--perms", "1777", "--size", "4096", "--tmpfs", "/tmp"]
    # Else bubblewrap makes them as closed as those that it found, and nobody could not pass.
    for parent in sorted(
        {str(parent) for path in _runtime() for parent in Path(path).parents} - {"/", "/tmp"}
    ):
        argv += ["--perms", "0755", "--dir", parent]
    for path in _runtime():
        link = Path(path).is_symlink()
        argv += ["--symlink", os.readlink(path), path] if link else ["--ro-bind", path, path]
    for path in _covered():
        argv += ["--size", "4096", "--tmpfs", path, "--remount-ro", path]
    argv += ["--remount-ro", "/tmp", "--remount-ro", "/dev", "--ro-bind", str(WORKER), "/worker.py"]
    return [*argv, "--remount-ro", "/"]


def _scratch() -> list[str]:
    """Where a submission may write: not where the interpreter lies."""
    return [
        folder
        for folder in ("/tmp", "/dev/shm")
        if not any(path.startswith(f"{folder}/") for path in _runtime())
    ]


def _readable_paths() -> Iterator[tuple[str, bool]]:
    """What Landlock lets be read: paths, and whether all that lies below may be.

    It cannot take away what lies in a folder that it granted, so folders that hold packages are granted
    entry by entry.
    """
    yield "/dev/null", True
    covered = _covered()
    waiting = [path for path in _runtime() if not Path(path).is_symlink()]
    while waiting:
        path = waiting.pop()
        if path in covered:
            continue
        is_whole = not any(hidden.startswith(f"{path}/") for hidden in covered)
        yield path, is_whole
        if not is_whole:
            waiting += [entry.path for entry in os.scandir(path) if not entry.is_symlink()]


def _runtime() -> list[str]:
    """What an interpreter needs: itself, the libraries of the machine and its own."""
    prefix = os.path.realpath(sys.base_prefix)
    wanted = {"/lib", "/lib64", "/lib32", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache"}
    wanted |= {interpreter(), f"{prefix}/lib", sysconfig.get_path("stdlib")}
    return _outermost(path for path in wanted if os.path.lexists(path))


def _outermost(paths: Iterable[str]) -> list[str]:
    """The paths that lie in no other of them, sorted; a symlink holds nothing."""
    known = sorted(set(paths))
    folders = [f"{path}/" for path in known if not Path(path).is_symlink()]
    return [path for path in known if not any(path.startswith(folder) for folder in folders)]


def _covered() -> list[str]:
    """Folders inside of what is shown that hold packages, the project's among them."""
    shown = [path for path in _runtime() if Path(path).is_dir() and not Path(path).is_symlink()]
    project = Path(__file__).resolve().parents[2]
    found = {str(project / package) for package in ("course", "builder", "unionfs_sim")}
    for path in shown:
        for pattern in ("python3*", "python3*/*", "*"):
            found |= {
                str(folder)
                for folder in Path(path).glob(f"{pattern}/*-packages")
                if folder.is_dir() and not folder.is_symlink()
            }
        found |= {str(f) for f in Path(path).glob("*-packages") if f.is_dir() and not f.is_symlink()}
    return _outermost(path for path in found if any(path.startswith(top + "/") for top in shown))


def _tasks_of(uid: int) -> int:
    """How many threads of ``uid`` there are: what RLIMIT_NPROC counts."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid == uid:
                count += len(os.listdir(process / "task"))
        except OSError:  # it has ended
            continue
    return count
