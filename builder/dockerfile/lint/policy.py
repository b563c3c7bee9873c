"""``# check=skip=RuleName;error=true``: which rules count, and whether a finding fails the build.

As a directive it holds for the file, as a comment right above an instruction for that one. Dockerfile
reference, "check"; BuildKit linter.go, ``ParseLintOptions`` and ``WithMergedConfigFromComments``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from builder.dockerfile.lint.rules import Rule
from builder.dockerfile.span import Span
from builder.dockerfile.suggest import did_you_mean
from builder.dockerfile.syntax.instruction import Instruction
from builder.dockerfile.syntax.parser import Dockerfile
from builder.errors import DockerfileError

_ALL: Final = "all"
_TRUE: Final = ("1", "t", "true")
_FALSE: Final = ("0", "f", "false")
_COMMENT: Final = re.compile(r"\s*check\s*=\s*(\S+)")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the check directive says. ``skip`` and ``experimental``: names of rules, or ``all``."""

    skip: frozenset[str] = frozenset()
    experimental: frozenset[str] = frozenset()
    fails: bool = False

    def applies(self, rule: Rule) -> bool:
        """Whether findings of ``rule`` are wanted."""
        if _ALL in self.skip or rule.id in self.skip:
            return False
        return not rule.experimental or bool({_ALL, rule.id} & self.experimental)


def policy(dockerfile: Dockerfile) -> Policy:
    """The policy in the file's check directive; DockerfileError if it cannot be read."""
    directive = dockerfile.directive("check")
    return Policy() if directive is None else _read(directive.value, directive.span)


def policy_at(instruction: Instruction) -> Policy:
    """The policy in the comments right above ``instruction``: the first ``check=`` counts, if it is one."""
    for comment in instruction.comments:
        found = _COMMENT.match(comment)
        if found is not None:
            try:
                return _read(found[1], instruction.span)
            except DockerfileError:
                return Policy()
    return Policy()


def _read(value: str, where: Span) -> Policy:
    options: dict[str, str] = {}
    for part in value.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals or name not in ("skip", "error", "experimental"):
            fix = did_you_mean(
                name, ["skip", "error", "experimental"], otherwise="write # check=skip=RuleName;error=true"
            )
            raise DockerfileError(f"check: no such option: {part.strip()!r:.100}", where=where, fix=fix)
        options[name] = value.strip()
    error = options.get("error", "false").lower()
    if error not in (*_TRUE, *_FALSE):
        raise DockerfileError(
            f"check: error={error:.100} is neither true nor false",
            where=where,
            fix="write error=true",
        )
    return Policy(_names(options.get("skip", "")), _names(options.get("experimental", "")), error in _TRUE)


def _names(listed: str) -> frozenset[str]:
    return frozenset(filter(None, (name.strip() for name in listed.split(","))))
