"""One statement on its way to an instruction, with what every reader of it needs."""

from __future__ import annotations

from typing import Any, NoReturn

from builder.dockerfile.syntax.flags import Flags
from builder.dockerfile.syntax.form import CommandForm, ExecForm, ShellForm
from builder.dockerfile.syntax.lexer import Statement
from builder.dockerfile.variables.words import NotStringsError, fields, json_strings
from builder.errors import DockerfileError
from unionfs_sim.nodes.record import Record


class Reading(Record):
    """One statement with what every reader of it needs."""

    name: str
    rest: str
    flags: Flags
    statement: Statement
    escape: str

    def common(self) -> dict[str, Any]:
        """The fields that all instructions have."""
        return {
            "span": self.statement.span,
            "source": self.statement.source,
            "keyword": self.statement.head.keyword,
            "escape": self.escape,
            "comments": self.statement.comments,
            "gaps": self.statement.gaps,
        }

    def wrong(self, what: str, fix: str | None = None) -> NoReturn:
        """Raise what is wrong with the statement."""
        raise DockerfileError(f"{self.name}: {what}", where=self.statement.span, fix=fix) from None

    def json(self) -> tuple[str, ...] | None:
        """The strings of the rest as a JSON array, or None for shell form."""
        try:
            found = json_strings(self.rest)
        except NotStringsError:
            self.wrong("the JSON array holds something else than strings", 'quote every element: ["a", "1"]')
        return None if found is None else tuple(found)

    def list(self) -> tuple[str, ...]:
        """The rest as a JSON array or as fields."""
        found = self.json()
        return tuple(fields(self.rest)) if found is None else found

    def needed(self, example: str) -> str:
        """The rest; DockerfileError with the example if nothing follows the keyword."""
        if not self.rest:
            self.wrong("something must follow", f"such as: {example}")
        return self.rest

    def command(self, example: str) -> CommandForm:
        """The rest as a command in shell or exec form."""
        self.needed(example)
        argv = self.json()
        return ShellForm(self.rest) if argv is None else ExecForm(argv)


def is_literal(word: str) -> bool:
    """Whether the word means itself: no variable, quote or escape is in it."""
    return not any(sign in word for sign in "$\"'\\`")
