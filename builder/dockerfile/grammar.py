"""A statement → the instruction that it is (BuildKit frontend/dockerfile/instructions, ``parse.go``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from builder.dockerfile import flags as known_flags
from builder.dockerfile import instruction as nouns
from builder.dockerfile.duration import parse_duration
from builder.dockerfile.expand import ExpansionError
from builder.dockerfile.flags import Flags, Known, read_flags
from builder.dockerfile.heredoc import Heredoc, read_mark
from builder.dockerfile.instruction import (
    CommandForm,
    ExecForm,
    Instruction,
    PairForm,
    ShellForm,
)
from builder.dockerfile.lexer import Statement
from builder.dockerfile.mount import MountError, read_mount
from builder.dockerfile.ports import PortError, parse_ports
from builder.dockerfile.signals import SignalError, parse_signal
from builder.dockerfile.span import Span
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.words import (
    NotStringsError,
    fields,
    json_strings,
    quoted_words,
    split_head,
    split_once,
)
from builder.errors import DockerfileError

_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9_.-]*", re.ASCII)
_MIN_INTERVAL_NS: Final = 1_000_000

ModeT = TypeVar("ModeT", nouns.NetworkMode, nouns.SecurityMode)


@dataclass(frozen=True, slots=True)
class _Request:
    """One statement with what every reader of it needs."""

    name: str
    rest: str
    flags: Flags
    statement: Statement
    escape: str

    @property
    def span(self) -> Span:
        return self.statement.span

    def common(self) -> dict[str, Any]:
        """The fields that all instructions have."""
        return {
            "span": self.statement.span,
            "source": self.statement.source,
            "keyword": self.statement.head.keyword,
            "escape": self.escape,
            "comments": self.statement.comments,
            "gaps": self.statement.gaps,
        }

    def wrong(self, what: str, fix: str | None = None) -> NoReturn:
        raise DockerfileError(f"{self.name}: {what}", where=self.span, fix=fix) from None

    def json(self) -> tuple[str, ...] | None:
        """The strings of the rest as a JSON array, or None for shell form."""
        try:
            found = json_strings(self.rest)
        except NotStringsError:
            self.wrong("the JSON array holds something else than strings", 'quote every element: ["a", "1"]')
        return None if found is None else tuple(found)

    def list(self) -> tuple[str, ...]:
        """The rest as a JSON array or as fields."""
        found = self.json()
        return tuple(fields(self.rest)) if found is None else found


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
    return reader(_Request(name, statement.head.rest, given, statement, escape))


def _needs(request: _Request, example: str) -> str:
    if not request.rest:
        request.wrong("something must follow", f"such as: {example}")
    return request.rest


def _from(request: _Request) -> Instruction:
    words = fields(_needs(request, "FROM alpine:3.19 AS build"))
    if len(words) not in (1, 3):
        request.wrong("one image, or image AS name", "write FROM alpine:3.19 AS build")
    alias = as_keyword = None
    if len(words) == 3:
        as_keyword, alias = words[1], words[2].lower()
        if as_keyword.lower() != "as":
            request.wrong(
                f"AS belongs where {as_keyword:.100!r} stands", f"write FROM {words[0]:.100} AS {alias:.100}"
            )
        if not _STAGE_NAME.fullmatch(alias):
            request.wrong(
                f"{words[2]:.100!r} cannot name a stage", "begin with a letter; then letters, digits, - _ ."
            )
    platform = request.flags.text("platform")
    return nouns.From(
        base=words[0], alias=alias, platform=platform, as_keyword=as_keyword or "", **request.common()
    )


def _command(request: _Request, example: str) -> CommandForm:
    _needs(request, example)
    argv = request.json()
    return ShellForm(request.rest) if argv is None else ExecForm(argv)


def _run(request: _Request) -> Instruction:
    command = _command(request, "RUN make")
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


def _mode(request: _Request, flag: str, modes: type[ModeT]) -> ModeT:
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


def _copy(request: _Request) -> Instruction:
    source = request.flags.text("from")
    if source is not None and (not source or "$" in source):
        request.wrong(
            f"--from={source:.100} names no stage",
            "variables are not expanded here: FROM … AS name, then --from=name",
        )
    return nouns.Copy(from_=source, parents=request.flags.switch("parents"), **_transfer(request))


def _add(request: _Request) -> Instruction:
    unpack = None if request.flags.text("unpack") is None else request.flags.switch("unpack")
    return nouns.Add(
        checksum=request.flags.text("checksum") or "",
        keep_git_dir=request.flags.switch("keep-git-dir"),
        unpack=unpack,
        **_transfer(request),
    )


def _transfer(request: _Request) -> dict[str, Any]:
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


def _arg(request: _Request) -> Instruction:
    _needs(request, "ARG VERSION=1.0")
    declarations = []
    for word in quoted_words(request.rest, request.escape):
        name, equals, default = word.partition("=")
        if not name:
            request.wrong(f"a name is missing before {word:.100!r}", "write ARG NAME=value")
        declarations.append(nouns.Declaration(name, default if equals else None))
    return nouns.Arg(declarations=tuple(declarations), **request.common())


def _pairs(request: _Request) -> dict[str, Any]:
    words = quoted_words(_needs(request, f"{request.name} NAME=value"), request.escape)
    form, pairs = PairForm.EQUALS, [tuple(word.split("=", 1)) for word in words]
    if not words or "=" not in words[0]:
        form, pairs = PairForm.LEGACY, [tuple(split_once(request.rest))]
    for pair in pairs:
        if len(pair) != 2:
            fix = f'write {request.name} {pair[0]:.100}=value; quote blanks: {request.name} A="b c"'
            request.wrong(f"{pair[0]:.100!r} has no =", fix)
        if not pair[0]:
            request.wrong("a name is missing before =", f"write {request.name} NAME=value")
    return {"pairs": tuple(pairs), "form": form, **request.common()}


def _env(request: _Request) -> Instruction:
    return nouns.Env(**_pairs(request))


def _label(request: _Request) -> Instruction:
    return nouns.Label(**_pairs(request))


def _expose(request: _Request) -> Instruction:
    _needs(request, "EXPOSE 80")
    words = tuple(fields(request.rest))
    try:
        ports = [port for word in words if _is_literal(word) for port in parse_ports(word)]
    except PortError as error:
        request.wrong(str(error), error.fix)
    return nouns.Expose(written=words, ports=tuple(dict.fromkeys(ports)), **request.common())


def _is_literal(word: str) -> bool:
    return not any(sign in word for sign in "$\"'\\`")


def _volume(request: _Request) -> Instruction:
    paths = tuple(path.strip() for path in request.list())
    if not paths or not all(paths):
        request.wrong("a path is needed", 'such as: VOLUME /data, or VOLUME ["/data"]')
    return nouns.Volume(paths=paths, **request.common())


def _healthcheck(request: _Request) -> Instruction:
    word, *rest = split_once(_needs(request, "HEALTHCHECK CMD curl -f http://localhost/"))
    kind = word.upper()
    if kind not in ("NONE", "CMD"):
        request.wrong(
            f"CMD or NONE is needed, not {word:.100!r}",
            did_you_mean(kind, ["CMD", "NONE"], otherwise="write HEALTHCHECK CMD …"),
        )
    if kind == "NONE":
        if rest:
            request.wrong("nothing may follow NONE", "write HEALTHCHECK NONE")
        return nouns.Healthcheck(command=None, **request.common())
    inner = _Request(request.name, rest[0] if rest else "", request.flags, request.statement, request.escape)
    command = _command(inner, "HEALTHCHECK CMD curl -f http://localhost/")
    if command == ExecForm(()):
        request.wrong("no command in []", 'write HEALTHCHECK CMD ["program", "argument"]')
    return nouns.Healthcheck(
        command=command,
        interval_ns=_duration(request, "interval"),
        timeout_ns=_duration(request, "timeout"),
        start_period_ns=_duration(request, "start-period"),
        start_interval_ns=_duration(request, "start-interval"),
        retries=_retries(request),
        **request.common(),
    )


def _duration(request: _Request, flag: str) -> int:
    written = request.flags.text(flag)
    if not written:
        return 0
    try:
        nanoseconds = parse_duration(written)
    except ValueError:
        request.wrong(f"--{flag}={written:.100} is no duration", f"write --{flag}=30s or 1m30s")
    if nanoseconds != 0 and nanoseconds < _MIN_INTERVAL_NS:
        request.wrong(f"--{flag}={written:.100} is less than 1ms", f"write --{flag}=30s")
    return nanoseconds


def _retries(request: _Request) -> int:
    written = request.flags.text("retries")
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        request.wrong(f"--retries={written:.100} is no number", "write --retries=3")
    return int(written)


def _stopsignal(request: _Request) -> Instruction:
    signal = _needs(request, "STOPSIGNAL SIGTERM")
    try:
        if _is_literal(signal):
            parse_signal(signal)
    except SignalError as error:
        request.wrong(str(error), error.fix)
    return nouns.Stopsignal(signal=signal, **request.common())


def _shell(request: _Request) -> Instruction:
    _needs(request, 'SHELL ["/bin/sh", "-c"]')
    argv = request.json()
    if not argv:
        request.wrong("a JSON array of words is needed", 'write SHELL ["/bin/sh", "-c"]')
    return nouns.Shell(argv=argv, **request.common())


def _onbuild(request: _Request) -> Instruction:
    _needs(request, "ONBUILD COPY . /app")
    head = split_head(request.rest)
    if head.keyword.upper() in ("ONBUILD", "FROM", "MAINTAINER"):
        request.wrong(f"{head.keyword.upper()} cannot be put off", "use another instruction")
    outer = request.statement
    inner = Statement(outer.span, request.rest, outer.source, head, outer.heredocs, (), ())
    documents = "".join(f"\n{each.raw}{each.name}" for each in outer.heredocs)
    trigger = understand(inner, request.escape)
    return nouns.Onbuild(trigger=trigger, expression=request.rest + documents, **request.common())


def _workdir(request: _Request) -> Instruction:
    return nouns.Workdir(path=_needs(request, "WORKDIR /app"), **request.common())


def _user(request: _Request) -> Instruction:
    return nouns.User(user=_needs(request, "USER 1000"), **request.common())


def _cmd(request: _Request) -> Instruction:
    return nouns.Cmd(command=_command(request, 'CMD ["program", "argument"]'), **request.common())


def _entrypoint(request: _Request) -> Instruction:
    return nouns.Entrypoint(command=_command(request, 'ENTRYPOINT ["program"]'), **request.common())


def _maintainer(request: _Request) -> Instruction:
    return nouns.Maintainer(
        author=_needs(request, "LABEL org.opencontainers.image.authors=…"), **request.common()
    )


_Reader: TypeAlias = Callable[[_Request], Instruction]

_READERS: Final[Mapping[str, tuple[Known, _Reader]]] = MappingProxyType(
    {
        "ADD": (known_flags.ADD, _add),
        "ARG": (known_flags.NONE, _arg),
        "CMD": (known_flags.NONE, _cmd),
        "COPY": (known_flags.COPY, _copy),
        "ENTRYPOINT": (known_flags.NONE, _entrypoint),
        "ENV": (known_flags.NONE, _env),
        "EXPOSE": (known_flags.NONE, _expose),
        "FROM": (known_flags.FROM, _from),
        "HEALTHCHECK": (known_flags.HEALTHCHECK, _healthcheck),
        "LABEL": (known_flags.NONE, _label),
        "MAINTAINER": (known_flags.NONE, _maintainer),
        "ONBUILD": (known_flags.NONE, _onbuild),
        "RUN": (known_flags.RUN, _run),
        "SHELL": (known_flags.NONE, _shell),
        "STOPSIGNAL": (known_flags.NONE, _stopsignal),
        "USER": (known_flags.NONE, _user),
        "VOLUME": (known_flags.NONE, _volume),
        "WORKDIR": (known_flags.NONE, _workdir),
    }
)
