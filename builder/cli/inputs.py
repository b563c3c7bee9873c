"""What words about Dockerfiles are given: the file, its context, and ``name=value`` options."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from builder.context.context import LABEL, BuildContext
from builder.context.digests import DigestCache
from builder.context.ignore import IgnoreFile
from builder.context.selection import Source
from builder.dockerfile.syntax.lexer import DEFAULT_LIMITS, Limits
from builder.dockerfile.syntax.parser import Dockerfile, parse
from builder.errors import BuildError, ContextError
from builder.image.digest import Digest, digest_of
from unionfs_sim.host.directory import HostDirectory
from unionfs_sim.nodes.record import Record

_IGNORE_FILE = ".dockerignore"
_MAX_SECRET_BYTES = 512_000
"""As BuildKit has it (``MaxSecretSize``)."""


class DockerfileSource(Record):
    """A Dockerfile as read. ``path``: absolute, or "-" for the standard input; ``digest``: of its bytes."""

    dockerfile: Dockerfile
    path: str
    digest: Digest


def read_dockerfile(context: Path, chosen: str | None, limits: Limits = DEFAULT_LIMITS) -> DockerfileSource:
    """The Dockerfile of a build: the ``chosen`` file, else ``Dockerfile`` in the context."""
    if chosen == "-":
        raw = sys.stdin.buffer.read(limits.file_bytes + 1)
        return DockerfileSource(parse(raw, name="Dockerfile", limits=limits), "-", digest_of(raw))
    path = Path(chosen) if chosen is not None else context / "Dockerfile"
    try:
        with path.open("rb") as stream:
            raw = stream.read(limits.file_bytes + 1)
    except FileNotFoundError:
        raise BuildError(f"no Dockerfile at {path}", fix="name one with -f FILE") from None
    except OSError as error:
        raise BuildError(f"cannot read the Dockerfile {path}: {error.strerror}") from None
    return DockerfileSource(parse(raw, name=path.name, limits=limits), os.path.realpath(path), digest_of(raw))


@contextmanager
def open_context(directory: Path, ignore: IgnoreFile | None, digests: DigestCache) -> Iterator[Source]:
    """The build context: what ``ignore`` lets through of ``directory``.

    Digests of its files that were computed inside are remembered at the end, whatever the end is.
    """
    try:
        files = HostDirectory(directory)
    except OSError as error:
        raise ContextError(f"cannot use the context {directory}: {error.strerror}") from None
    context = BuildContext(
        files, ignore=ignore, name=os.path.realpath(directory), digests=digests, clock=time.time_ns
    )
    try:
        yield Source(context, LABEL, context.hint)
    finally:
        context.save_digests()


def read_ignore(directory: Path, dockerfile: str) -> IgnoreFile | None:
    """The rules for a context: ``DOCKERFILE.dockerignore``, else ``.dockerignore``, else None.

    Dockerfile reference, ".dockerignore file".
    """
    for candidate in (Path(f"{dockerfile}.dockerignore"), directory / _IGNORE_FILE):
        if candidate.is_file():
            return IgnoreFile.parse(candidate.read_bytes(), candidate.name)
    return None


def pairs(written: Sequence[str], env: Mapping[str, str], option: str) -> dict[str, str]:
    """``NAME=value`` options; a bare ``NAME`` takes the value from the environment, if it is there."""
    found: dict[str, str] = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not name:
            raise click.UsageError(f"{option} {each}: write {option} NAME=value")
        if equals:
            found[name] = value
        elif name in env:
            found[name] = env[name]
    return found


def agents(written: Sequence[str], env: Mapping[str, str]) -> dict[str, Path]:
    """What ``--ssh ID[=SOCKET]`` passes: sockets of agents by id; without one, $SSH_AUTH_SOCK."""
    found = {}
    for each in written:
        name, _, path = each.partition("=")
        path = path or env.get("SSH_AUTH_SOCK", "")
        if not name or not path:
            raise BuildError(f"--ssh {each}: there is no agent", fix="start one: eval $(ssh-agent); ssh-add")
        found[name] = Path(path)
    return found


def secrets(written: Sequence[str], env: Mapping[str, str]) -> dict[str, bytes]:
    """``--secret id=…,src=FILE`` or ``id=…,env=NAME``, by id."""
    found: dict[str, bytes] = {}
    for each in written:
        fields = dict(part.partition("=")[::2] for part in each.split(","))
        name = fields.pop("id", "")
        fields.pop("type", None)
        path = fields.pop("src", fields.pop("source", ""))
        variable = fields.pop("env", "")
        if not name or fields:
            raise click.UsageError(
                f"--secret {each}: write --secret id=NAME,src=FILE or id=NAME,env=VARIABLE"
            )
        if variable or (not path and name in env):
            found[name] = env.get(variable or name, "").encode("utf-8", "surrogateescape")
            continue
        try:
            found[name] = Path(path or name).read_bytes()
        except OSError as error:
            raise BuildError(f"--secret {name}: cannot read {path or name}: {error.strerror}") from None
        if len(found[name]) > _MAX_SECRET_BYTES:
            raise BuildError(f"--secret {name}: more than {_MAX_SECRET_BYTES} bytes")
    return found
