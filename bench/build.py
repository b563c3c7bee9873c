"""What building costs: per step, per layer, per file, cold and from the cache.

    python bench/build.py [--json] [--only WORD]

All in this process through the engine, with the OCI layout on disk (in a temporary directory) as ``layerlab
build`` has it; the first lines are whole processes. Beside every time stands a floor that was measured in
the same run: the same files read and hashed, or the same tree written with ``tarfile``. Lines of growth tell
how a time per step changes with the number of layers or files; a straight line stays near 1.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from builder.cli.inputs import open_context
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.order import BuildResult, CacheUse
from builder.image.oci import Platform
from builder.recipe import Recipe, built
from builder.stores.layout import LayoutStore

ROOT = Path(__file__).parents[1]
FILES = 10_000
LARGE_MEBIBYTES = 200
BODY = b"a line of a file that is copied into an image\n" * 40


@dataclass
class Row:
    """One line of the table. ``floor``: what ``seconds`` is a multiple of, and its name."""

    name: str
    seconds: float
    floor: float | None = None
    of: str = ""


def timed(work: Callable[[], object]) -> float:
    """Seconds that it took."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def peak(work: Callable[[], object]) -> float:
    """The most bytes of memory that it held at once."""
    tracemalloc.start()
    try:
        work()
        return float(tracemalloc.get_traced_memory()[1])
    finally:
        tracemalloc.stop()


class Place:
    """A context and a store in a temporary directory."""

    def __init__(self, directory: str) -> None:
        self.context = Path(directory, "context")
        self.context.mkdir()
        self.store_path = str(Path(directory, "store"))

    def build(self, dockerfile: str, cache: CacheUse = CacheUse.TAKE) -> BuildResult:
        """Build it as ``layerlab build`` does, in a new workshop."""
        (self.context / "Dockerfile").write_text(dockerfile)
        with LayoutStore(self.store_path) as store:
            graph = plan(parse(dockerfile), build_args={}, platform=Platform.parse("linux/amd64"))
            with open_context(self.context, str(self.context / "Dockerfile"), store) as source:
                recipe = Recipe(graph=graph, context=source, name="bench", cache=cache)
                with built(recipe, store) as done:
                    return done.result

    def time(self, dockerfile: str, cache: CacheUse = CacheUse.TAKE) -> float:
        """Seconds of one build."""
        return timed(lambda: self.build(dockerfile, cache))

    def peak(self, dockerfile: str) -> float:
        """The most bytes of memory that one build, of every step, holds at once."""
        return peak(lambda: self.build(dockerfile, CacheUse.IGNORE))


def steps(count: int, line: str = "RUN true") -> str:
    """A Dockerfile of ``count`` equal steps, of which each has a number to write."""
    lines = (line.replace("NUMBER", str(number)) for number in range(count))
    return "\n".join(["FROM busybox", *lines, ""])


def whole_process() -> list[Row]:
    """``layerlab build`` of the example: process, imports and all, beside bare Python."""
    with tempfile.TemporaryDirectory() as state:
        prefix = [sys.executable, "-E", "-X", f"pycache_prefix={state}/pyc"]
        words = [*prefix, "-m", "course", "--state", f"{state}/store", "build", "-q", "examples/nginx"]

        def run(argv: list[str]) -> float:
            return timed(lambda: subprocess.run(argv, cwd=ROOT, stdout=subprocess.DEVNULL, check=True))

        run([*words, "--no-cache"])  # bytecode is written once
        cold = min(run([*words, "--no-cache"]) for _ in range(3))
        cached = min(run(words) for _ in range(3))
        bare = min(run([*prefix, "-c", "pass"]) for _ in range(3))
    return [
        Row("layerlab build examples/nginx, whole process, cold", cold, bare, "bare Python"),
        Row("the same, every step cached", cached, bare, "bare Python"),
    ]


