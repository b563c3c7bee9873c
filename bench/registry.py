"""Images on the move, beside skopeo, umoci, pigz, buildah and dockerd.

    python bench/registry.py [--mb N] [--json]

Promises, with N = 500: a layer packed and pushed at zlib's level 6 takes at most 1.1 times what tar and
``pigz -6 -p2`` take, level 1 under half of that, ``fast`` (ISA-L) under a third; pulling and unpacking is no
slower than skopeo and umoci; a list of 1,000 images takes under 0.15 s. Beside the clock stands the time of
processors, which others at work do not change. Everything runs once, on a
docker-registry of its own on loopback; a peer that is not installed is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from peers.daemons import buildah, dockerd

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from unionfs_sim import File, layer
from unionfs_sim.tar.pack import pack

SOURCE = Path("/usr/lib")
MANY = 20
LISTED = 1000
CONFIG = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


@dataclass(frozen=True)
class Took:
    """Seconds of one run: as the clock has it, and of processors, which others at work do not change."""

    clock: float
    processors: float


@dataclass(frozen=True)
class Row:
    """One measurement. ``ratio``: of the peer's times; None where there is no peer."""

    what: str
    took: Took
    peer: str = ""
    ratio: Took | None = None


def beside(what: str, took: Took, peer: str, other: Took | None) -> Row:
    """A measurement as a multiple of a peer's."""
    if other is None:
        return Row(what, took)
    return Row(
        what, took, peer, Took(took.clock / other.clock, took.processors / max(other.processors, 0.001))
    )


def timed(work: Callable[[], object], *, daemon: Callable[[], float] = lambda: 0.0) -> Took:
    """What one run of other processes takes. ``daemon``: seconds of one that works for them, until now."""
    served, begin, before = daemon(), time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    work()
    clock, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(clock, used + daemon() - served)


def run(*argv: object, **options: object) -> None:
    """Run a command that must succeed."""
    subprocess.run(
        list(map(str, argv)), check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )  # type: ignore[call-overload]


def ours(state: Path, *words: object) -> None:
    """Run ``layerlab``."""
    run(sys.executable, "-m", "course", "--state", state, *words)


