"""How an image is named: registry, repository, tag and digest, by docker's rules.

Source: distribution/reference ``reference.go`` (grammar) and ``normalize.go`` (familiar names).
"""

from __future__ import annotations

import re
from typing import Final

from builder.errors import BuildError
from builder.image.digest import Digest
from unionfs_sim.nodes.record import Record

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"
_OFFICIAL: Final = "library/"
_MAX_NAME: Final = 255

_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_LABEL: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REGISTRY: Final = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_ID: Final = re.compile(r"[0-9a-f]{64}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class ReferenceFormatError(BuildError):
    """Text that is no image reference."""


class Reference(Record):
    """The full name of an image. Neither tag nor digest given: the tag is ``latest``.

    >>> Reference.parse("alpine:3.19")
    Reference(registry='docker.io', repository='library/alpine', tag='3.19', digest=None)
    >>> str(Reference.parse("alpine")), Reference.parse("docker.io/library/alpine").familiar
    ('docker.io/library/alpine:latest', 'alpine:latest')
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    @classmethod
    def parse(cls, written: str) -> Reference:
        """The reference that ``written`` stands for; ReferenceFormatError says what is wrong with it."""
        name, at, digest = written.partition("@")
        if at and _DIGEST.fullmatch(digest) is None:
            raise _wrong(written, f"{digest!r} is not sha256: and 64 hex digits")
        if _ID.fullmatch(name):
            raise _wrong(written, "64 hex digits are an image id, not a name")
        head, slash, last = name.rpartition("/")
        last, colon, tag = last.partition(":")
        if colon and _TAG.fullmatch(tag) is None:
            raise _wrong(written, f"{tag!r} is not a tag: letters, digits, _ . - and at most 128 of them")
        registry, repository = _split(head + slash + last)
        if _REGISTRY.fullmatch(registry) is None:
            raise _wrong(written, f"{registry!r} is not a registry's host name")
        if _REPOSITORY.fullmatch(repository) is None:
            upper = " (lower case is needed)" if repository.lower() != repository else ""
            raise _wrong(written, f"{repository!r} is not a repository name{upper}")
        if len(registry) + 1 + len(repository) > _MAX_NAME:
            raise _wrong(written, f"the name is longer than {_MAX_NAME} characters")
        chosen = tag or (None if digest else DEFAULT_TAG)
        return cls(registry, repository, chosen, Digest(digest) if digest else None)

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def familiar_name(self) -> str:
        """The name as people write it: docker.io and its ``library/`` are left out."""
        if self.registry != DEFAULT_REGISTRY:
            return self.name
        rest = self.repository.removeprefix(_OFFICIAL)
        return self.repository if "/" in rest else rest

    @property
    def familiar(self) -> str:
        """The whole reference as people write it."""
        return self.familiar_name + self._suffix()

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")

    def __str__(self) -> str:
        return self.name + self._suffix()


def _split(name: str) -> tuple[str, str]:
    """Registry and repository; the first component is a host if it looks like one (normalize.go)."""
    first, slash, rest = name.partition("/")
    looks_like_host = any(sign in first for sign in ".:[") or first == "localhost" or first != first.lower()
    is_host = slash and looks_like_host
    registry, repository = (first, rest) if is_host else (DEFAULT_REGISTRY, name)
    if registry == "index.docker.io":
        registry = DEFAULT_REGISTRY
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = _OFFICIAL + repository
    return registry, repository


def _wrong(written: str, why: str) -> ReferenceFormatError:
    return ReferenceFormatError(
        f"not an image reference: {written!r:.300}: {why}", fix="write it as [registry/]name[:tag][@digest]"
    )
