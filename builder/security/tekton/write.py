"""Writes a Task, a Pipeline and a run that build a project's image on a cluster.

Same project, same bytes. Whatever a user passes reaches a step as an argument or a variable, never as text of
a script; every image is named by digest; each step has as few powers as it can work with.
"""

from __future__ import annotations

import csv
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from builder.errors import BuildError
from builder.security.tekton import names

FILES: Final = ("task.yaml", "pipeline.yaml", "run.yaml")
"""What is written, in the order in which a cluster should be given it."""


class Builder(enum.Enum):
    """What builds the image in a step. ``value``: what the command line calls it."""

    KANIKO = "kaniko"
    BUILDKIT = "buildkit"
    BUILDAH = "buildah"


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is to be built. ``context``, ``dockerfile``: paths in the repository, and from the context on.

    ``builder_image``: None for the one of ``images.csv``. ``profile``: a seccomp and AppArmor profile of that
    name is on every node; empty where there is none, and BuildKit and buildah switch both off.
    """

    name: str
    context: str = "."
    dockerfile: str = "Dockerfile"
    target: str = ""
    url: str = ""
    revision: str = "main"
    image: str = ""
    secret: str = "registry-push"
    builder_image: str | None = None
    profile: str = ""


def write(project: Project, builder: Builder) -> Mapping[str, str]:
    """The text of each of ``FILES``. BuildError if the name of the project can be none of an object."""
    if not names.is_label(project.name) or len(project.name) > names.LONGEST - len("-image"):
        raise BuildError(
            f"no pipeline can be called {project.name!r}",
            fix="--name NAME: lower case letters, digits and dashes, at most 57",
        )
    slots = {
        "name": project.name,
        "task": f"{project.name}-image",
        "context": quoted(project.context),
        "dockerfile": quoted(project.dockerfile),
        "builder_image": quoted(project.builder_image or image_of(builder.value)),
        "git_image": quoted(image_of("git")),
        "url": quoted(project.url or f"https://git.example.com/{project.name}.git"),
        "revision": quoted(project.revision),
        "image": quoted(project.image or f"registry.example.com/{project.name}:main"),
        "secret": quoted(project.secret),
        "target": project.target,
        "profiles": _profiles(project.profile),
    }
    run = _filled(_template("run"), slots)
    if builder is not Builder.KANIKO:  # they map users themselves, and need more of them than a pod's own has
        run = "".join(line for line in run.splitlines(keepends=True) if "hostUsers" not in line)
    task = _filled(_template(builder.value), slots)
    if not project.target:
        task = "".join(line for line in task.splitlines(keepends=True) if "target=" not in line)
    return {
        "task.yaml": task,
        "pipeline.yaml": _filled(_template("pipeline"), slots),
        "run.yaml": run,
    }


@cache
def _images() -> Mapping[str, str]:
    text = resources.files(__package__).joinpath("images.csv").read_text(encoding="utf-8")
    return {row["role"]: row["image"] for row in csv.DictReader(text.splitlines())}


def image_of(role: str) -> str:
    """The image that plays ``role`` (a builder's name, or ``git``), by digest."""
    return _images()[role]


def quoted(text: str) -> str:
    """A YAML scalar that means the string ``text``: as it is where that is plain.

    >>> quoted("examples/nginx"), quoted("on"), quoted("a: b")
    ('examples/nginx', '"on"', '"a: b"')
    """
    from builder.security.documents import plain

    is_plain = text and plain(text) == text and text[0].isalnum() and set(text) <= _PLAIN
    return text if is_plain else '"' + "".join(map(_escaped, text)) + '"'


def _escaped(letter: str) -> str:
    """A letter of a double-quoted scalar (YAML 1.2, 5.7)."""
    if letter in '"\\':
        return "\\" + letter
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./@:+")


@cache
def _template(name: str) -> str:
    """A file of ``templates/`` with the parts that it takes from others in their places."""
    text = resources.files(__package__).joinpath("templates", f"{name}.yaml").read_text(encoding="utf-8")
    for part in ("clone", "rootless", "unprivileged"):
        if name != part and f"@{part}@\n" in text:
            text = text.replace(f"@{part}@\n", _template(part))
    return text


def _filled(template: str, slots: Mapping[str, str]) -> str:
    """The template with every ``@slot@`` replaced, once: what is put in is not looked at again."""
    parts = template.split("@")
    return "".join(slots[part] if index % 2 else part for index, part in enumerate(parts))


def _profiles(name: str) -> str:
    """The profiles of a builder that makes namespaces, as lines of a securityContext."""
    kinds = ("seccompProfile", "appArmorProfile")
    if not name:
        return "\n".join(f"        {kind}:\n          type: Unconfined" for kind in kinds)
    files = {"seccompProfile": f"{name}.json", "appArmorProfile": name}
    return "\n".join(
        f"        {kind}:\n          type: Localhost\n          localhostProfile: {quoted(files[kind])}"
        for kind in kinds
    )