def runs() -> list[Row]:
    """Many steps that do nothing, or next to nothing."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        place.build(steps(1))
        floor = timed(lambda: [subprocess.run(["true"], check=True) for _ in range(100)])
        done = place.time(steps(100), CacheUse.IGNORE)
        rows.append(Row("100 × RUN true", done, floor, "100 processes"))
        rows.append(Row("the same, cached", place.time(steps(100)), floor, "100 processes"))
    return rows


def growth_in_layers() -> list[Row]:
    """Seconds per step by the number of layers."""
    rows = []
    first = cached_first = taken_first = None
    for count in (10, 100, 400):
        with tempfile.TemporaryDirectory() as directory:
            place = Place(directory)
            place.build(steps(1))
            text = steps(count, "RUN echo NUMBER > /fileNUMBER")
            each = place.time(text) / count
            cached = place.time(text) / count
            taken = place.peak(text) / count
        first = first or each
        cached_first = cached_first or cached
        taken_first = taken_first or taken
        rows.append(Row(f"per step that writes a file, {count} of them", each, first, "that of 10"))
        rows.append(Row(f"per cached step, {count} of them", cached, cached_first, "that of 10"))
        rows.append(Row(f"peak of bytes per step, {count} of them", taken, taken_first, "that of 10"))
    return rows


def fill(directory: Path, count: int) -> None:
    """Make ``count`` files, a hundred to a directory."""
    for number in range(count):
        path = directory / f"d{number // 100:03d}" / f"f{number % 100:02d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(BODY + str(number).encode())


def copies() -> list[Row]:
    """COPY of many files: cold, same again, one changed."""
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        files = place.context / "files"
        fill(files, FILES)
        text = "FROM busybox\nCOPY files /files\n"

        def read() -> None:
            for path in sorted(files.rglob("*")):
                if path.is_file():
                    hashlib.sha256(path.read_bytes())

        def pack() -> None:
            with tarfile.open(Path(directory, "floor.tar"), "w") as tar:
                tar.add(files)

        reading, packing = timed(read), timed(pack)
        rows.append(Row(f"COPY of {FILES} files, cold", place.time(text), packing, "tarfile.add"))
        rows.append(Row("the same at once", place.time(text), reading, "reading and hashing all"))
        time.sleep(2.1)  # a file changed this recently is not trusted to its time
        place.build(text)
        known = min(place.time(text) for _ in range(3))
        rows.append(Row("the same again, files older than 2 s", known, reading, "reading and hashing all"))
        (files / "d000" / "f00").write_bytes(b"changed")
        rows.append(Row("one file changed", place.time(text), packing, "tarfile.add"))
    return rows


def growth_in_files() -> list[Row]:
    """Seconds per file by the number of files."""
    rows = []
    first = None
    for count in (1_000, 10_000, 40_000):
        with tempfile.TemporaryDirectory() as directory:
            place = Place(directory)
            fill(place.context / "files", count)
            each = place.time("FROM busybox\nCOPY files /files\nRUN touch /files/d000/f00\n") / count
        first = first or each
        rows.append(Row(f"COPY and RUN, per file of {count:,}", each, first, "that of 1,000"))
    return rows


def stages() -> list[Row]:
    """Six stages that do not need each other, beside one."""
    work = "RUN i=0; while [ $i -lt 1500 ]; do i=$((i+1)); done\n"
    one = f"FROM busybox AS s0\n{work}FROM scratch\nCOPY --from=s0 /bin/sh /s0\n"
    parts = [f"FROM busybox AS s{number}\nENV N={number}\n{work}" for number in range(6)]
    six = "".join(parts) + "FROM scratch\n" + "".join(f"COPY --from=s{n} /bin/sh /s{n}\n" for n in range(6))
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        place.build(steps(1))
        single = place.time(one)
        return [Row("6 independent stages", place.time(six), 6 * single, "6 × one stage")]


def memory() -> list[Row]:
    """The peak of memory while files are copied: bytes, not seconds."""
    with tempfile.TemporaryDirectory() as directory:
        place = Place(directory)
        files = place.context / "files"
        fill(files, 5_000)
        size = sum(path.stat().st_size for path in files.rglob("*") if path.is_file())
        taken = place.peak("FROM busybox\nCOPY files /files\n")
        large = place.context / "large"
        with large.open("wb") as stream:
            stream.writelines(bytes(1 << 20) for _ in range(LARGE_MEBIBYTES))
        copied = place.peak("FROM busybox\nCOPY large /large\n")
    return [
        Row("COPY of 5,000 files: peak of bytes", taken, size, "bytes of the files"),
        Row("COPY of one large file: peak of bytes", copied, LARGE_MEBIBYTES << 20, "bytes of the file"),
    ]


SECTIONS: dict[str, Callable[[], list[Row]]] = {
    "process": whole_process,
    "runs": runs,
    "layers": growth_in_layers,
    "copies": copies,
    "files": growth_in_files,
    "stages": stages,
    "memory": memory,
}


def main() -> None:
    """Measure and print."""
    shape = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=shape)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", choices=list(SECTIONS), action="append")
    chosen = parser.parse_args()
    wanted = chosen.only or SECTIONS
    rows = [row for name, section in SECTIONS.items() if name in wanted for row in section()]
    if chosen.json:
        print(json.dumps([vars(row) for row in rows], indent=2))
        return
    for row in rows:
        shown = f"{row.seconds:12,.0f}  " if "bytes" in row.name else f"{row.seconds * 1000:12.2f} ms"
        ratio = f"{row.seconds / row.floor:7.2f} × {row.of}" if row.floor else ""
        print(f"{row.name:<54}{shown} {ratio}")


if __name__ == "__main__":
    main()
