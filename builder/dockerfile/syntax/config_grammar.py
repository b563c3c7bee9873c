"""The instructions that only change the image's configuration (BuildKit instructions, ``parse.go``)."""

from __future__ import annotations

from typing import Any, Final

from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.syntax import instruction as nouns
from builder.dockerfile.syntax.duration import parse_duration
from builder.dockerfile.syntax.instruction import ExecForm, Instruction, PairForm
from builder.dockerfile.syntax.ports import PortError, parse_ports
from builder.dockerfile.syntax.reading import Reading, is_literal
from builder.dockerfile.syntax.signals import SignalError, parse_signal
from builder.dockerfile.variables.words import fields, quoted_words, split_once

_MIN_INTERVAL_NS: Final = 1_000_000


def _pairs(reading: Reading) -> dict[str, Any]:
    words = quoted_words(reading.needed(f"{reading.name} NAME=value"), reading.escape)
    form, pairs = PairForm.EQUALS, [tuple(word.split("=", 1)) for word in words]
    if not words or "=" not in words[0]:
        form, pairs = PairForm.LEGACY, [tuple(split_once(reading.rest))]
    for pair in pairs:
        if len(pair) != 2:
            fix = f'write {reading.name} {pair[0]:.100}=value; quote blanks: {reading.name} A="b c"'
            reading.wrong(f"{pair[0]!r:.100} has no =", fix)
        if not pair[0]:
            reading.wrong("a name is missing before =", f"write {reading.name} NAME=value")
    return {"pairs": tuple(pairs), "form": form, **reading.common()}


def read_env(reading: Reading) -> Instruction:
    """The ENV in ``reading``."""
    return nouns.Env(**_pairs(reading))


def read_label(reading: Reading) -> Instruction:
    """The LABEL in ``reading``."""
    return nouns.Label(**_pairs(reading))


def read_expose(reading: Reading) -> Instruction:
    """The EXPOSE in ``reading``."""
    reading.needed("EXPOSE 80")
    words = tuple(fields(reading.rest))
    try:
        ports = [port for word in words if is_literal(word) for port in parse_ports(word)]
    except PortError as error:
        reading.wrong(str(error), error.fix)
    return nouns.Expose(written=words, ports=tuple(dict.fromkeys(ports)), **reading.common())


def read_volume(reading: Reading) -> Instruction:
    """The VOLUME in ``reading``."""
    paths = tuple(path.strip() for path in reading.list())
    if not paths or not all(paths):
        reading.wrong("a path is needed", 'such as: VOLUME /data, or VOLUME ["/data"]')
    return nouns.Volume(paths=paths, **reading.common())


def read_healthcheck(reading: Reading) -> Instruction:
    """The HEALTHCHECK in ``reading``."""
    word, *rest = split_once(reading.needed("HEALTHCHECK CMD curl -f http://localhost/"))
    kind = word.upper()
    if kind not in ("NONE", "CMD"):
        reading.wrong(
            f"CMD or NONE is needed, not {word!r:.100}",
            did_you_mean(kind, ["CMD", "NONE"], otherwise="write HEALTHCHECK CMD …"),
        )
    if kind == "NONE":
        if rest:
            reading.wrong("nothing may follow NONE", "write HEALTHCHECK NONE")
        return nouns.Healthcheck(command=None, **reading.common())
    inner = Reading(reading.name, rest[0] if rest else "", reading.flags, reading.statement, reading.escape)
    command = inner.command("HEALTHCHECK CMD curl -f http://localhost/")
    if command == ExecForm(()):
        reading.wrong("no command in []", 'write HEALTHCHECK CMD ["program", "argument"]')
    return nouns.Healthcheck(
        command=command,
        interval_ns=_duration(reading, "interval"),
        timeout_ns=_duration(reading, "timeout"),
        start_period_ns=_duration(reading, "start-period"),
        start_interval_ns=_duration(reading, "start-interval"),
        retries=_retries(reading),
        **reading.common(),
    )


def _duration(reading: Reading, flag: str) -> int:
    written = reading.flags.text(flag)
    if not written:
        return 0
    try:
        nanoseconds = parse_duration(written)
    except ValueError:
        reading.wrong(f"--{flag}={written:.100} is no duration", f"write --{flag}=30s or 1m30s")
    if nanoseconds != 0 and nanoseconds < _MIN_INTERVAL_NS:
        reading.wrong(f"--{flag}={written:.100} is less than 1ms", f"write --{flag}=30s")
    return nanoseconds


def _retries(reading: Reading) -> int:
    written = reading.flags.text("retries")
    if not written:
        return 0
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        reading.wrong(f"--retries={written:.100} is no number", "write --retries=3")
    return int(written)


def read_stopsignal(reading: Reading) -> Instruction:
    """The STOPSIGNAL in ``reading``."""
    signal = reading.needed("STOPSIGNAL SIGTERM")
    try:
        if is_literal(signal):
            parse_signal(signal)
    except SignalError as error:
        reading.wrong(str(error), error.fix)
    return nouns.Stopsignal(signal=signal, **reading.common())


def read_shell(reading: Reading) -> Instruction:
    """The SHELL in ``reading``."""
    reading.needed('SHELL ["/bin/sh", "-c"]')
    argv = reading.json()
    if not argv:
        reading.wrong("a JSON array of words is needed", 'write SHELL ["/bin/sh", "-c"]')
    return nouns.Shell(argv=argv, **reading.common())


def read_workdir(reading: Reading) -> Instruction:
    """The WORKDIR in ``reading``."""
    return nouns.Workdir(path=reading.needed("WORKDIR /app"), **reading.common())


def read_user(reading: Reading) -> Instruction:
    """The USER in ``reading``."""
    return nouns.User(user=reading.needed("USER 1000"), **reading.common())


def read_cmd(reading: Reading) -> Instruction:
    """The CMD in ``reading``."""
    return nouns.Cmd(command=reading.command('CMD ["program", "argument"]'), **reading.common())


def read_entrypoint(reading: Reading) -> Instruction:
    """The ENTRYPOINT in ``reading``."""
    return nouns.Entrypoint(command=reading.command('ENTRYPOINT ["program"]'), **reading.common())


def read_maintainer(reading: Reading) -> Instruction:
    """The MAINTAINER in ``reading``."""
    return nouns.Maintainer(
        author=reading.needed("LABEL org.opencontainers.image.authors=…"), **reading.common()
    )
