"""The variables of one shell: values, export and readonly marks, and what functions keep local."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from builder.world.shell.dialect import Dialect
from builder.world.shell.errors import ShellError
from builder.world.shell.expansion.arithmetic import evaluate, integer

_DEPTH_OF_NAMES = 50
_VARIABLE_BYTES = 128
"""What a variable costs Python beside its value."""


Account: TypeAlias = Callable[[int], None]


def unaccounted(_size: int) -> None:
    """An account that nobody keeps."""


class Variable(NamedTuple):
    """``value`` is None for a name that is marked but not set."""

    value: str | None
    exported: bool = False
    readonly: bool = False


_UNSET = Variable(None)


class Variables:
    """Names and their values; ``local`` scopes are dynamic, as dash's are."""

    def __init__(
        self,
        table: Mapping[str, Variable],
        dialect: Dialect,
        holder: Callable[[], Account] = lambda: unaccounted,
    ) -> None:
        self._table = dict(table)
        self._holder = holder
        self._account_memory = holder()
        self._shared = 0
        self._held = sum(map(_size, self._table.values()))
        self._scopes: list[dict[str, Variable | None]] = []
        self._dialect = dialect
        self._depth = 0
        self.exports_all = False
        """``set -a``."""

    @classmethod
    def from_environment(
        cls,
        env: Mapping[str, str],
        dialect: Dialect,
        holder: Callable[[], Account] = lambda: unaccounted,
    ) -> Variables:
        """Variables as a new shell begins with them: all exported.

        ``holder`` makes an account, which is told how many characters they hold together.
        """
        return cls(
            {name: Variable(value, exported=True) for name, value in env.items() if _is_name(name)},
            dialect,
            holder,
        )

    def copy(self) -> Variables:
        """The variables of a subshell: its own, with the values of now."""
        twin = Variables(self._table, self._dialect, self._holder)
        twin._shared = twin._held  # the texts are those of the shell that it came from
        twin._scopes = [{} for _ in self._scopes]
        twin.exports_all = self.exports_all
        return twin

    def release(self) -> None:
        """The shell has ended: its variables hold nothing more."""
        self._account_memory(0)

    def get(self, name: str) -> str | None:
        """The value, or None."""
        found = self._table.get(name)
        return found.value if found is not None else None

    def find(self, name: str) -> Variable | None:
        """The variable with its marks, or None."""
        return self._table.get(name)

    def set(self, name: str, value: str, /) -> None:
        """Give ``name`` a value; ShellError if it is readonly."""
        old = self._table.get(name)
        if old is None:
            self._put(name, Variable(value, self.exports_all))
            return
        if old.readonly:
            raise ShellError(f"{name}: is read only")
        self._put(name, Variable(value, old.exported or self.exports_all))

    def _put(self, name: str, variable: Variable | None) -> None:
        """Let ``name`` be that variable, or none; LimitError when all together hold too much."""
        old = self._table.get(name)
        grown = _size(variable) - _size(old)
        self._held += grown
        if grown > 0:
            self._account_memory(self._held - self._shared)
        if variable is None:
            self._table.pop(name, None)
        else:
            self._table[name] = variable

    def mark(self, name: str, *, exported: bool | None = None, readonly: bool | None = None) -> None:
        """Change the marks of a name, set or not."""
        old = self._table.get(name, _UNSET)
        self._table[name] = Variable(
            old.value,
            old.exported if exported is None else exported,
            old.readonly if readonly is None else readonly,
        )

    def unset(self, name: str) -> None:
        """Forget a name; ShellError if it is readonly."""
        old = self._table.get(name)
        if old is not None:
            if old.readonly:
                raise ShellError(f"{name}: is read only")
            self._put(name, None)

    def items(self) -> Iterator[tuple[str, Variable]]:
        """All names with their variables, sorted by name."""
        return iter(sorted(self._table.items()))

    def environment(self) -> dict[str, str]:
        """What a command finds in its environment."""
        return {
            name: found.value
            for name, found in self._table.items()
            if found.exported and found.value is not None
        }

    # ---- arithmetic ---------------------------------------------------------------------------

    def number_of(self, name: str, /) -> int:
        """The value as an integer; bash and busybox compute what a value spells, dash refuses it."""
        text = self.get(name)
        if not text:
            return 0
        value = integer(text)
        if value is not None:
            return value
        if self._dialect is Dialect.DASH:
            raise ShellError(f"Illegal number: {text}")
        if self._depth >= _DEPTH_OF_NAMES:
            raise ShellError(f"{text}: expression recursion level exceeded")
        self._depth += 1
        try:
            return evaluate(text, self, dialect=self._dialect)
        finally:
            self._depth -= 1

    # ---- local scopes -------------------------------------------------------------------------

    def begin_scope(self) -> None:
        """A function begins, or a command with assignments before it."""
        self._scopes.append({})

    def end_scope(self) -> None:
        """Restore what was made local since the matching ``begin_scope``."""
        for name, old in self._scopes.pop().items():
            self._put(name, old)

    def make_local(self, name: str) -> None:
        """Let changes of ``name`` end with the scope; its value stays (dash, busybox) or goes (bash)."""
        scope = self._scopes[-1]
        if name not in scope:
            old = self._table.get(name)
            scope[name] = old
            if self._dialect is Dialect.BASH and old is not None and not old.readonly:
                self._put(name, Variable(None))

    def assign_in_scope(self, assignments: Iterable[tuple[str, str]]) -> None:
        """Assignments before a command: exported to it, and gone with the scope."""
        for name, value in assignments:
            self._scopes[-1].setdefault(name, self._table.get(name))
            self.set(name, value)
            self.mark(name, exported=True)


def _size(variable: Variable | None) -> int:
    return 0 if variable is None else _VARIABLE_BYTES + len(variable.value or "")


def _is_name(text: str) -> bool:
    return text.isascii() and text.isidentifier()
