"""The key of notebook 08: what became better, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.security.documents import Document, read
from builder.security.facts import guess_builder, situation
from builder.security.graph import Reached, Start, reach
from builder.security.pods import Pod
from builder.security.pss import judge
from builder.security.tekton.check import checked, is_sound
from builder.security.tekton.pods import task_pods
from builder.security.tekton.write import Builder, Project, write
from course.laboratory import Laboratory
from course.lesson import Sealed

MADE: Final = "FROM alpine\nRUN head -c 40000 /dev/zero > /nginx.tar.gz\n"
DELETED: Final = MADE + "RUN rm /nginx.tar.gz\n"


def documents_of(builder: Builder) -> list[Document]:
    """The manifests of a pipeline that builds the server, as ``layerlab pipeline write`` writes them."""
    files = write(Project(name="web", image="registry.example.com/web:main"), builder)
    return [document for name, text in files.items() for document in read(text.encode(), name)]


def pod_of(builder: Builder) -> Pod:
    """The pod in which such a pipeline builds."""
    found = task_pods(each.document for each in checked(documents_of(builder)) if is_sound(each))
    return next(each.pod for each in found if guess_builder(each.pod) is not None)


def reached_by(pod: Pod, start: Start) -> Reached:
    """What ``start`` reaches in a pod whose builder can be told from it."""
    builder = guess_builder(pod)
    assert builder is not None
    return reach(situation(pod, builder), start)


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    laboratory = Laboratory()
    made, deleted = laboratory.build(MADE), laboratory.build(DELETED)
    before, after = (
        sum(built.sizes[diff_id] for diff_id in made.image.diff_ids) for built in (made, deleted)
    )
    kaniko = reached_by(pod_of(Builder.KANIKO), Start.DOCKERFILE)
    left = "root of the node" if "node_root" in kaniko else "registry credential"
    digest = [line for line in _lines("pipeline.yaml") if "digest" in line.lower() and "$(" in line]
    price = judge(pod_of(Builder.BUILDAH))
    return {
        "freed": Sealed(
            before - after, {"dead": deleted.tree().wasted_bytes}, lambda: str(deleted.stage_graph())
        ),
        "named": Sealed("digest" if digest else "tag", shown=lambda: "\n".join(digest)),
        "left": Sealed(
            left if "reg_creds" in kaniko else "nothing",
            shown=lambda: "\n".join(map(str, kaniko.path("reg_creds"))),
        ),
        "price": Sealed(price.level.value, shown=lambda: "\n".join(map(str, price.violations[:3]))),
    }


def _lines(file: str) -> list[str]:
    text = write(Project(name="web", image="registry.example.com/web:main"), Builder.KANIKO)[file]
    return [line.strip() for line in text.splitlines()]
