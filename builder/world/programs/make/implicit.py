"""Implicit rules: which pattern rule can make a target (GNU make manual, "Implicit Rule Search").

Files made on the way by a chain of rules stay; GNU make removes them at its end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from builder.world.programs.make.makefile import Makefile, Rule
from builder.world.programs.make.variables import match_pattern


class ImplicitRules:
    """Looks for pattern rules of one makefile; ``exists`` tells which files there are."""

    def __init__(self, makefile: Makefile, exists: Callable[[str], bool]) -> None:
        self._makefile = makefile
        self._exists = exists

    def find(self, target: str, given: set[str], depth: int = 0) -> Rule | None:
        """The pattern rule that can make ``target``: the first (shortest stem) whose prerequisites exist."""
        if depth > 3:
            return None
        fitting = []
        directory, slash, last = target.rpartition("/")
        for position, rule in enumerate(self._makefile.patterns):
            for pattern in rule.targets:
                stem, prefix = match_pattern(pattern, target), ""
                if stem is None and "/" not in pattern:
                    stem, prefix = match_pattern(pattern, last), directory + slash
                if stem and rule.recipe:
                    fitting.append((len(stem), position, rule, stem, prefix))
                    break
        for chained in (False, True):
            for _, _, rule, stem, prefix in sorted(fitting, key=lambda item: (item[0], item[1])):
                if chained and rule.targets == ("%",):
                    continue
                names = [_filled(name, stem, prefix) for name in rule.prerequisites]
                if all(self._can_make(name, given, depth, chained=chained) for name in names):
                    late = tuple(_filled(name, stem, prefix) for name in rule.order_only)
                    return replace(
                        rule,
                        targets=(target,),
                        prerequisites=tuple(names),
                        order_only=late,
                        stem=prefix + stem,
                    )
        return None

    def _can_make(self, name: str, given: set[str], depth: int, *, chained: bool) -> bool:
        if name in given or name in self._makefile.rules or self._exists(name):
            return True
        return chained and self.find(name, given, depth + 1) is not None


def _filled(pattern: str, stem: str, prefix: str) -> str:
    return prefix + pattern.replace("%", stem, 1) if "%" in pattern else pattern
