"""The grader survives what a submission may do, and scores what it deserves."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest

from course.exercise import Exercise
from course.grader import sandbox
from course.grader.grade import Result, grade, grade_bytes
from course.grader.kind import Conditions, Isolation
from course.grader.kinds import function
from course.grader.sandbox import best_isolation, start, why_not

PATIENCE = 4.0
"""The machine that runs the suite is busy with it."""

CHECKS = """
from course.check import Case

def cases(seed):
    yield Case("one", args=(1,), expected=1)
    yield Case("one", args=([1, 2, 3],), expected=[1, 2, 3])
    yield Case("two", args=("a",), expected="a")
"""
TOML = """
id = "0.1"
slug = "echo"
kind = "function"
module = "0"
file = "echo.py"
function = "echo"
generator = 1
[groups]
one = 3
two = 2
[mutants]
"""
RIGHT = "def echo(x):\n    return x\n"


@pytest.fixture
def echo(tmp_path: Path) -> Exercise:
    folder = tmp_path / "exercise"
    folder.mkdir()
    (folder / "exercise.toml").write_text(TOML)
    (folder / "checks.py").write_text(CHECKS)
    return Exercise.read(folder)


@pytest.fixture(
    params=[Isolation.NONE, Isolation.LANDLOCK, Isolation.BUBBLEWRAP], ids=lambda each: each.value
)
def isolation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Isolation:
    if request.param is Isolation.NONE and not readable_by_nobody(sandbox.interpreter()):
        other = shutil.which("python3", path="/usr/bin:/usr/local/bin")
        if other is None or not readable_by_nobody(other):
            pytest.skip("root's submissions run as nobody, who cannot read any Python here")
        monkeypatch.setattr(sandbox, "interpreter", lambda: os.path.realpath(other))
    return held(request.param)


@pytest.fixture(params=[Isolation.LANDLOCK, Isolation.BUBBLEWRAP], ids=lambda each: each.value)
def walled(request: pytest.FixtureRequest) -> Isolation:
    return held(request.param)


def held(isolation: Isolation) -> Isolation:
    if isolation is not Isolation.NONE and (why := why_not(isolation)):
        pytest.skip(f"{isolation.value} does not work here: {why}")
    return isolation


def readable_by_nobody(python: str) -> bool:
    if os.getuid():
        return True
    return all(parent.stat().st_mode & 0o001 for parent in Path(python).resolve().parents)


def graded(exercise: Exercise, source: str | bytes, isolation: Isolation) -> Result:
    submission = exercise.folder.parent / "submission.py"
    submission.write_bytes(source if isinstance(source, bytes) else source.encode())
    return grade(exercise, submission, seed="s", conditions=Conditions(isolation, PATIENCE))


def test_a_right_answer_scores_everything(echo: Exercise, isolation: Isolation) -> None:
    result = graded(echo, RIGHT, isolation)

    assert result.passed
    assert result.points == 5


def test_a_group_scores_all_or_nothing(echo: Exercise, isolation: Isolation) -> None:
    result = graded(echo, "def echo(x):\n    return x if x != [1, 2, 3] else []\n", isolation)

    assert [(group.name, group.passed) for group in result.groups] == [("one", False), ("two", True)]
    assert result.points == 2


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("def echo(x):\n    while True: pass\n", "too-slow"),
        ("import os\ndef echo(x):\n    os._exit(0)\n", "ended"),
        ("def echo(x):\n    while True: print('a' * 4096, flush=True)\n", "flood"),
        ("import os\ndef echo(x):\n    os.close(3)\n    [os.close(n) for n in range(3, 32)]\n", "raised"),
        ("def echo(x):\n    return [0] * 10**10\n", "raised"),
        ("import os\ndef echo(x):\n    os.kill(0, 9)\n    os.kill(-1, 9)\n    os._exit(0)\n", "raised"),
        ("def echo(x):\n    return object()\n", "raised"),
        ("class Any:\n    def __eq__(self, other): return True\ndef echo(x):\n    return Any()\n", "raised"),
        ("def echo(x):\n    return True\n", "wrong-type"),
        ("def echo(x):\n    raise SystemExit(0)\n", "raised"),
        ("def echo(x):\n    return float('nan')\n", "raised"),
        ("def echo(x):\n    open('/etc/passwd', 'a')\n", "raised"),
    ],
)
def test_a_hostile_answer_costs_its_case(echo: Exercise, source: str, reason: str) -> None:
    result = graded(echo, source, best_isolation())

    assert result.points == 0
    assert result.groups[0].failure is not None
    assert result.groups[0].failure.how in {reason, "ended"}


def test_writing_to_the_answer_channel_unasked_is_a_protocol_error(
    echo: Exercise, isolation: Isolation
) -> None:
    forged = (
        "import os\n"
        "def echo(x):\n"
        "    for fd in range(3, 32):\n"
        '        try: os.write(fd, b\'{"nonce": "guess", "value": 1}\\n\')\n'
        "        except OSError: pass\n"
        "    return x\n"
    )

    result = graded(echo, forged, isolation)

    assert result.points == 0
    assert {group.failure.how for group in result.groups if group.failure} <= {
        "protocol",
        "not-asked",
        "ended",
    }


def test_a_fork_bomb_ends_with_its_worker(echo: Exercise) -> None:
    bomb = "import os\ndef echo(x):\n    while True:\n        try: os.fork()\n        except OSError: pass\n"

    result = graded(echo, bomb, best_isolation())

    assert result.points == 0


def test_a_thread_left_behind_does_not_keep_the_grader(echo: Exercise, isolation: Isolation) -> None:
    source = (
        "import threading, time\n"
        "def echo(x):\n    threading.Thread(target=time.sleep, args=(3600,)).start()\n    return x\n"
    )

    assert graded(echo, source, isolation).passed


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"def echo(x:\n", "not-python"),
        (b"def echo(x):\n    return '\xff'\n", "not-python"),
        (b"\x00", "not-python"),
        (b"(" * 5000, "not-python"),
        (b'{"cells": [], "nbformat": 4}', "notebook"),
        (b"#" * ((1 << 20) + 1), "too-large"),
        (b"x = 1\n", "not-loaded"),
        (b"echo = 3\n", "not-loaded"),
        (b"1/0\n", "not-loaded"),
        (b"while True: pass\n", "too-slow"),
        (b"import os; os._exit(3)\n", "ended"),
    ],
)
def test_what_cannot_be_run_is_refused_with_the_reason(echo: Exercise, source: bytes, reason: str) -> None:
    result = graded(echo, source, best_isolation())

    assert result.refused is not None
    assert result.refused[0] == reason
    assert result.points == 0


def test_the_sandbox_hides_the_machine(echo: Exercise, walled: Isolation) -> None:
    (echo.folder.parent / "canary").write_text("secret")
    peek = f"def echo(x):\n    return open({str(echo.folder.parent / 'canary')!r}).read()\n"

    result = graded(echo, peek, walled)

    assert result.groups[0].failure is not None
    error = "FileNotFoundError" if walled is Isolation.BUBBLEWRAP else "PermissionError"
    assert error in str(result.groups[0].failure.fields["detail"])


def answered(exercise: Exercise, body: str, isolation: Isolation) -> str:
    """What a submission with ``body`` found out, as the answer that was wrong."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    result = graded(exercise, f"import os\ndef echo(x):\n{indented}", isolation)
    assert result.refused is None
    assert result.groups[0].failure is not None
    return str(result.groups[0].failure.fields["detail"])


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_a_submission_can_fill_no_more_than_its_scratch(echo: Exercise, folder: str) -> None:
    walled = held(Isolation.BUBBLEWRAP)
    fill = f"""\
written = 0
try:
    for number in range(1000):
        with open("{folder}/%d" % number, "wb", buffering=0) as file:
            written += file.write(bytes(1 << 20))
except OSError as error:
    return [written <= {sandbox.SCRATCH_BYTES}, error.strerror]"""

    assert answered(echo, fill, walled) == "[True, 'No space left on device']"


