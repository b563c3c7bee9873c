"""What every contender does: the same calls, through the names of ``os``, three directories deep.

A contender starts with ``FILES`` files of 100 bytes in ``FOLDERS`` directories below LOWER, in a lower layer
if it has any, one file ``DEPTH`` names deep, and the listed directories.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

UID: Final = 1000
FOLDERS: Final = 40
FILES: Final = 2000
BODY: Final = b"x" * 100
LOWER: Final = "/home/user"
DEPTH: Final = 20
DEEP: Final = "/deep" + "".join(f"/d{level:02d}" for level in range(DEPTH - 2)) + "/file"
LISTED: Final = 200
"""Names in each listed directory, spread evenly over the layers of a stack."""
STACKS: Final = (1, 5, 20, 100)
LISTED_FOLDERS: Final = 10
REPEATED: Final = 2000

Figures: TypeAlias = dict[str, float]
"""Operations per second by what was done."""


Contender: TypeAlias = Any
"""``open, close, read, write, stat, listdir, unlink, walk`` as ``os`` has them: ``os`` itself is one."""


def folders() -> list[str]:
    """The directories of the files."""
    return [f"{LOWER}/folder{number:02d}" for number in range(FOLDERS)]


def files(kind: str = "lower") -> list[str]:
    """The files, as many in each directory."""
    each = FILES // FOLDERS
    return [f"{folder}/{kind}{number:03d}" for folder in folders() for number in range(each)]


def listed_folder(number: int) -> str:
    """One of the directories whose names are spread over all layers."""
    return f"/srv/shared/list{number:02d}"


def listed_names(layer: int, layers: int) -> list[str]:
    """The names that layer ``layer`` (0 is the lowest) has in each listed directory."""
    return [f"name{number:03d}" for number in range(layer, LISTED, layers)]


def per_second(count: int, work: Callable[[], object]) -> float:
    """Operations per second of ``work``, which does ``count`` of them."""
    begin = time.perf_counter()
    work()
    return count / (time.perf_counter() - begin)


def measure_files(system: Contender, prefix: str = "", *, layered: bool = True) -> Figures:
    """The figures of work on single files, in an order in which each finds what it needs."""
    lower = [prefix + path for path in files()]
    fresh = [prefix + path for path in files("fresh")]
    stat, open_, close = system.stat, system.open, system.close
    half = len(lower) // 2

    def look(paths: list[str]) -> Callable[[], None]:
        def run() -> None:
            for path in paths:
                stat(path)

        return run

    def walk() -> int:
        return sum(len(names) + len(others) for _, names, others in system.walk(prefix + LOWER))

    def read() -> None:
        for path in lower:
            file = open_(path, os.O_RDONLY)
            system.read(file, 1 << 16)
            close(file)

    def create() -> None:
        for path in fresh:
            close(open_(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))

    def append() -> None:
        for path in fresh:
            file = open_(path, os.O_WRONLY | os.O_APPEND)
            system.write(file, BODY)
            close(file)

    def copy_up() -> None:
        for path in lower[:half]:
            close(open_(path, os.O_WRONLY))

    def remove(paths: list[str]) -> Callable[[], None]:
        def run() -> None:
            for path in paths:
                system.unlink(path)

        return run

    entries = FILES + FOLDERS
    figures = {"stat of a lower file, first time": per_second(FILES, look(lower))}
    figures["stat of a lower file"] = per_second(FILES, look(lower))
    figures["walk, entries, first time"] = per_second(entries, walk)
    figures["walk, entries"] = per_second(entries, walk)
    figures["read of a lower file"] = per_second(FILES, read)
    figures["create"] = per_second(FILES, create)
    figures["stat of an upper file"] = per_second(FILES, look(fresh))
    figures["append 100 bytes"] = per_second(FILES, append)
    if layered:
        figures["copy-up"] = per_second(half, copy_up)
        figures["unlink of a lower file (whiteout)"] = per_second(FILES - half, remove(lower[half:]))
    figures["unlink of an upper file"] = per_second(FILES, remove(fresh))
    figures[f"stat, {DEPTH} directories deep"] = per_second(REPEATED, look([prefix + DEEP] * REPEATED))
    return figures


def measure_stack(system: Contender, layers: int, prefix: str = "") -> Figures:
    """The figures of a stack of ``layers``: listings, and a name that only the lowest has."""
    places = [prefix + listed_folder(number) for number in range(LISTED_FOLDERS)]
    lowest = [f"{place}/{name}" for place in places for name in listed_names(0, layers)]
    listdir, stat = system.listdir, system.stat

    def listing(times: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(times):
                for place in places:
                    listdir(place)

        return run

    def look(paths: list[str]) -> Callable[[], None]:
        def run() -> None:
            for path in paths:
                stat(path)

        return run

    among = f", {layers} layer{'s' if layers > 1 else ''}"
    stat(places[0])  # the way there is known to everybody; the directories themselves are not
    figures = {
        f"listdir of {LISTED} names{among}, first time": per_second(len(places), listing(1)),
        f"listdir of {LISTED} names{among}": per_second(len(places) * 10, listing(10)),
        f"stat in the lowest{among}, first time": per_second(len(lowest), look(lowest)),
    }
    again = lowest[:1] * REPEATED
    figures[f"stat in the lowest{among}"] = max(per_second(REPEATED, look(again)) for _ in range(3))
    return figures
