"""The key of notebook 04: what a cache key is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.events import CacheHit, CacheMissed
from course.laboratory import Built, Laboratory
from course.lesson import Sealed
from unionfs_sim import File, Layer, layer

COPIED: Final = "FROM alpine\nENV GREETING=hello\nCOPY a /a\nRUN cat /a\n"
FETCHED: Final = "FROM alpine\nRUN wget -q https://nginx.org/download/nginx-1.24.0.tar.gz\n"


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    laboratory = Laboratory()
    first = laboratory.build(COPIED, _file())
    touched = laboratory.build(COPIED, _file(mtime_ns=10**18))
    executable = laboratory.build(COPIED, _file(mode=0o755))
    greeted = laboratory.build(COPIED.replace("hello", "welcome"), _file())
    copied, run = greeted.cached()
    fetched = [laboratory.build(FETCHED) for _ in range(2)]
    redone = {(False, False): "both", (False, True): "COPY", (True, False): "RUN", (True, True): "neither"}
    return {
        "touched": Sealed(touched.cached()[0], shown=lambda: str(touched.cache_comparison(first))),
        "mode": Sealed(executable.cached()[0], shown=lambda: str(executable.cache_comparison(first))),
        "variable": Sealed(redone[copied, run], shown=lambda: str(greeted.cache_comparison(first))),
        "network": Sealed(fetched[1].cached()[0], shown=lambda: "\n".join(_inputs(fetched[1]))),
    }


def _file(*, mode: int = 0o644, mtime_ns: int = 0) -> Layer:
    """A build context of one file."""
    context = layer({"/a": File("a", mode=mode)})
    context.utime("/a", ns=(mtime_ns, mtime_ns))
    return context


def _inputs(built: Built) -> list[str]:
    """What the keys of a build were made of."""
    return [
        name
        for event in built.events
        if isinstance(event, CacheHit | CacheMissed)
        for name, _ in event.inputs
    ]
