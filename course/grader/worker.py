"""The warm process that forks a child for each submission, and the child that holds one and answers.

Runs alone (``python -I -S worker.py LINK_FD``), with nothing of the project to import, and knows no expected
value. The grader speaks to it on a socket, a line of JSON each: first what shall hold the children; then, in
turn, ``fork`` (with four descriptors: the source, questions, answers, what is printed) and ``end``, which
kills the child. There is one child at a time, and none outlives the socket.

A child takes every power away from itself before it looks at the submission. A question is a line of JSON,
``{"nonce", "function", "args"}``; an answer is a line on the private descriptor. Bytes travel as
``{"$bytes": base64}``. What the submission prints goes to the descriptors 1 and 2 that the grader gave.
"""

from __future__ import annotations

import base64
import collections
import ctypes
import dataclasses
import functools
import gzip
import hashlib
import itertools
import json
import os
import re
import resource
import signal
import socket
import struct
import sys
import tarfile
from collections.abc import Callable
from typing import Any, NoReturn

NAME = "submission.py"
MEMORY_BYTES = 512 << 20
FILE_BYTES = 1 << 20
CPU_SECONDS = 30
PROCESSES = 16

PRELOADED = (collections, dataclasses, functools, gzip, hashlib, itertools, re, tarfile)
"""What submissions import most: loaded once, and there in every child."""

CLONE_NEWNS_NEWPID = 0x0002_0000 | 0x2000_0000
MS_NOSUID_NODEV = 2 | 4
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS = 1, 8, 38
CAPABILITIES_V3 = 0x2008_0522
CAP_DAC_READ_SEARCH = 2
SECCOMP_SET_MODE_FILTER = 1
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
LANDLOCK_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
"""Version → all rights on files that it knows (include/uapi/linux/landlock.h)."""
LANDLOCK_TCP, LANDLOCK_SCOPES = 3, 3
LANDLOCK_EXECUTE, LANDLOCK_READ_FILE, LANDLOCK_READ_DIR = 1, 4, 8

LIBC = ctypes.PyDLL(None, use_errno=True)


def main() -> None:
    """Serve until the grader is gone."""
    link = socket.socket(fileno=int(sys.argv[1]))
    lines = Lines(link)
    holds, _ = lines.next()
    try:
        walls = Walls(holds)
    except OSError as error:
        link.sendall(line({"cannot": f"{error.filename or ''} {error.strerror}".strip()}))
        return
    serve(lines, walls.fork, functools.partial(converse, walls))


def serve(
    lines: Lines, fork: Callable[[], int], become: Callable[[dict[str, Any], list[int]], object]
) -> None:
    """Fork a child for each order, one at a time, and end it; ``become`` is all that a child does."""
    lines.link.sendall(line({"ready": True}))
    child = 0
    try:
        while True:
            message, descriptors = lines.next()
            if "fork" in message:
                child = fork()
                if child == 0:
                    be_the_child(lines.link, become, message["fork"], descriptors)
                for descriptor in descriptors:
                    os.close(descriptor)
                lines.link.sendall(line({"child": child}))
            else:
                lines.link.sendall(line(ended(child)))
                child = 0
    except (EOFError, OSError):
        pass
    finally:
        if child:
            ended(child)


def be_the_child(
    link: socket.socket,
    become: Callable[[dict[str, Any], list[int]], object],
    order: dict[str, Any],
    descriptors: list[int],
) -> NoReturn:
    """Do what a child does, and end; nothing of the warm process is reached again."""
    status = 1
    try:
        link.close()
        become(order, descriptors)
        status = 0
    except BaseException:  # it is told where the child prints, and ends the child alone
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(status)


def ended(child: int) -> dict[str, float]:
    """How a child ended, now that it is no more, and the seconds of processor time that it took."""
    os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return {"ended": usage.ru_utime + usage.ru_stime, "status": os.waitstatus_to_exitcode(status)}


