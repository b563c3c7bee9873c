"""What is careless in a build's set-up, each with what to write instead.

A Dockerfile comes here as the few things that these checks look at, so that nothing of its grammar is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from builder.errors import BuildError
from builder.security import hostpaths
from builder.security.documents import place_name, spelt
from builder.security.fields import line_of
from builder.security.pods import Container, Path, Pod
from builder.security.secretnames import names_a_secret
from builder.security.tables import Advisory, advisories
from builder.security.versions import Version, is_affected, version_from

RULES: Final = {
    "frontend-not-pinned": "the image of # syntax= is code that runs in the builder; a tag can be moved",
    "image-not-pinned": "a tag can be moved: tomorrow's build starts from something else",
    "archived-executor": "nobody mends what lies there",
    "outdated-builder": "published bugs of this version are mended in a later one",
    "runtime-socket": "who may open a container runtime's socket is root of the node",
    "secret-in-image": "an ARG or ENV stays in the image and its history",
    "secret-in-manifest": "a manifest is read by many, and kept",
    "secret-as-build-argument": "a build argument stays in the image's history",
}
"""Rule → why it is one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something careless. ``where``: file, line and, in a manifest, field; ``instead``: what to write."""

    rule: str
    where: str
    what: str
    instead: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {RULES[self.rule]} ({self.rule})\n  {self.instead}"


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a Dockerfile and where it stands, as ``Dockerfile:4``."""

    name: str
    where: str


@dataclass(frozen=True, slots=True)
class BuildFile:
    """What the checks look at in a Dockerfile. ``variables``: the names that ARG and ENV give.

    ``images``: what FROM, COPY --from and RUN --mount=from= take that is no stage.
    """

    frontend: Named | None = None
    images: tuple[Named, ...] = ()
    variables: tuple[Named, ...] = ()


def check_build_file(file: BuildFile) -> Iterator[Finding]:
    """What is careless in a Dockerfile, in the order of the rules."""
    if file.frontend is not None and not _digest(file.frontend.name):
        name = file.frontend.name
        yield Finding(
            "frontend-not-pinned",
            file.frontend.where,
            f"the frontend {name} has no digest",
            f"write # syntax={name}@sha256:… with the digest that you have looked at, or leave the line out",
        )
    for image in file.images:
        yield from _image(image.name, image.where)
    for variable in file.variables:
        if names_a_secret(variable.name):
            yield Finding(
                "secret-in-image",
                variable.where,
                f"{variable.name} looks like a secret",
                f"write RUN --mount=type=secret,id={variable.name.lower()},env={variable.name} …",
            )


Place = Callable[[Path], str]
"""A path in a pod → file, line and field as people read them."""


def check_pod(pod: Pod, place: Place | None = None) -> Iterator[Finding]:
    """What is careless in a pod. ``place``: for pods whose parts are written in several documents."""
    where = place or (lambda path: place_name(pod.document.name, line_of(pod.document, path), spelt(path)))
    for volume in pod.volumes:
        if volume.host_path is not None and (socket := hostpaths.holds(volume.host_path, hostpaths.SOCKETS)):
            yield Finding(
                "runtime-socket",
                where(volume.path),
                f"the hostPath {volume.host_path or '(empty)'} gives {socket} to the pod",
                "leave the volume out, and build with rootless BuildKit or buildah, which need no socket",
            )
    for container in pod.containers:
        if container.image:
            yield from _image(container.image, where((*container.path, "image")))
        yield from _variables(container, where)
        yield from _arguments(container, where)


def _variables(container: Container, where: Place) -> Iterator[Finding]:
    for index, variable in enumerate(container.variables):
        if variable.value and names_a_secret(variable.name):
            yield Finding(
                "secret-in-manifest",
                where((*container.path, "env", index, "value")),
                f"{variable.name} looks like a secret, and its value is written here",
                "put it into a Secret, and mount that as a file, or write valueFrom: {secretKeyRef: …}",
            )


_BUILD_ARGUMENT: Final = re.compile(r"build-arg[=: ]+(\w+)=")


def _arguments(container: Container, where: Place) -> Iterator[Finding]:
    for key, words in (("command", container.command), ("args", container.args)):
        for index, word in enumerate(words):
            before = words[index - 1] if index else ""
            for name in _BUILD_ARGUMENT.findall(word if "build-arg" in word else f"{before} {word}"):
                if names_a_secret(name):
                    yield Finding(
                        "secret-as-build-argument",
                        where((*container.path, key, index)),
                        f"{name} looks like a secret",
                        f"mount it as a file and write RUN --mount=type=secret,id={name.lower()} …",
                    )


_ARCHIVED: Final = re.compile(r"gcr\.io/kaniko-project/(?:executor|warmer)(?![\w.-])")
_COMPONENTS: Final = (
    ("buildkit", re.compile(r"(?:.*/)?moby/buildkit")),
    ("docker", re.compile(r"(?:(?:.*/)?library/)?docker")),
    ("kaniko", re.compile(r".*kaniko(?:/executor)?(?:-project/executor)?")),
)


def _image(reference: str, where: str) -> Iterator[Finding]:
    """What is careless about the image that ``reference`` names. A variable in it is taken as it is."""
    if _ARCHIVED.match(reference):
        yield Finding(
            "archived-executor",
            where,
            f"{reference} comes from a project that was archived in June 2025",
            "take the executor of the fork that is maintained, osscontainertools/kaniko, by its digest",
        )
    name, tag = _name_and_tag(reference)
    bugs = tuple(_bugs(name, tag))
    if bugs:
        listed = ", ".join(f"{each.name} ({each.what})" for each in bugs)
        newest = max((each.fixed_in[-1] for each in bugs), key=version_from)
        yield Finding(
            "outdated-builder",
            where,
            f"{reference} has {listed}",
            f"take {newest} or later",
        )
    if not _digest(reference) and name != "scratch":
        yield Finding(
            "image-not-pinned",
            where,
            f"{reference} has no digest",
            f"write {reference.partition('@')[0]}@sha256:… with the digest that you have tried",
        )


def _digest(reference: str) -> bool:
    return re.search(r"@\w+:[0-9a-f]{32,}$", reference) is not None or "$" in reference


def _name_and_tag(reference: str) -> tuple[str, str]:
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, tag


def _bugs(name: str, tag: str) -> Iterator[Advisory]:
    component = next((known for known, image in _COMPONENTS if image.fullmatch(name)), None)
    version = _version(tag)
    if component is None or version is None:
        return
    for advisory in advisories().values():
        if advisory.component == component and is_affected(advisory, version):
            yield advisory


def _version(tag: str) -> Version | None:
    """The version that a tag such as ``v0.27.0-rootless`` or ``29-dind`` names.

    A tag without minor number is moved to the newest one, so nothing is known about it: None.
    """
    numbers = re.match(r"v?\d+\.\d+(?:\.\d+)?(?:-rc\.?\d+)?", tag)
    try:
        return version_from(numbers[0]) if numbers else None
    except BuildError:
        return None
