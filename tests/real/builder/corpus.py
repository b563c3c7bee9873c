"""Builds the corpus with us for real, with a dockerd's BuildKit and with buildah, and compares the images.

    python tests/real/builder/corpus.py [--only WORD] [--json]

Prints how many agree, and why the others do not (``corpus_cases.EXPLAINED``). Exits with 1 if nobody has said
why. Needs root, dockerd, buildah, skopeo and busybox-static, and a quarter of an hour.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import test_against_buildkit as peers
from corpus_cases import corpus, explained

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.errors import BuildError
from builder.image.config import ImageConfig
from builder.image.difference import Change, Difference, differences
from builder.image.digest import DiffID
from builder.image.image import Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.recipe import Recipe, built
from builder.stores.layout import LayoutStore
from builder.strategies.strategy import Strategy
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

Built = peers.Built
MADE_BY_OTHERS = (
    *("/dev", "/proc", "/sys", "/run", "/etc/mtab"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/hostname"),
)
NOT_COMPARED = ("Image", "Hostname")
"""Where other builders leave places for their mounts in the layers."""

TREE: dict[str, Any] = {
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n",
    "/etc/group": "root:x:0:\nweb:x:44:\n",
    "/root": Dir(mode=0o700),
    "/tmp": Dir(mode=0o1777),
    "/t/dir/inside": "inside",
    "/t/file": File("file", mode=0o640),
    "/t/dirlink": Symlink("dir"),
    "/t/filelink": Symlink("file"),
    "/t/abslink": Symlink("/t/dir"),
    "/t/nowhere": Symlink("no/where"),
}


def base() -> Layer:
    """busybox with its applets, two users, and names in the way."""
    program = Path("/bin/busybox").read_bytes()
    listed = subprocess.run(["/bin/busybox", "--list"], capture_output=True, text=True, check=True)
    applets = {f"/bin/{name}": Symlink("busybox") for name in listed.stdout.split() if name != "busybox"}
    return layer({"/bin/busybox": File(program, mode=0o755), **applets, **TREE})


def add_base(store: LayoutStore) -> Descriptor:
    """The base as an image of ``store``, named base."""
    stored = store.put(pack(base()))
    blob = LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    image = Image(
        ImageConfig(env={"PATH": path}, cmd=("sh",)),
        (blob,),
        (),
        Platform.parse("linux/amd64"),
        "1970-01-01T00:00:00Z",
    )
    store.put([image.config_bytes()])
    manifest = image.manifest()
    put = store.put([manifest.to_bytes()])
    found = Descriptor(manifest.media_type, put.digest, put.size)
    store.tag(Reference.parse("base"), found)
    return found


class Ours:
    """Real builds without root, in a store of their own."""

    def __init__(self, place: Path, context: Path) -> None:
        self.place, self.context = place, context
        self.store = LayoutStore(str(place / "state"))
        self.base = add_base(self.store)

    def build(self, dockerfile: str) -> Built:
        """What we make of it."""
        with HostDirectory(self.context) as files:
            tree = BuildContext(files)
            try:
                recipe = Recipe(
                    graph=plan(parse(dockerfile)),
                    context=Source(tree, LABEL, tree.hint),
                    strategy=Strategy.ROOTLESS,
                    state_dir=self.place / "state",
                    images={Reference.parse("base"): self.base},
                )
                with built(recipe, self.store) as done:
                    image = done.result.image
            except BuildError as error:
                return Built(error=str(error))
        return Built(merged(unpack_stack(self.store, image.layers)), image.config.document())


class Buildah:
    """buildah as root, with storage of its own."""

    def __init__(self, place: Path, context: Path) -> None:
        self.place, self.context = place, context
        self.words = [
            "buildah",
            "--storage-driver",
            "vfs",
            "--root",
            f"{place}/storage",
            "--runroot",
            f"{place}/runroot",
        ]
        pulled = self._run("pull", f"oci:{place}/state:base:latest").stdout.split()[-1]
        self._run("tag", pulled, "localhost/base")

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.words, *words],
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
            stdin=subprocess.DEVNULL,
        )

    def build(self, dockerfile: str) -> Built:
        """What buildah makes of it."""
        file, archive = self.place / "Dockerfile.buildah", self.place / "buildah.tar"
        file.write_text(dockerfile)
        archive.unlink(missing_ok=True)
        try:
            self._run(
                "build",
                "--pull-never",
                "--isolation",
                "chroot",
                "--network",
                "host",
                "--format",
                "docker",
                "-q",
                "-t",
                "localhost/case",
                "-f",
                str(file),
                str(self.context),
            )
            self._run("push", "localhost/case", f"docker-archive:{archive}:case:1")
        except subprocess.CalledProcessError as error:
            return Built(error=error.stderr[-300:] or error.stdout[-300:])
        with tarfile.open(archive) as tar:
            return peers.saved(tar)


class BuildKit:
    """The BuildKit of a dockerd."""

    def __init__(self, daemon: peers.Daemon, place: Path, context: Path) -> None:
        self.daemon, self.context = daemon, context
        archive = place / "base.tar"
        subprocess.run(
            [
                "skopeo",
                "copy",
                "-q",
                f"oci:{place}/state:base:latest",
                f"docker-archive:{archive}:base:latest",
            ],
            check=True,
        )
        daemon.ask("POST", "/v1.41/images/load", archive.read_bytes())
        self.number = 0

    def build(self, dockerfile: str) -> Built:
        """What BuildKit makes of it."""
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
            tar.add(self.context, ".")
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(dockerfile.encode())
            tar.addfile(member, io.BytesIO(dockerfile.encode()))
        self.number += 1
        return self.daemon.build(self.number, stream.getvalue(), network="none")


def told(wanted: Built, found: Built) -> list[str]:
    """How an image differs from ours, in a few words each; nothing if it does not."""
    if bool(wanted.error) != bool(found.error):
        return [
            f"refuses: {wanted.error.strip()[-160:]}" if wanted.error else f"we refuse: {found.error[:160]}"
        ]
    if found.error:
        return []
    assert wanted.tree is not None and found.tree is not None
    different = [
        f"{each.path}: {_how(each)}"
        for each in differences(wanted.tree, found.tree)
        if not (each.path.startswith(MADE_BY_OTHERS) or each.path.endswith("Dockerfile"))
    ]
    if wanted.config and wanted.config.get("Labels"):
        wanted.config["Labels"].pop("io.buildah.version", None)
    ours, theirs = (peers.comparable(each.config or {}) for each in (found, wanted))
    for name in sorted({*ours, *theirs}):
        if name not in NOT_COMPARED and ours.get(name) != theirs.get(name):
            different.append(f"{name}: {theirs.get(name)!r}, ours {ours.get(name)!r}")
    return different


def _how(each: Difference) -> str:
    names = {Change.ADDED: "only ours has it", Change.REMOVED: "ours lacks it"}
    return names.get(each.change) or str(each)


def compared(
    cases: dict[str, str], ours: Ours, others: dict[str, Callable[[str], Built]]
) -> dict[str, dict[str, list[str]]]:
    """By case and builder how it differs from us."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, dockerfile in cases.items():
        (ours.context / "Dockerfile").write_text(dockerfile)
        with ThreadPoolExecutor(len(others)) as pool:
            made = {who: pool.submit(build, dockerfile) for who, build in others.items()}
            mine = ours.build(dockerfile)
        found[name] = {who: told(build.result(), mine) for who, build in made.items()}
        print(f"{len(found)}/{len(cases)}", end="\r", file=sys.stderr, flush=True)
    return found


def main() -> None:
    """Compare as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cases = {name: text for name, text in corpus().items() if options.only in name}
    with tempfile.TemporaryDirectory(prefix="layerlab-corpus-") as folder:
        place = Path(folder)
        context = place / "context"
        context.mkdir()
        peers.write_context(context)
        ours = Ours(place, context)
        with peers.running(place / "docker") as daemon:
            buildkit, buildah = BuildKit(daemon, place, context), Buildah(place, context)
            found = compared(cases, ours, {"BuildKit": buildkit.build, "buildah": buildah.build})
    if options.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    for who in ("BuildKit", "buildah"):
        same = sum(not each[who] for each in found.values())
        print(f"{who}: {same} of {len(found)} images are ours")
    differing = [name for name, each in found.items() if any(each.values())]
    for why in sorted({explained(name) for name in differing}):
        names = [name for name in differing if explained(name) == why]
        print(f"{len(names):4}  {why or 'NOT EXPLAINED'}")
        for name in () if why else names:
            print(f"      {name}: {found[name]}")
    sys.exit(not all(explained(name) for name in differing))


if __name__ == "__main__":
    main()
