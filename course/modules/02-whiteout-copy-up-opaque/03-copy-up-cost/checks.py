"""The cases of exercise 2.3: bytes copied up, as the union counts them while it runs the calls."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

from course.check import Case
from course.problems.stacks import fresh
from unionfs_sim import File, layer
from unionfs_sim.events import CopiedUp

FILES = {"/bin/app": 5000, "/etc/motd": 120, "/log": 900}
DIRECTED = {
    "whole-file": [
        [["write", "/log", 0, 1]],
        [["append", "/log", 50]],
        [["write", "/bin/app", 4000, 10]],
        [["append", "/log", 0]],
        [["write", "/log", 0, 1], ["append", "/etc/motd", 1]],
    ],
    "once": [
        [["append", "/log", 50], ["append", "/log", 50]],
        [["write", "/log", 0, 1], ["truncate", "/log", 5], ["chmod", "/log"]],
        [["append", "/log", 5000], ["write", "/log", 10, 10]],
    ],
    "attributes": [
        [["chmod", "/bin/app"]],
        [["chmod", "/bin/app"], ["append", "/bin/app", 1]],
    ],
    "emptied": [
        [["overwrite", "/log", 10]],
        [["overwrite", "/bin/app", 0]],
        [["overwrite", "/log", 10], ["append", "/log", 5]],
        [["truncate", "/log", 0]],
        [["truncate", "/log", 10]],
    ],
    "no-copy": [
        [],
        [["read", "/bin/app"]],
        [["unlink", "/bin/app"]],
        [["create", "/tmp", 700]],
        [["create", "/tmp", 700], ["append", "/tmp", 10], ["chmod", "/tmp"]],
        [["unlink", "/log"], ["create", "/log", 10], ["append", "/log", 1]],
    ],
    "names": [
        [["rename", "/log", "/log.1"]],
        [["rename", "/log", "/log.1"], ["append", "/log.1", 10]],
        [["rename", "/log", "/log.1"], ["create", "/log", 0], ["append", "/log", 10]],
    ],
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for calls in rows:
            yield Case(group, args=(FILES, calls), because=because(calls))
    dice = random.Random(seed)
    for _ in range(40):
        files = {path: dice.randint(1, 3000) for path in dice.sample(("/a", "/b", "/c/d", "/c/e"), 3)}
        yield Case("any-calls", args=(files, random_calls(dice, files)))


def because(calls: list[list[object]]) -> str:
    """The misconception that a wrong answer to such a short list shows, if it is another than its group's."""
    return "truncate" if calls and calls[0][0] == "truncate" else ""


def random_calls(dice: random.Random, files: dict[str, int]) -> list[list[object]]:
    """Calls that all succeed, one after another."""
    known = dict(files)
    calls: list[list[object]] = []
    for number in range(dice.randint(1, 5)):
        new = f"/n{number}"
        if not known:
            calls.append(["create", new, 5])
            known[new] = 5
            continue
        path = dice.choice(sorted(known))
        word = dice.choice(
            ("write", "append", "overwrite", "truncate", "chmod", "read", "rename", "unlink", "create")
        )
        if word == "write":
            calls.append(["write", path, dice.randint(0, known[path]), dice.randint(1, 20)])
        elif word in ("append", "overwrite", "truncate"):
            calls.append([word, path, dice.randint(0, 50)])
        elif word == "rename":
            calls.append(["rename", path, new])
            known[new] = known.pop(path)
        elif word == "create":
            calls.append(["create", new, dice.randint(0, 50)])
            known[new] = 0
        else:
            calls.append([word, path])
            if word == "unlink":
                del known[path]
    return calls


def oracle(files, calls):
    """The bytes that the union copies up while it runs ``calls``."""
    union = fresh([layer({path: File("x" * size) for path, size in files.items()})])
    copied = []
    union.events.subscribe(
        lambda event: copied.append(event.size_bytes) if isinstance(event, CopiedUp) else None
    )
    for word, path, *rest in calls:
        run(union, word, path, rest)
    return sum(copied)


def run(union, word, path, rest):
    flags = {
        "read": os.O_RDONLY,
        "write": os.O_WRONLY,
        "append": os.O_WRONLY | os.O_APPEND,
        "overwrite": os.O_WRONLY | os.O_TRUNC,
        "create": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    }
    if word in flags:
        file = union.open(path, flags[word])
        if word == "read":
            file.read()
        elif word == "write":
            file.seek(rest[0])
        if word != "read":
            file.write(b"y" * rest[-1])
        file.close()
    elif word == "chmod":
        union.chmod(path, 0o600)
    elif word == "truncate":
        union.truncate(path, rest[0])
    elif word == "rename":
        union.rename(path, rest[0])
    else:
        union.unlink(path)