class Lines:
    """Messages from the grader, each with the descriptors that came along."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.heard = b""

    def next(self) -> tuple[dict[str, Any], list[int]]:
        """The next message; EOFError when the grader is gone."""
        descriptors: list[int] = []
        while b"\n" not in self.heard:
            piece, came, _, _ = socket.recv_fds(self.link, 1 << 16, 4)
            if not piece:
                raise EOFError
            descriptors += came
            self.heard += piece
        first, _, self.heard = self.heard.partition(b"\n")
        return json.loads(first), descriptors


# ---- what holds a child ----


class Walls:
    """What the grader asked for: whatever can be made once is made here, the rest in each child.

    ``namespaces``: children see no process but their own, and get new ``scratch`` directories. ``landlock``:
    the paths that may be read, each with whether all below it may be, and no others; None: no Landlock.
    ``filters``: programs for seccomp. ``numbers``: those of system calls that machines number differently.
    """

    def __init__(self, holds: dict[str, Any]) -> None:
        self.namespaces: bool = holds["namespaces"]
        self.scratch: list[str] = holds["scratch"]
        self.scratch_bytes: int = holds["scratch_bytes"]
        self.filters = [base64.b64decode(each) for each in holds["filters"]]
        self.numbers: dict[str, int] = holds["numbers"]
        self.has_landlock = holds["landlock"] is not None
        self.ruleset = ruleset(holds["landlock"]) if self.has_landlock else -1

    def fork(self) -> int:
        """The number of a new child; 0 in the child."""
        if not self.namespaces:
            return os.fork()
        child = call(self.numbers["clone"], CLONE_NEWNS_NEWPID | signal.SIGCHLD, 0, 0, 0, 0)
        if child == 0:
            ctypes.pythonapi.PyOS_AfterFork_Child()
        return child

    def close(self, uid: int, others: int) -> None:
        """Take every power from this process; OSError if that cannot be done."""
        if self.namespaces:
            options = f"size={self.scratch_bytes},mode=1777".encode()
            for folder in self.scratch:
                checked(LIBC.mount(b"tmpfs", folder.encode(), b"tmpfs", MS_NOSUID_NODEV, options))
        os.chdir("/tmp" if self.scratch else "/")
        if sys.platform == "linux":
            self._drop(uid)
        with open(os.__file__, "rb"):  # nobody must be able to read the interpreter's own library
            pass
        limit(others)
        for program in self.filters:
            code = ctypes.create_string_buffer(program, len(program))
            # struct sock_fprog: the number of instructions, padded, and where they are.
            shape = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
            call(self.numbers["seccomp"], SECCOMP_SET_MODE_FILTER, 0, ctypes.c_char_p(shape))

    def _drop(self, uid: int) -> None:
        """Be nobody without capabilities, who dies with the warm process and can read what he should.

        Behind Landlock, root's nobody keeps the power to read what lies in a closed directory: an
        interpreter in root's home is such a file, and Landlock lets nothing else be read.
        """
        kept = 0
        if os.geteuid() == 0:
            if self.has_landlock:
                kept = 1 << CAP_DAC_READ_SEARCH
                checked(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        header = struct.pack("Ii", CAPABILITIES_V3, 0)
        checked(LIBC.capset(header, struct.pack("6I", kept, kept, 0, 0, 0, 0)))
        checked(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        checked(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
        if self.has_landlock:
            call(LANDLOCK_RESTRICT, self.ruleset, 0)


def ruleset(readable: list[tuple[str, bool]]) -> int:
    """A Landlock ruleset under which only ``readable`` can be read, and nothing written (landlock(7))."""
    version = call(LANDLOCK_CREATE, None, 0, 1)
    handled = struct.pack("QQQ", LANDLOCK_RIGHTS[min(version, 5)], LANDLOCK_TCP, LANDLOCK_SCOPES)
    size = 8 if version < 4 else 16 if version < 6 else 24
    made = call(LANDLOCK_CREATE, ctypes.c_char_p(handled), size, 0)
    for path, is_whole in readable:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        rights = LANDLOCK_READ_FILE | LANDLOCK_EXECUTE if is_whole else 0
        rights |= LANDLOCK_READ_DIR if os.path.isdir(path) else 0
        call(LANDLOCK_ADD, made, 1, ctypes.c_char_p(struct.pack("=Qi", rights, place)), 0)
        os.close(place)
    return made


def call(number: int, *arguments: object) -> int:
    """What a system call returns; OSError if it fails."""
    return checked(
        LIBC.syscall(
            ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
        )
    )


def checked(status: int) -> int:
    """The status, if it is none of a failure."""
    if status < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return status


def limit(others: int) -> None:
    """Take away what a submission has no need of; the hard limits cannot be raised again.

    ``others``: how many processes of this user run already, which the kernel counts too.
    """
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, others + PROCESSES),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(what)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


# ---- the child ----


def converse(walls: Walls, order: dict[str, Any], descriptors: list[int]) -> None:
    """Answer until the questions end."""
    source_fd, questions_fd, answers_fd, printed_fd = descriptors
    os.setsid()  # a signal to its process group reaches nobody but itself
    with os.fdopen(source_fd, "rb") as file:
        source = file.read()
    null = os.open(os.devnull, os.O_RDONLY)
    for taken, number in ((null, 0), (printed_fd, 1), (printed_fd, 2)):
        os.dup2(taken, number)
    os.close(printed_fd)
    os.close(null)
    questions = os.fdopen(questions_fd, "rb")
    answers = os.fdopen(answers_fd, "wb", buffering=0)
    try:
        walls.close(order["uid"], order["others"])
    except OSError as error:
        answers.write(line({"not-held": f"{error.filename or ''} {error.strerror}".strip()}))
        return
    function = order["function"]
    try:
        module = load(source, function)
    except BaseException as error:  # whatever a submission raises is an answer about it
        kind = "not-python" if is_about_syntax(error) else "not-loaded"
        answers.write(line({kind: describe(error)}))
        return
    answers.write(line({"ready": True}))
    for question in questions:
        asked = json.loads(question, object_hook=from_json)
        called = module.get(asked["function"] or function)
        answers.write(line({"nonce": asked["nonce"], **answer(called, asked["args"])}))


def load(source: bytes, function: str) -> dict[str, object]:
    """The names of the submission's module."""
    module: dict[str, object] = {"__name__": "submission", "__file__": NAME}
    exec(compile(source, NAME, "exec"), module)
    if function not in module:
        raise NameError(f"there is no function {function!r} in it")
    if not callable(module[function]):
        raise TypeError(f"{function!r} is not a function")
    return module


