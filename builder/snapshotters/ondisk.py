"""A layer as a file that another process can be given."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import BinaryIO, Final

_PIECE: Final = 1 << 20


@contextlib.contextmanager
def on_disk(stream: BinaryIO) -> Iterator[BinaryIO]:
    """The same bytes as a file with a descriptor."""
    try:
        stream.fileno()
    except OSError:
        descriptor = os.memfd_create("layer")
        with open(descriptor, "w+b") as file:
            while piece := stream.read(_PIECE):
                file.write(piece)
            file.seek(0)
            yield file
        return
    yield stream
