"""What is questionable about a Dockerfile that can be built: BuildKit's build checks.

Each check looks at one thing and yields findings; the rules themselves are data, in ``rules``.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from builder.context.ignore import IgnoreFile
from builder.dockerfile.lint import rules
from builder.dockerfile.lint.policy import policy
from builder.dockerfile.lint.rules import Finding, finding
from builder.dockerfile.lint.style import STYLE_CHECKS
from builder.dockerfile.lint.variables import Environment, from_findings, stage_findings, unknown_environment
from builder.dockerfile.span import Span
from builder.dockerfile.syntax.instruction import Add, Copy, Transfer
from builder.dockerfile.syntax.parser import Dockerfile


def check(
    dockerfile: Dockerfile,
    *,
    ignore: IgnoreFile | None = None,
    environment: Environment = unknown_environment,
    experimental: frozenset[str] = frozenset(),
) -> tuple[Finding, ...]:
    """The findings of all rules that the check directive does not skip, in the order of the lines.

    ``environment``: what base images set. ``experimental``: names of rules to add to the directive's.
    """
    wanted = policy(dockerfile)
    wanted = replace(wanted, experimental=wanted.experimental | experimental)
    found = (each for each in _all(dockerfile, ignore, environment) if wanted.applies(each.rule))
    return tuple(sorted(found, key=lambda each: (each.span.line, each.rule.id, each.message)))


def fails(dockerfile: Dockerfile) -> bool:
    """Whether the check directive says that a finding is an error."""
    return policy(dockerfile).fails


def wrong_platform(span: Span, image: str, *, expected: str, actual: str) -> Finding:
    """The finding for a base image of another platform, which only whoever fetches it can make."""
    return finding(rules.INVALID_BASE_IMAGE_PLATFORM, span, image=image, expected=expected, actual=actual)


def _all(dockerfile: Dockerfile, ignore: IgnoreFile | None, environment: Environment) -> Iterator[Finding]:
    for style in STYLE_CHECKS:
        yield from style(dockerfile)
    yield from from_findings(dockerfile)
    yield from stage_findings(dockerfile, environment)
    # With exceptions, what a directory holds cannot be told from its name.
    if ignore is not None and not ignore.has_exceptions:
        yield from _ignored(dockerfile, ignore)


def _ignored(dockerfile: Dockerfile, ignore: IgnoreFile) -> Iterator[Finding]:
    for each in dockerfile.instructions:
        if not isinstance(each, Transfer) or (isinstance(each, Copy) and each.from_ is not None):
            continue
        for source in each.sources:
            if isinstance(each, Add) and "://" in source:
                continue
            path = posixpath.normpath(source).lstrip("/")
            if (rule := ignore.matches(path)) is not None:
                yield finding(
                    rules.COPY_IGNORED_FILE,
                    each.span,
                    instruction=each.name,
                    source=source,
                    file=ignore.name,
                    rule=rule,
                )
