"""Layer tars of many files beside ``tarfile``: reading, writing, merging, analysing.

    python bench/layers.py [--files N] [--json]

Promise: importing a layer of 50,000 entries takes at most twice what ``tarfile`` needs to list it. Each
line is the best of three; lines of growth compare the time per entry with that of a tenth of the files.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from builder.image.analysis import analyse
from unionfs_sim import File, Layer, layer, mount
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack, read_layer

BODY = b"x" * 200
NOW_NS = 1_700_000_000 * 1_000_000_000
LAYERS = 10


@dataclass
class Row:
    """One line: seconds (or bytes), and what they are a multiple of."""

    name: str
    value: float
    floor: float
    of: str
    unit: str = "ms"


def best(work: Callable[[], object]) -> float:
    """The best of three times, in seconds of this process (others may be at work)."""
    times = []
    for _ in range(3):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def name_of(number: int) -> str:
    """A file of a package, a hundred to a directory."""
    return f"usr/lib/package{number // 100:04d}/file{number % 100:02d}"


def tree(files: int) -> Layer:
    """A layer of ``files`` small files."""
    entries: dict[str, Any] = {f"/{name_of(number)}": File(BODY, mtime_ns=NOW_NS) for number in range(files)}
    return layer(entries)


def write_with_tarfile(files: int) -> None:
    """The same files, written by the standard library."""
    with tarfile.open(fileobj=io.BytesIO(), mode="w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(files):
            member = tarfile.TarInfo(name_of(number))
            member.size, member.mtime = len(BODY), NOW_NS // 1_000_000_000
            tar.addfile(member, io.BytesIO(BODY))


def list_with_tarfile(path: Path) -> None:
    """What ``tar t`` does."""
    with tarfile.open(path) as tar:
        tar.getmembers()


def read(path: Path) -> Layer:
    """The layer in a tar."""
    with path.open("rb") as stream:
        return read_layer(stream)


def parts(files: int) -> list[Layer]:
    """LAYERS layers, each with a tenth of the files and over some of the one below."""
    each = files // LAYERS
    return [
        layer(
            {f"/{name_of(number)}": File(BODY) for number in range(start, start + each + each // 10)}
        ).freeze()
        for start in range(0, files, each)
    ]


def tars(files: int, place: Path) -> tuple[list[Row], dict[str, float]]:
    """Reading and writing one tar."""
    whole = tree(files)
    path = place / f"{files}.tar"
    path.write_bytes(b"".join(pack(whole)))
    listing = best(lambda: list_with_tarfile(path))
    reading = best(lambda: read(path))
    packing = best(lambda: sum(map(len, pack(whole))))
    writing = best(lambda: write_with_tarfile(files))
    tracemalloc.start()
    kept = read(path)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    rows = [
        Row("read a layer tar", reading, listing, "tarfile listing it"),
        Row("write a layer tar", packing, writing, "tarfile writing it"),
        Row("memory of the layer that was read, an entry", size / files, len(BODY), "its bytes", "bytes"),
    ]
    del kept
    return rows, {"read": reading, "write": packing, "list": listing}


def stacks(files: int, listing: float) -> tuple[list[Row], dict[str, float]]:
    """Ten layers: merged into one, analysed, and walked as a union."""
    layers = parts(files)
    merging = best(lambda: merged(layers))
    analysing = best(lambda: analyse(layers))

    def walk() -> int:
        return sum(len(names) + len(others) for _, names, others in mount(layers, Layer()).walk("/"))

    walking = best(walk)
    rows = [
        Row(f"merge {LAYERS} layers", merging, listing, "tarfile listing as many"),
        Row(f"analyse {LAYERS} layers", analysing, listing, "tarfile listing as many"),
        Row(f"mount and walk {LAYERS} layers", walking, listing, "tarfile listing as many"),
    ]
    return rows, {"merge": merging, "analyse": analysing, "walk": walking}


def growth(most: dict[str, float], few: dict[str, float]) -> list[Row]:
    """The time per entry beside that of a tenth of the entries."""
    return [
        Row(f"growth of {what}, 10 × the entries", most[what], 10 * few[what], "10 × the time")
        for what in most
        if what != "list"
    ]


def main() -> None:
    """Measure and print."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        rows, most = tars(chosen.files, Path(directory))
        more, times = stacks(chosen.files, most["list"])
        _, few = tars(chosen.files // 10, Path(directory))
        _, few_stacked = stacks(chosen.files // 10, few["list"])
    rows += more + growth(most | times, few | few_stacked)
    if chosen.json:
        print(json.dumps([vars(row) for row in rows], indent=2))
        return
    for row in rows:
        shown = row.value * 1000 if row.unit == "ms" else row.value
        print(f"{row.name:<46}{shown:10,.1f} {row.unit:<6}{row.value / row.floor:7.2f} × {row.of}")


if __name__ == "__main__":
    main()
