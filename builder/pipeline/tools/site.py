"""What all steps of a run share: the store, the repository that git clones, and what was pushed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from builder.errors import UnknownImageError
from builder.image.image import Image
from builder.image.oci import Descriptor, Platform
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.pipeline.events import Listener
from builder.pipeline.outcome import Pushed
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Settings
from builder.strategies.simulated import fetcher
from builder.world.machine.executable import PROGRAM_MAGIC
from builder.world.machine.process import Process
from builder.world.supplies.internet import toy_internet
from unionfs_sim.layers.layer import File, Layer, layer

_PLATFORM: Final = Platform("linux", "amd64")
_BASE: Final = "alpine:3.19"


@dataclass(frozen=True, slots=True)
class Rootfs:
    """What an image gives to a container."""

    layers: list[Layer]
    entrypoint: list[str] = field(default_factory=list)
    cmd: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_dir: str = "/"


@dataclass(frozen=True, slots=True)
class _Kind:
    """An image that brings a tool. ``words``: one of these is in its name; ``base``: what it stands on."""

    words: tuple[str, ...]
    program: str
    paths: tuple[str, ...]
    base: str
    user: str = ""


_KINDS: Final = (
    _Kind(("kaniko",), "pipeline-kaniko", ("/kaniko/executor",), "scratch"),
    _Kind(
        ("buildkit",),
        "pipeline-buildctl",
        ("/usr/bin/buildctl", "/usr/bin/buildctl-daemonless.sh"),
        _BASE,
    ),
    _Kind(("buildah", "podman"), "pipeline-buildah", ("/usr/bin/buildah",), _BASE),
    _Kind(("git", "git-init", "git-clone"), "pipeline-git", ("/usr/bin/git",), _BASE),
)


@dataclass(slots=True)
class Site:
    """Where a run is played. ``repository``: what every URL of git stands for.

    ``local``: names that builders gave to images that they did not push.
    """

    store: RecordingStore
    repository: Path
    listener: Listener
    pushed: list[Pushed] = field(default_factory=list)
    local: dict[str, Descriptor] = field(default_factory=dict)
    _roots: dict[str, Rootfs] = field(default_factory=dict)

    @property
    def internet(self) -> Any:
        """What URLs answer."""
        return toy_internet()

    def rootfs(self, reference: str) -> Rootfs:
        """The root of a container; UnknownImageError for an image that nobody here has."""
        if reference not in self._roots:
            self._roots[reference] = self._rootfs(reference)
        return self._roots[reference]

    def _rootfs(self, written: str) -> Rootfs:
        reference = Reference.parse(written)
        kind = _kind(reference)
        if kind is None:
            return self._unpacked(self._fetched(reference))
        content = PROGRAM_MAGIC + kind.program.encode() + b"\n"
        tool = layer({path: File(content, mode=0o755) for path in kind.paths})
        if kind.base == "scratch":
            # As the executor's image has it: no shell, so that a script cannot run in it.
            return Rootfs([tool.freeze()], entrypoint=list(kind.paths[:1]), env={"PATH": "/kaniko"})
        found = self._unpacked(self._fetched(Reference.parse(kind.base)))
        return Rootfs([*found.layers, tool.freeze()], entrypoint=list(kind.paths[:1]), env=found.env)

    def _fetched(self, reference: Reference) -> Image:
        """The image; one that is named by digest is also found by its tag, which nothing can compare."""
        known = fetcher(self.store, Settings())
        try:
            return known.fetch(reference, _PLATFORM)
        except UnknownImageError:
            if reference.digest is None or reference.tag is None:
                raise
            return known.fetch(Reference(reference.registry, reference.repository, reference.tag), _PLATFORM)

    def _unpacked(self, image: Image) -> Rootfs:
        config = image.config
        return Rootfs(
            unpack_stack(self.store, image.layers),
            list(config.entrypoint or ()),
            list(config.cmd or ()),
            config.env,
            config.user,
            config.working_dir or "/",
        )

    def push(self, process: Process, written: str, manifest: Descriptor, credentials: str) -> None:
        """Put an image into the store, where a registry would have it. ``credentials``: a config.json."""
        reference = Reference.parse(written.removeprefix("docker://"))
        if not process.fs.exists(credentials):
            process.complain(f"warning: no {credentials}: a registry would refuse this push")
        self.store.tag(reference, manifest)
        self.pushed.append(Pushed(reference.familiar, manifest.digest))
        process.out(f"pushed {reference.familiar}@{manifest.digest}\n")


def _kind(reference: Reference) -> _Kind | None:
    words = reference.repository.split("/")
    for kind in _KINDS:
        if any(word in kind.words for word in words):
            return kind
        if kind.program == "pipeline-kaniko" and any(word.startswith("kaniko") for word in words):
            return kind
    return None
