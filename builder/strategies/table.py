"""The strategies beside each other, as Markdown: for the README and the page of approaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from builder.strategies.strategy import Strategy

_HOW: Final[Mapping[Strategy, tuple[str, str]]] = MappingProxyType(
    {
        Strategy.SIMULATED: ("toys, in this process", "a union in memory: what its upper layer holds"),
        Strategy.ROOTLESS: (
            "in namespaces of its own, as no root",
            "overlayfs: what the upper directory holds",
        ),
        Strategy.KANIKO_STYLE: (
            "a plain child in the builder's container (in memory without `--root`)",
            "one root: all of it, looked at before and after",
        ),
        Strategy.PRIVILEGED: (
            "in namespaces of its own, as the machine's root (`--allow-host-root`)",
            "overlayfs: what the upper directory holds",
        ),
        Strategy.DOCKER_SOCK: ("the daemon, as the machine's root", "the daemon's business"),
    }
)


def table() -> Iterator[str]:
    """One line for each strategy; the right half is that of the pod that such a build would be."""
    yield (
        "| `--strategy` | who runs a RUN | finds changes by | credentials | a hostile Dockerfile reaches | "
        "a hostile job reaches | Pod Security |"
    )
    yield "|---|---|---|---|---|---|---|"
    for strategy in Strategy:
        powers = strategy.powers
        cells = (
            f"`{strategy.value}`",
            *_HOW[strategy],
            powers.credentials,
            powers.dockerfile_reaches,
            powers.job_reaches,
            powers.pod_security,
        )
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
