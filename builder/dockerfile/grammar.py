"""A statement → the instruction that it is (BuildKit frontend/dockerfile/instructions, ``parse.go``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from builder.dockerfile import config_grammar
from builder.dockerfile import flags as known_flags
from builder.dockerfile import instruction as nouns
from builder.dockerfile.expand import ExpansionError
from builder.dockerfile.flags import Known, read_flags
from builder.dockerfile.heredoc import Heredoc, read_mark
from builder.dockerfile.instruction import ExecForm, Instruction
from builder.dockerfile.lexer import Statement
from builder.dockerfile.mount import MountError, read_mount
from builder.dockerfile.request import Request
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.words import fields, quoted_words, split_head
from builder.errors import DockerfileError

_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)

ModeT = TypeVar("ModeT", nouns.NetworkMode, nouns.SecurityMode)


def understand(statement: Statement, escape: str) -> Instruction:
    """The instruction in ``statement``; DockerfileError says what is wrong with it."""
    keyword = statement.head.keyword
    name = keyword.upper()
    entry = _READERS.get(name)
    if entry is None:
        raise DockerfileError(
            f"unknown instruction: {keyword:.100}",
            where=statement.span,
            fix=did_you_mean(name, _READERS, otherwise="is a \\ missing at the end of the line above?"),
        )
    known, reader = entry
    given = read_flags(statement.head.flags, known, instruction=name, where=statement.span)
    return reader(Request(name, statement.head.rest, given, statement, escape))


def _from(request: Request) -> Instruction:
    words = fields(request.needed("FROM alpine:3.19 AS build"))
    if len(words) not in (1, 3):
        request.wrong("one image, or image AS name", "write FROM alpine:3.19 AS build")
    alias, as_keyword, written = None, "", ""
    if len(words) == 3:
        _, as_keyword, written = words
        alias = written.lower()
        if as_keyword.lower() != "as":
            fix = f"write FROM {words[0]:.100} AS {written:.100}"
            request.wrong(f"AS belongs where {as_keyword!r:.100} stands", fix)
        if not _STAGE_NAME.fullmatch(alias):
            fix = "begin with a letter; then letters, digits, - _ ."
            request.wrong(f"{written!r:.100} cannot name a stage", fix)
    return nouns.From(
        base=words[0],
        alias=alias,
        platform=request.flags.text("platform"),
        as_keyword=as_keyword,
        written_alias=written,
        **request.common(),
    )


def _run(request: Request) -> Instruction:
    command = request.command("RUN make")
    if command == ExecForm(()):
        request.wrong("no command in []", 'write ["program", "argument"]')
    mounts = request.flags.texts("mount")
    try:
        read = tuple(read_mount(each) for each in mounts)
    except MountError as error:
        request.wrong(str(error), error.fix)
    return nouns.Run(
        command=command,
        heredocs=request.statement.heredocs,
        mount_flags=mounts,
        mounts=read,
        network=_mode(request, "network", nouns.NetworkMode),
        security=_mode(request, "security", nouns.SecurityMode),
        **request.common(),
    )


def _mode(request: Request, flag: str, modes: type[ModeT]) -> ModeT:
    written = request.flags.text(flag)
    names = [each.value for each in modes]
    if written is None:
        return modes(names[0])
    if written not in names:
        request.wrong(
            f"--{flag}={written:.100}: no such mode",
            did_you_mean(written, names, otherwise="use " + ", ".join(names)),
        )
    return modes(written)


def _copy(request: Request) -> Instruction:
    source = request.flags.text("from")
    if source is not None and (not source or "$" in source):
        request.wrong(
            f"--from={source:.100} names no stage",
            "variables are not expanded here: FROM … AS name, then --from=name",
        )
    return nouns.Copy(from_=source, parents=request.flags.switch("parents"), **_transfer(request))


def _add(request: Request) -> Instruction:
    unpack = None if request.flags.text("unpack") is None else request.flags.switch("unpack")
    return nouns.Add(
        checksum=request.flags.text("checksum") or "",
        keep_git_dir=request.flags.switch("keep-git-dir"),
        unpack=unpack,
        **_transfer(request),
    )


def _transfer(request: Request) -> dict[str, Any]:
    words = request.list()
    if len(words) < 2:
        request.wrong("a source and a destination are needed", f"such as: {request.name} . /app/")
    *sources, destination = words
    if _mark(destination) is not None:
        request.wrong("a heredoc cannot be the destination", f"such as: {request.name} <<EOF /path")
    marked = {at: mark for at, word in enumerate(sources) if (mark := _mark(word)) is not None}
    documents = request.statement.heredocs
    if [each.name for each in marked.values()] != [each.name for each in documents]:
        request.wrong(
            "a heredoc's delimiter stands apart or has blanks in it", f"write {request.name} <<EOF /path"
        )
    return {
        "sources": tuple(word for at, word in enumerate(sources) if at not in marked),
        "documents": documents,
        "destination": destination,
        "chown": request.flags.text("chown") or "",
        "chmod": request.flags.text("chmod") or "",
        "link": request.flags.switch("link"),
        "exclude": request.flags.texts("exclude"),
        **request.common(),
    }


def _mark(word: str) -> Heredoc | None:
    try:
        return read_mark(word)
    except ExpansionError:
        return None


def _arg(request: Request) -> Instruction:
    request.needed("ARG VERSION=1.0")
    declarations = []
    for word in quoted_words(request.rest, request.escape):
        name, equals, default = word.partition("=")
        if not name:
            request.wrong(f"a name is missing before {word!r:.100}", "write ARG NAME=value")
        declarations.append(nouns.Declaration(name, default if equals else None))
    return nouns.Arg(declarations=tuple(declarations), **request.common())


def _onbuild(request: Request) -> Instruction:
    request.needed("ONBUILD COPY . /app")
    head = split_head(request.rest)
    if head.keyword.upper() in ("ONBUILD", "FROM", "MAINTAINER"):
        request.wrong(f"{head.keyword.upper()} cannot be put off", "use another instruction")
    outer = request.statement
    inner = Statement(outer.span, request.rest, outer.source, head, outer.heredocs, (), ())
    documents = "".join(f"\n{each.raw}{each.name}" for each in outer.heredocs)
    trigger = understand(inner, request.escape)
    return nouns.Onbuild(trigger=trigger, expression=request.rest + documents, **request.common())


_Reader: TypeAlias = Callable[[Request], Instruction]

_READERS: Final[Mapping[str, tuple[Known, _Reader]]] = MappingProxyType(
    {
        "ADD": (known_flags.ADD, _add),
        "ARG": (known_flags.NONE, _arg),
        "CMD": (known_flags.NONE, config_grammar.read_cmd),
        "COPY": (known_flags.COPY, _copy),
        "ENTRYPOINT": (known_flags.NONE, config_grammar.read_entrypoint),
        "ENV": (known_flags.NONE, config_grammar.read_env),
        "EXPOSE": (known_flags.NONE, config_grammar.read_expose),
        "FROM": (known_flags.FROM, _from),
        "HEALTHCHECK": (known_flags.HEALTHCHECK, config_grammar.read_healthcheck),
        "LABEL": (known_flags.NONE, config_grammar.read_label),
        "MAINTAINER": (known_flags.NONE, config_grammar.read_maintainer),
        "ONBUILD": (known_flags.NONE, _onbuild),
        "RUN": (known_flags.RUN, _run),
        "SHELL": (known_flags.NONE, config_grammar.read_shell),
        "STOPSIGNAL": (known_flags.NONE, config_grammar.read_stopsignal),
        "USER": (known_flags.NONE, config_grammar.read_user),
        "VOLUME": (known_flags.NONE, config_grammar.read_volume),
        "WORKDIR": (known_flags.NONE, config_grammar.read_workdir),
    }
)
