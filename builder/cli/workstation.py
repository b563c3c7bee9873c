"""A session that also does for ``layerlab fs`` what a union alone cannot: find images, and mount."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from builder.cli.session import Session

if TYPE_CHECKING:
    from unionfs_sim.layers.layer import Layer
    from unionfs_sim.replay import Replay


class Workstation(Session):
    """What the root of the command line hands to every word; ``unionfs_sim.cli`` knows it as its host."""

    def layers(self, image: str) -> list[tuple[str, Layer]]:
        """An image's layers, base first, each with the line that made it."""
        from builder.cli.history import described
        from builder.cli.lookup import anywhere
        from builder.image.unpack import unpack_stack

        with anywhere(self, image) as (store, found):
            made_by = [entry.created_by for entry, blob in described(found) if blob is not None]
            return list(zip(made_by, unpack_stack(store, found.layers), strict=True))

    def attach(
        self,
        serve: Callable[[int], None],
        directory: str,
        command: Sequence[str],
        *,
        read_only: bool,
        device: str,
    ) -> int:
        """Mount what ``serve`` answers for, for one command (its status) or for all to see (0)."""
        from builder.namespace.fusemount import Access, Place, mounted_for, mounted_for_all

        place = Place(directory, Access.READ_ONLY if read_only else Access.READ_WRITE, device)
        if command:
            return mounted_for(place, serve, command)
        mounted_for_all(
            place, serve, ready=lambda: self.say(f"mounted at {directory}; Ctrl-C or umount ends it")
        )
        return 0

    def needs_userxattr(self) -> bool:
        """Whether a real overlay mount of this user can have no ``trusted.*`` attributes."""
        from builder.namespace.overlaymount import needs_userxattr

        return needs_userxattr()

    def on_overlay(self, replay: Replay) -> bytes:
        """What ``replay`` sees on the kernel's overlayfs, in namespaces of its own."""
        from builder.namespace.overlaymount import on_overlay

        return on_overlay(replay)
