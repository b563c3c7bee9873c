"""Reads an awk program (POSIX awk, "Grammar") into its tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from builder.world.utilities.awk.expressions import DEEPEST, ExpressionParser
from builder.world.utilities.awk.syntax import (
    Block,
    Delete,
    Evaluate,
    Expression,
    ForIn,
    Function,
    Grouping,
    If,
    Jump,
    Loop,
    Name,
    Print,
    Program,
    Rule,
    Statement,
)
from builder.world.utilities.commandline import UsageError


class Parser(ExpressionParser):
    """Rules, functions and statements, around the expressions."""

    # -- items

    def program(self) -> Program:
        """The whole program. Raises UsageError."""
        program = Program()
        self.terminators()
        while self.kind != "end":
            if self.accept("function"):
                function = self._function()
                program.functions[function.name] = function
            else:
                program.rules.append(self._rule())
            self.terminators()
        return program

    def _function(self) -> Function:
        name = self.accept("name", "call") or self.expect("name")
        self.expect("(")
        parameters: list[str] = []
        while not self.accept(")"):
            parameters.append(self.expect("name").text.decode())
            if not self.accept(","):
                self.expect(")")
                break
            self.newlines()
        self.newlines()
        self.arrays = set()
        body = self._block()
        return Function(
            name.text.decode(), tuple(parameters), body, frozenset(self.arrays) & frozenset(parameters)
        )

    def _rule(self) -> Rule:
        if token := self.accept("BEGIN", "END"):
            self.newlines()
            return Rule(token.kind, None, None, self._block())
        first = last = None
        if self.kind != "{":
            first = self.expression()
            if self.accept(","):
                self.newlines()
                last = self.expression()
        return Rule("", first, last, self._block() if self.kind == "{" else None)

    # -- statements

    def _block(self) -> Block:
        self.expect("{")
        statements: list[Statement] = []
        self.terminators()
        while not self.accept("}"):
            statements.append(self._statement())
            self.terminators()
        return Block(tuple(statements))

    def _body(self) -> Statement:
        self.newlines()
        if self.accept(";"):
            return Block(())
        return self._statement()

    def _end(self) -> None:
        if self.kind not in ("newline", ";", "}", "end"):
            self.fail()
        if self.kind in ("newline", ";"):
            self.take()

    def _statement(self) -> Statement:
        if self.depth > DEEPEST:
            raise UsageError("the program is nested too deeply")
        self.depth += 1
        try:
            return (
                self._statements[self.kind](self)
                if self.kind in self._statements
                else self._simple_statement()
            )
        finally:
            self.depth -= 1

    def _simple_statement(self) -> Statement:
        statement = self._simple()
        self._end()
        return statement

    def _simple(self) -> Statement:
        if token := self.accept("print", "printf"):
            return self._print(formatted=token.kind == "printf")
        if self.accept("delete"):
            name = self.expect("name").text.decode()
            self.arrays.add(name)
            return Delete(name, self._subscript() if self.accept("[") else None)
        return Evaluate(self.expression())

    def _print(self, *, formatted: bool) -> Print:
        self.no_greater = True
        arguments: tuple[Expression, ...] = ()
        if self.kind not in (";", "newline", "}", ">", ">>", "|", "end"):
            first = self.expression()
            arguments = first.items if isinstance(first, Grouping) else (first, *self._more())
        self.no_greater = False
        if token := self.accept(">", ">>", "|"):
            return Print(formatted, arguments, token.kind, self._concatenation(redirected=True))
        return Print(formatted, arguments, "", None)

    def _if(self) -> Statement:
        self.take()
        self.expect("(")
        condition = self._inside()
        self.expect(")")
        then = self._body()
        back = self.at
        self.terminators()
        if self.accept("else"):
            return If(condition, then, self._body())
        self.at = back
        return If(condition, then, None)

    def _inside(self) -> Expression:
        """An expression in parentheses, where ``>`` and ``in`` mean what they always mean."""
        saved, self.no_in, self.no_greater = (self.no_in, self.no_greater), False, False
        inside = self.expression()
        self.no_in, self.no_greater = saved
        return inside

    def _while(self) -> Statement:
        self.take()
        self.expect("(")
        condition = self._inside()
        self.expect(")")
        return Loop(None, condition, None, self._body(), at_end=False)

    def _do(self) -> Statement:
        self.take()
        body = self._body()
        self.terminators()
        self.expect("while")
        self.expect("(")
        condition = self._inside()
        self.expect(")")
        self._end()
        return Loop(None, condition, None, body, at_end=True)

    def _for(self) -> Statement:
        self.take()
        self.expect("(")
        kinds = [token.kind for token in self.tokens[self.at : self.at + 4]]
        if kinds == ["name", "in", "name", ")"]:
            variable = Name(self.take().text.decode())
            self.take()
            name = self.take().text.decode()
            self.take()
            self.arrays.add(name)
            return ForIn(variable, name, self._body())
        first = None if self.kind == ";" else self._simple()
        self.expect(";")
        self.newlines()
        condition = None if self.kind == ";" else self._inside()
        self.expect(";")
        self.newlines()
        step = None if self.kind == ")" else self._simple()
        self.expect(")")
        return Loop(first, condition, step, self._body(), at_end=False)

    def _jump(self) -> Statement:
        kind = self.take().kind
        value = None
        if kind in ("exit", "return") and self.kind not in ("newline", ";", "}", "end"):
            value = self.expression()
        self._end()
        return Jump(kind, value)

    _statements: Final[dict[str, Callable[[Parser], Statement]]] = {
        "{": _block,
        "if": _if,
        "while": _while,
        "do": _do,
        "for": _for,
        "break": _jump,
        "continue": _jump,
        "next": _jump,
        "nextfile": _jump,
        "exit": _jump,
        "return": _jump,
    }
