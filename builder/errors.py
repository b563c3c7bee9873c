"""What goes wrong in a way that its user can mend: what, where, and what to do.

Imports nothing of the rest.
"""

from __future__ import annotations

import sys
from typing import Protocol


class Where(Protocol):
    """A place that can be named to a person, such as a span of a Dockerfile."""

    def __str__(self) -> str:
        """For example ``Dockerfile:4``."""
        ...


class BuildError(Exception):
    """A failure with its three parts; ``excerpt``: the lines that it is about, if they help.

    >>> print(BuildError("no such stage: bild", where="Dockerfile:7", fix="did you mean 'build'?"))
    Dockerfile:7: no such stage: bild
      did you mean 'build'?
    """

    def __init__(self, what: str, *, where: Where | str | None = None, fix: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.fix = fix
        self.excerpt: str | None = None

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where is not None else ""
        lines = f"\n{self.excerpt}" if self.excerpt else ""
        remedy = f"\n  {self.fix}" if self.fix else ""
        return f"{place}{self.what}{lines}{remedy}"

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback (IPython's ``showtraceback`` asks for it)."""
        return str(self).splitlines()


class DockerfileError(BuildError):
    """The Dockerfile cannot be understood; ``where`` is a span."""


class ManifestError(BuildError):
    """A Kubernetes manifest cannot be understood; ``where`` is file, line and field."""


class ContextError(BuildError):
    """The build context lacks a file, or a path would leave it."""


class ImageFormatError(BuildError):
    """An image, archive or layout is broken; ``where`` names the blob or entry."""


class StoreError(BuildError):
    """The local store cannot do what was asked."""


class RegistryError(BuildError):
    """A registry cannot be reached, refuses, or says what is not so; ``where`` names it."""


class UnknownImageError(BuildError):
    """A reference that names no image that can be had here."""


class StepFailedError(BuildError):
    """An instruction was understood and failed; ``exit_status`` is the command's, if one ran."""

    def __init__(
        self,
        what: str,
        *,
        where: Where | str | None = None,
        fix: str | None = None,
        exit_status: int | None = None,
    ) -> None:
        super().__init__(what, where=where, fix=fix)
        self.exit_status = exit_status


class NotSupportedError(BuildError):
    """An instruction is valid, and this way of building cannot do it."""


def require_linux(what: str) -> None:
    """Raise NotSupportedError where ``what`` cannot work: on any system but Linux."""
    if sys.platform != "linux":
        raise NotSupportedError(
            f"{what} needs Linux, and this is {sys.platform}",
            fix="what is simulated works everywhere; for the rest use a Linux machine, or WSL 2",
        )
