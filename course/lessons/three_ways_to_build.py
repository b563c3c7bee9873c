"""The key of notebook 05: what ways of building share, and what each puts at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from builder.security.approaches import builder_of, pod
from builder.security.facts import situation
from builder.security.graph import Start, reach
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from course.laboratory import Laboratory
from course.lesson import Sealed

PUT_BACK: Final = (
    "FROM alpine\n"
    "RUN cp -p /etc/os-release /b && echo ID=other > /etc/os-release && touch -r /b /etc/os-release\n"
)


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    socket = reach(situation(pod("docker-socket"), builder_of("docker-socket")), Start.JOB)
    kaniko = reach(situation(pod("kaniko"), builder_of("kaniko")), Start.DOCKERFILE)
    compared = {mode: Laboratory().compare(PUT_BACK, mode=mode) for mode in (Mode.FULL, Mode.TIME)}
    missed = [mode.value for mode, each in compared.items() if not each.same_tree(Strategy.KANIKO_STYLE)]
    hashed = {each.strategy: each.bytes_hashed for each in compared[Mode.FULL].outcomes}
    return {
        "read_only": Sealed(
            "node_root" not in socket, shown=lambda: "\n".join(map(str, socket.path("node_root")))
        ),
        "credentials": Sealed(
            "reg_creds" not in kaniko, shown=lambda: "\n".join(map(str, kaniko.path("reg_creds")))
        ),
        "finds": Sealed(
            "scan" if hashed[Strategy.SIMULATED] else "union",
            shown=lambda: "\n".join(f"{way.value}: {count:,} B" for way, count in hashed.items()),
        ),
        "misses": Sealed(missed[0], shown=lambda: PUT_BACK),
    }
