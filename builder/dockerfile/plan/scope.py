"""Which variables a word can see, and what they hold.

Dockerfile reference, "Using ARG variables", "Understand how ARG and FROM interact", "Predefined ARGs" and
"Automatic platform ARGs in the global scope". Of ENV and ARG the later one wins: both write into one table
(BuildKit ``convert.go``, ``dispatchEnv`` and ``dispatchArg``), whatever the reference says.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from builder.dockerfile.syntax.instruction import Arg, Declaration, Env
from builder.dockerfile.syntax.parser import Dockerfile
from builder.dockerfile.variables.expand import ExpansionError, expand
from builder.errors import DockerfileError
from builder.image.oci import Platform

PROXY_ARGS: Final = tuple(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
"""Build arguments that reach every RUN without a declaration, and no image and no history."""

EPOCH_ARG: Final = "SOURCE_DATE_EPOCH"
"""The build argument that sets the times in the image (reproducible-builds.org)."""

_PARTS: Final = ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")

PLATFORM_ARGS: Final = (*(f"{side}{part}" for side in ("BUILD", "TARGET") for part in _PARTS), "TARGETSTAGE")
"""Arguments that FROM sees without a declaration, and a stage with ``ARG name``."""

PREDEFINED_ARGS: Final = frozenset((*PROXY_ARGS, *PLATFORM_ARGS, EPOCH_ARG))

MAX_SCOPE: Final = 16 * 1024 * 1024
"""All variables of a scope hold no more characters: execve(2) would take much less."""

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def platform_args(target: Platform, build: Platform, *, stage: str = "default") -> dict[str, str]:
    """The values of PLATFORM_ARGS. ``stage``: the target as it was asked for."""
    values = {"TARGETSTAGE": stage}
    for side, platform in (("BUILD", build), ("TARGET", target)):
        values[f"{side}PLATFORM"] = str(platform)
        values[f"{side}OS"] = platform.os
        values[f"{side}OSVERSION"] = ""
        values[f"{side}ARCH"] = platform.architecture
        values[f"{side}VARIANT"] = platform.variant
    return values


def proxy_environment(build_args: Mapping[str, str]) -> dict[str, str]:
    """What the proxy arguments among ``build_args`` add to the environment of a RUN."""
    return {name: value for name, value in build_args.items() if name in PROXY_ARGS}


class Scope:
    """The variables of one stage while its instructions are gone through; ``declare`` and ``set`` change it.

    ``env``: the environment of the base image. ``below``: the scope at the end of the stage that this one
    starts from; its arguments are seen here too, but the environment is set anew over them.
    ``args``: arguments seen from the start. ``globals_``: what ``ARG name`` without a default takes.
    ``build_args``: what the user gave, which wins over defaults.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str] = _NOTHING,
        below: Scope | None = None,
        args: Mapping[str, str] = _NOTHING,
        globals_: Mapping[str, str] = _NOTHING,
        build_args: Mapping[str, str] = _NOTHING,
        escape: str = "\\",
    ) -> None:
        self._env = dict(env)
        self._declared: dict[str, None] = dict.fromkeys((*args, *(() if below is None else below.declared)))
        self._values: dict[str, str] = {**args, **({} if below is None else below.environment()), **env}
        self._globals = globals_
        self._build_args = build_args
        self._escape = escape
        self._size = 0

    @property
    def env(self) -> Mapping[str, str]:
        """The environment of the image: the base's, and what ENV has set since."""
        return MappingProxyType(self._env)

    @property
    def declared(self) -> tuple[str, ...]:
        """The arguments that are declared, with a value or without, in order."""
        return tuple(self._declared)

    @property
    def args(self) -> Mapping[str, str]:
        """The arguments that are declared and have a value."""
        return {name: self._values[name] for name in self._declared if name in self._values}

    def knows(self, name: str) -> bool:
        """Whether the name is declared or set, with a value or without."""
        return name in self._values or name in self._declared

    def names(self) -> list[str]:
        """All names that are declared or set, sorted."""
        return sorted(self._values.keys() | self._declared.keys())

    def lookup(self, name: str) -> str | None:
        """The variable's value, or None if it is not set."""
        return self._values.get(name)

    def declare(self, arg: Arg) -> list[tuple[str, str | None]]:
        """Let the names of ``arg`` be seen from here on; a later one sees the earlier ones.

        A name is taken as it is written. One without any value leaves what the variable holds. Returns the
        names with the values that they were given here.
        """
        declared: list[tuple[str, str | None]] = []
        for declaration in arg.declarations:
            try:
                value = self._given(declaration)
            except ExpansionError as error:
                raise DockerfileError(f"ARG: {error}", where=arg.span, fix=error.fix) from None
            self._declared[declaration.name] = None
            if value is not None:
                self._values[declaration.name] = value
            self._grow(arg, declaration.name, value or "")
            declared.append((declaration.name, value))
        return declared

    def set(self, env: Env) -> None:
        """Set what ``env`` says; it must be expanded already."""
        for name, value in env.pairs:
            self._env[name] = value
            self._values[name] = value
            self._grow(env, name, value)

    def environment(self) -> dict[str, str]:
        """What a RUN starts with."""
        return dict(self._values)

    def _given(self, declaration: Declaration) -> str | None:
        if declaration.name in self._build_args:
            return self._build_args[declaration.name]
        if declaration.default is not None:
            return expand(declaration.default, self.lookup, self._escape)
        return self._globals.get(declaration.name)

    def _grow(self, instruction: Arg | Env, name: str, value: str) -> None:
        self._size += len(name) + len(value)
        if self._size > MAX_SCOPE:
            raise DockerfileError(
                f"{instruction.name}: the variables hold more than {MAX_SCOPE} characters",
                where=instruction.span,
                fix="no program could be started with so large an environment: keep values short",
            )


def global_scope(
    dockerfile: Dockerfile,
    *,
    platform_values: Mapping[str, str] = _NOTHING,
    build_args: Mapping[str, str] = _NOTHING,
) -> Mapping[str, str]:
    """What FROM sees: platform arguments, and the ARGs before the first FROM that have a value."""
    automatic = {name: build_args.get(name, value) for name, value in platform_values.items()}
    scope = Scope(args=automatic, build_args=build_args, escape=dockerfile.escape)
    for arg in dockerfile.global_args:
        scope.declare(arg)
    return scope.args
