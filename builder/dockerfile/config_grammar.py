"""The instructions that only change the image's configuration (BuildKit instructions, ``parse.go``)."""

from __future__ import annotations

from typing import Any, Final

from builder.dockerfile import instruction as nouns
from builder.dockerfile.duration import parse_duration
from builder.dockerfile.instruction import ExecForm, Instruction, PairForm
from builder.dockerfile.ports import PortError, parse_ports
from builder.dockerfile.request import Request, is_literal
from builder.dockerfile.signals import SignalError, parse_signal
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.words import fields, quoted_words, split_once

_MIN_INTERVAL_NS: Final = 1_000_000


def _pairs(request: Request) -> dict[str, Any]:
    words = quoted_words(request.needed(f"{request.name} NAME=value"), request.escape)
    form, pairs = PairForm.EQUALS, [tuple(word.split("=", 1)) for word in words]
    if not words or "=" not in words[0]:
        form, pairs = PairForm.LEGACY, [tuple(split_once(request.rest))]
    for pair in pairs:
        if len(pair) != 2:
            fix = f'write {request.name} {pair[0]:.100}=value; quote blanks: {request.name} A="b c"'
            request.wrong(f"{pair[0]!r:.100} has no =", fix)
        if not pair[0]:
            request.wrong("a name is missing before =", f"write {request.name} NAME=value")
    return {"pairs": tuple(pairs), "form": form, **request.common()}


def read_env(request: Request) -> Instruction:
    """The ENV in ``request``."""
    return nouns.Env(**_pairs(request))


def read_label(request: Request) -> Instruction:
    """The LABEL in ``request``."""
    return nouns.Label(**_pairs(request))


def read_expose(request: Request) -> Instruction:
    """The EXPOSE in ``request``."""
    request.needed("EXPOSE 80")
    words = tuple(fields(request.rest))
    try:
        ports = [port for word in words if is_literal(word) for port in parse_ports(word)]
    except PortError as error:
        request.wrong(str(error), error.fix)
    return nouns.Expose(written=words, ports=tuple(dict.fromkeys(ports)), **request.common())


def read_volume(request: Request) -> Instruction:
    """The VOLUME in ``request``."""
    paths = tuple(path.strip() for path in request.list())
    if not paths or not all(paths):
        request.wrong("a path is needed", 'such as: VOLUME /data, or VOLUME ["/data"]')
    return nouns.Volume(paths=paths, **request.common())


def read_healthcheck(request: Request) -> Instruction:
    """The HEALTHCHECK in ``request``."""
    word, *rest = split_once(request.needed("HEALTHCHECK CMD curl -f http://localhost/"))
    kind = word.upper()
    if kind not in ("NONE", "CMD"):
        request.wrong(
            f"CMD or NONE is needed, not {word!r:.100}",
            did_you_mean(kind, ["CMD", "NONE"], otherwise="write HEALTHCHECK CMD …"),
        )
    if kind == "NONE":
        if rest:
            request.wrong("nothing may follow NONE", "write HEALTHCHECK NONE")
        return nouns.Healthcheck(command=None, **request.common())
    inner = Request(request.name, rest[0] if rest else "", request.flags, request.statement, request.escape)
    command = inner.command("HEALTHCHECK CMD curl -f http://localhost/")
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


def _duration(request: Request, flag: str) -> int:
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


def _retries(request: Request) -> int:
    written = request.flags.text("retries")
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        request.wrong(f"--retries={written:.100} is no number", "write --retries=3")
    return int(written)


def read_stopsignal(request: Request) -> Instruction:
    """The STOPSIGNAL in ``request``."""
    signal = request.needed("STOPSIGNAL SIGTERM")
    try:
        if is_literal(signal):
            parse_signal(signal)
    except SignalError as error:
        request.wrong(str(error), error.fix)
    return nouns.Stopsignal(signal=signal, **request.common())


def read_shell(request: Request) -> Instruction:
    """The SHELL in ``request``."""
    request.needed('SHELL ["/bin/sh", "-c"]')
    argv = request.json()
    if not argv:
        request.wrong("a JSON array of words is needed", 'write SHELL ["/bin/sh", "-c"]')
    return nouns.Shell(argv=argv, **request.common())


def read_workdir(request: Request) -> Instruction:
    """The WORKDIR in ``request``."""
    return nouns.Workdir(path=request.needed("WORKDIR /app"), **request.common())


def read_user(request: Request) -> Instruction:
    """The USER in ``request``."""
    return nouns.User(user=request.needed("USER 1000"), **request.common())


def read_cmd(request: Request) -> Instruction:
    """The CMD in ``request``."""
    return nouns.Cmd(command=request.command('CMD ["program", "argument"]'), **request.common())


def read_entrypoint(request: Request) -> Instruction:
    """The ENTRYPOINT in ``request``."""
    return nouns.Entrypoint(command=request.command('ENTRYPOINT ["program"]'), **request.common())


def read_maintainer(request: Request) -> Instruction:
    """The MAINTAINER in ``request``."""
    return nouns.Maintainer(
        author=request.needed("LABEL org.opencontainers.image.authors=…"), **request.common()
    )
