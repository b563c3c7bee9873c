"""The manifests that words on the command line name: files, directories of them, the standard input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from builder.cli.security.manifests import read_documents
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.security.documents import Document

_SUFFIXES: Final = (".yaml", ".yml", ".json")


def files_of(names: Sequence[str]) -> Iterator[str]:
    """The files that are named, and those in directories that are, in order."""
    for name in names:
        if name == "-" or not Path(name).is_dir():
            yield name
            continue
        inside = sorted(path for path in Path(name).iterdir() if path.suffix in _SUFFIXES)
        if not inside:
            raise BuildError(f"no manifest in {name}", fix=f"its files end with {', '.join(_SUFFIXES)}")
        yield from map(str, inside)


def read_all(names: Sequence[str]) -> list[Document]:
    """The documents of all of them; the first file that cannot be read is a BuildError."""
    return [document for name in files_of(names) for document in read_documents(name)]
