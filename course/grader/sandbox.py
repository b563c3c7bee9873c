"""The walls around a submission: bubblewrap where it is installed, else none, and then it says so."""

from __future__ import annotations

import enum
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

WORKER: Final = Path(__file__).with_name("worker.py")


class Isolation(enum.Enum):
    """What stands between a submission and the machine; printed with every result."""

    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


def best_isolation() -> Isolation:
    """The strongest isolation that works on this machine."""
    bwrap = shutil.which("bwrap")
    if bwrap is None:
        return Isolation.NONE
    probe = [bwrap, "--unshare-all", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(probe, capture_output=True, check=False, timeout=10)
    return Isolation.BUBBLEWRAP if done.returncode == 0 else Isolation.NONE


@dataclass(slots=True)
class Worker:
    """A running worker: where to ask, where it answers, where it prints."""

    process: subprocess.Popen[bytes]
    questions: IO[bytes]
    answers: int
    printed: int

    def kill(self) -> None:
        """End it and everything that it started; idempotent."""
        if self.process.poll() is None:
            # bwrap's --die-with-parent and its pid namespace take the rest; without it, the session goes.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.questions.close()
        for descriptor in (self.answers, self.printed):
            if descriptor >= 0:
                os.close(descriptor)
        self.answers = self.printed = -1


def start(submission: Path, function: str, isolation: Isolation) -> Worker:
    """A worker that holds ``submission``; its first line says whether that could be loaded."""
    answers_read, answers_write = os.pipe()
    printed_read, printed_write = os.pipe()
    if isolation is Isolation.BUBBLEWRAP:
        argv = _bubblewrap(submission) + _python("/worker.py", "/submission.py", function, answers_write)
    else:
        argv = _python(str(WORKER), str(submission), function, answers_write)
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=printed_write,
            stderr=printed_write,
            pass_fds=(answers_write,),
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(answers_write)
        os.close(printed_write)
    assert process.stdin is not None
    os.set_blocking(answers_read, False)
    os.set_blocking(printed_read, False)
    return Worker(process, process.stdin, answers_read, printed_read)


def _python(worker: str, submission: str, function: str, answers: int) -> list[str]:
    return [
        os.path.realpath(sys.executable),
        "-I",
        "-S",
        "-X",
        "utf8",
        worker,
        submission,
        function,
        str(answers),
    ]


def _bubblewrap(submission: Path) -> list[str]:
    """No network, no capabilities, another uid, an empty environment, and only Python to read."""
    argv = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--clearenv"]
    argv += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    runtime = {
        os.path.realpath(sys.base_prefix),
        *(p for p in ("/usr", "/lib", "/lib64", "/bin") if Path(p).exists()),
    }
    for path in sorted(runtime):
        argv += (
            ["--symlink", os.readlink(path), path] if Path(path).is_symlink() else ["--ro-bind", path, path]
        )
    argv += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]
    argv += ["--ro-bind", str(WORKER), "/worker.py", "--ro-bind", str(submission.resolve()), "/submission.py"]
    return argv
