"""What the expressions of an awk program are worth, and what its functions return."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from builder.world.matching.regex import Pattern
from builder.world.utilities.awk import syntax
from builder.world.utilities.awk.functions import Functions, substitute
from builder.world.utilities.awk.records import fields
from builder.world.utilities.awk.state import Array, State, joined
from builder.world.utilities.awk.values import NOTHING, Input, Value, compare, number, string, truth
from builder.world.utilities.commandline import UsageError

_WORTH_ACCOUNTING: Final = 1 << 16
_DEEPEST_CALL: Final = 120


class Return(Exception):
    """A function ends with this value."""

    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


class Evaluator:
    """Evaluates expressions. ``locals`` are the parameters of the function that is being executed."""

    def __init__(self, program: syntax.Program, state: State) -> None:
        self.program = program
        self.state = state
        self.functions = Functions(state)
        self.locals: dict[str, Value | Array] = {}
        self.depth = 0
        self._evaluators: dict[type, Callable[[Any], Value]] = {
            syntax.Number: lambda node: node.value,
            syntax.String: lambda node: node.value,
            syntax.Regex: lambda node: float(
                self.state.expression(node.source).matches(self._text_of(self.state.field(0)))
            ),
            syntax.Name: self._name,
            syntax.Field: lambda node: self.state.field(int(self.number(node.index))),
            syntax.Element: self._element,
            syntax.Unary: self._unary,
            syntax.Binary: self._binary,
            syntax.Conditional: lambda node: self.value(
                node.then if truth(self.value(node.condition)) else node.otherwise
            ),
            syntax.Assignment: self._assignment,
            syntax.Step: self._step,
            syntax.Member: lambda node: float(self._key(node.subscript) in self.array(node.name)),
            syntax.Call: self._call,
            syntax.Getline: self._getline,
            syntax.Grouping: lambda node: joined([self.value(item) for item in node.items], self.state),
        }

    def execute(self, node: syntax.Statement) -> None:
        """Run a statement: the body of a function is one."""
        raise NotImplementedError

    def value(self, node: syntax.Expression) -> Value:
        """What an expression is."""
        return self._evaluators[type(node)](node)

    def number(self, node: syntax.Expression) -> float:
        """An expression as a number."""
        return number(self.value(node))

    def text(self, node: syntax.Expression) -> bytes:
        """An expression as a string."""
        return self._text_of(self.value(node))

    def _text_of(self, value: Value) -> bytes:
        return string(value, self.state.text("CONVFMT"))

    def _discard(self, _value: Value) -> None:
        return None

    def _pattern(self, node: syntax.Expression) -> Pattern:
        return self.state.expression(node.source if isinstance(node, syntax.Regex) else self.text(node))

    def array(self, name: str) -> Array:
        """An array: a parameter's or a global one."""
        if name not in self.locals:
            return self.state.array(name)
        value = self.locals[name]
        if not isinstance(value, dict):
            value = {}
            self.locals[name] = value
        return value

    def _key(self, subscript: tuple[syntax.Expression, ...]) -> bytes:
        return joined([self.value(item) for item in subscript], self.state)

    def _name(self, node: syntax.Name) -> Value:
        if node.name == "NF":
            self.state.split_record()
        value = (
            self.locals[node.name]
            if node.name in self.locals
            else self.state.variables.get(node.name, NOTHING)
        )
        if isinstance(value, dict):
            raise UsageError(f"{node.name}: an array cannot be used as a value")
        return value

    def _element(self, node: syntax.Element) -> Value:
        return self.state.element(self.array(node.name), self._key(node.subscript))

    def _unary(self, node: syntax.Unary) -> Value:
        value = self.value(node.operand)
        if node.operator == "!":
            return float(not truth(value))
        return -number(value) if node.operator == "-" else number(value)

    def _binary(self, node: syntax.Binary) -> Value:
        operator = node.operator
        if operator == "":
            first_text, second_text = self.text(node.left), self.text(node.right)
            if len(first_text) + len(second_text) > _WORTH_ACCOUNTING:
                self.state.account_memory(len(first_text) + len(second_text))
            return first_text + second_text
        if operator in ("&&", "||"):
            left = truth(self.value(node.left))
            return float(
                left and truth(self.value(node.right))
                if operator == "&&"
                else left or truth(self.value(node.right))
            )
        if operator in ("~", "!~"):
            text = self.text(node.left)
            return float(self._pattern(node.right).matches(text) == (operator == "~"))
        first, second = self.value(node.left), self.value(node.right)
        if operator in _ORDERS:
            return float(_ORDERS[operator](compare(first, second, self.state.text("CONVFMT"))))
        return _arithmetic(operator, number(first), number(second))

    def _assign(self, target: syntax.Expression, value: Value) -> None:
        if isinstance(target, syntax.Name):
            if target.name in self.locals:
                self.locals[target.name] = value
            else:
                self.state.assign(target.name, value)
        elif isinstance(target, syntax.Element):
            self.state.store(self.array(target.name), self._key(target.subscript), value)
        elif isinstance(target, syntax.Field):
            self.state.set_field(int(self.number(target.index)), value)
        else:
            raise UsageError("assignment to something that cannot be assigned to")

    def _assignment(self, node: syntax.Assignment) -> Value:
        value = self.value(node.value)
        if node.operator:
            value = _arithmetic(node.operator, self.number(node.target), number(value))
        self._assign(node.target, value)
        return value

    def _step(self, node: syntax.Step) -> Value:
        before = self.number(node.target)
        self._assign(node.target, before + node.amount)
        return before + node.amount if node.before else before

    def _getline(self, node: syntax.Getline) -> Value:
        state = self.state
        if node.source is None:
            record = state.next_record()
        else:
            records = state.reader(self.text(node.source), command=node.kind == "|")
            if records is None:
                return -1.0
            try:
                record = state.read(records)
            except OSError:
                return -1.0
        if record is None:
            return 0.0
        if node.kind == "|":
            state.variables["NR"] = number(self._name(syntax.Name("NR"))) + 1
        if node.target is None:
            state.set_record(record)
        else:
            self._assign(node.target, Input(record))
        return 1.0

    # -- calls

    def _call(self, node: syntax.Call) -> Value:
        if not node.builtin:
            return self._user(node)
        match node.name:
            case "length":
                return self._length(node)
            case "split":
                return self._split(node)
            case "sub" | "gsub":
                return self._substitute(node)
            case "match":
                if len(node.arguments) < 2:
                    raise UsageError("Too few arguments")
                return self.functions.match(self.text(node.arguments[0]), self._pattern(node.arguments[1]))
        return self.functions.call(node.name, [self.value(argument) for argument in node.arguments])

    def _length(self, node: syntax.Call) -> Value:
        if not node.arguments:
            return float(len(self._text_of(self.state.field(0))))
        argument = node.arguments[0]
        if isinstance(argument, syntax.Name):
            held = self.locals.get(argument.name, self.state.variables.get(argument.name, NOTHING))
            if isinstance(held, dict):
                return float(len(held))
        return float(len(self.text(argument)))

    def _split(self, node: syntax.Call) -> Value:
        if len(node.arguments) < 2 or not isinstance(node.arguments[1], syntax.Name):
            raise UsageError("Too few arguments")
        text = self.text(node.arguments[0])
        given = node.arguments[2] if len(node.arguments) > 2 else None
        if isinstance(given, syntax.Regex):
            # A space between slashes is an expression like any other.
            separator = given.source.replace(b" ", b"/", 1)
            parts = fields(text, separator, self._pattern(given))
        else:
            separator, pattern = self.state.separator(self.text(given) if given else self.state.text("FS"))
            parts = fields(text, separator, pattern)
        return self._fill(node.arguments[1].name, parts)

    def _fill(self, name: str, parts: list[bytes]) -> Value:
        array = self.array(name)
        self.state.clear(array)
        for at, part in enumerate(parts, start=1):
            self.state.store(array, b"%d" % at, part)
        return float(len(parts))

    def _substitute(self, node: syntax.Call) -> Value:
        if len(node.arguments) < 2:
            raise UsageError("Too few arguments")
        target = node.arguments[2] if len(node.arguments) > 2 else syntax.Field(syntax.Number(0.0))
        pattern, replacement = self._pattern(node.arguments[0]), self.text(node.arguments[1])
        changed, count = substitute(
            self.text(target), pattern, replacement, self.state.account_memory, every=node.name == "gsub"
        )
        if count and isinstance(target, syntax.Name | syntax.Field | syntax.Element):
            self._assign(target, changed)
        return float(count)

    def _user(self, node: syntax.Call) -> Value:
        function = self.program.functions.get(node.name)
        if function is None:
            raise UsageError(f"Call to undefined function '{node.name}'")
        if len(node.arguments) > len(function.parameters):
            raise UsageError(f"function '{node.name}' called with too many arguments")
        frame: dict[str, Value | Array] = dict.fromkeys(function.parameters, NOTHING)
        for parameter, argument in zip(function.parameters, node.arguments, strict=False):
            frame[parameter] = self._argument(argument, wants_array=parameter in function.arrays)
        if self.depth >= _DEEPEST_CALL:
            raise UsageError(f"function '{node.name}' is called too deeply")
        saved, self.locals = self.locals, frame
        self.depth += 1
        try:
            self.execute(function.body)
        except Return as result:
            return result.value
        finally:
            self.locals = saved
            self.depth -= 1
        return NOTHING

    def _argument(self, argument: syntax.Expression, *, wants_array: bool) -> Value | Array:
        if isinstance(argument, syntax.Name):
            held = self.locals.get(argument.name, self.state.variables.get(argument.name, NOTHING))
            if wants_array or isinstance(held, dict):
                return self.array(argument.name)
        return self.value(argument)


_ORDERS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    "==": lambda order: order == 0,
    "!=": lambda order: order != 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _arithmetic(operator: str, left: float, right: float) -> float:
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                if right == 0:
                    raise UsageError("Division by zero")
                return left / right
            case "%":
                if right == 0:
                    raise UsageError("Division by zero")
                return math.fmod(left, right)
        return math.pow(left, right)
    except (OverflowError, ValueError):
        return math.inf if operator == "^" and left > 0 else math.nan
