"""The key of notebook 01: what a deletion and a chmod do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from course.laboratory import Built, Laboratory, copies_of
from course.lesson import Sealed
from unionfs_sim import Layer, layer, mount

MADE: Final = "FROM alpine\nRUN head -c 300000 /dev/zero > /tool.tar\n"
BIG: Final = 10_000_000


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    laboratory = Laboratory()
    kept, deleted = laboratory.build(MADE), laboratory.build(MADE + "RUN rm /tool.tar\n")
    with_rm, without_rm = map(_tar_bytes, (deleted, kept))
    union = mount([layer({"/etc/motd": "old", "/big": bytes(BIG)}), layer({"/etc/motd": "new"})], Layer())
    copies = copies_of(union)
    union.chmod("/big", 0o600)
    added = [inode for _, inode in deleted.layers[-1].inodes() if inode.is_whiteout]
    return {
        "shrinks": Sealed(
            with_rm < without_rm,
            {"with_rm": with_rm, "without_rm": without_rm},
            lambda: f"RUN head … > /tool.tar  {without_rm:>9,}\nRUN rm /tool.tar        {with_rm:>9,}",
        ),
        "adds": Sealed("whiteout" if added else "nothing", shown=lambda: repr(deleted.layers[-1])),
        "copied": Sealed(
            sum(copy.size_bytes for copy in copies), shown=lambda: f"{union.upper}\n{copies[0]}"
        ),
        "first": Sealed(
            "top" if union.read_bytes("/etc/motd") == b"new" else "base",
            shown=lambda: str(union.explain("/etc/motd", ["base", "top"])),
        ),
    }


def _tar_bytes(built: Built) -> int:
    return sum(built.sizes[diff_id] for diff_id in built.image.diff_ids)
