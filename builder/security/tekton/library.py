"""What stands in the same files: tasks, pipelines and StepActions that references can be followed to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.security.documents import Document
from builder.security.tekton.reading import Manifest, mapping, text

GROUP: Final = "tekton.dev"


@dataclass(frozen=True, slots=True)
class Library:
    """Whole manifests by the name of the object, for each kind that can be referred to."""

    tasks: Mapping[str, Manifest] = field(default_factory=dict)
    pipelines: Mapping[str, Manifest] = field(default_factory=dict)
    step_actions: Mapping[str, Manifest] = field(default_factory=dict)


def library(documents: Iterable[Document]) -> Library:
    """The library of ``documents``; of equal names the first counts."""
    found: dict[str, dict[str, Manifest]] = {"Task": {}, "Pipeline": {}, "StepAction": {}}
    for document in documents:
        root = document.root
        if isinstance(root, dict) and text(root, "apiVersion").startswith(f"{GROUP}/"):
            found.get(text(root, "kind"), {}).setdefault(text(mapping(root, "metadata"), "name"), root)
    return Library(found["Task"], found["Pipeline"], found["StepAction"])
