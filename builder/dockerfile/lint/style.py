"""Checks that need nothing but the text: case, names, forms, comments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from builder.dockerfile.lint import rules
from builder.dockerfile.lint.rules import Finding, finding
from builder.dockerfile.span import Span
from builder.dockerfile.syntax.instruction import (
    Arg,
    Cmd,
    Entrypoint,
    Env,
    Expose,
    Healthcheck,
    Instruction,
    Maintainer,
    PairForm,
    Pairs,
    Shell,
    ShellForm,
)
from builder.dockerfile.syntax.parser import Dockerfile
from builder.dockerfile.syntax.ports import maps_host
from builder.security.secretnames import names_a_secret

Check: TypeAlias = Callable[[Dockerfile], Iterator[Finding]]

_RESERVED: Final = ("scratch", "context")


def _stage_names(dockerfile: Dockerfile) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for stage in dockerfile.stages:
        written, name = stage.start.written_alias, stage.name
        if name is None:
            continue
        if written != name:
            yield finding(rules.STAGE_NAME_CASING, stage.span, name=written)
        if name in _RESERVED:
            yield finding(rules.RESERVED_STAGE_NAME, stage.span, name=name)
        if name in first:
            yield finding(rules.DUPLICATE_STAGE_NAME, stage.span, name=name, first=first[name])
        first.setdefault(name, stage.span.line)


def _as_casing(dockerfile: Dockerfile) -> Iterator[Finding]:
    for stage in dockerfile.stages:
        keyword, word = stage.start.keyword, stage.start.as_keyword
        if word and (
            (keyword.islower() and not word.islower()) or (keyword.isupper() and not word.isupper())
        ):
            yield finding(rules.FROM_AS_CASING, stage.span, keyword=keyword, as_keyword=word)


def _casing(dockerfile: Dockerfile) -> Iterator[Finding]:
    keywords = [each.keyword for each in dockerfile.instructions]
    lower, upper = sum(map(str.islower, keywords)), sum(map(str.isupper, keywords))
    case, fits = ("lower", str.islower) if lower > upper else ("upper", str.isupper)
    for each in dockerfile.instructions:
        if not fits(each.keyword):
            yield finding(rules.CONSISTENT_INSTRUCTION_CASING, each.span, keyword=each.keyword, case=case)


def _gaps(dockerfile: Dockerfile) -> Iterator[Finding]:
    for each in dockerfile.instructions:
        if each.gaps:  # told once, at the line where the instruction ends (parser.go, Parse)
            span = Span(each.span.file, each.span.end_line, each.span.end_line)
            yield finding(rules.NO_EMPTY_CONTINUATION, span, instruction=each.name)


def _shell_forms(dockerfile: Dockerfile) -> Iterator[Finding]:
    for stage in dockerfile.stages:
        for each in stage.instructions:
            if isinstance(each, Shell):
                break  # who chooses the shell knows that there is one
            if isinstance(each, Cmd | Entrypoint) and isinstance(each.command, ShellForm):
                yield finding(rules.JSON_ARGS_RECOMMENDED, each.span, instruction=each.name)


def _repeated(dockerfile: Dockerfile) -> Iterator[Finding]:
    for stage in dockerfile.stages:
        last: dict[str, Instruction] = {}
        for each in stage.instructions:
            if not isinstance(each, Cmd | Entrypoint | Healthcheck):
                continue
            if (before := last.get(each.name)) is not None:
                rule = rules.MULTIPLE_INSTRUCTIONS_DISALLOWED
                yield finding(rule, before.span, instruction=each.name, last=each.span.line)
            last[each.name] = each


def _single(dockerfile: Dockerfile) -> Iterator[Finding]:
    """What one instruction shows by itself."""
    for each in dockerfile.instructions:
        match each:
            case Maintainer(author=author):
                yield finding(rules.MAINTAINER_DEPRECATED, each.span, author=repr(author))
            case Pairs(form=PairForm.LEGACY, pairs=((key, _),)):
                yield finding(rules.LEGACY_KEY_VALUE_FORMAT, each.span, instruction=each.name, key=key)
            case Expose(written=ports):
                yield from _ports(ports, each.span)
        yield from _secrets(each)


def _ports(ports: tuple[str, ...], span: Span) -> Iterator[Finding]:
    for port in ports:
        protocol = port.partition("/")[2]
        if protocol != protocol.lower() and "$" not in protocol:
            yield finding(rules.EXPOSE_PROTO_CASING, span, port=port)
        if maps_host(port) and "$" not in port:
            yield finding(rules.EXPOSE_INVALID_FORMAT, span, port=port)


def _secrets(each: Instruction) -> Iterator[Finding]:
    names: tuple[str, ...] = ()
    if isinstance(each, Arg):
        names = tuple(declaration.name for declaration in each.declarations)
    elif isinstance(each, Env):
        names = tuple(name for name, _ in each.pairs)
    for name in names:
        if names_a_secret(name):
            yield finding(rules.SECRETS_USED_IN_ARG_OR_ENV, each.span, instruction=each.name, name=name)


def _descriptions(dockerfile: Dockerfile) -> Iterator[Finding]:
    named = [(stage.start, (stage.name,)) for stage in dockerfile.stages if stage.name is not None]
    declared = [
        (each, tuple(declaration.name for declaration in each.declarations))
        for each in dockerfile.instructions
        if isinstance(each, Arg)
    ]
    for each, names in (*named, *declared):
        described = any(comment.startswith(f"{name} ") for comment in each.comments for name in names)
        if each.comments and not described:
            rule = rules.INVALID_DEFINITION_DESCRIPTION
            yield finding(rule, each.span, instruction=each.name, name=names[0])


STYLE_CHECKS: Final[tuple[Check, ...]] = (
    _stage_names,
    _as_casing,
    _casing,
    _gaps,
    _shell_forms,
    _repeated,
    _single,
    _descriptions,
)
