"""The process that holds a submission: it is asked questions and answers them.

Runs alone (``python -I -S worker.py SUBMISSION FUNCTION ANSWERS_FD``), with nothing of the project to
import, and knows no expected value. A question is a line of JSON on descriptor 0, ``{"nonce", "args"}``;
an answer is a line on the private descriptor. What the submission prints goes to the descriptors 1 and 2
that the grader gave.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable

MEMORY_BYTES = 512 << 20
FILE_BYTES = 1 << 20
CPU_SECONDS = 30


def main() -> None:
    """Serve until the questions end."""
    path, function, descriptor = sys.argv[1], sys.argv[2], int(sys.argv[3])
    answers = os.fdopen(descriptor, "wb", buffering=0)
    questions = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    limit()
    try:
        call = load(path, function)
    except BaseException as error:  # whatever a submission raises is an answer about it
        answers.write(line({"failed": describe(error, path)}))
        return
    answers.write(line({"ready": True}))
    for question in questions:
        asked = json.loads(question)
        answers.write(line({"nonce": asked["nonce"], **answer(call, asked["args"], path)}))


def limit() -> None:
    """Take away what a submission has no need of; the hard limits cannot be raised again."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, 32),
        (resource.RLIMIT_NPROC, 16),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def load(path: str, function: str) -> Callable[..., object]:
    """The function of the submission."""
    with open(path, "rb") as file:
        source = file.read()
    module: dict[str, object] = {"__name__": "submission", "__file__": path}
    exec(compile(source, path, "exec"), module)
    if function not in module:
        raise NameError(f"there is no function {function!r} in it")
    found = module[function]
    if not callable(found):
        raise TypeError(f"{function!r} is not a function")
    return found


def answer(call: Callable[..., object], args: list[object], path: str) -> dict[str, object]:
    """What one call gives: a value, or what went wrong. Values are re-made by JSON, so no object leaves."""
    try:
        return {"value": json.loads(json.dumps(call(*args), allow_nan=False))}
    except BaseException as error:
        return {"raised": describe(error, path)}


def describe(error: BaseException, path: str) -> str:
    """The error in one line, with the submission's line that raised it."""
    number = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            number = trace.tb_lineno
        trace = trace.tb_next
    place = f"line {number}: " if number else ""
    return f"{place}{type(error).__name__}: {error}"[:500]


def line(message: object) -> bytes:
    """One line of JSON."""
    return json.dumps(message).encode() + b"\n"


if __name__ == "__main__":
    main()
