"""What a mutant is: one place of the source, changed by one of these operators."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, NamedTuple

COMPARISONS: Final = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: Final = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}


class Mutant(NamedTuple):
    """A change of the text between two places (lines from 1, columns in bytes from 0)."""

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    after: str
    operator: str

    def applied(self, source: bytes) -> bytes:
        """The source with the change made."""
        lines = source.splitlines(keepends=True)
        head = b"".join(lines[: self.line - 1]) + lines[self.line - 1][: self.column]
        tail = lines[self.end_line - 1][self.end_column :] + b"".join(lines[self.end_line :])
        return head + self.after.encode() + tail

    def before(self, source: bytes) -> str:
        """The text that the change replaces, on one line."""
        lines = source.splitlines(keepends=True)[self.line - 1 : self.end_line]
        lines[-1] = lines[-1][: self.end_column]
        lines[0] = lines[0][self.column :]
        return " ".join(b"".join(lines).decode().split())


def mutants(path: str, source: str) -> list[Mutant]:
    """Every change that the operators can make to a module, in the order of its lines."""
    return sorted(
        Mutant(path, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, after, operator)
        for node, after, operator in _changes(ast.parse(source))
    )


def _changes(tree: ast.AST) -> Iterator[tuple[ast.AST, str, str]]:
    for node in _code(tree):
        match node:
            case ast.Compare(left=left, ops=[operation, *others], comparators=right):
                other = COMPARISONS[type(operation)]()
                yield node, _text(ast.Compare(left, [other, *others], right)), "comparison"
            case ast.BoolOp(op=operation, values=values):
                other = ast.And() if isinstance(operation, ast.Or) else ast.Or()
                yield node, _text(ast.BoolOp(other, values)), "and, or"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield node, _text(operand), "not"
            case ast.BinOp(left=left, op=operation, right=right) if type(operation) in ARITHMETIC:
                yield node, _text(ast.BinOp(left, ARITHMETIC[type(operation)](), right)), "arithmetic"
            case ast.Constant(value=bool(value)):
                yield node, str(not value), "truth"
            case ast.Constant(value=int(value)):
                yield node, str(value + 1), "number"
            case ast.Return(value=ast.expr() as value) if not _is_none(value):
                yield node, "return None", "return"
            case ast.Expr(value=ast.Call()) | ast.Raise() | ast.Delete():
                yield node, "pass", "statement"
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
                yield node, "pass", "statement"
            case ast.Break():
                yield node, "continue", "loop"
            case ast.Continue():
                yield node, "break", "loop"
        if isinstance(node, ast.If | ast.While | ast.IfExp) and not isinstance(
            node.test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant
        ):
            yield node.test, f"(not {_text(node.test)})", "condition"


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that run: no annotations, no decorators, no imports for types."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            # Messages: and before Python 3.12 what stands inside an f-string has no place of its own.
            is_message = isinstance(child, ast.JoinedStr)
            if isinstance(child, ast.AST) and not is_for_types and not is_message:
                yield from _code(child)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None


def _text(node: ast.expr) -> str:
    return f"({ast.unparse(node)})"
