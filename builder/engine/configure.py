"""Instructions that change no file: each makes a new configuration (Dockerfile reference; OCI config.md)."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.dockerfile.syntax.instruction import (
    Cmd,
    CommandForm,
    Entrypoint,
    Env,
    ExecForm,
    Expose,
    Healthcheck,
    Instruction,
    Label,
    Maintainer,
    Onbuild,
    Shell,
    ShellForm,
    Stopsignal,
    User,
    Volume,
    Workdir,
)
from builder.image import config as image_config
from builder.image.config import DEFAULT_SHELL, ImageConfig

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH where the image sets none (BuildKit ``system.DefaultPathEnvUnix``)."""


def scratch_config() -> ImageConfig:
    """What FROM scratch begins with (BuildKit ``emptyImage``)."""
    return ImageConfig(env=MappingProxyType({"PATH": DEFAULT_PATH}), working_dir="/")


def argv(command: CommandForm, config: ImageConfig) -> tuple[str, ...]:
    """The words to execute: a shell form is given to the image's shell."""
    match command:
        case ExecForm(words):
            return words
        case ShellForm(text):
            return (*(config.shell or DEFAULT_SHELL), text)


def working_directory(config: ImageConfig, path: str) -> str:
    """Where ``WORKDIR path`` leads, from the directory before.

    >>> working_directory(ImageConfig(working_dir="/a"), "b/../c")
    '/a/c'
    """
    joined = posixpath.normpath(posixpath.join("/", config.working_dir, path))
    return "/" + joined.lstrip("/")


def configured(config: ImageConfig, instruction: Instruction, *, cmd_is_set: bool) -> ImageConfig:
    """``config`` as the expanded ``instruction`` leaves it; the same one for instructions about files.

    ``cmd_is_set``: this stage has set CMD, so that ENTRYPOINT does not take an inherited one away.
    """
    match instruction:
        case Label(pairs=pairs):
            return config.with_labels(dict(pairs))
        case Env(pairs=pairs):
            return config.replace(env=MappingProxyType({**config.env, **dict(pairs)}))
        case Workdir(path=path):
            return config.replace(working_dir=working_directory(config, path))
        case User(user=user):
            return config.replace(user=user)
        case Expose(ports=ports):
            return config.with_exposed_ports(ports)
        case Volume(paths=paths):
            return config.with_volumes(paths)
        case Cmd(command=command):
            return config.replace(cmd=argv(command, config))
        case Entrypoint(command=command):
            kept = config.cmd if cmd_is_set else None
            return config.replace(entrypoint=argv(command, config), cmd=kept)
        case Stopsignal(signal=signal):
            return config.replace(stop_signal=signal)
        case Shell(argv=words):
            return config.replace(shell=words)
        case Onbuild(expression=expression):
            return config.replace(on_build=(*config.on_build, expression))
        case Healthcheck():
            return config.replace(healthcheck=_healthcheck(instruction))
    return config


def _healthcheck(instruction: Healthcheck) -> image_config.Healthcheck:
    return image_config.Healthcheck(
        instruction.test,
        instruction.interval_ns,
        instruction.timeout_ns,
        instruction.start_period_ns,
        instruction.start_interval_ns,
        instruction.retries,
    )


def quoted(text: str) -> str:
    """``text`` as Go's ``%q`` writes it, which histories of images are full of.

    >>> quoted('a "b"')
    '"a \\\\"b\\\\""'
    """
    pieces = []
    for char in text:
        if char in '"\\':
            pieces.append("\\" + char)
        elif char in _GO_ESCAPES:
            pieces.append(_GO_ESCAPES[char])
        elif char.isprintable():
            pieces.append(char)
        else:
            code = ord(char)
            pieces.append(
                f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
            )
    return '"' + "".join(pieces) + '"'


_GO_ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
)


def created_by(instruction: Instruction, config: ImageConfig) -> str:
    """The history line for an instruction that changes no file; ``config`` as it is afterwards."""
    match instruction:
        case Env(pairs=pairs) | Label(pairs=pairs):
            return f"{instruction.name} " + " ".join(f"{key}={value}" for key, value in pairs)
        case Workdir():
            return f"WORKDIR {config.working_dir}"
        case User(user=user):
            return f"USER {user}"
        case Expose(ports=ports):
            return "EXPOSE map[" + " ".join(f"{port}:{{}}" for port in sorted(ports)) + "]"
        case Volume(paths=paths):
            return f"VOLUME [{' '.join(paths)}]"
        case Cmd():
            return f"CMD [{' '.join(map(quoted, config.cmd or ()))}]"
        case Entrypoint():
            return f"ENTRYPOINT [{' '.join(map(quoted, config.entrypoint or ()))}]"
        case Stopsignal(signal=signal):
            return f"STOPSIGNAL {signal}"
        case Shell(argv=words):
            return f"SHELL [{' '.join(words)}]"
        case Maintainer(author=author):
            return f"MAINTAINER {author}"
        case Healthcheck():
            return f"HEALTHCHECK {_go_healthcheck(instruction)}"
    return instruction.source


def _go_healthcheck(check: Healthcheck) -> str:
    """Go's ``%q`` of moby's ``HealthConfig``: times as durations, the number of retries as a character."""
    times = (check.interval_ns, check.timeout_ns, check.start_period_ns, check.start_interval_ns)
    durations = " ".join(quoted(_go_duration(time)) for time in times)
    words = " ".join(map(quoted, check.test))
    return f"&{{[{words}] {durations} '\\x{check.retries:02x}'}}"


def _go_duration(nanoseconds: int) -> str:
    """A duration as Go prints it: ``1m30s``, ``500ms``, ``0s``."""
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < 1_000_000_000:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000)):
            if nanoseconds >= size:
                return f"{nanoseconds / size:g}{unit}"
        return f"{nanoseconds}ns"
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    shown = f"{seconds}.{fraction:09d}".rstrip("0") if fraction else str(seconds)
    if hours:
        return f"{hours}h{minutes}m{shown}s"
    return f"{minutes}m{shown}s" if minutes else f"{shown}s"
