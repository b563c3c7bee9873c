"""The process that holds a submission: it is asked questions and answers them.

Runs alone (``python -I -S worker.py FUNCTION ANSWERS_FD SOURCE_FD``), with nothing of the project to import,
and knows no expected value. A question is a line of JSON on descriptor 0, ``{"nonce", "function", "args"}``;
an answer is a line on the private descriptor. Bytes travel as ``{"$bytes": base64}``. What the submission
prints goes to the descriptors 1 and 2 that the grader gave.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import sys

NAME = "submission.py"
MEMORY_BYTES = 512 << 20
FILE_BYTES = 1 << 20
CPU_SECONDS = 30
PROCESSES = 16
NOBODY = 65534


def main() -> None:
    """Serve until the questions end."""
    function, answers_fd, source_fd, others = sys.argv[1], *map(int, sys.argv[2:5])
    answers = os.fdopen(answers_fd, "wb", buffering=0)
    with os.fdopen(source_fd, "rb") as file:
        source = file.read()
    questions = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        drop()
    except OSError as error:
        answers.write(line({"not-nobody": f"{error.filename}: {error.strerror}"}))
        return
    limit(others)
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


def drop() -> None:
    """Be nobody: root's processes are not counted by RLIMIT_NPROC, and root may do too much."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        with open(os.__file__, "rb"):  # nobody must be able to read the interpreter's own library
            pass


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
