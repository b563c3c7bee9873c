"""What is not simulated says so, by name, instead of reaching the machine."""

from __future__ import annotations

import errno
from collections.abc import Callable
from importlib.machinery import BuiltinImporter
from importlib.util import module_from_spec
from types import ModuleType
from typing import Any, NoReturn


def refuse(name: str) -> Callable[..., NoReturn]:
    """A callable that raises OSError(ENOSYS) naming ``name``."""

    def not_simulated(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSYS, f"{name} is not simulated on a union")

    not_simulated.__name__ = name.rpartition(".")[2]
    return not_simulated


def refusing(module: ModuleType) -> Callable[[object], object]:
    """What makes the stand-in of a whole module that is refused."""
    if module.__name__ == "posix":
        return lambda _filesystem: _second_posix()
    return lambda _filesystem: Refusing(module)


def _second_posix() -> ModuleType:
    """A module ``posix`` of its own, whose callables answer ENOSYS.

    From Python 3.12 on ``os.stat_result(…)`` asks sys.modules for ``posix`` and for its inner state: with a
    stand-in that is no such module the interpreter crashes.
    """
    spec = BuiltinImporter.find_spec("posix")
    assert spec is not None and spec.loader is not None
    made = module_from_spec(spec)
    spec.loader.exec_module(made)
    for name, found in list(vars(made).items()):
        is_error = isinstance(found, type) and issubclass(found, BaseException)
        if callable(found) and not is_error and not name.startswith("__"):
            setattr(made, name, refuse(f"posix.{name}"))
    return made


class Refusing:
    """A module whose constants and exceptions are the real ones and whose callables answer ENOSYS."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.__name__ = module.__name__

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if isinstance(found, type) and issubclass(found, BaseException):
            return found
        return refuse(f"{self.__name__}.{name}") if callable(found) else found
