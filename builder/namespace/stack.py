"""What a root file system is made of: directories below the helper's working directory, by relative path."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from builder.namespace import mounts
from builder.namespace.channel import Message

STUB: Final = "stub"
"""A lowest layer with the places where every command needs a mount, so that no other layer gets them."""

NOTHING: Final = "nothing"
"""An empty directory: an overlay without an upper needs two lowers, and each at least one."""


class Ownership(enum.Enum):
    """How files have the owners that they should, and with that how a union's attributes are called.

    REAL: by the ids of a user namespace; KEPT: in an attribute, where there is a single id; MACHINE: the
    machine's own ids, and so its root's ``trusted.*`` attributes.
    """

    REAL = "real"
    KEPT = "kept"
    MACHINE = "machine"

    @property
    def unions(self) -> str:
        """How attributes begin that belong to the union (overlayfs.rst, "userxattr")."""
        return "trusted.overlay." if self is Ownership.MACHINE else "user.overlay."


@dataclass(frozen=True, slots=True)
class Stack:
    """Layers to mount, base first, with a place for changes or read-only; or one plain directory.

    ``upper``: None for read-only. ``work``: the directory beside it that overlayfs needs. ``plain``: the root
    itself, where overlayfs cannot be had; then there are no layers.
    """

    lowers: tuple[str, ...] = ()
    upper: str | None = None
    work: str | None = None
    plain: str | None = None
    ownership: Ownership = Ownership.REAL

    def mount(self, *, below: tuple[str, ...] = (NOTHING,)) -> int:
        """The root as a descriptor, mounted nowhere yet; to be called inside. ``below``: under all others."""
        if self.plain is not None:
            return mounts.bind(self.plain)
        lowers = (*below, *self.lowers)
        if self.upper is None and len(lowers) == 1:
            return mounts.bind(lowers[0])
        return mounts.overlay(lowers, self.upper, self.work, trusted=self.ownership is Ownership.MACHINE)

    def told(self) -> Message:
        """As a message holds it."""
        return {
            "lowers": list(self.lowers),
            "upper": self.upper,
            "work": self.work,
            "plain": self.plain,
            "ownership": self.ownership.value,
        }

    @classmethod
    def of(cls, told: Message) -> Stack:
        """What ``told`` made the message of."""
        return cls(
            tuple(told["lowers"]), told["upper"], told["work"], told["plain"], Ownership(told["ownership"])
        )
