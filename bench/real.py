"""What a real RUN costs, without root: beside the same commands in a chroot, and beside buildah where it is.

    python bench/real.py [--json] [--runs N]

State lies on a tmpfs. Rounds of all contenders follow each other, and the best of each counts, because other
load only ever adds. Needs busybox-static, user namespaces, and root for the chroot.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.engine.order import CacheUse
from builder.image.config import ImageConfig
from builder.image.digest import DiffID
from builder.image.image import Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.image.reference import Reference
from builder.recipe import Recipe, built
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import File, Layer, Symlink, layer
from unionfs_sim.tar.pack import pack

ROUNDS = 5
STAGES = 6
MANY_FILES = 50_000


def base(more: dict[str, Any] | None = None) -> Layer:
    """busybox, and a shell by that name."""
    program = Path(shutil.which("busybox") or "/bin/busybox").read_bytes()
    names = {f"/bin/{name}": Symlink("busybox") for name in ("sh", "true", "sleep", "echo")}
    return layer({"/bin/busybox": File(program, mode=0o755), **names, **(more or {})})


def add(store: LayoutStore, name: str, tree: Layer) -> None:
    """Let ``name`` be an image of one layer."""
    stored = store.put(pack(tree))
    blob = LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))
    platform = Platform.parse("linux/amd64")
    image = Image(ImageConfig(env={"PATH": "/bin"}), (blob,), (), platform, "1970-01-01T00:00:00Z")
    store.put([image.config_bytes()])
    manifest = image.manifest()
    put = store.put([manifest.to_bytes()])
    store.tag(Reference.parse(name), Descriptor(manifest.media_type, put.digest, put.size))


class Ours:
    """Builds in this process, every step done."""

    def __init__(self, store: LayoutStore, state: Path) -> None:
        self.store = store
        self.state = state

    def build(self, dockerfile: str) -> None:
        """Build, whatever is known."""
        recipe = Recipe(
            graph=plan(parse(dockerfile), target=None),
            context=Source(BuildContext(layer({}).freeze()), LABEL),
            strategy=Strategy.ROOTLESS,
            cache=CacheUse.IGNORE,
            state_dir=self.state,
        )
        with built(recipe, self.store):
            pass


def in_chroot(root: Path, runs: int, script: str) -> None:
    """The same commands, one after another, in a directory that is there already."""
    for _ in range(runs):
        subprocess.run(["chroot", root, "/bin/sh", "-c", script], check=True)


def prepared_chroot(place: Path) -> Path:
    """A root with busybox, for chroot(8) and for buildah's base."""
    root = place / "chroot"
    (root / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin/busybox")
    for name in ("sh", "true", "sleep", "echo"):
        (root / "bin" / name).symlink_to("busybox")
    return root


class Buildah:
    """buildah as root, its storage beside ours; ``--layers``, as docker builds."""

    def __init__(self, place: Path, root: Path) -> None:
        self.context = place / "buildah-context"
        shutil.copytree(root, self.context, symlinks=True)
        self.words = ["buildah", "--root", str(place / "storage"), "--runroot", str(place / "runroot")]

    def build(self, runs: int, command: str) -> None:
        """Build an image with as many RUN lines, each a layer."""
        dockerfile = "FROM scratch\nCOPY bin /bin\n" + f"RUN {command}\n" * runs
        (self.context / "Dockerfile").write_text(dockerfile)
        words = ["build", "-q", "--layers", "--no-cache", "--isolation", "chroot", "--network", "host"]
        subprocess.run([*self.words, *words, str(self.context)], check=True, capture_output=True)


def best(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least seconds of each, over rounds in which each has its turn."""
    found = dict.fromkeys(contenders, float("inf"))
    for _ in range(rounds):
        for name, work in contenders.items():
            begin = time.perf_counter()
            work()
            found[name] = min(found[name], time.perf_counter() - begin)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=100)
    options = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("busybox") is None:
        sys.exit("bench/real.py needs root (for the chroot) and busybox-static")
    runs = options.runs
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="layerlab-bench-") as folder:
        place = Path(folder)
        root = prepared_chroot(place)
        with LayoutStore(str(place / "state")) as store:
            add(store, "base", base())
            add(store, "many", base({f"/files/{n // 500}/{n}": "x" for n in range(MANY_FILES)}))
            ours = Ours(store, place / "state")
            rows = measured(ours, root, place, runs)
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for name, seconds, ratio in rows:
        print(f"{name:52} {seconds:9.3f} s {ratio}")


def measured(ours: Ours, root: Path, place: Path, runs: int) -> list[tuple[str, float, str]]:
    """Rows of name, seconds, and what that is of what."""
    ours.build("FROM base\nRUN true\n")
    ours.build("FROM many\nRUN true\n")
    nothing, line = "FROM base\n" + "RUN true\n" * runs, "RUN echo {} > /f\n"
    layers = "FROM base\n" + "".join(line.format(n) for n in range(runs))
    stages = "".join(f"FROM base AS s{n}\nRUN sleep 1; echo {n} > /f{n}\n" for n in range(STAGES))
    joined = "FROM base\n" + "".join(f"COPY --from=s{n} /f{n} /\n" for n in range(STAGES))
    found = best(
        {
            "chroot": lambda: in_chroot(root, runs, "true"),
            "true": lambda: ours.build(nothing),
            "layer": lambda: ours.build(layers),
            "small": lambda: ours.build("FROM base\nRUN echo > /f\n"),
            "many": lambda: ours.build("FROM many\nRUN echo > /f\n"),
        },
        ROUNDS,
    )
    sleeping = best({"stages": lambda: ours.build(stages + joined)}, 3)["stages"]
    bare = found["chroot"]
    rows = [
        (f"{runs} commands in a chroot", bare, ""),
        (f"{runs} x RUN true", found["true"], f"{found['true'] / bare:.1f} x the chroot"),
        (f"{runs} x RUN that makes a layer", found["layer"], f"{found['layer'] / bare:.1f} x the chroot"),
        ("a build with one RUN", found["small"], ""),
        (
            f"the same on a base of {MANY_FILES} files",
            found["many"],
            f"{found['many'] / found['small']:.2f} x the small base",
        ),
        (f"{STAGES} stages of sleep 1, at once", sleeping, f"{sleeping:.2f} x one of them"),
    ]
    if shutil.which("buildah"):
        few = max(runs // 10, 1)
        buildah = Buildah(place, root)
        try:
            seconds = best({"buildah": lambda: buildah.build(few, "true")}, 2)["buildah"]
        except subprocess.CalledProcessError as error:
            rows.append((f"buildah failed: {error.stderr[-200:]!r}", 0.0, ""))
        else:
            ratio = seconds / few / (found["layer"] / runs)
            rows.append((f"buildah, {few} x RUN true", seconds, f"{ratio:.1f} x ours, per RUN"))
    return rows


if __name__ == "__main__":
    main()
