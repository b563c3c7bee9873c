"""The key of notebook 07: what a scan of the root sees, and what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from course.figures import snapshot_timeline
from course.laboratory import Built, Laboratory
from course.lesson import Sealed

SMALL: Final = "FROM alpine\nRUN true\nRUN echo 1 > /one\n"
LARGE: Final = "FROM alpine\nRUN head -c 200000 /dev/zero > /big\nRUN echo 1 > /one\n"
REWRITTEN: Final = "FROM alpine\nRUN cat /etc/os-release > /new && cat /new > /etc/os-release && rm /new\n"
ANEW: Final = "FROM alpine\nRUN rm -rf /etc/apk && mkdir /etc/apk && echo 1 > /etc/apk/one\n"
OWN: Final = "FROM alpine\nRUN echo 1 > /one && mkdir -p /kaniko && echo 2 > /kaniko/two\n"


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    small, large = _scanned(SMALL), _scanned(LARGE)
    hashed = [_last_step(built)["hashed"] for built in (small, large)]
    rewritten, anew, own = map(_scanned, (REWRITTEN, ANEW, OWN))
    union = Laboratory().build(ANEW)
    gone = [inode for _, inode in anew.layers[-1].inodes() if inode.is_whiteout]
    return {
        "grows": Sealed(
            "root" if hashed[1] >= hashed[0] + 200_000 else "change", shown=lambda: _timeline(large)
        ),
        "same_bytes": Sealed(
            "/etc/os-release" in _last_step(rewritten)["changed"], shown=lambda: _timeline(rewritten)
        ),
        "opaque": Sealed(
            "whiteouts" if gone else "nothing",
            shown=lambda: f"scan   {anew.layers[-1]}\nunion  {union.layers[-1]}",
        ),
        "mounted": Sealed(own.union().exists("/kaniko/two"), shown=lambda: repr(own.layers[-1])),
    }


def _scanned(dockerfile: str) -> Built:
    return Laboratory().build(dockerfile, strategy=Strategy.KANIKO_STYLE, mode=Mode.FULL)


def _last_step(built: Built) -> Mapping[str, Any]:
    step: Mapping[str, Any] = snapshot_timeline.of({"full": built.scanned()}).spec["modes"][0]["steps"][-1]
    return step


def _timeline(built: Built) -> str:
    return str(snapshot_timeline.of({"full": built.scanned()}))
