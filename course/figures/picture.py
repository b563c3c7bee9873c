"""A figure ready to be shown or saved: the facts, and the module that knows how to draw them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from builder.errors import BuildError

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Figure(Protocol):
    """What a figure's module offers."""

    def draw(self, spec: Mapping[str, Any], *, ax: Axes | None = None) -> Axes:
        """On matplotlib axes."""
        ...

    def as_svg(self, spec: Mapping[str, Any]) -> str:
        """As an SVG element."""
        ...

    def as_text(self, spec: Mapping[str, Any]) -> str:
        """As lines of text."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """One figure of one thing. A notebook shows it as SVG, a terminal as text."""

    figure: Figure
    spec: Mapping[str, Any]

    def _repr_svg_(self) -> str:
        return self.figure.as_svg(self.spec)

    def __str__(self) -> str:
        return self.figure.as_text(self.spec)

    def __repr__(self) -> str:
        return str(self)

    def draw(self, *, ax: Axes | None = None) -> Axes:
        """The figure on matplotlib axes (new ones if ``ax`` is None)."""
        return self.figure.draw(self.spec, ax=ax)

    def save(self, path: str | Path) -> Path:
        """Write it to ``path``; the suffix chooses the form: .svg, .png, .pdf, .txt, .mmd where there is one.

        Raises BuildError for an unknown suffix, or a folder that cannot be written to.
        """
        path = Path(path)
        match path.suffix:
            case ".svg":
                write_whole(path, self.figure.as_svg(self.spec).encode())
            case ".txt":
                write_whole(path, f"{self}\n".encode("utf-8", "surrogateescape"))
            case ".mmd" if hasattr(self.figure, "as_mermaid"):
                write_whole(path, self.figure.as_mermaid(self.spec).encode())
            case ".png" | ".pdf":
                self._save_by_matplotlib(path)
            case _:
                raise BuildError(
                    f"no picture can be saved as {path.suffix!r}", where=str(path), fix="use .svg or .png"
                )
        return path

    def _save_by_matplotlib(self, path: Path) -> None:
        from io import BytesIO

        drawn = self.draw()  # where matplotlib is missing, this says which extra to install
        from matplotlib.figure import Figure as MplFigure

        # Without dates and versions, the same figure is the same bytes.
        plain: dict[str, None] = {"Software": None} if path.suffix == ".png" else {"CreationDate": None}
        figure = drawn.figure
        assert isinstance(figure, MplFigure)
        buffer = BytesIO()
        figure.savefig(buffer, format=path.suffix[1:], metadata=plain)
        write_whole(path, buffer.getvalue())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; raises BuildError where that is impossible.

    What stands at ``path`` and is no regular file (/dev/null, a fifo) is written to, never replaced.
    """
    if path.exists() and not path.is_file():
        _write_through(path, content)
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise BuildError(
            f"cannot write here: {error.strerror}", where=str(path), fix="name another folder"
        ) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except OSError as error:
        os.unlink(name)
        raise BuildError(f"cannot write: {error.strerror}", where=str(path)) from None


def _write_through(path: Path, content: bytes) -> None:
    try:
        with path.open("wb") as stream:
            stream.write(content)
    except OSError as error:
        raise BuildError(f"cannot write here: {error.strerror}", where=str(path), fix="name a file") from None