def test_nothing_outside_of_scratch_can_be_written(echo: Exercise, walled: Isolation) -> None:
    write = """\
written = []
for folder in ("/", "/dev", "/usr", "/lib", "/proc"):
    try:
        open(os.path.join(folder, "x"), "w")
        written.append(folder)
    except OSError:
        pass
return written"""

    assert answered(echo, write, walled) == "[]"


def test_a_submission_is_nobody_and_cannot_become_root(echo: Exercise, walled: Isolation) -> None:
    become = """\
try:
    os.setuid(0)
except OSError:
    return list(os.getresuid() + os.getresgid()) + os.getgroups()"""

    ids = set(answered(echo, become, walled).strip("[]").split(", "))
    assert len(ids) == 1
    assert int(ids.pop()) >= (sandbox.NOBODY if os.getuid() == 0 else 1)


def test_a_submission_can_start_no_process_whoever_grades(echo: Exercise, walled: Isolation) -> None:
    bomb = """\
import time
made = 0
try:
    while made < 100:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        made += 1
except OSError:
    pass
return made"""

    assert answered(echo, bomb, walled) == "0"


def test_a_submission_can_make_no_namespace_and_mount_nothing(echo: Exercise, walled: Isolation) -> None:
    make = """\
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
made = [libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x20000000)]
return made + [libc.mount(b"none", b"/tmp", b"tmpfs", 0, None)]"""

    assert answered(echo, make, walled) == "[-1, -1, -1, -1]"


def test_a_submission_can_start_threads(echo: Exercise, walled: Isolation) -> None:
    threads = """\
import threading
seen = []
thread = threading.Thread(target=lambda: seen.append("thread"))
thread.start()
thread.join()
return seen"""

    assert answered(echo, threads, walled) == "['thread']"


def test_the_sandbox_has_no_network(echo: Exercise, walled: Isolation) -> None:
    look = "import socket\nreturn [name for _, name in socket.if_nameindex()]"

    found = answered(echo, look, walled)
    assert found in ("['lo']", "[]") or "PermissionError" in found