def is_about_syntax(error: BaseException) -> bool:
    """Whether the compiler refused the source: nothing of the submission was on the stack."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == NAME:
            return False
        trace = trace.tb_next
    return isinstance(error, (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError))


def answer(called: object, args: list[object]) -> dict[str, object]:
    """What one call gives: a value, or what went wrong. Values are re-made by JSON, so no object leaves."""
    try:
        if not callable(called):
            raise NameError("there is no such function in it")
        text = json.dumps(called(*args), allow_nan=False, default=to_json)
        return {"value": json.loads(text)}
    except BaseException as error:
        return {"raised": describe(error)}


def to_json(value: object) -> object:
    """How a value that is none of JSON's travels; TypeError if it does not."""
    if type(value) is bytes:
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"an answer may not hold a {type(value).__name__}")


def from_json(table: dict[str, object]) -> object:
    """Bytes, where a table stands for them."""
    return base64.b64decode(str(table["$bytes"])) if table.keys() == {"$bytes"} else table


def describe(error: BaseException) -> str:
    """The error in one line, with the submission's line that raised it."""
    number = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == NAME:
            number = trace.tb_lineno
        trace = trace.tb_next
    place = f"line {number}: " if number else ""
    return f"{place}{type(error).__name__}: {error}"[:500]


def line(message: object) -> bytes:
    """One line of JSON."""
    return json.dumps(message).encode() + b"\n"


if __name__ == "__main__":
    main()