@contextmanager
def registry(place: Path) -> Iterator[str]:
    """The host and port of a docker-registry."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (place / "registry.yml").write_text(CONFIG.format(root=place / "registry", port=port))
    server = subprocess.Popen(
        ["docker-registry", "serve", place / "registry.yml"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def sample(megabytes: int) -> Iterator[tuple[str, bytes]]:
    """Files of this machine, up to so much."""
    left = megabytes * 1_000_000
    for path in sorted(SOURCE.rglob("*")):
        if path.is_symlink() or not path.is_file() or not os.access(path, os.R_OK):
            continue
        content = path.read_bytes()[:left]
        left -= len(content)
        yield str(path), content
        if left <= 0:
            return


def image(store: LayoutStore, name: str, trees: Sequence[dict[str, File]]) -> None:
    """Put an image of these layers into the store."""
    made = Image(ImageConfig(cmd=("sh",)))
    for tree in trees:
        stored = store.put(pack(layer(tree), latest_ns=0))
        made = made.append(
            LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest)), History()
        )
    store.put([made.config_bytes()])
    manifest = made.manifest()
    written = store.put([manifest.to_bytes()])
    store.tag(Reference.parse(name), Descriptor(manifest.media_type, written.digest, written.size))


def measure(megabytes: int) -> list[Row]:
    """All rows, one after another."""
    with tempfile.TemporaryDirectory() as folder, registry(Path(folder)) as host:
        place = Path(folder)
        files = dict(sample(megabytes))
        for path, content in files.items():
            target = place / "tree" / path.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        with LayoutStore(str(place / "here")) as store:
            image(store, "big:1", [{path: File(content) for path, content in files.items()}])
            portions: list[dict[str, File]] = [{} for _ in range(MANY)]
            for number, (path, content) in enumerate(files.items()):
                portions[number % MANY][path] = File(content)
            image(store, "many:1", portions)
        return [*pushing(place, host), *pulling(place, host), *others(place, host), *listing(place)]


def pushing(place: Path, host: str) -> Iterator[Row]:
    """One layer, packed and pushed at several levels; the peer only packs it, and writes it to a file."""
    peer = None
    if shutil.which("pigz"):
        packed = f"tar -C {place}/tree -c . | pigz -6 -p2 > {place}/packed"
        peer = timed(lambda: run("sh", "-c", packed))
        yield Row("tar | pigz -6 -p2", peer)
    for number, options in enumerate(
        (("gzip", "6"), ("gzip", "1"), ("fast", "2"), ("zstd", "3")),
    ):
        method, level = options
        words = (
            "push",
            "big:1",
            f"{host}/pushed{number}:1",
            "--compression",
            method,
            "--compression-level",
            level,
        )
        took = timed(lambda words=words: ours(place / "here", *words))  # type: ignore[misc]
        yield beside(f"layerlab push, {method} {level}", took, "tar | pigz -6 -p2", peer)
    if shutil.which("skopeo"):
        ours(place / "here", "save", "--format", "oci", "-o", place / "plain.tar", "big:1")
        argv = (
            "skopeo",
            "--insecure-policy",
            "copy",
            "--dest-tls-verify=false",
            f"oci-archive:{place}/plain.tar",
        )
        took = timed(lambda: run(*argv, f"docker://{host}/skopeo:1"))
        yield Row("skopeo copy of what is compressed already", took)


def others(place: Path, host: str) -> Iterator[Row]:
    """Buildah and docker on the same ways, as multiples of ours: a push with gzip, a pull that unpacks."""
    archive = place / "docker.tar"
    ours(place / "here", "save", "-o", archive, "--compression", "uncompressed", "big:1")
    ours(place / "again", "load", "-i", archive)
    pushed = timed(lambda: ours(place / "again", "push", "big:1", f"{host}/again:1"))
    for opened in (buildah(place / "buildah"), dockerd(place / "dockerd")):
        with opened as peer:
            if peer is None:
                continue
            peer.load(archive)
            took = timed(partial(peer.push, "big:1", f"{host}/{peer.name}:1"), daemon=peer.processors)
            yield beside(f"{peer.name} push", took, "layerlab push, gzip 6", pushed)
            pulled = timed(partial(unpacked, place / f"beside-{peer.name}", f"{host}/many:1"))
            took = timed(partial(peer.pull, f"{host}/many:1"), daemon=peer.processors)
            yield beside(f"{peer.name} pull, many", took, "layerlab pull and unpack", pulled)


def unpacked(state: Path, reference: str) -> None:
    """Pull an image and write its files into a directory."""
    state.mkdir()
    (state / "Dockerfile").write_text(f"FROM {reference}\n")
    ours(state / "state", "build", "-q", "-o", state / "files", state)


def pulling(place: Path, host: str) -> Iterator[Row]:
    """One layer, and twenty, fetched and unpacked."""
    ours(place / "here", "push", "-q", "big:1", f"{host}/big:1")
    ours(place / "here", "push", "-q", "many:1", f"{host}/many:1")
    for name in ("big", "many"):
        peer = None
        if shutil.which("skopeo") and shutil.which("umoci"):
            layout = f"oci:{place}/skopeo-{name}:1"

            def theirs(layout: str = layout, name: str = name) -> None:
                source = f"docker://{host}/{name}:1"
                run("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false", source, layout)
                rootless = () if os.geteuid() == 0 else ("--rootless",)
                run(
                    "umoci",
                    "unpack",
                    *rootless,
                    "--image",
                    layout.removeprefix("oci:"),
                    f"{place}/bundle-{name}",
                )

            peer = timed(theirs)
            yield Row(f"skopeo and umoci unpack, {name}", peer)
        took = timed(partial(ours, place / f"there-{name}", "pull", f"{host}/{name}:1"))
        yield beside(f"layerlab pull, {name}", took, "skopeo and umoci", peer)
        took = timed(partial(unpacked, place / f"files-{name}", f"{host}/{name}:1"))
        yield beside(f"layerlab pull and unpack, {name}", took, "skopeo and umoci", peer)
    one = timed(lambda: ours(place / "alone", "pull", "--jobs", "1", f"{host}/many:1"))
    yield Row("layerlab pull --jobs 1, many", one)


def listing(place: Path) -> Iterator[Row]:
    """A thousand images."""
    with LayoutStore(str(place / "listed")) as store:
        for number in range(LISTED):
            image(store, f"image{number}:1", [{"/f": File(str(number).encode())}])
    ours(place / "listed", "images")
    floors = [timed(lambda: run(sys.executable, "-c", "pass")) for _ in range(5)]
    times = [timed(lambda: ours(place / "listed", "images")) for _ in range(5)]
    best, floor = (min(each, key=lambda took: took.clock) for each in (times, floors))
    yield beside(f"layerlab images, {LISTED} of them", best, "python -c pass", floor)


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=int, default=500)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    if shutil.which("docker-registry") is None:
        print("needs docker-registry (Debian's package of that name)")
        return
    rows = measure(chosen.mb)
    if chosen.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        line = f"{row.what:<44}{row.took.clock:7.2f} s, {row.took.processors:6.2f} of processors"
        if row.ratio is not None:
            line += f"; {row.ratio.clock:5.2f} and {row.ratio.processors:5.2f} times {row.peer}"
        print(line)


if __name__ == "__main__":
    main()
