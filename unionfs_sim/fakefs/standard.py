"""Functions and classes of the standard library, once more, over the stand-ins.

``os.walk``, ``os.makedirs`` and the methods of ``pathlib.Path`` are written in Python: the same code with
other globals works on the union, and says and does what it does on a machine, in every version of Python.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from types import CellType, FunctionType, MappingProxyType, ModuleType
from typing import Any


def copy_of(name: str, **replaced: object) -> ModuleType:
    """A new module made from the source of the standard module ``name``, some of its names replaced."""
    original = importlib.import_module(name)
    assert original.__spec__ is not None and original.__file__ is not None
    spec = importlib.util.spec_from_file_location(name, original.__file__)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for global_name, value in replaced.items():
        setattr(module, global_name, value)
    return module


def rebuilt(
    function: Any,
    names: Mapping[str, Any],
    cell: CellType | None = None,
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> FunctionType:
    """The same function with ``names`` for globals; ``cell``: of the class, for one that calls super().

    ``renamed``: attributes that it shall look up under another name.
    """
    closure = function.__closure__
    if closure is not None and cell is not None:
        free = function.__code__.co_freevars
        closure = tuple(cell if name == "__class__" else old for name, old in zip(free, closure, strict=True))
    globals_ = names if isinstance(names, dict) else dict(names)
    code = function.__code__
    code = code.replace(co_names=tuple(renamed.get(name, name) for name in code.co_names))
    made = FunctionType(code, globals_, function.__name__, function.__defaults__, closure)
    made.__kwdefaults__ = function.__kwdefaults__
    made.__qualname__, made.__doc__, made.__module__ = (
        function.__qualname__,
        function.__doc__,
        function.__module__,
    )
    return made


def rebuilt_class(
    original: type,
    bases: tuple[type, ...],
    names: Mapping[str, Any],
    renamed: Mapping[str, str] = MappingProxyType({}),
) -> type:
    """The same class below other bases, each of its methods rebuilt."""
    cell = CellType()
    namespace = {
        name: _member(value, lambda function: rebuilt(function, names, cell, renamed))
        for name, value in vars(original).items()
        if name not in ("__dict__", "__weakref__")
    }
    made: type = type(original)(original.__name__, bases, namespace)
    cell.cell_contents = made
    return made


def _member(value: Any, rebuild: Callable[[Any], FunctionType]) -> Any:
    match value:
        case FunctionType():
            return rebuild(value)
        case classmethod() | staticmethod() if isinstance(value.__func__, FunctionType):
            return type(value)(rebuild(value.__func__))
        case property(fget=FunctionType()):
            return property(rebuild(value.fget), doc=value.__doc__)
        case _:
            return value
