"""Where the words about security get their pods from: files, the standard input, or a way to build."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from builder.cli.session import Session
from builder.errors import BuildError

if TYPE_CHECKING:
    from builder.security.documents import Document
    from builder.security.pods import Pod


class Manifests:
    """The pods that a command line names. A file that cannot be read is told of, and the next one is read."""

    def __init__(self, session: Session, files: Sequence[str], approaches: Sequence[str]) -> None:
        if not files and not approaches:
            raise click.UsageError("name a FILE, - for the standard input, or --approach NAME")
        self._session = session
        self._files = files
        self._approaches = approaches
        self.failed = False

    def pods(self) -> Iterator[Pod]:
        """The pods, in the order in which they were named."""
        from builder.security.approaches import pod
        from builder.security.pods import pods_of

        for name in self._approaches:
            yield pod(name)
        for name in self._files:
            try:
                documents = read_documents(name)
                found = tuple(pods_of(documents))
            except BuildError as error:
                self.failed = True
                self._session.say(f"layerlab: {error}")
                continue
            if not found:
                self._session.say(f"{name}: no pod in it{_kinds(documents)}")
            yield from found


def read_documents(name: str) -> tuple[Document, ...]:
    """The documents of the file ``name``, or of the standard input; BuildError if it cannot be read."""
    from builder.security.documents import LIMITS, read

    if name == "-":
        return read(sys.stdin.buffer.read(LIMITS.file_bytes + 1), "stdin")
    try:
        with Path(name).open("rb") as stream:
            return read(stream.read(LIMITS.file_bytes + 1), name)
    except OSError as error:
        raise BuildError(f"cannot read it: {error.strerror}", where=name) from None


def _kinds(documents: Sequence[Document]) -> str:
    """What was found instead of pods, in brackets."""
    from builder.security.pods import objects_of

    kinds = {fields.text("kind") or "" for document in documents for fields in objects_of(document)}
    return f" ({', '.join(sorted(kinds))})" if kinds else ""
