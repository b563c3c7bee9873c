"""Compiling what operators work on: literals, names, members and calls (ISO C 6.5.1, 6.5.2)."""

from __future__ import annotations

from builder.world.programs.cc.compiler.operators import OperatorCompiler
from builder.world.programs.cc.compiler.scope import Expr, Global, Name, at_address, constant
from builder.world.programs.cc.ctype import (
    CHAR,
    INT,
    LONG,
    VOID,
    CType,
    Record,
    array_of,
    decayed,
    size_of,
    wrap,
)
from builder.world.programs.cc.machine import Load, Machine
from builder.world.programs.cc.source.tokens import CompileError, Token, number_of, text_of


class OperandCompiler(OperatorCompiler):
    """Compiles operands; knows which function it is in, for messages, and the frame of that function."""

    function = ""
    _frame = 0
    _deepest = 0

    def expression(self) -> Expr:
        """An expression with commas."""
        raise NotImplementedError

    def assignment(self) -> Expr:
        """An assignment, or an expression without one."""
        raise NotImplementedError

    def place(self, ctype: CType) -> int:
        """The offset of a new object in the frame of the function."""
        offset = -(-self._frame // ctype.align) * ctype.align
        self._frame = offset + size_of(ctype)
        self._deepest = max(self._deepest, self._frame)
        return offset

    def primary(self) -> Expr:
        """A literal, a name, or an expression in parentheses."""
        token = self.advance()
        if token.kind == "number":
            value = number_of(token)
            return constant(value, INT if value < 1 << 31 and "l" not in token.text.lower() else LONG)
        if token.kind == "char":
            return constant(text_of(token.text)[-1])
        if token.kind == "string":
            return self._string(token)
        if token.text == "(" and token.kind == "sign":
            inner = self.expression()
            self.expect(")")
            return inner
        if token.kind == "name":
            return self._named(token)
        raise CompileError(f"expected expression before '{token.text}' token", token.where)

    def _string(self, token: Token) -> Expr:
        text = text_of(token.text)
        while self.token.kind == "string":
            text += text_of(self.advance().text)
        symbol = f"{self.unit.name}\0string {len(self.unit.globals)}"
        content = text + b"\0"
        self.unit.globals[symbol] = Global(symbol, len(content), lambda m, place: m.write(place, content))
        self.unit.private.add(symbol)
        return at_address(array_of(CHAR, len(content)), lambda m: m.symbols[symbol])

    def _named(self, token: Token) -> Expr:
        known = self.find(token.text)
        if known is None and self.at("("):
            self.unit.warnings.append(
                f"{token.where}: warning: implicit declaration of function '{token.text}' "
                "[-Wimplicit-function-declaration]"
            )
            known = Name(CType("function", 8, target=INT, variadic=True), symbol=token.text)
            self.scopes[0][token.text] = known
        if known is None:
            raise CompileError(f"'{token.text}' undeclared (first use in this function)", token.where)
        if known.is_type:
            raise CompileError(f"expected expression before '{token.text}'", token.where)
        if known.constant is not None:
            return constant(known.constant)
        if known.offset is not None:
            offset = known.offset
            return at_address(known.type, lambda m: m.frame + offset)
        symbol = known.symbol or token.text
        self.unit.used.setdefault(symbol, token)
        self.unit.used_by.setdefault(symbol, self.function)
        return at_address(known.type, lambda m: m.symbols[symbol])

    def member(self, left: Expr, sign: Token) -> Expr:
        """The member that stands behind ``.`` or ``->``."""
        record = decayed(left.type).target if sign.text == "->" else left.type
        name = self.name_token()
        if not isinstance(record, Record):
            raise CompileError(
                f"request for member '{name.text}' in something not a structure or union", name.where
            )
        if name.text not in record.fields.places:
            raise CompileError(f"'struct {record.fields.tag}' has no member named '{name.text}'", name.where)
        offset, ctype = record.fields.places[name.text]
        load = left.load
        return at_address(ctype, lambda m: load(m) + offset)

    def call(self, left: Expr, sign: Token) -> Expr:
        """A call of ``left``, whose opening parenthesis has been read."""
        ctype = left.type if left.type.kind == "function" else left.type.target
        if ctype is None or ctype.kind != "function":
            raise CompileError("called object is not a function or function pointer", sign.where)
        arguments: list[Load] = []
        name = self.behind(2)
        while not self.at(")"):
            argument = self.assignment()
            arguments.append(argument.load)
            if not self.accept(","):
                break
        self.expect(")")
        wanted = len(ctype.parameters)
        if len(arguments) < wanted or (len(arguments) > wanted and wanted and not ctype.variadic):
            few = "few" if len(arguments) < wanted else "many"
            what = f" '{name.text}'" if name.kind == "name" else ""
            raise CompileError(f"too {few} arguments to function{what}", name.where)
        function, result = left.load, ctype.target or VOID

        def run(machine: Machine) -> int:
            return wrap(machine.call(function(machine), [load(machine) for load in arguments]), result)

        if result.kind != "record":
            return Expr(result, run)
        # The record lies in a frame that the next call reuses, so it moves into this one at once.
        offset, size = self.place(result), size_of(result)

        def keep(machine: Machine) -> int:
            machine.write(machine.frame + offset, machine.read(run(machine), size))
            return machine.frame + offset

        return Expr(result, keep, keep)
