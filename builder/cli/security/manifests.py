"""Where the words about security get their pods from: files, the standard input, or a way to build."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path as File
from typing import TYPE_CHECKING, Final

import click

from builder.cli.session import Session
from builder.errors import BuildError

SUFFIXES: Final = (".yaml", ".yml", ".json")
"""How the name of a manifest ends."""

if TYPE_CHECKING:
    from builder.security.documents import Document
    from builder.security.pods import Path, Pod


class Manifests:
    """The pods that a command line names. A file that cannot be read is told of, and the next one is read."""

    def __init__(self, session: Session, files: Sequence[str], approaches: Sequence[str]) -> None:
        if not files and not approaches:
            raise click.UsageError("name a FILE, - for the standard input, or --approach NAME")
        self._session = session
        self._files = files
        self._approaches = approaches
        self.failed = False

    def pods(self) -> Iterator[Written]:
        """The pods, in the order in which they were named; those of Tekton's tasks come last."""
        from builder.security.approaches import pod
        from builder.security.pods import pods_of

        for name in self._approaches:
            yield Written(pod(name))
        tekton: list[Document] = []
        for name in manifests_in(self._files):
            try:
                documents = read_documents(name)
                found = tuple(pods_of(documents))
            except BuildError as error:
                self._fail(error)
                continue
            ours = [document for document in documents if _is_tektons(document)]
            tekton += ours
            if not found and not ours:
                self._session.say(f"{name}: no pod in it{_kinds(documents)}")
            yield from map(Written, found)
        if tekton:
            yield from self._of_tasks(tekton)

    def _of_tasks(self, documents: Sequence[Document]) -> Iterator[Written]:
        """The pods that Tekton makes of tasks; a document of which it would make none is told of."""
        from builder.security.documents import place_name
        from builder.security.tekton.check import checked, is_sound
        from builder.security.tekton.finding import Severity
        from builder.security.tekton.pods import task_pods

        looked_at = checked(documents)
        found = task_pods([each.document for each in looked_at if is_sound(each)])
        for each in looked_at:
            wrong = next((one for one in each.problems if one.severity is Severity.ERROR), None)
            if wrong is not None and not (found and is_sound(each)):
                self._fail(BuildError(wrong.message, where=place_name(wrong.file, wrong.line, wrong.field)))
        yield from (Written(each.pod, each.place) for each in found)

    def _fail(self, error: BuildError) -> None:
        self.failed = True
        self._session.say(f"layerlab: {error}")


def manifests_in(names: Sequence[str]) -> Iterator[str]:
    """The names as they are, but for a directory the manifests below it, in the order of their names."""
    for name in names:
        if not File(name).is_dir():
            yield name
            continue
        below = sorted(
            str(path) for path in File(name).rglob("*") if path.suffix in SUFFIXES and path.is_file()
        )
        yield from below or [name]


@dataclass(frozen=True, slots=True)
class Written:
    """A pod and where its parts are written: None, where they stand in its own document."""

    pod: Pod
    elsewhere: Callable[[Path], tuple[str, int, str]] | None = None

    def place(self, path: Path) -> tuple[str, int, str]:
        """File, line and field of a path in the pod."""
        if self.elsewhere is not None:
            return self.elsewhere(path)
        from builder.security.documents import spelt
        from builder.security.fields import line_of

        return self.pod.document.name, line_of(self.pod.document, path), spelt(path)

    def where(self, path: Path) -> str:
        """The same in one text."""
        from builder.security.documents import place_name

        return place_name(*self.place(path))


def _is_tektons(document: Document) -> bool:
    version = document.root.get("apiVersion") if isinstance(document.root, dict) else None
    return isinstance(version, str) and version.startswith("tekton.dev/")


def read_documents(name: str) -> tuple[Document, ...]:
    """The documents of the file ``name``, or of the standard input; BuildError if it cannot be read."""
    from builder.security.documents import LIMITS, read

    if name == "-":
        return read(sys.stdin.buffer.read(LIMITS.file_bytes + 1), "stdin")
    try:
        with File(name).open("rb") as stream:
            return read(stream.read(LIMITS.file_bytes + 1), name)
    except OSError as error:
        raise BuildError(f"cannot read it: {error.strerror}", where=name) from None


def _kinds(documents: Sequence[Document]) -> str:
    """What was found instead of pods, in brackets."""
    from builder.security.pods import objects_of

    kinds = {fields.text("kind") or "" for document in documents for fields in objects_of(document)}
    return f" ({', '.join(sorted(kinds))})" if kinds else ""
