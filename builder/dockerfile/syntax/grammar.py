"""A statement → the instruction that it is (BuildKit frontend/dockerfile/instructions, ``parse.go``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar

from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.syntax import config_grammar
from builder.dockerfile.syntax import flags as known_flags
from builder.dockerfile.syntax import instruction as nouns
from builder.dockerfile.syntax.flags import Known, read_flags
from builder.dockerfile.syntax.heredoc import Heredoc, read_mark
from builder.dockerfile.syntax.instruction import ExecForm, Instruction
from builder.dockerfile.syntax.lexer import Statement
from builder.dockerfile.syntax.mount import MountError, read_mount
from builder.dockerfile.syntax.reading import Reading
from builder.dockerfile.variables.expand import ExpansionError
from builder.dockerfile.variables.words import fields, quoted_words, split_head
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
    return reader(Reading(name, statement.head.rest, given, statement, escape))


def _from(reading: Reading) -> Instruction:
    words = fields(reading.needed("FROM alpine:3.19 AS build"))
    if len(words) not in (1, 3):
        reading.wrong("one image, or image AS name", "write FROM alpine:3.19 AS build")
    alias, as_keyword, written = None, "", ""
    if len(words) == 3:
        _, as_keyword, written = words
        alias = written.lower()
        if as_keyword.lower() != "as":
            fix = f"write FROM {words[0]:.100} AS {written:.100}"
            reading.wrong(f"AS belongs where {as_keyword!r:.100} stands", fix)
        if not _STAGE_NAME.fullmatch(alias):
            fix = "begin with a letter; then letters, digits, - _ ."
            reading.wrong(f"{written!r:.100} cannot name a stage", fix)
    return nouns.From(
        base=words[0],
        alias=alias,
        platform=reading.flags.text("platform"),
        as_keyword=as_keyword,
        written_alias=written,
        **reading.common(),
    )


def _run(reading: Reading) -> Instruction:
    command = reading.command("RUN make")
    if command == ExecForm(()):
        reading.wrong("no command in []", 'write ["program", "argument"]')
    mounts = reading.flags.texts("mount")
    try:
        read = tuple(read_mount(each) for each in mounts)
    except MountError as error:
        reading.wrong(str(error), error.fix)
    return nouns.Run(
        command=command,
        heredocs=reading.statement.heredocs,
        mount_flags=mounts,
        mounts=read,
        network=_mode(reading, "network", nouns.NetworkMode),
        security=_mode(reading, "security", nouns.SecurityMode),
        **reading.common(),
    )


def _mode(reading: Reading, flag: str, modes: type[ModeT]) -> ModeT:
    written = reading.flags.text(flag)
    names = [each.value for each in modes]
    if written is None:
        return modes(names[0])
    if written not in names:
        reading.wrong(
            f"--{flag}={written:.100}: no such mode",
            did_you_mean(written, names, otherwise="use " + ", ".join(names)),
        )
    return modes(written)


def _copy(reading: Reading) -> Instruction:
    source = reading.flags.text("from")
    if source is not None and (not source or "$" in source):
        reading.wrong(
            f"--from={source:.100} names no stage",
            "variables are not expanded here: FROM … AS name, then --from=name",
        )
    return nouns.Copy(from_=source, parents=reading.flags.switch("parents"), **_transfer(reading))


def _add(reading: Reading) -> Instruction:
    unpack = None if reading.flags.text("unpack") is None else reading.flags.switch("unpack")
    return nouns.Add(
        checksum=reading.flags.text("checksum") or "",
        keep_git_dir=reading.flags.switch("keep-git-dir"),
        unpack=unpack,
        **_transfer(reading),
    )


def _transfer(reading: Reading) -> dict[str, Any]:
    words = reading.list()
    if len(words) < 2:
        reading.wrong("a source and a destination are needed", f"such as: {reading.name} . /app/")
    *sources, destination = words
    if _mark(destination) is not None:
        reading.wrong("a heredoc cannot be the destination", f"such as: {reading.name} <<EOF /path")
    marked = {at: mark for at, word in enumerate(sources) if (mark := _mark(word)) is not None}
    documents = reading.statement.heredocs
    if [each.name for each in marked.values()] != [each.name for each in documents]:
        reading.wrong(
            "a heredoc's delimiter stands apart or has blanks in it", f"write {reading.name} <<EOF /path"
        )
    return {
        "sources": tuple(word for at, word in enumerate(sources) if at not in marked),
        "documents": documents,
        "destination": destination,
        "chown": reading.flags.text("chown") or "",
        "chmod": reading.flags.text("chmod") or "",
        "link": reading.flags.switch("link"),
        "exclude": reading.flags.texts("exclude"),
        **reading.common(),
    }


def _mark(word: str) -> Heredoc | None:
    try:
        return read_mark(word)
    except ExpansionError:
        return None


def _arg(reading: Reading) -> Instruction:
    reading.needed("ARG VERSION=1.0")
    declarations = []
    for word in quoted_words(reading.rest, reading.escape):
        name, equals, default = word.partition("=")
        if not name:
            reading.wrong(f"a name is missing before {word!r:.100}", "write ARG NAME=value")
        declarations.append(nouns.Declaration(name, default if equals else None))
    return nouns.Arg(declarations=tuple(declarations), **reading.common())


def _onbuild(reading: Reading) -> Instruction:
    reading.needed("ONBUILD COPY . /app")
    head = split_head(reading.rest)
    if head.keyword.upper() in ("ONBUILD", "FROM", "MAINTAINER"):
        reading.wrong(f"{head.keyword.upper()} cannot be put off", "use another instruction")
    outer = reading.statement
    inner = Statement(outer.span, reading.rest, outer.source, head, outer.heredocs, (), ())
    documents = "".join(f"\n{each.raw}{each.name}" for each in outer.heredocs)
    expression = reading.rest + documents
    try:
        trigger = understand(inner, reading.escape)
    except DockerfileError as error:
        return nouns.Onbuild(trigger=None, expression=expression, wrong=error.what, **reading.common())
    return nouns.Onbuild(trigger=trigger, expression=expression, **reading.common())


_Reader: TypeAlias = Callable[[Reading], Instruction]

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
