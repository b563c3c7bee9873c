"""The medium of buildx, skopeo and umoci: an image layout in a directory (image-spec, image-layout.md)."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import BinaryIO

from builder.files.partial import replacing, told
from unionfs_sim.host.directory import HostDirectory


class DirectorySource:
    """The files of a layout."""

    def __init__(self, directory: HostDirectory) -> None:
        self._directory = directory

    def open(self, path: str, /) -> BinaryIO:
        """A regular file below the directory, whatever symlinks say."""
        file = self._directory.open(path)
        return os.fdopen(os.dup(file.fileno()), "rb")


class DirectorySink:
    """Writes the files below a directory, each whole or not at all."""

    def __init__(self, path: str) -> None:
        self._path = path

    def add(self, path: str, size: int, content: Iterable[bytes], /) -> None:  # noqa: ARG002 - a tar needs it
        """Write one file, in place of what was there."""
        final = os.path.join(self._path, *path.split("/"))
        with told("cannot write", final):
            os.makedirs(os.path.dirname(final), exist_ok=True)
        with replacing(final) as stream:
            stream.writelines(content)
