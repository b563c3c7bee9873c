"""The state of compiling one translation unit: where it reads, what names mean, and the frame it fills."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from builder.world.programs.cc.compiler.scope import CompiledUnit, Expr, Name
from builder.world.programs.cc.ctype import CType, Record, size_of
from builder.world.programs.cc.source.tokens import CompileError, Token


class TokenReader:
    """A position in a list of tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self.position = 0
        """The index of the token that comes next."""

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self.position]

    def peek(self, distance: int = 1) -> Token:
        """A later token."""
        return self._tokens[min(self.position + distance, len(self._tokens) - 1)]

    def behind(self, distance: int = 1) -> Token:
        """A token that was read before."""
        return self._tokens[max(self.position - distance, 0)]

    def advance(self) -> Token:
        """The next token, which is then behind us."""
        token = self._tokens[self.position]
        if token.kind != "end":
            self.position += 1
        return token

    def at(self, *texts: str) -> bool:
        """Whether the next token is one of these signs or words."""
        token = self._tokens[self.position]
        return token.text in texts and token.kind in ("sign", "name")

    def accept(self, text: str) -> bool:
        """Whether the next token was ``text``; then it is behind us."""
        if self.at(text):
            self.advance()
            return True
        return False

    def expect(self, text: str, described: str = "") -> Token:
        """The next token, which must be ``text``; ``described``: how a message names what is missing."""
        if self.at(text):
            return self.advance()
        previous = self._tokens[max(self.position - 1, 0)]
        found = self.token
        where = f"{previous.file}:{previous.line}:{previous.column + len(previous.text)}"
        if found.kind == "end":
            raise CompileError(f"expected {described or repr(text)} at end of input", where)
        what = {"number": "numeric constant", "string": "string constant"}.get(
            found.kind, f"'{found.text}' token"
        )
        if found.kind == "name":
            what = f"'{found.text}'"
        raise CompileError(f"expected {described or repr(text)} before {what}", where)


class Compilation(TokenReader, ABC):
    """What the functions of this package work on.

    Types hold constant expressions and operands hold expressions, so declarations and operands reach them
    through here.
    """

    def __init__(self, tokens: Sequence[Token], unit: CompiledUnit) -> None:
        super().__init__(tokens)
        self.unit = unit
        self.scopes: list[dict[str, Name]] = [{}]
        self.tags: list[dict[str, Record]] = [{}]
        self.function = ""
        """The function that is compiled, for messages."""
        self.frame = 0
        """Bytes of its frame that are in use here."""
        self.deepest = 0
        """Bytes of its frame at its fullest."""
        self.nesting = 0
        self.has_initializer = False
        """Whether the last declarator had one, which decides what a message expects next."""

    @abstractmethod
    def expression(self) -> Expr:
        """An expression with commas."""

    @abstractmethod
    def assignment(self) -> Expr:
        """An assignment, or an expression without one."""

    @abstractmethod
    def constant_value(self) -> int:
        """The value of a constant expression, which comes next."""

    def open_scope(self) -> None:
        """Let names that follow hide those outside."""
        self.scopes.append({})
        self.tags.append({})

    def close_scope(self) -> None:
        """Forget the names of the innermost scope."""
        self.scopes.pop()
        self.tags.pop()

    def find(self, name: str) -> Name | None:
        """What ``name`` means here; None if it was never declared."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def place(self, ctype: CType) -> int:
        """The offset of a new object in the frame of the function."""
        offset = -(-self.frame // ctype.align) * ctype.align
        self.frame = offset + size_of(ctype)
        self.deepest = max(self.deepest, self.frame)
        return offset
