"""Exercise 9.3: the root between two stages, as the project's scanning snapshotter leaves it."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from course.problems.scans import after_reset

IGNORED = ["/kaniko", "/proc", "/var/run"]
TOOLS = ["/kaniko/", "/kaniko/executor"]
GCC = ["/usr/", "/usr/bin/", "/usr/bin/gcc"]
MOTD = ["/etc/", "/etc/motd"]
DIRECTED = {
    "leaks": [
        (GCC, [], []),
        (GCC, MOTD, []),
        ([*MOTD, "/etc/old"], MOTD, []),
        ([*TOOLS, *GCC], MOTD, ["/kaniko"]),
    ],
    "tools": [
        (TOOLS, [], ["/kaniko"]),
        ([*TOOLS, "/kaniko/.docker/", "/kaniko/.docker/config.json"], MOTD, IGNORED),
        (
            ["/proc/", "/proc/1/", "/proc/1/stat", "/workspace/", "/workspace/Dockerfile"],
            [],
            ["/proc", "/workspace"],
        ),
    ],
    "on-the-way": [
        (["/var/", "/var/run/", "/var/run/secrets/", "/var/run/secrets/token", "/var/log/"], [], IGNORED),
        (["/var/", "/var/log/", "/var/log/x"], MOTD, IGNORED),
        (["/a/", "/a/b/", "/a/b/c/", "/a/x"], [], ["/a/b/c"]),
    ],
    "components": [
        (["/kaniko/", "/kaniko2/", "/kaniko2/x"], [], ["/kaniko"]),
        (["/home/", "/home/kaniko/", "/proc-notes"], [], IGNORED),
        (["/tmp/", "/tmp/key1", "/tmp/other"], [], ["/tmp/key*"]),
        (["/tmp/", "/tmp/a/", "/tmp/a/key1"], [], ["/tmp/key*"]),
    ],
    "base": [
        ([], MOTD, []),
        ([], [*MOTD, "/proc/", "/proc/old"], IGNORED),
        (
            ["/var/", "/var/run/", "/var/run/token"],
            ["/var/", "/var/run/", "/var/run/pid", "/var/www/"],
            IGNORED,
        ),
        (TOOLS, ["/kaniko/", "/kaniko/other", "/bin/"], ["/kaniko"]),
    ],
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for root, base, ignored in rows:
            yield Case(group, (root, base, ignored))
    dice = random.Random(seed)
    for _ in range(20):
        ignored = dice.sample(
            ("/kaniko", "/proc", "/var/run", "/tmp/key*", "/a/b", "/srv/mnt"), dice.randint(1, 3)
        )
        yield Case("any-root", (random_root(dice), random_root(dice), ignored))


def oracle(root, base, ignored):
    return after_reset(root, base, ignored)


FILES = (
    "/kaniko/executor",
    "/kanikos",
    "/proc/1/stat",
    "/var/run/pid",
    "/var/runs",
    "/var/www/x",
    "/tmp/key1",
    "/tmp/key2/k",
    "/tmp/x",
    "/a/b/c",
    "/a/x",
    "/a/mnt/x",
    "/srv/mnt/y",
    "/etc/motd",
)


def random_root(dice: random.Random) -> list[str]:
    paths: set[str] = set()
    for path in dice.sample(FILES, dice.randint(1, 5)):
        parts = path.split("/")[1:-1]
        paths.update("/" + "/".join(parts[: number + 1]) + "/" for number in range(len(parts)))
        paths.add(path)
    return sorted(paths)
