"""What is questionable about a Dockerfile that can be built: BuildKit's build checks.

Each check looks at one thing and yields findings; the rules themselves are data, in ``rules``.
"""

from __future__ import annotations

import enum
import itertools
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace

from builder.context.ignore import IgnoreFile
from builder.dockerfile.lint import rules
from builder.dockerfile.lint.policy import Policy, policy, policy_at
from builder.dockerfile.lint.practice import practice_findings
from builder.dockerfile.lint.rules import Finding, finding
from builder.dockerfile.lint.style import STYLE_CHECKS
from builder.dockerfile.lint.variables import Environment, from_findings, stage_findings, unknown_environment
from builder.dockerfile.span import Span
from builder.dockerfile.syntax.instruction import Add, Copy, Instruction, Transfer
from builder.dockerfile.syntax.parser import Dockerfile


class Origin(enum.Enum):
    """Whose rules: BuildKit's alone, or ours too."""

    BUILDKIT = "buildkit"
    ALL = "all"


def check(
    dockerfile: Dockerfile,
    *,
    ignore: IgnoreFile | None = None,
    environment: Environment = unknown_environment,
    experimental: frozenset[str] = frozenset(),
    origin: Origin = Origin.ALL,
) -> tuple[Finding, ...]:
    """The findings of all rules that the check directive does not skip, in the order of the lines.

    ``environment``: what base images set. ``experimental``: names of rules to add to the directive's.
    ``origin``: whose rules to look at.
    """
    wanted = policy(dockerfile)
    wanted = replace(wanted, experimental=wanted.experimental | experimental)
    everything = _all(dockerfile, ignore, environment)
    if origin is Origin.ALL:
        everything = itertools.chain(everything, practice_findings(dockerfile))
    local = {each.span: policy_at(each) for each in _commented(dockerfile)}
    found = [each for each in everything if wanted.applies(each.rule) and not _skipped(each, local)]
    return tuple(sorted(found, key=lambda each: (each.span.line, each.rule.id, each.message)))


def _commented(dockerfile: Dockerfile) -> Iterator[Instruction]:
    every = (each for stage in dockerfile.stages for each in (stage.start, *stage.instructions))
    return (each for each in (*dockerfile.global_args, *every) if each.comments)


def _skipped(found: Finding, local: Mapping[Span, Policy]) -> bool:
    """Whether a comment above the instruction leaves the rule out; empty lines are found first."""
    if found.rule is rules.NO_EMPTY_CONTINUATION or found.span not in local:
        return False
    skip = local[found.span].skip
    return found.rule.id in skip or "all" in skip


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
