"""The capstone: the pipeline is checked, looked at and played, and what it pushed is taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from builder.errors import BuildError
from builder.events import CacheMissed, StepBegan
from builder.image.analysis import ImageTree, analyse
from builder.security.documents import Document
from builder.security.tekton.reading import mapping, text
from course.check import Verdict, Wrong, held
from course.laboratory import Laboratory
from course.problems import pipelines
from course.problems.pipelines import Attempted
from unionfs_sim import Layer, Union, mount
from unionfs_sim.host.layer import read_directory

REPOSITORY = Path(__file__).parent / "given"
CONTEXT = REPOSITORY / "web"
BASE = "nginx:1.24-alpine"
SPARE_BYTES = 1000
SERVED = ("/usr/share/nginx/html/index.html", "/etc/nginx/conf.d/default.conf", "/usr/sbin/nginx")
COMMAND = ["nginx", "-g", "daemon off;"]
EDITED = {"pages.c": ("layers", "LAYERS"), "nginx.conf": ("index.html", "index.html index.htm")}
INSTALLS, COMPILES = re.compile(r"\bapk add\b"), re.compile(r"\b(make|gcc|cc)\b")


@dataclass(frozen=True)
class Pushed:
    """The image that the pipeline pushed last, unpacked."""

    layers: tuple[Layer, ...]
    command: tuple[str, ...]

    @property
    def tree(self) -> ImageTree:
        return analyse(self.layers)

    @property
    def union(self) -> Union:
        return mount(list(self.layers), Layer())


def judge(documents: Sequence[Document], starter: Sequence[Document]) -> Iterator[Verdict]:
    attempt = Attempted(tuple(documents), REPOSITORY)
    yield pipelines.wiring(attempt)
    yield pipelines.node(attempt)
    yield pipelines.builder(attempt)
    yield pipelines.credentials(attempt)
    yield pipelines.digest(attempt)
    found = pushed(attempt)
    if isinstance(found, Wrong):
        yield Verdict("serves", found)
        yield Verdict("size", found)
    else:
        before = pushed(Attempted(tuple(starter), REPOSITORY))
        assert isinstance(before, Pushed), before
        yield serves(found, before)
        yield size(found)
    yield warm(documents)


def pushed(attempt: Attempted) -> Pushed | Wrong:
    """What comes out when it is played, or why nothing does."""
    if attempt.errors:
        return Wrong("not-yet", attempt.errors[0])
    try:
        played = attempt.played
        if not played.outcome.pushed:
            failed = [each for each in played.outcome.tasks if each.state == "Failed"]
            return Wrong("nothing-pushed", f"{failed[0].name}: {failed[0].why}" if failed else "")
        root = played.site.rootfs(played.outcome.pushed[-1].reference)
    except BuildError as error:
        return Wrong("stopped", error.what)
    return Pushed(tuple(root.layers), (*root.entrypoint, *root.cmd))


def serves(found: Pushed, before: Pushed) -> Verdict:
    """Whether a container serves what it served before, in the same way."""
    for path in SERVED:
        if not found.union.exists(path):
            return Verdict("serves", Wrong("lost", path))
        if found.union.read_bytes(path) != before.union.read_bytes(path):
            return Verdict("serves", Wrong("changed", path))
    return held("serves", list(found.command) == COMMAND, "command", " ".join(found.command))


def size(found: Pushed) -> Verdict:
    """Whether the image has no more above its base than a page and its configuration."""
    base = Laboratory().build(f"FROM {BASE}\n").tree().size_bytes
    more = found.tree.size_bytes - base
    held_by = [
        (each.size_bytes, path, each.hidden)
        for path, record in found.tree.paths.items()
        for each in record.held
        if each.layer >= 2  # the base has two
    ]
    largest = max(held_by, default=(0, "", False))
    because = "hidden" if largest[2] else ""
    return held("size", more <= SPARE_BYTES, because, f"{largest[1]}: {largest[0]} B", more=more)


def warm(documents: Sequence[Document]) -> Verdict:
    """Whether an edit builds again what depends on it, and no more."""
    dockerfile = dockerfile_of(documents)
    if dockerfile is None:
        return Verdict("warm", Wrong("no-dockerfile"))
    try:
        for path, (old, new) in EDITED.items():
            again = run_again(dockerfile, path, old, new)
            wasted = [line for line in again if INSTALLS.search(line)]
            if path == "nginx.conf":
                wasted += [line for line in again if COMPILES.search(line)]
            if wasted:
                return Verdict("warm", Wrong("", f"edit {path}:\n  {wasted[0]}"))
    except BuildError as error:
        return Verdict("warm", Wrong(how="build", shown=str(error)))
    return Verdict("warm")


def dockerfile_of(documents: Sequence[Document]) -> str | None:
    """The Dockerfile in the ConfigMap that is called so; None if there is none."""
    for document in documents:
        root: Mapping[str, object] = document.root if isinstance(document.root, dict) else {}
        if text(root, "kind") == "ConfigMap" and text(mapping(root, "metadata"), "name") == "dockerfile":
            return text(mapping(root, "data"), "Dockerfile") or None
    return None


def run_again(dockerfile: str, path: str, old: str, new: str) -> list[str]:
    """The lines that the builder does not find in its cache after an edit of one file."""
    laboratory = Laboratory()
    laboratory.build(dockerfile, CONTEXT)
    edited = read_directory(CONTEXT)
    edited.write_bytes(f"/{path}", edited.read_bytes(f"/{path}").replace(old.encode(), new.encode()))
    done = laboratory.build(dockerfile, edited)
    texts = {(e.stage, e.step): e.text for e in done.events if isinstance(e, StepBegan)}
    return [texts[e.stage, e.step] for e in done.events if isinstance(e, CacheMissed)]
