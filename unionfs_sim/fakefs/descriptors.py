"""The learner's descriptors: small integers for open files, as a process has them."""

from __future__ import annotations

import errno
import operator
import os
from dataclasses import dataclass, field
from typing import Final, Protocol, SupportsIndex, runtime_checkable

from unionfs_sim.vfs.openfile import File

FIRST: Final = 1 << 30
"""The lowest descriptor. Linux allows none above 2**30 - 1 (fs.nr_open), so that a descriptor of the union
can never equal one of the host: handed to the real machine by mistake, it is a bad descriptor there."""


@runtime_checkable
class HasDescriptor(Protocol):
    """A file object, as far as who wants its descriptor is concerned."""

    def fileno(self) -> int:
        """The descriptor."""
        ...


@dataclass(slots=True)
class Descriptors:
    """Open files by number; a number may share its open file with another (dup)."""

    _files: dict[int, File] = field(default_factory=dict)

    def add(self, file: File) -> int:
        """The lowest free number, which refers to ``file`` from now on."""
        number = FIRST
        while number in self._files:
            number += 1
        self._files[number] = file
        return number

    def get(self, number: int) -> File:
        """The open file; EBADF for every number that is not the union's."""
        file = self._files.get(operator.index(number))
        if file is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return file

    def number(self, thing: object) -> int:
        """A descriptor, or that of an object that has one (as os.fsync takes it)."""
        if isinstance(thing, SupportsIndex):
            return operator.index(thing)
        if isinstance(thing, HasDescriptor):
            return operator.index(thing.fileno())
        raise TypeError("argument must be an int, or have a fileno() method.")

    def __contains__(self, number: object) -> bool:
        return number in self._files

    def numbers(self) -> list[int]:
        """The numbers in use."""
        return sorted(self._files)

    def replace(self, number: int, file: File) -> None:
        """Let ``number`` refer to ``file`` (dup2)."""
        if number in self._files:
            self.close(number)
        self._files[number] = file

    def close(self, number: int) -> None:
        """Give a number back; the file closes with its last one."""
        file = self.get(number)
        del self._files[number]
        if file not in self._files.values():
            file.close()

    def close_all(self) -> None:
        """Give all numbers back."""
        for number in list(self._files):
            self.close(number)
