"""What ``layerlab build --provenance --sbom`` says about the image that it built."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator

import click

from builder.attestation.packages import packages
from builder.attestation.provenance import Material, Mode, Origin, of_image, provenance
from builder.attestation.spdx import sbom
from builder.attestation.statement import Predicate, attested
from builder.cli.inputs import DockerfileSource
from builder.image.digest import digest_of
from builder.image.image import rfc3339
from builder.image.oci import Descriptor
from builder.image.unpack import unpack_stack
from builder.recipe import Build
from builder.stores.cachemounts import RecordingStore
from builder.transport.registry.pull import origin
from unionfs_sim.layers.merge import merged

_MODES = {"min": Mode.MIN, "mode=min": Mode.MIN, "true": Mode.MIN, "max": Mode.MAX, "mode=max": Mode.MAX}


def mode(written: str | None) -> Mode | None:
    """How much ``--provenance`` tells; None if nothing."""
    if written is None or written == "false":
        return None
    if written not in _MODES:
        raise click.UsageError(f"--provenance {written}: write mode=min, mode=max, true or false")
    return _MODES[written]


def with_provenance(
    store: RecordingStore, build: Build, source: DockerfileSource, args: dict[str, str], told: Mode
) -> Predicate:
    """Where the image came from. ``told``: how much of it."""
    graph = build.recipe.graph
    when = rfc3339(build.recipe.dates.epoch_seconds)
    return provenance(
        Origin(
            dockerfile=source.dockerfile.name,
            dockerfile_digest=source.digest,
            target=graph.target.title,
            platform=build.result.image.platform,
            strategy=build.recipe.strategy.value,
            version=version(),
            materials=list(materials(store, build)),
            began=when,
            ended=when,
            build_args=args,
            args_are_told=told,
        )
    )


def materials(store: RecordingStore, build: Build) -> Iterator[Material]:
    """Every image and URL that the build took, each with the digest that its source knows it by."""
    for (reference, platform), image in build.taken.images.items():
        local = digest_of(image.manifest().to_bytes())
        came_with = origin(store, local)
        yield of_image(reference, platform, local if came_with is None else came_with.digest)
    for url, digest in build.taken.urls.items():
        yield Material(url, digest)


def with_sbom(store: RecordingStore, build: Build, name: str) -> Predicate:
    """What the image holds."""
    image = build.result.image
    tree = merged(unpack_stack(store, image.layers))
    created = rfc3339(build.recipe.dates.epoch_seconds)
    return sbom(name, image.chain_id, packages(tree), created=created, version=version())


def tied(store: RecordingStore, image: Descriptor, predicates: list[Predicate], name: str) -> Descriptor:
    """What names an image and what is said about it, in ``store``."""
    index = attested(image, predicates, name, lambda content, _: store.put([content]))
    kept = store.put([index.to_bytes()])
    return Descriptor(index.media_type, kept.digest, kept.size)


def version() -> str:
    """This program's."""
    return importlib.metadata.version("layerlab")
