"""What is wrong with a manifest: which rule, where in the document, what to write instead."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""The way from a document's top to a value: keys of mappings and indices of lists."""


class Severity(enum.Enum):
    """How sure it is that the cluster will refuse: ERROR will, WARNING will not but means it otherwise."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``rule``: its key in ``rules.csv``; ``fix``: what to do, or ""."""

    rule: str
    path: Path
    message: str
    fix: str = ""


def beneath(prefix: Path, findings: Iterable[Finding]) -> list[Finding]:
    """``findings`` about a part, as findings about the whole that has the part at ``prefix``."""
    return [Finding(each.rule, (*prefix, *each.path), each.message, each.fix) for each in findings]
