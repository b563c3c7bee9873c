"""What real builds cost, without root: beside the same commands in a chroot, buildah and dockerd.

    python bench/real.py [--json] [--runs N]

State lies on a tmpfs. Rounds of all contenders follow each other, and the best of each counts, because other
load only ever adds. Needs busybox-static, user namespaces, and root for the chroot. What is not installed of
buildah and dockerd is left out.
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
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
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
COPIED_FILES = 10_000
COPIED_BYTES = 20_000


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

    def build(self, dockerfile: str, *, cache: bool = False, context: Path | None = None) -> None:
        """Build a Dockerfile that begins FROM scratch."""
        place = context or self.context
        (place / "Dockerfile").write_text(dockerfile)
        words = ["build", "-q", "--layers", "--isolation", "chroot", "--network", "host"]
        words += [] if cache else ["--no-cache"]
        subprocess.run([*self.words, *words, str(place)], check=True, capture_output=True)


class Dockerd:
    """A daemon of its own, and its classic builder (BuildKit needs a plug-in). Used in a ``with``."""

    def __init__(self, place: Path, root: Path) -> None:
        self.place = place / "dockerd"
        self.context = self.place / "context"
        shutil.copytree(root, self.context, symlinks=True)
        self.socket = f"unix://{self.place}/docker.sock"

    def __enter__(self) -> Dockerd:
        words = ["dockerd", "--bridge=none", "--iptables=false", "--host", self.socket]
        words += [f"--{name}={self.place}/{name}" for name in ("data-root", "exec-root", "pidfile")]
        with (self.place / "log").open("wb") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while subprocess.run(
            ["docker", "-H", self.socket, "version"], capture_output=True, check=False
        ).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("dockerd does not start: " + (self.place / "log").read_text()[-500:])
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def build(self, dockerfile: str, *, cache: bool = False, context: Path | None = None) -> None:
        """Build a Dockerfile that begins FROM scratch."""
        place = context or self.context
        (place / "Dockerfile").write_text(dockerfile)
        words = ["docker", "-H", self.socket, "build", "-q", "--network", "none"]
        words += [] if cache else ["--no-cache"]
        env = {**os.environ, "DOCKER_BUILDKIT": "0"}
        subprocess.run([*words, str(place)], check=True, capture_output=True, env=env)


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
    return rows + beside(root, place, runs, found["layer"] / runs)


Build = Callable[..., None]


def peers(stack: ExitStack, root: Path, place: Path) -> dict[str, Build]:
    """How each builder that is installed builds a Dockerfile from scratch, whose context has /bin."""
    found: dict[str, Build] = {}
    if shutil.which("buildah"):
        found["buildah"] = Buildah(place, root).build
    if shutil.which("dockerd") and shutil.which("docker"):
        daemon = stack.enter_context(Dockerd(place, root))
        found["dockerd"] = daemon.build
    return found


def beside(root: Path, place: Path, runs: int, seconds_each: float) -> list[tuple[str, float, str]]:
    """The same work by the others; ``seconds_each``: what one RUN with a layer takes us."""
    few = max(runs // 10, 1)
    scratch = "FROM scratch AS base\nCOPY bin /bin\n"
    lines = scratch + "".join(f"RUN echo {number} > /f\n" for number in range(few))
    stages = scratch + "".join(f"FROM base AS s{n}\nRUN sleep 1; echo {n} > /f{n}\n" for n in range(STAGES))
    stages += "FROM base\n" + "".join(f"COPY --from=s{n} /f{n} /\n" for n in range(STAGES))
    rows = []
    with ExitStack() as stack:
        others = peers(stack, root, place)
        for name, build in others.items():
            build(scratch, cache=True)
            seconds = best({name: partial(build, lines)}, 2)[name] / few
            rows.append(
                (f"{name}: a RUN that makes a layer", seconds, f"{seconds / seconds_each:.1f} x ours")
            )
            seconds = best({name: partial(build, stages)}, 1)[name]
            rows.append((f"{name}: {STAGES} stages of sleep 1", seconds, f"{seconds:.2f} x one of them"))
        rows += copying(place, {"layerlab": partial(by_command, place), **others})
    return rows


def by_command(place: Path, dockerfile: str, *, cache: bool = False, context: Path) -> None:
    """``layerlab build --strategy rootless``, Python's start included."""
    (context / "Dockerfile").write_text(dockerfile)
    words = ["-m", "course", "--state", str(place / "copied"), "build", "-q", "--strategy", "rootless"]
    words += [] if cache else ["--no-cache"]
    subprocess.run([sys.executable, *words, str(context)], check=True, capture_output=True)


def copying(place: Path, builders: dict[str, Build]) -> list[tuple[str, float, str]]:
    """COPY of many files: when nothing is known, when nothing changed, when one file changed."""
    context = place / "many-files"
    for number in range(COPIED_FILES):
        path = context / f"d/{number // 250}/{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(number.to_bytes(4, "big") * (COPIED_BYTES // 4))
    found: dict[str, dict[str, float]] = {}
    for name, build in builders.items():
        copy = partial(build, "FROM scratch\nCOPY d /d\n", context=context)
        copy(cache=True)
        times = best({"cold": partial(copy, cache=False)}, 2) | best({"same": partial(copy, cache=True)}, 3)
        changed = []
        for _ in range(2):
            with (context / "d/0/0").open("ab") as file:
                file.write(b"x")
            time.sleep(0.1)  # a file this young is read again by who knows files by their times
            changed.append(best({"one": partial(copy, cache=True)}, 1)["one"])
        found[name] = times | {"one changed": min(changed)}
    ours = found["layerlab"]
    return [
        (f"COPY of {COPIED_FILES} files, {kind}: {name}", seconds, f"{seconds / ours[kind]:.2f} x ours")
        for kind in ours
        for name, seconds in ((name, times[kind]) for name, times in found.items())
    ]


if __name__ == "__main__":
    main()
