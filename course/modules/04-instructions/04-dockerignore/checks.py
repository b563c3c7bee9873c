"""Exercise 4.4: what .dockerignore keeps out, as the project's own reader of it says."""

from __future__ import annotations

import random
from collections.abc import Iterator

from builder.context.ignore import IgnoreFile
from course.check import Case

DIRECTED = {
    "whole-path": [
        ("log", "log"),
        ("log", "logs"),
        ("log", "app/log"),
        ("src/log", "src/log"),
        ("/log", "log"),
        ("a.c", "axc"),
        ("log", "Log"),
    ],
    "directories": [
        ("docs", "docs/index.html"),
        ("docs/", "docs/api/index.html"),
        ("src/gen", "src/gen/a.c"),
        ("docs", "docsite/index.html"),
    ],
    "last-match": [
        ("*.md\n!README.md", "README.md"),
        ("!README.md\n*.md", "README.md"),
        ("*.md\n!README.md\nREADME.md", "README.md"),
        ("docs\n!docs/api", "docs/api/index.html"),
        ("docs\n!docs/api", "docs/index.html"),
        ("!a.txt", "a.txt"),
        ("*\n!src\nsrc/gen", "src/gen/a.c"),
    ],
    "stars": [
        ("*.c", "main.c"),
        ("*.c", "src/main.c"),
        ("src/*", "src/a/b.c"),
        ("*/main.c", "a/b/main.c"),
        ("a?.c", "ab.c"),
        ("a?.c", "a.c"),
        ("**/log", "log"),
        ("**/log", "a/b/log"),
        ("src/**/a.c", "src/a.c"),
        ("src/**/a.c", "src/x/y/a.c"),
        ("src/**", "src/x/a.c"),
        ("**/*.o", "x/y/a.o"),
    ],
    "lines": [
        ("# log\nlog", "log"),
        ("#log", "log"),
        ("#log", "#log"),
        ("\n  log  \n", "log"),
        ("! log\nlog", "log"),
    ],
}
BECAUSE = {
    ("log", "Log"): "letters",
    ("src/*", "src/a/b.c"): "below-a-star",
    ("**/log", "log"): "no-directory",
    ("src/**/a.c", "src/a.c"): "no-directory",
    ("*.c", "src/main.c"): "star-slash",
    ("*/main.c", "a/b/main.c"): "star-slash",
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for text, path in rows:
            yield Case(group, (text, path), because=BECAUSE.get((text, path), ""))
    dice = random.Random(seed)
    for _ in range(40):
        text = "\n".join(dice.choice(LINES) for _ in range(dice.randint(1, 4)))
        yield Case("any-rules", (text, dice.choice(PATHS)))


def oracle(text, path):
    return IgnoreFile.parse(text).matches(path) is not None


LINES = (
    "a",
    "*.c",
    "src",
    "!src/a.c",
    "src/*",
    "!*.c",
    "**/a.c",
    "!**/b.c",
    "src/**/b.c",
    "!src",
    "lib/?.c",
    "# src",
    "*",
    "!lib/",
    "/lib",
)
PATHS = (
    "a",
    "a.c",
    "b.c",
    "src/a.c",
    "src/b.c",
    "src/x/a.c",
    "src/x/b.c",
    "lib/a.c",
    "lib/ab.c",
    "srcs/a.c",
    "lib",
)