def test_a_submission_reaches_no_other_process_and_no_attribute_of_a_file(
    echo: Exercise, walled: Isolation
) -> None:
    canary = echo.folder.parent / "canary"
    canary.write_text("mine")
    canary.chmod(0o666)
    before = canary.stat()
    reach = f"""\
import resource
done = []
for name, act in {{
    "kill": lambda: os.kill({os.getpid()}, 0),
    "limit": lambda: resource.prlimit({os.getpid()}, resource.RLIMIT_CPU),
    "affinity": lambda: os.sched_setaffinity({os.getpid()}, os.sched_getaffinity(0)),
    "priority": lambda: os.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19),
    "chmod": lambda: os.chmod({str(canary)!r}, 0),
    "utime": lambda: os.utime({str(canary)!r}, (0, 0)),
    "setxattr": lambda: os.setxattr({str(canary)!r}, "user.mine", b""),
    "truncate": lambda: os.truncate({str(canary)!r}, 0),
    "unlink": lambda: os.unlink({str(canary)!r}),
    "listdir": lambda: os.listdir({str(echo.folder)!r}),
}}.items():
    try:
        act()
        done.append(name)
    except OSError:
        pass
return done"""

    assert answered(echo, reach, walled) == "[]"
    assert canary.stat() == before


def test_a_submission_finds_nothing_of_the_one_before(echo: Exercise, walled: Isolation) -> None:
    leave = """\
import json
found = ["environ"] * ("LEFT" in os.environ) + ["module"] * hasattr(json, "left")
for folder in ("/tmp", "/dev/shm"):
    try:
        found += os.listdir(folder)
        open(os.path.join(folder, "left"), "w")
    except OSError:
        pass
os.environ["LEFT"], json.left = "behind", True
return found"""

    assert answered(echo, leave, walled) == "[]"
    assert answered(echo, leave, walled) == "[]"


def test_a_daemon_does_not_outlive_the_grading(echo: Exercise, isolation: Isolation) -> None:
    word = f"layerlab-daemon-{os.urandom(6).hex()}"
    source = f"""
import os, sys, time
def echo(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, ["python", "-c", "import time; time.sleep(60)", "{word}"])
        os._exit(0)
    time.sleep(0.2)
    return x
"""

    graded(echo, source, isolation)

    deadline = time.monotonic() + 10  # a process namespace ends a moment after its first process
    while runs(word) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(word)


def runs(word: str) -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


def test_the_project_cannot_be_imported(echo: Exercise, walled: Isolation) -> None:
    look = """\
import site, sys, sysconfig
folders = {*site.getsitepackages(), *sysconfig.get_paths().values(), *sys.path}
found = []
for top in folders:
    for base, dirs, files in os.walk(top):
        found += [base for name in (*dirs, *files) if name in ("unionfs_sim", "checks.py")]
return found"""

    assert answered(echo, look, walled) == "[]"


def test_a_large_source_is_not_parsed_by_the_grader(echo: Exercise) -> None:
    result = graded(echo, "x = [" + "[]," * 300_000 + "]\n", best_isolation())

    assert result.refused is not None  # and whatever that cost was the worker's


SLOW = "import time\ndef echo(x):\n    time.sleep(0.3)\n    return x\n"


@pytest.mark.parametrize(("seconds", "points"), [(0.5, 5), (0.1, 0)])
def test_what_was_kept_from_the_processor_is_asked_once_more(
    echo: Exercise, monkeypatch: pytest.MonkeyPatch, seconds: float, points: int
) -> None:
    monkeypatch.setattr(function, "STARVED", (0.0, 1.0))  # all that is late counts as starved
    once = replace(echo, seconds=seconds)

    result = grade_bytes(once, SLOW.encode(), seed="s", conditions=Conditions(best_isolation()))

    assert result.points == points  # it takes 0.9 s: more than 0.5, less than four times that


def test_what_sleeps_or_never_ends_is_asked_once(echo: Exercise, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []
    original = function.start
    monkeypatch.setattr(function, "start", lambda *asked: begun.append(asked) or original(*asked))

    for body in ("time.sleep(60)", "while True: pass"):
        source = f"import time\ndef echo(x):\n    {body}\n".encode()
        grade_bytes(replace(echo, seconds=0.4), source, seed="s", conditions=Conditions(best_isolation()))

    assert len(begun) <= 2 * (1 + function.RESTARTS)


def test_a_killed_worker_leaves_no_process(echo: Exercise, isolation: Isolation) -> None:
    worker = start(RIGHT.encode(), "echo", isolation)

    before = descendants(worker.zygote.process.pid)

    worker.kill()
    worker.kill()

    assert descendants(worker.zygote.process.pid) == before - 1


def descendants(ancestor: int) -> int:
    """How many living processes come from ``ancestor`` (proc(5), stat: state and parent)."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.parent.name)] = int(fields[1])
    found, waiting = 0, [ancestor]
    while waiting:
        parent = waiting.pop()
        children = [child for child, its_parent in parents.items() if its_parent == parent]
        found += len(children)
        waiting += children
    return found
