"""What a makefile holds once it has been read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RecipeLine:
    """One line of a recipe, not expanded yet, and where it stands."""

    text: str
    where: str


@dataclass(slots=True)
class Rule:
    """How to make a target. For a pattern rule, target and prerequisites hold one ``%``."""

    targets: tuple[str, ...]
    prerequisites: tuple[str, ...]
    order_only: tuple[str, ...]
    where: str
    recipe: list[RecipeLine] = field(default_factory=list)
    is_double: bool = False
    stem: str = ""


@dataclass(slots=True)
class Makefile:
    """Everything that was read. ``rules`` by target; a target may be named by several."""

    rules: dict[str, list[Rule]] = field(default_factory=dict)
    patterns: list[Rule] = field(default_factory=list)
    own_values: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    exported: set[str] = field(default_factory=set)
    exports_all: bool = False
    special: dict[str, set[str]] = field(default_factory=dict)
    default_goal: str = ""
    files: list[str] = field(default_factory=list)
