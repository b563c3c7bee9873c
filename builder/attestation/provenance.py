"""Where an image came from: SLSA provenance v1 (slsa.dev ``provenance/v1``).

``mode=min`` names the Dockerfile, the target and every image and URL that the build took; ``mode=max`` adds
the build arguments. Secrets are in neither.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from builder.attestation.statement import Predicate
from builder.image.digest import Digest, hex_of
from builder.image.oci import Platform
from builder.image.reference import Reference

PREDICATE_TYPE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "urn:layerlab:dockerfile-build:1"
BUILDER_ID: Final = "urn:layerlab:builder"


class Mode(enum.Enum):
    """How much is told. ``value``: as the command line writes it."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True)
class Material:
    """Something that the build took. ``uri``: a package URL of an image, or the address of a file."""

    uri: str
    digest: Digest


def of_image(reference: Reference, platform: Platform, digest: Digest) -> Material:
    """The material that an image is, as a package URL (purl-spec, ``docker``)."""
    version = reference.tag or reference.digest or ""
    name = quote(reference.familiar_name, safe="/")
    return Material(f"pkg:docker/{name}@{quote(version)}?platform={quote(str(platform), safe='')}", digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """How an image was built. ``began``, ``ended``: as RFC 3339 has it."""

    dockerfile: str
    dockerfile_digest: Digest
    target: str
    platform: Platform
    strategy: str
    version: str
    materials: Sequence[Material]
    began: str
    ended: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    args_are_told: Mode = Mode.MIN


def provenance(origin: Origin) -> Predicate:
    """What SLSA's predicate says of an image with that origin; equal origins give equal predicates."""
    parameters: dict[str, Any] = {
        "dockerfile": {"path": origin.dockerfile, "digest": {"sha256": hex_of(origin.dockerfile_digest)}},
        "target": origin.target,
        "platform": str(origin.platform),
        "strategy": origin.strategy,
    }
    if origin.args_are_told is Mode.MAX:
        parameters["buildArgs"] = dict(sorted(origin.build_args.items()))
    taken = sorted({(material.uri, material.digest) for material in origin.materials})
    return Predicate(
        PREDICATE_TYPE,
        {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters,
                "resolvedDependencies": [
                    {"uri": uri, "digest": {"sha256": hex_of(digest)}} for uri, digest in taken
                ],
            },
            "runDetails": {
                "builder": {"id": BUILDER_ID, "version": {"layerlab": origin.version}},
                "metadata": {"startedOn": origin.began, "finishedOn": origin.ended},
            },
        },
    )
