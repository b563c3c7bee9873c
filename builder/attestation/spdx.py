"""What an image holds, as an SPDX 2.3 document (spdx.github.io ``spdx-spec/v2.3``)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

from builder.attestation.packages import Package
from builder.attestation.statement import Predicate
from builder.image.digest import ChainID

PREDICATE_TYPE: Final = "https://spdx.dev/Document"
_ROOT: Final = "SPDXRef-image"


def sbom(
    name: str, chain: ChainID | None, installed: Sequence[Package], *, created: str, version: str
) -> Predicate:
    """The document about an image.

    ``chain``: names its tree, and with it the document. ``created``: as RFC 3339 has it.
    """
    identity = hashlib.sha256(
        "\n".join([name, chain or "", *(each.purl for each in installed)]).encode()
    ).hexdigest()
    root: dict[str, Any] = {
        "SPDXID": _ROOT,
        "name": name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "CONTAINER",
    }
    listed = [_package(package) for package in installed]
    contains = [
        {"spdxElementId": _ROOT, "relationshipType": "CONTAINS", "relatedSpdxElement": each["SPDXID"]}
        for each in listed
    ]
    describes = {
        "spdxElementId": "SPDXRef-DOCUMENT",
        "relationshipType": "DESCRIBES",
        "relatedSpdxElement": _ROOT,
    }
    return Predicate(
        PREDICATE_TYPE,
        {
            "spdxVersion": "SPDX-2.3",
            "dataLicense": "CC0-1.0",
            "SPDXID": "SPDXRef-DOCUMENT",
            "name": name,
            "documentNamespace": f"urn:layerlab:sbom:{identity}",
            "creationInfo": {"created": created, "creators": [f"Tool: layerlab-{version}"]},
            "packages": [root, *listed],
            "relationships": [describes, *contains],
        },
    )


def _package(package: Package) -> dict[str, Any]:
    digest = hashlib.sha256(package.purl.encode()).hexdigest()[:12]
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", f"{package.kind}-{package.name}").strip("-")
    return {
        "SPDXID": f"SPDXRef-{readable}-{digest}",
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "sourceInfo": f"listed in {package.source}",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": package.purl,
            }
        ],
    }
