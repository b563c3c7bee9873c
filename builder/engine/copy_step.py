"""COPY, ADD and WORKDIR: steps that list what they write (Dockerfile reference)."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from builder.context.copying import Destination, Draft, Given, place
from builder.context.copying import copy as copy_files
from builder.context.identity import owner
from builder.context.modes import ModeChange, parse_mode
from builder.context.paths import is_directory, resolve
from builder.context.selection import Selected, Source, select
from builder.dockerfile.syntax.instruction import Add, Copy, Transfer
from builder.engine import cachekey
from builder.engine.configure import working_directory
from builder.engine.origin import origin
from builder.engine.stage import StageBuild
from builder.errors import BuildError, NotSupportedError, StepFailedError
from builder.protocols import FsT, Purpose, Workspace
from unionfs_sim.filesystem import Filesystem
from unionfs_sim.nodes.content import Content

_UNNAMED: Final = "__unnamed__"
_URL_MODE: Final = 0o600
"""Files from a URL are readable by their owner alone (Dockerfile reference, "Adding files from a URL")."""


def destination(stage: StageBuild[FsT], instruction: Transfer) -> str:
    """The absolute destination, ending with ``/`` if only a directory may stand there."""
    written = instruction.destination
    path = working_directory(stage.image.config, written)
    is_directory_name = written in ("", ".") or written.endswith(("/", "/."))
    return f"{path.rstrip('/')}/" if is_directory_name else path


def history_line(instruction: Transfer) -> str:
    """The line that docker writes for COPY and ADD."""
    flags = ["--parents"] if isinstance(instruction, Copy) and instruction.parents else []
    flags += [f"--chown={instruction.chown}"] if instruction.chown else []
    flags += [f"--chmod={instruction.chmod}"] if instruction.chmod else []
    sources = [*instruction.sources, *(f"<<{document.name}" for document in instruction.documents)]
    return " ".join([instruction.name, *flags, *sources, instruction.destination, "# buildkit"])


def mode_change(instruction: Transfer) -> ModeChange | None:
    """What --chmod does; BuildError if it cannot be read."""
    if not instruction.chmod:
        return None
    try:
        return parse_mode(instruction.chmod)
    except ValueError as error:
        raise BuildError(f"{instruction.name} --chmod: {error}") from None


def given_documents(instruction: Transfer) -> list[Given]:
    """The heredocs of an instruction as files."""
    return [
        Given(document.name, Content.of(document.content.encode("utf-8", "surrogateescape")))
        for document in instruction.documents
    ]


def described(stage: StageBuild[FsT], instruction: Transfer, to: str) -> list[cachekey.Input]:
    """The inputs of COPY and ADD but for the files themselves."""
    documents = (text for each in instruction.documents for text in (each.name, each.content))
    flags = (instruction.chown, instruction.chmod, str(instruction.link))
    return [
        cachekey.parent(stage.snapshot.chain_id),
        cachekey.said("the instruction", instruction.name, to, *flags, *instruction.exclude),
        cachekey.said("the text in the Dockerfile", *documents),
    ]


def target(root: Filesystem, instruction: Transfer, to: str, change: ModeChange | None) -> Destination:
    """The destination in ``root``, where names of owners have a meaning."""
    owned_by = owner(root, instruction.chown) if instruction.chown else None
    return Destination(path=to, owner=owned_by, change=change, follows_symlinks=not instruction.link)


def copy(stage: StageBuild[FsT], instruction: Copy) -> None:
    """COPY from the context, a stage or an image; heredocs become files."""
    to = destination(stage, instruction)
    change = mode_change(instruction)
    place_of_origin = origin(stage, instruction.from_)
    exclude = instruction.exclude
    parents = instruction.parents
    inputs = described(stage, instruction, to)
    if instruction.sources:
        inputs += place_of_origin.inputs(
            instruction.sources, exclude, parents=parents, owners=not instruction.chown
        )

    def act(work: Workspace[FsT]) -> Iterable[PurePosixPath]:
        where = target(work.rootfs, instruction, to, change)
        draft = Draft(work.rootfs, where)
        if instruction.sources:
            source = place_of_origin.source(instruction.sources)
            found = place_of_origin.select(instruction.sources, exclude, parents=parents)
            _require_directory(work.rootfs, instruction, found, to)
            copy_files(source.tree, found, draft, where)
        else:
            _require_directory(work.rootfs, instruction, (), to)
        place(given_documents(instruction), draft, where)
        return make_edits(stage, work, draft)

    stage.on_files(inputs, act, purpose=Purpose.EDITS, line=history_line(instruction))


def add(stage: StageBuild[FsT], instruction: Add) -> None:
    """ADD: as COPY from the context, but archives are unpacked and URLs fetched."""
    to = destination(stage, instruction)
    change = mode_change(instruction)
    local = [source for source in instruction.sources if not _is_remote(source)]
    if instruction.checksum and local:
        raise BuildError("ADD --checksum: only what a URL answers is checked", fix="leave the flag out")
    downloads = [_download(stage, instruction, url) for url in instruction.sources if _is_remote(url)]
    context = stage.request.context
    found = select(context, local, exclude=instruction.exclude)
    unpacks = instruction.unpack is not False
    inputs = [
        *described(stage, instruction, to),
        cachekey.said("--unpack", str(instruction.unpack)),
        *(cachekey.said(f"what {url} answers", given.content.digest()) for url, given in downloads),
        *cachekey.files(context.tree, found, owners=not instruction.chown),
    ]

    def act(work: Workspace[FsT]) -> Iterable[PurePosixPath]:
        from builder.context.archive import is_archive, unpack  # they load every compression there is

        where = target(work.rootfs, instruction, to, change)
        draft = Draft(work.rootfs, where)
        archives, plain = _sorted_out(context, found, unpacks=unpacks)
        if not archives:
            _require_directory(work.rootfs, instruction, plain, to)
        for archive, name in archives:
            unpack(archive, f"ADD {name}", draft, where)
        copy_files(context.tree, plain, draft, where)
        files = [given for _, given in downloads]
        if instruction.unpack:
            for given in [each for each in files if is_archive(each.content)]:
                unpack(given.content, f"ADD {given.name}", draft, where)
                files.remove(given)
        place([*files, *given_documents(instruction)], draft, where)
        return make_edits(stage, work, draft)

    stage.on_files(inputs, act, purpose=Purpose.EDITS, line=history_line(instruction))


def make_workdir(stage: StageBuild[FsT], line: str) -> None:
    """WORKDIR makes its directory, for the user that RUN would run as (BuildKit ``dispatchWorkdir``)."""
    path = stage.image.config.working_dir
    user = stage.image.config.user
    inputs = [cachekey.parent(stage.snapshot.chain_id), cachekey.said("the working directory", path, user)]

    def act(work: Workspace[FsT]) -> Iterable[PurePosixPath]:
        draft = Draft(work.rootfs, Destination(path=path, owner=_owner_or_root(work.rootfs, user)))
        draft.directory(draft.resolve(path))
        return make_edits(stage, work, draft)

    if path == "/":
        stage.append(None, line)
    else:
        stage.on_files(inputs, act, purpose=Purpose.EDITS, line=line)


def _owner_or_root(root: Filesystem, user: str) -> tuple[int, int]:
    """Who USER is in ``root``; root where nobody there has the name (BuildKit ``readUser``)."""
    try:
        return owner(root, user)
    except BuildError:
        return 0, 0


def make_edits(stage: StageBuild[FsT], work: Workspace[FsT], draft: Draft) -> Iterator[PurePosixPath]:
    """Make what was drafted; the paths that were written."""
    stage.workshop.snapshotter.apply(work, draft.edits)
    return map(PurePosixPath, [edit.path for edit in draft.edits])


def _require_directory(root: Filesystem, instruction: Transfer, found: Sequence[Selected], to: str) -> None:
    """Several files need a directory to go to, however few words named them: each would replace the last."""
    files = [selected.name for selected in found if selected.items and not selected.is_directory]
    files += [document.name for document in instruction.documents]
    if len(files) > 1 and not to.endswith("/") and not is_directory(root, resolve(root, to)):
        raise BuildError(
            f"{instruction.name}: {len(files)} files, and {to} is no directory",
            fix=f"write the destination as {instruction.destination}/",
        )


def _sorted_out(
    context: Source, found: Sequence[Selected], *, unpacks: bool
) -> tuple[list[tuple[Content, str]], list[Selected]]:
    """The archives among the matches, and the rest."""
    from builder.context.archive import is_archive
    from builder.context.content import content_of

    archives: list[tuple[Content, str]] = []
    plain: list[Selected] = []
    for selected in found:
        if unpacks and selected.items and not selected.is_directory:
            item = selected.items[0]
            content = content_of(context.tree, item.path, item.status)
            if is_archive(content):
                archives.append((content, selected.name))
                continue
        plain.append(selected)
    return archives, plain


def _is_remote(source: str) -> bool:
    return source.startswith(("http://", "https://", "git@", "git://", "ssh://"))


def _download(stage: StageBuild[FsT], instruction: Add, url: str) -> tuple[str, Given]:
    from urllib.parse import urlsplit

    path = urlsplit(url).path
    if not url.startswith(("http://", "https://")) or path.endswith(".git"):
        raise NotSupportedError(
            f"ADD {url}: git repositories cannot be fetched here",
            fix="clone it beside the Dockerfile and COPY it, or ADD the https address of an archive",
        )
    if stage.request.download is None:
        raise NotSupportedError(f"ADD {url}: this build has no network")
    answer = stage.request.download(url)
    if instruction.checksum:
        _verify(instruction.checksum, answer.body, url)
    name = posixpath.basename(path) or _UNNAMED
    return url, Given(name, Content.of(answer.body), _URL_MODE, answer.mtime_ns)


def _verify(checksum: str, body: bytes, url: str) -> None:
    algorithm, _, wanted = checksum.partition(":")
    if algorithm not in ("sha256", "sha384", "sha512") or not wanted:
        raise BuildError(f"ADD --checksum={checksum}: not a checksum", fix="write sha256: and 64 hex digits")
    found = hashlib.new(algorithm, body).hexdigest()
    if found != wanted.lower():
        raise StepFailedError(
            f"ADD {url}: the checksum is {algorithm}:{found}, not the one demanded",
            fix="if you trust what the URL answers now, put this checksum into the Dockerfile",
        )
