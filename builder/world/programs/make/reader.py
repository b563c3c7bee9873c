"""Reading makefiles: assignments, rules, conditionals and includes (GNU make manual, chapters 3 to 7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from builder.world.programs.make.lines import logical_lines, split_outside, without_comment
from builder.world.programs.make.makefile import Makefile, RecipeLine, Rule
from builder.world.programs.make.variables import (
    MakeError,
    MissingMakefileError,
    Origin,
    Variables,
    closing,
    match_pattern,
    split_arguments,
)

MAX_INCLUDES: Final = 200
_ASSIGNMENT: Final = re.compile(
    r"\s*([^\s:#=+?!$]+(?:\$[({][^)}]*[)}][^\s:#=+?!$]*)*|\$[({][^)}]*[)}][^\s:#=+?!]*)\s*(\?=|\+=|:::?=|::?=|!=|=)\s*(.*)",
    re.DOTALL,
)
_DEFINE: Final = re.compile(r"\s*define\s+(\S+)\s*(\?=|\+=|::?=|=)?\s*")
_WORDS: Final = frozenset(["ifeq", "ifneq", "ifdef", "ifndef", "else", "endif"])


class Reader:
    """Reads makefiles into ``makefile``, setting ``variables`` on the way."""

    def __init__(
        self,
        variables: Variables,
        read: Callable[[str], str | None],
        glob: Callable[[str], list[str]],
        shell: Callable[[str], str],
    ) -> None:
        self.makefile = Makefile()
        self._variables = variables
        self._read = read
        self._glob = glob
        self._shell = shell
        self._current: list[Rule] = []
        self._where = ""

    def file(self, name: str, text: str) -> None:
        """Read one makefile; MakeError names the line that is wrong."""
        self.makefile.files.append(name)
        if len(self.makefile.files) > MAX_INCLUDES:
            raise MakeError("too many included makefiles", name)
        self._current = []
        active: list[_Condition] = []
        lines = logical_lines(text)
        for number, line in lines:
            where = self._where = f"{name}:{number}"
            try:
                self._line(line, where, active, lines)
            except MakeError as error:
                error.where = error.where or where
                raise
        if active:
            raise MakeError("missing 'endif'", f"{name}:{text.count(chr(10)) + 1}")

    def _line(
        self, line: str, where: str, active: list[_Condition], lines: Iterator[tuple[int, str]]
    ) -> None:
        taken = all(condition.is_taken for condition in active)
        if line.startswith("\t") and self._current:
            if taken:
                for rule in self._current:
                    rule.recipe.append(RecipeLine(line[1:], where))
            return
        line = without_comment(line)
        words = line.split(None, 1)
        if not words:
            return
        if words[0] in _WORDS:
            self._conditional(words[0], words[1].strip() if len(words) > 1 else "", active)
            return
        if not taken:
            return
        if words[0] == "define" and (match := _DEFINE.fullmatch(line)):
            self._define(match, lines)
            return
        line = line.strip() if line.startswith("\t") else line
        self._statement(line, words[0], where)

    def _define(self, match: re.Match[str], lines: Iterator[tuple[int, str]]) -> None:
        body: list[str] = []
        for _, line in lines:
            if line.split()[:1] == ["endef"]:
                break
            body.append(line)
        else:
            raise MakeError("missing 'endef', unterminated 'define'")
        self._assign(match[1], match[2] or "=", "\n".join(body), Origin.FILE)

    def _statement(self, line: str, word: str, where: str) -> None:
        if word in ("include", "-include", "sinclude"):
            self._include(line.split(None, 1)[1] if " " in line or "\t" in line else "", word, where)
            return
        if word in ("export", "unexport", "override") and not re.match(r"\w+\s*:(?!:?=)", line):
            self._qualified(word, line.split(None, 1)[1] if len(line.split(None, 1)) > 1 else "")
            return
        if word == "vpath":
            raise MakeError("not simulated: vpath")
        match = _ASSIGNMENT.fullmatch(line)
        if match is not None:
            self._current = []
            self._assign(self._variables.expand(match[1]), match[2], match[3], Origin.FILE)
            return
        self._rule(line, where)

    def _qualified(self, word: str, rest: str) -> None:
        match = _ASSIGNMENT.fullmatch(rest)
        if match is not None:
            origin = Origin.OVERRIDE if word == "override" else Origin.FILE
            self._assign(self._variables.expand(match[1]), match[2], match[3], origin)
            names = [match[1]]
        else:
            names = self._variables.expand(rest).split()
        if word == "export":
            self.makefile.exported.update(names)
            self.makefile.exports_all = self.makefile.exports_all or not names
        elif word == "unexport":
            self.makefile.exported.difference_update(names)

    def _assign(self, name: str, sign: str, value: str, origin: Origin) -> None:
        variables = self._variables
        known = variables.get(name)
        if sign == "?=" and known is not None:
            return
        if sign == "+=" and known is not None:
            added = variables.expand(value) if known.is_simple else value
            joined = f"{known.value} {added}" if known.value else added
            origin = max(origin, Origin.FILE)
            variables.set(name, joined, is_simple=known.is_simple, origin=origin, where=self._where)
            return
        if sign == "!=":
            value = self._shell(variables.expand(value))
        is_simple = sign in (":=", "::=", ":::=", "!=")
        text = variables.expand(value) if is_simple and sign != "!=" else value
        variables.set(name, text, is_simple=is_simple, origin=origin, where=self._where)

    def _include(self, rest: str, word: str, where: str) -> None:
        current = self._current
        for pattern in self._variables.expand(rest).split():
            for name in self._glob(pattern) or [pattern]:
                text = self._read(name)
                if text is not None:
                    self.file(name, text)
                elif word == "include":
                    raise MissingMakefileError(name, where)
        self._current = current if not rest else []

    def _conditional(self, word: str, rest: str, active: list[_Condition]) -> None:
        if word == "endif":
            if not active:
                raise MakeError("extraneous 'endif'")
            active.pop()
            return
        if word == "else":
            if not active or active[-1].has_else:
                raise MakeError("extraneous 'else'" if not active else "only one 'else' per conditional")
            condition = active[-1]
            words = rest.split(None, 1)
            outside = all(outer.is_taken for outer in active[:-1])
            wanted = outside and not condition.was_taken
            if words and words[0] in _WORDS:
                condition.is_taken = wanted and self._holds(words[0], words[1] if len(words) > 1 else "")
            else:
                condition.is_taken, condition.has_else = wanted, True
            condition.was_taken = condition.was_taken or condition.is_taken
            return
        outside = all(condition.is_taken for condition in active)
        holds = outside and self._holds(word, rest)
        active.append(_Condition(holds, holds or not outside))

    def _holds(self, word: str, rest: str) -> bool:
        variables = self._variables
        if word in ("ifdef", "ifndef"):
            known = variables.get(variables.expand(rest).strip())
            return (known is not None and known.value != "") == (word == "ifdef")
        if rest.startswith("("):
            pieces = split_arguments(rest[1 : closing(rest, 0)], 2)
        else:
            pieces = [part[0] or part[1] for part in re.findall(r"\"([^\"]*)\"|'([^']*)'", rest)]
        if len(pieces) != 2:
            raise MakeError("invalid syntax in conditional")
        left, right = (variables.expand(piece).strip() for piece in pieces)
        return (left == right) == (word == "ifeq")

    def _rule(self, line: str, where: str) -> None:
        before, semicolon, recipe = split_outside(line, ";")
        expanded = self._variables.expand(before)
        if not expanded.strip():
            return
        targets_text, colon, rest = split_outside(expanded, ":")
        if not colon:
            hint = " (did you mean TAB instead of 8 spaces?)" if line.startswith("        ") else ""
            raise MakeError(f"missing separator{hint}", where)
        is_double = rest.startswith(":")
        rest = rest.removeprefix(":")
        targets = targets_text.split()
        own = _ASSIGNMENT.fullmatch(split_outside(before, ":")[2])
        if own is not None and not semicolon:
            for target in targets:
                self.makefile.own_values.setdefault(target, []).append((own[1], own[2], own[3]))
            self._current = []
            return
        lines = [RecipeLine(recipe.strip(), where)] if semicolon and recipe.strip() else []
        middle, second, last = split_outside(rest, ":")
        if second:
            self._static_pattern(targets, middle.strip(), last, where, lines)
        else:
            normal, _, late = rest.partition("|")
            self._current = self._add(
                targets, normal.split(), late.split(), where, lines, is_double=is_double
            )

    def _static_pattern(
        self, targets: list[str], pattern: str, rest: str, where: str, lines: list[RecipeLine]
    ) -> None:
        normal, _, late = rest.partition("|")
        made: list[Rule] = []
        for target in targets:
            stem = match_pattern(pattern, target)
            if stem is None:
                raise MakeError(f"target '{target}' doesn't match the target pattern", where)
            before = [word.replace("%", stem, 1) for word in normal.split()]
            after = [word.replace("%", stem, 1) for word in late.split()]
            rules = self._add([target], before, after, where, list(lines), is_double=False)
            for rule in rules:
                rule.stem = stem
            made.extend(rules)
        self._current = made

    def _add(
        self,
        targets: list[str],
        normal: list[str],
        late: list[str],
        where: str,
        lines: list[RecipeLine],
        *,
        is_double: bool,
    ) -> list[Rule]:
        normal = [name for word in normal for name in self._files(word)]
        if targets and all("%" in target for target in targets):
            rule = Rule(tuple(targets), tuple(normal), tuple(late), where, lines)
            self.makefile.patterns.append(rule)
            return [rule]
        suffixes = re.fullmatch(r"(\.\w+)(\.\w+)?", targets[0]) if len(targets) == 1 and not normal else None
        if suffixes is not None and suffixes[1] in _KNOWN_SUFFIXES:
            pattern = f"%{suffixes[2] or ''}"
            rule = Rule((pattern,), (f"%{suffixes[1]}",), (), where, lines)
            self.makefile.patterns.append(rule)
            return [rule]
        made = []
        for target in targets:
            if (target.startswith(".") and target.isupper()) or (
                target.startswith(".") and target[1:].isupper()
            ):
                self.makefile.special.setdefault(target, set()).update(normal)
            rule = Rule((target,), tuple(normal), tuple(late), where, list(lines), is_double)
            self.makefile.rules.setdefault(target, []).append(rule)
            made.append(rule)
            if not self.makefile.default_goal and (not target.startswith(".") or "/" in target):
                self.makefile.default_goal = target
        return made

    def _files(self, word: str) -> list[str]:
        if any(sign in word for sign in "*?[") and "%" not in word:
            return self._glob(word) or [word]
        return [word]


_KNOWN_SUFFIXES: Final = frozenset(
    (".c", ".o", ".h", ".cc", ".s", ".y", ".l", ".sh", ".txt", ".md", ".html", ".in")
)


@dataclass(slots=True)
class _Condition:
    is_taken: bool
    was_taken: bool
    has_else: bool = False
