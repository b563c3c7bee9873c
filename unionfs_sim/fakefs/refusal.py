"""What is not simulated says so, by name, instead of reaching the machine."""

from __future__ import annotations

import errno
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn


def refuse(name: str) -> Callable[..., NoReturn]:
    """A callable that raises OSError(ENOSYS) naming ``name``."""

    def not_simulated(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.ENOSYS, f"{name} is not simulated on a union")

    not_simulated.__name__ = name.rpartition(".")[2]
    return not_simulated


def refusing(module: ModuleType) -> Callable[[object], Refusing]:
    """What makes the stand-in of a whole module that is refused."""
    return lambda _filesystem: Refusing(module)


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
