"""The rules by which manifests are checked, as data: ``rules.csv``."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Final

from builder.security.tekton.finding import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``says``: what is wrong where it fires; ``source``: who says so."""

    key: str
    severity: Severity
    says: str
    source: str


def _read() -> Mapping[str, Rule]:
    text = resources.files(__package__).joinpath("rules.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType(
        {
            row["rule"]: Rule(row["rule"], Severity(row["severity"]), row["says"], row["source"])
            for row in rows
        }
    )


RULES: Final = _read()
"""Every rule by its key, in the order of the table."""


def page() -> str:
    """The rules as a table in Markdown."""
    rows = [
        f"| `{each.key}` | {each.severity.value} | {each.says} | {each.source} |" for each in RULES.values()
    ]
    return "\n".join(["| rule | | says | source |", "|---|---|---|---|", *rows]) + "\n"
