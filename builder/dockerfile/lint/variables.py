"""Checks that need to know what variables hold: undefined ones, bases, platforms, directories."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from builder.dockerfile.lint import rules
from builder.dockerfile.lint.rules import Finding, finding
from builder.dockerfile.plan.scope import Scope, global_scope, platform_args
from builder.dockerfile.suggest import closest
from builder.dockerfile.syntax.instruction import (
    Add,
    Arg,
    Env,
    Expose,
    Instruction,
    Pairs,
    Run,
    Stopsignal,
    Transfer,
    User,
    Volume,
    Workdir,
)
from builder.dockerfile.syntax.parser import Dockerfile, Stage
from builder.dockerfile.variables.expand import ExpansionError, expand, variables, variables_in_document
from builder.errors import BuildError, DockerfileError
from builder.image.oci import Platform
from builder.image.reference import Reference

Environment: TypeAlias = Callable[[str], Mapping[str, str] | None]
"""The environment of a base image by its name; None if nobody knows."""

_HANDLES_UNSET: Final = re.compile(r"\$\{(\w+):?[-+?]")
_PLATFORM: Final = Platform("linux", "amd64")
_MAX_GUESSES: Final = 50
_MAX_NAMES: Final = 200
_SCRATCH_ENV: Final = MappingProxyType({"PATH": ""})


def unknown_environment(_base: str) -> Mapping[str, str] | None:
    """No image is known."""
    return None


def _asked(word: str, escape: str) -> list[str]:
    """The variables that ``word`` uses without saying what happens if they are unset; sorted."""
    if "$" not in word:
        return []
    return sorted(variables(word, escape) - set(_HANDLES_UNSET.findall(word)))


def from_findings(dockerfile: Dockerfile) -> Iterator[Finding]:
    """What is questionable about the FROM lines."""
    automatic = platform_args(_PLATFORM, _PLATFORM)
    declared = {name for arg in dockerfile.global_args for name in _names(arg)} | automatic.keys()
    try:
        values = global_scope(dockerfile, platform_values=automatic)
    except DockerfileError:
        return  # the plan says so
    for stage in dockerfile.stages:
        for word in (stage.start.base, stage.start.platform or ""):
            for name in _asked(word, dockerfile.escape):
                if name not in declared:
                    near = closest(name, sorted(declared))
                    suggestion = f" (did you mean {near}?)" if near else ""
                    yield finding(rules.UNDEFINED_ARG_IN_FROM, stage.span, name=name, suggestion=suggestion)
        yield from _default_base(stage, values)
        yield from _platform_flag(stage)


def _names(arg: Arg) -> Iterator[str]:
    return (declaration.name for declaration in arg.declarations)


def _default_base(stage: Stage, values: Mapping[str, str]) -> Iterator[Finding]:
    if "$" not in stage.start.base:
        return
    base = ""
    try:
        base = expand(stage.start.base, values.get, stage.start.escape)
        Reference.parse(base)
    except (ExpansionError, BuildError):
        yield finding(rules.INVALID_DEFAULT_ARG_IN_FROM, stage.span, base=stage.start.base, result=base)


def _platform_flag(stage: Stage) -> Iterator[Finding]:
    written = stage.start.platform
    if written in ("$TARGETPLATFORM", "${TARGETPLATFORM}"):
        yield finding(rules.REDUNDANT_TARGET_PLATFORM, stage.span, platform=written)
    if written is None or "$" in written:
        return
    try:
        platform = Platform.parse(written)
    except BuildError:
        return  # the plan says so
    # A stage that is named after its platform means it.
    if platform.os not in (stage.name or "") and platform.architecture not in (stage.name or ""):
        yield finding(rules.FROM_PLATFORM_FLAG_CONST_DISALLOWED, stage.span, platform=written)


@dataclass(slots=True)
class _State:
    """What is known at the end of a stage. ``env`` None: the base image's environment is unknown.

    ``scope``: what a stage that starts from this one sees; None where it would be too much to keep.
    """

    env: Mapping[str, str] | None
    anchored: bool
    scope: Scope | None = None


def stage_findings(dockerfile: Dockerfile, environment: Environment) -> Iterator[Finding]:
    """What is questionable about variables and working directories inside the stages."""
    automatic = platform_args(_PLATFORM, _PLATFORM)
    try:
        globals_ = global_scope(dockerfile, platform_values=automatic)
    except DockerfileError:
        return
    ends: dict[str, _State] = {}
    guesses = _Guesses()
    for stage in dockerfile.stages:
        state = _beginning(stage, globals_, ends, environment)
        scope = Scope(env=state.env or {}, below=state.scope, globals_=globals_, escape=dockerfile.escape)
        for each in stage.instructions:
            yield from _undefined(each, scope, state, guesses)
            yield from _relative(each, scope, state)
            _follow(each, scope)
        # A file with thousands of stages and variables is not worth their product in memory.
        few = len(scope.names()) <= _MAX_NAMES
        known = scope.env if few and state.env is not None else None
        ends[stage.title] = _State(known, state.anchored, scope if few else None)


def _beginning(
    stage: Stage, globals_: Mapping[str, str], ends: Mapping[str, _State], environment: Environment
) -> _State:
    try:
        base = expand(stage.start.base, globals_.get, stage.start.escape)
    except ExpansionError:
        return _State(None, anchored=False)
    if base.lower() in ends and not base.isdigit():
        above = ends[base.lower()]
        return _State(above.env, above.anchored, above.scope)
    return _State(_SCRATCH_ENV if base == "scratch" else environment(base), anchored=False)


def _words(each: Instruction) -> tuple[str, ...]:
    """The words of an instruction that variables are replaced in."""
    match each:
        case Transfer():
            checksum = each.checksum if isinstance(each, Add) else ""
            return (*each.sources, each.destination, each.chown, each.chmod, *each.exclude, checksum)
        case Run():
            return each.mount_flags
        case Pairs():
            return tuple(word for pair in each.pairs for word in pair)
        case Arg():
            return tuple(declaration.default or "" for declaration in each.declarations)
        case Workdir(path=word) | User(user=word) | Stopsignal(signal=word):
            return (word,)
        case Expose(written=words) | Volume(paths=words):
            return words
    return ()


def _documents(each: Instruction) -> tuple[str, ...]:
    """The heredocs of an instruction that variables are replaced in."""
    if not isinstance(each, Transfer):
        return ()
    return tuple(document.raw for document in each.documents if not document.quoted)


class _Guesses:
    """Finds what was probably meant, a limited number of times, because that is slow."""

    def __init__(self) -> None:
        self._left = _MAX_GUESSES

    def closest(self, name: str, scope: Scope) -> str | None:
        """The nearest name in ``scope``, or None."""
        self._left -= 1
        return closest(name, scope.names()) if self._left >= 0 else None


def _undefined(each: Instruction, scope: Scope, state: _State, guesses: _Guesses) -> Iterator[Finding]:
    told: set[str] = set()
    asked = [name for word in _words(each) for name in _asked(word, each.escape)]
    for text in _documents(each):
        asked += sorted(variables_in_document(text) - set(_HANDLES_UNSET.findall(text)))
    for name in asked:
        if scope.knows(name) or name in told:
            continue
        if isinstance(each, Arg) and name in _names(each):
            continue
        told.add(name)
        near = guesses.closest(name, scope)
        # The base image may set anything: without it, only a misspelling is certain enough.
        if state.env is not None or near is not None:
            suggestion = f" (did you mean ${near}?)" if near else ""
            yield finding(rules.UNDEFINED_VAR, each.span, name=name, suggestion=suggestion)


def _relative(each: Instruction, scope: Scope, state: _State) -> Iterator[Finding]:
    if not isinstance(each, Workdir):
        return
    try:
        path = each.expanded(scope.lookup).path
    except DockerfileError:
        return
    unknown = state.env is None and path != each.path
    if path.startswith("/") or unknown:
        state.anchored = True
    elif not state.anchored:
        yield finding(rules.WORKDIR_RELATIVE_PATH, each.span, path=path)


def _follow(each: Instruction, scope: Scope) -> None:
    """Let the instruction change the scope; what fails here fails with its line when it is built."""
    try:
        if isinstance(each, Arg):
            scope.declare(each)
        elif isinstance(each, Env):
            scope.set(each.expanded(scope.lookup))
    except DockerfileError:
        return
