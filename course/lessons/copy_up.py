"""The key of notebook 02: what is copied up, and when."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Final

from course.laboratory import Laboratory, play
from course.lesson import Sealed
from unionfs_sim import Layer, Options, Union, layer, mount
from unionfs_sim.overlay.options import RedirectDir

BIG: Final = 10_000_000
FILE: Final = 300_000
CHANGED: Final = "FROM alpine\nCOPY app /app\nRUN chmod 750 /app\n"


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    read = play(_union(), "cat /big > /dev/null")
    written = play(_union(), "echo x >> /big")
    marked = _union(Options(metacopy=True, redirect_dir=RedirectDir.ON))
    by_mark = play(marked, "chmod 600 /big")
    later = play(marked, "echo x >> /big")
    built = Laboratory().build(CHANGED, {"app": "x" * FILE})
    return {
        "read": Sealed(sum(read.copied_bytes.values()), shown=lambda: f"{read}\n{written}"),
        "metacopy": Sealed(sum(by_mark.copied_bytes.values()), shown=lambda: f"{by_mark}\n{later}"),
        "rename": Sealed(_renaming(_union()), shown=lambda: str(play(_union(), "mv /srv /srv2"))),
        "shipped": Sealed(built.tree().wasted_bytes, shown=lambda: str(built.overlay_stack("/app"))),
    }


def _union(options: Options | None = None) -> Union:
    return mount([layer({"/big": bytes(BIG), "/srv/a": "a"})], Layer(), options=options, history=10)


def _renaming(union: Union) -> str:
    try:
        union.rename("/srv", "/srv2")
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "0"
