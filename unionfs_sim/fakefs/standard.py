"""Functions and classes of the standard library, once more, over the stand-ins.

``os.walk``, ``os.makedirs`` and the methods of ``pathlib.Path`` are written in Python: the same code with
other globals works on the union, and says and does what it does on a machine, in every version of Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import CellType, FunctionType
from typing import Any


def rebuilt(function: Any, names: Mapping[str, Any], cell: CellType | None = None) -> FunctionType:
    """The same function with ``names`` for globals; ``cell``: of the class, for one that calls super()."""
    closure = function.__closure__
    if closure is not None and cell is not None:
        free = function.__code__.co_freevars
        closure = tuple(cell if name == "__class__" else old for name, old in zip(free, closure, strict=True))
    globals_ = names if isinstance(names, dict) else dict(names)
    made = FunctionType(function.__code__, globals_, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__, made.__doc__, made.__module__ = (
        function.__qualname__,
        function.__doc__,
        function.__module__,
    )
    return made


def rebuilt_class(original: type, bases: tuple[type, ...], names: Mapping[str, Any]) -> type:
    """The same class below other bases, each of its methods rebuilt."""
    cell = CellType()
    namespace = {
        name: _member(value, names, cell)
        for name, value in vars(original).items()
        if name not in ("__dict__", "__weakref__")
    }
    made: type = type(original)(original.__name__, bases, namespace)
    cell.cell_contents = made
    return made


def _member(value: Any, names: Mapping[str, Any], cell: CellType) -> Any:
    match value:
        case FunctionType():
            return rebuilt(value, names, cell)
        case classmethod() | staticmethod() if isinstance(value.__func__, FunctionType):
            return type(value)(rebuilt(value.__func__, names, cell))
        case property(fget=FunctionType()):
            return property(rebuilt(value.fget, names, cell), doc=value.__doc__)
        case _:
            return value
