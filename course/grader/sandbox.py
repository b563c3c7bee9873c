"""The walls around a submission: bubblewrap where it works, else only limits, and then it says so.

The worker sees an interpreter and its standard library, and nothing of the project, wherever that was
installed: folders of packages are covered, and the submission itself comes through a pipe.
"""

from __future__ import annotations

import errno
import functools
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from builder.namespace import seccomp
from course.grader.kind import Isolation

WORKER: Final = Path(__file__).with_name("worker.py")
SCRATCH_BYTES: Final = 16 << 20
"""All that a submission may write in the sandbox, in /tmp and in /dev/shm each."""

MARK: Final = "LAYERLAB_WORKER"

_NUMBER_AT, _FIRST_ARGUMENT_AT = 0, 16
"""Where in ``struct seccomp_data`` (seccomp(2)) the number of the call and its first argument are."""

_CLONE_THREAD: Final = 0x1_0000
_FORKS: Final = {"x86_64": (57, 58)}
"""fork and vfork; other machines have clone alone."""


def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine."""
    return Isolation.BUBBLEWRAP if _walls() else Isolation.NONE


@functools.cache
def _walls() -> tuple[str, ...]:
    """The command line of bubblewrap up to the program; () where it is missing or forbidden.

    The newest form that works is taken: --disable-userns came with 0.8.
    """
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return ()
    forms = [["--disable-userns"], []] if os.getuid() else [[]]
    for form in forms:
        walls = (bwrap, *_bubblewrap(form))
        refused = _refused_calls()
        probe = [*walls, *_seccomp(refused), interpreter(), "-I", "-S", "-c", "import json, resource"]
        done = subprocess.run(probe, capture_output=True, check=False, timeout=60, pass_fds=refused)
        for descriptor in refused:
            os.close(descriptor)
        if done.returncode == 0:
            return walls
    return ()


def _refused_calls() -> list[int]:
    """Descriptors of filters for what no submission needs, as BPF; [] on a machine of another kind."""
    machine = os.uname().machine
    if not seccomp.knows(machine):
        return []
    programs = (seccomp.program(machine), _no_process(machine))
    return [_readable(seccomp.to_bytes(program)) for program in programs]


def _no_process(machine: str) -> list[seccomp.Instruction]:
    """A filter that lets a process start threads and no other process: limits hold for each one by itself."""
    clone = seccomp.number_of("clone", machine)
    assert clone is not None
    refuse = seccomp.Instruction(seccomp.RETURN, 0, 0, seccomp.ERRNO | errno.EPERM)
    found = [seccomp.Instruction(seccomp.LOAD, 0, 0, _NUMBER_AT)]
    for number in _FORKS.get(machine, ()):
        found += [seccomp.Instruction(seccomp.JUMP_EQUAL, 0, 1, number), refuse]
    return [
        *found,
        seccomp.Instruction(seccomp.JUMP_EQUAL, 0, 3, clone),
        seccomp.Instruction(seccomp.LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        seccomp.Instruction(seccomp.JUMP_SET, 1, 0, _CLONE_THREAD),
        refuse,
        seccomp.Instruction(seccomp.RETURN, 0, 0, seccomp.ALLOW),
    ]


def _seccomp(refused: list[int]) -> list[str]:
    return [word for descriptor in refused for word in ("--add-seccomp-fd", str(descriptor))]


def interpreter() -> str:
    """The Python that runs submissions: this one, and not the link in a virtual environment."""
    return os.path.realpath(sys.executable)


@dataclass(slots=True)
class Worker:
    """A running worker: where to ask, where it answers, where it prints."""

    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: int
    printed: int
    mark: str

    def kill(self) -> None:
        """End it and everything that it started; idempotent."""
        if self.answers < 0:
            return
        if self.process.poll() is None:
            # bwrap's --die-with-parent and its pid namespace take the rest; without it, the session goes.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        try:
            self.questions.close()
        except BrokenPipeError:  # a question was left in the buffer, and nobody is there to read it
            pass
        for descriptor in (self.answers, self.printed):
            if descriptor >= 0:
                os.close(descriptor)
        self.answers = self.printed = -1
        if self.mark:
            _kill_marked(self.mark)


def start(source: bytes, function: str, isolation: Isolation) -> Worker:
    """A worker that holds ``source``; its first line says whether that could be loaded."""
    answers_read, answers_write = os.pipe()
    printed_read, printed_write = os.pipe()
    source_read = _readable(source)
    inside = isolation is Isolation.BUBBLEWRAP
    refused = _refused_calls() if inside else []
    # Without a process namespace the kernel counts all of the user's processes.
    others = 0 if inside or os.getuid() == 0 else _tasks_of(os.getuid())
    python = [interpreter(), "-I", "-S", "-u", "-X", "utf8"]
    told = [function, str(answers_write), str(source_read), str(others)]
    mark = "" if inside else os.urandom(8).hex()
    worker = "/worker.py" if inside else str(WORKER)
    try:
        process = subprocess.Popen(
            [*(_walls() if inside else ()), *_seccomp(refused), *python, worker, *told],
            stdin=subprocess.PIPE,
            stdout=printed_write,
            stderr=printed_write,
            pass_fds=(answers_write, source_read, *refused),
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **({MARK: mark} if mark else {})},
            cwd="/",
            start_new_session=True,
        )
    finally:
        for descriptor in (answers_write, printed_write, source_read, *refused):
            os.close(descriptor)
    assert process.stdin is not None
    os.set_blocking(answers_read, False)
    os.set_blocking(printed_read, False)
    return Worker(process, process.stdin, answers_read, printed_read, mark)


def _readable(source: bytes) -> int:
    """A descriptor to read ``source`` from: a file without a name, since it may not fit into a pipe."""
    with tempfile.TemporaryFile(buffering=0) as file:
        file.write(source)
        file.seek(0)
        return os.dup(file.fileno())


def _bubblewrap(form: list[str]) -> list[str]:
    """No network, no capabilities, another uid, an empty environment, and only Python to read."""
    argv = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    argv += ["--die-with-parent", "--cap-drop", "ALL", "--clearenv"]
    if os.getuid() == 0:
        # The kernel does not count root's processes, in no user namespace: the worker becomes nobody itself.
        argv += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        argv += ["--unshare-user", "--uid", "65534", "--gid", "65534", *form]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    for path in ("/tmp", "/dev/shm"):
        argv += ["--perms", "1777", "--size", str(SCRATCH_BYTES), "--tmpfs", path]
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
    argv += ["--remount-ro", "/dev", "--ro-bind", str(WORKER), "/worker.py"]
    return [*argv, "--remount-ro", "/", "--chdir", "/tmp"]


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


def _kill_marked(mark: str) -> None:
    """End what a worker without walls left behind: a daemon leaves the session, but keeps the environment."""
    wanted = f"{MARK}={mark}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:  # it has ended, or is another user's
            continue
