"""A base image whose programs are real: the machine's static busybox."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.image.config import ImageConfig
from builder.image.digest import DiffID
from builder.image.image import Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor, Platform
from builder.image.reference import Reference
from builder.recipe import Build, Recipe, built
from builder.stores.memory import MemoryStore
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import Dir, File, Layer, Symlink, layer
from unionfs_sim.tar.pack import pack

PASSWD = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44::/srv:/bin/sh\n"


@cache
def _busybox() -> tuple[bytes, tuple[str, ...]]:
    program = shutil.which("busybox") or "/bin/busybox"
    listed = subprocess.run([program, "--list"], capture_output=True, text=True, check=True)
    return Path(program).read_bytes(), tuple(name for name in listed.stdout.split() if name != "busybox")


def busybox(more: dict[str, Any] | None = None) -> Layer:
    """The machine's static busybox as an image's layer."""
    program, applets = _busybox()
    tree: dict[str, Any] = {"/bin/busybox": File(program, mode=0o755)}
    tree |= {f"/bin/{name}": Symlink("busybox") for name in applets}
    return layer({**tree, "/etc/passwd": PASSWD, "/etc/group": "root:x:0:\nweb:x:44:\n", **(more or {})})


def add_image_to(store: Any, name: str, tree: Layer) -> None:
    """Let ``name`` be an image of one layer."""
    stored = store.put(pack(tree))
    blob = LayerBlob(replace(stored, media_type=MEDIA_LAYER), DiffID(stored.digest))
    config = ImageConfig(env={"PATH": "/bin"})
    image = Image(config, (blob,), (), Platform.parse("linux/amd64"), "1970-01-01T00:00:00Z")
    store.put([image.config_bytes()])
    manifest = image.manifest()
    put = store.put([manifest.to_bytes()])
    store.tag(Reference.parse(name), Descriptor(manifest.media_type, put.digest, put.size))


class Builder:
    """Builds Dockerfiles on a base image ``base``, in one store and one state directory."""

    def __init__(self, state: Path) -> None:
        self.store = MemoryStore()
        self.state = state
        add_image_to(self.store, "base", busybox())

    def build(
        self,
        dockerfile: str,
        files: dict[str, Any] | None = None,
        *,
        strategy: Strategy = Strategy.ROOTLESS,
        **more: Any,
    ) -> Build:
        """What the build came to; its tools are closed."""
        listener = more.pop("listener", lambda event: None)
        recipe = Recipe(
            graph=plan(parse(dockerfile), target=None),
            context=Source(BuildContext(layer(files or {}).freeze()), LABEL),
            strategy=strategy,
            state_dir=self.state,
            **more,
        )
        with built(recipe, self.store, listener=listener) as build:
            return build

    def tree(self, build: Build) -> Layer:
        """The image's files, merged."""
        from builder.image.digest import Digest
        from unionfs_sim.layers.merge import merged
        from unionfs_sim.tar.unpack import read_layer

        layers = []
        for blob in build.result.image.layers:
            with self.store.open(Digest(blob.diff_id)) as stream:
                layers.append(read_layer(stream))
        return merged(layers)


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path / "state")


@pytest.fixture
def new_builder() -> Any:
    """Makes a builder, given a state directory."""
    return Builder


@pytest.fixture(scope="session")
def real_base() -> Layer:
    """A layer with programs that run."""
    return busybox()


@pytest.fixture(scope="session")
def add_image() -> Any:
    """Puts an image with programs that run into a store, under a name."""
    site = {
        "/srv/web": Dir(uid=33, gid=44),
        "/srv/web/page": File("page", mode=0o640, uid=33, gid=44),
        "/srv/web/link": Symlink("page", uid=33, gid=44),
    }
    return lambda store, name: add_image_to(store, name, busybox(site))
