"""Bringing targets up to date: which rule makes what, in which order, and running recipes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from builder.world.programs.make.automatic import automatic, own_values
from builder.world.programs.make.implicit import ImplicitRules
from builder.world.programs.make.makefile import Makefile, RecipeLine, Rule
from builder.world.programs.make.variables import MakeError, Variables

MAX_DEPTH: Final = 400


@dataclass(frozen=True, slots=True)
class Habits:
    """How recipes are run: the single-letter options of the command line."""

    keeps_going: bool = False
    is_dry: bool = False
    is_silent: bool = False
    ignores_errors: bool = False
    remakes_all: bool = False
    touches: bool = False
    asks: bool = False


class Shop(Protocol):
    """What the runner needs from the world."""

    def modified(self, path: str) -> int | None:
        """The time of the last change in nanoseconds; None if there is no such file."""
        ...

    def execute(self, line: str) -> int:
        """Run a line by the shell; its status."""
        ...

    def say(self, text: str, *, as_error: bool) -> None:
        """Print a line."""
        ...

    def remove(self, path: str) -> None:
        """Take a half-made file away."""
        ...

    def touch(self, path: str) -> None:
        """Make a file new without making it."""
        ...


class RecipeFailed(Exception):
    """A recipe ended with a status that is not 0; it has been said already."""


@dataclass(slots=True)
class _Outcome:
    """What is known about a target that has been looked at: when it changed, and whether now."""

    modified: int | None
    is_new: bool = False


@dataclass(slots=True)
class Runner:
    """Brings targets of one makefile up to date."""

    name: str
    makefile: Makefile
    variables: Variables
    habits: Habits
    shop: Shop
    ran: int = 0
    failed: set[str] = field(default_factory=set)
    _done: dict[str, _Outcome] = field(default_factory=dict)
    _busy: list[str] = field(default_factory=list)

    def goal(self, target: str) -> bool:
        """Bring ``target`` up to date, and say if there was nothing to do; False if that failed."""
        before = self.ran
        try:
            self._update(target, "")
        except RecipeFailed:
            if self.habits.keeps_going:
                self.shop.say(f"{self.name}: Target '{target}' not remade because of errors.", as_error=True)
            return False
        if self.ran == before and not self.habits.is_silent and not self.habits.asks:
            has_recipe = any(rule.recipe for rule in self._rules(target))
            if has_recipe and not self._is_phony(target):
                self.shop.say(f"{self.name}: '{target}' is up to date.", as_error=False)
            else:
                self.shop.say(f"{self.name}: Nothing to be done for '{target}'.", as_error=False)
        return True

    def _is_phony(self, target: str) -> bool:
        return target in self.makefile.special.get(".PHONY", ())

    def _rules(self, target: str) -> list[Rule]:
        return self.makefile.rules.get(target, [])

    def _update(self, target: str, needed_by: str) -> _Outcome:
        known = self._done.get(target)
        if known is not None:
            if target in self.failed:
                raise RecipeFailed
            return known
        if len(self._busy) > MAX_DEPTH:
            raise MakeError(f"prerequisites nested too deeply at '{target}'")
        self._busy.append(target)
        try:
            outcome = self._made(target, needed_by)
        except RecipeFailed:
            self._done[target] = _Outcome(None)
            self.failed.add(target)
            raise
        finally:
            self._busy.pop()
        self._done[target] = outcome
        return outcome

    def _made(self, target: str, needed_by: str) -> _Outcome:
        rules = self._rules(target)
        doubles = [rule for rule in rules if rule.is_double]
        if doubles:
            outcome = _Outcome(None)
            for rule in doubles:
                outcome = self._by_rule(target, rule)
            return outcome
        whole = self._whole_rule(target, rules)
        if whole is None:
            modified = self.shop.modified(target)
            if modified is None:
                needed = f", needed by '{needed_by}'" if needed_by else ""
                message = f"No rule to make target '{target}'{needed}"
                if self.habits.keeps_going:
                    self.shop.say(f"{self.name}: *** {message}.", as_error=True)
                    raise RecipeFailed
                raise MakeError(message)
            return _Outcome(modified)
        return self._by_rule(target, whole)

    def _whole_rule(self, target: str, rules: list[Rule]) -> Rule | None:
        """All rules of a target as one: the prerequisites of all, the recipe of the last that has one."""
        recipes = [rule for rule in rules if rule.recipe]
        for rule in recipes[:-1]:
            self.shop.say(f"{rule.where}: warning: ignoring old recipe for target '{target}'", as_error=True)
        implied = None
        if not recipes and not self._is_phony(target):
            given = {name for rule in rules for name in rule.prerequisites}
            search = ImplicitRules(self.makefile, lambda name: self.shop.modified(name) is not None)
            implied = search.find(target, given)
        if implied is None and not rules:
            return None
        base = recipes[-1] if recipes else implied if implied is not None else rules[-1]
        ordered = [base, *(rule for rule in rules if rule is not base)]
        return replace(
            base,
            prerequisites=tuple(name for rule in ordered for name in rule.prerequisites),
            order_only=tuple(name for rule in ordered for name in rule.order_only),
        )

    def _by_rule(self, target: str, rule: Rule) -> _Outcome:
        outcomes: list[tuple[str, _Outcome]] = []
        has_failed = False
        for name in dict.fromkeys((*rule.prerequisites, *rule.order_only)):
            if name in self._busy:
                self.shop.say(f"{self.name}: Circular {target} <- {name} dependency dropped.", as_error=True)
                continue
            try:
                outcomes.append((name, self._update(name, target)))
            except RecipeFailed:
                if not self.habits.keeps_going:
                    raise
                has_failed = True
        if has_failed:
            raise RecipeFailed
        modified = self.shop.modified(target)
        late = set(rule.order_only) - set(rule.prerequisites)
        newer = [
            name
            for name, outcome in outcomes
            if name not in late
            and (outcome.is_new or (modified is not None and (outcome.modified or 0) > modified))
        ]
        is_due = self.habits.remakes_all or modified is None or self._is_phony(target) or bool(newer)
        if not is_due or (rule.is_double and not rule.prerequisites and not rule.recipe):
            return _Outcome(modified)
        if rule.recipe:
            self._run(target, rule, newer if modified is not None else list(rule.prerequisites))
        elif modified is not None and not self._is_phony(target):
            return _Outcome(modified, is_new=bool(newer))
        after = self.shop.modified(target)
        is_new = self.habits.is_dry or after is None or after != modified or self._is_phony(target)
        return _Outcome(after, is_new=is_new)

    def _run(self, target: str, rule: Rule, newer: list[str]) -> None:
        if self.habits.asks:
            self.ran += 1
            return
        own = self.makefile.own_values.get(target, ())
        self.variables.push(automatic(target, rule, newer))
        if own:
            self.variables.push(own_values(self.variables, own))
        try:
            lines = rule.recipe
            if ".ONESHELL" in self.makefile.rules:
                lines = [RecipeLine("\n".join(line.text for line in lines), lines[0].where)]
            for line in lines:
                self._line(target, line)
        finally:
            if own:
                self.variables.pop()
            self.variables.pop()

    def _line(self, target: str, line: RecipeLine) -> None:
        calls_make = "$(MAKE)" in line.text or "${MAKE}" in line.text
        try:
            expanded = self.variables.expand(line.text)
        except MakeError as error:
            raise MakeError(error.what, error.where or line.where) from error
        is_whole = ".ONESHELL" in self.makefile.rules
        for text in [expanded] if is_whole else _commands(expanded):
            self._command(target, line.where, text, calls_make=calls_make)

    def _command(self, target: str, where: str, text: str, *, calls_make: bool) -> None:
        signs = ""
        text = text.lstrip()
        while text[:1] in ("@", "-", "+") and text:
            signs += text[0]
            text = text[1:].lstrip()
        if not text.strip():
            return
        habits = self.habits
        self.ran += 1
        silent = self.makefile.special.get(".SILENT")
        is_quiet = (
            "@" in signs or habits.is_silent or (silent is not None and (not silent or target in silent))
        )
        if habits.is_dry or not is_quiet:
            self.shop.say(text, as_error=False)
        if habits.is_dry and not calls_make and "+" not in signs:
            return
        if habits.touches and not calls_make:
            self.shop.touch(target)
            return
        status = self.shop.execute(text)
        if status == 0:
            return
        reason = f"[{where}: {target}] Error {status}"
        if "-" in signs or habits.ignores_errors:
            self.shop.say(f"{self.name}: {reason} (ignored)", as_error=True)
            return
        self.shop.say(f"{self.name}: *** {reason}", as_error=True)
        if ".DELETE_ON_ERROR" in self.makefile.rules and self.shop.modified(target) is not None:
            self.shop.say(f"{self.name}: *** Deleting file '{target}'", as_error=True)
            self.shop.remove(target)
        raise RecipeFailed


def _commands(expanded: str) -> list[str]:
    """The commands of an expanded line: a newline of a multi-line variable ends one, a continued one not."""
    commands = [""]
    for piece in expanded.split("\n"):
        commands[-1] += piece
        if (len(piece) - len(piece.rstrip("\\"))) % 2:
            commands[-1] += "\n"
        else:
            commands.append("")
    return commands[:-1] if commands[-1] == "" else commands
