"""The fourteen ways to build beside each other: a page whose every cell is derived, tried or quoted.

What the model can work out from a way's pod is worked out here; ``powers.csv`` has its words, ``matrix.csv``
what was read about cache, speed and limits, each with the sources.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from builder.security.approaches import builder_of, pod
from builder.security.facts import Situation, situation
from builder.security.graph import Start, reach
from builder.security.powers import powers
from builder.security.pss import NEWEST, judge
from builder.security.tables import SourceKind, nodes, sources


@dataclass(frozen=True, slots=True)
class Quoted:
    """What is quoted and not worked out, with the names of its sources."""

    text: str
    evidence: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.text} ({', '.join(self.evidence)})"


@dataclass(frozen=True, slots=True)
class Row:
    """One way to build. The fields from ``isolation`` on are quoted, all others derived from its pod."""

    approach: str
    title: str
    daemon: str
    level: str
    is_root: bool
    is_privileged: bool
    mounts_host: bool
    has_sys_admin: bool
    relaxes: str
    has_own_seccomp: str
    shows_credentials: bool
    dockerfile_reaches: tuple[str, ...]
    job_reaches: tuple[str, ...]
    isolation: Quoted
    cache: Quoted
    speed: Quoted
    breaks: Quoted


@cache
def rows() -> tuple[Row, ...]:
    """The ways to build, in their order, with no setting but the defaults and no known bug."""
    text = resources.files(__package__).joinpath("tables", "matrix.csv").read_text(encoding="utf-8")
    return tuple(_row(record) for record in csv.DictReader(text.splitlines()))


def _row(record: dict[str, str]) -> Row:
    approach = record["approach"]
    build = situation(pod(approach), builder_of(approach))
    facts = build.facts
    by_dockerfile, by_job = (reach(build, start) for start in Start)
    words = powers(approach)

    def quoted(column: str) -> Quoted:
        return Quoted(record[column], tuple(record[f"{column}_evidence"].split()))

    return Row(
        approach=approach,
        title=words.title,
        daemon=words.daemon,
        level=judge(pod(approach)).level.value,
        is_root="root" in facts,
        is_privileged="privileged" in facts,
        mounts_host="hostpath" in facts,
        has_sys_admin="sysadmin" in facts,
        relaxes=_relaxed(build),
        has_own_seccomp=_own_seccomp(build),
        shows_credentials="reg_creds" in by_dockerfile,
        dockerfile_reaches=_notable(by_dockerfile.names),
        job_reaches=_notable(by_job.names),
        isolation=Quoted(words.isolation, tuple(record["evidence"].split())),
        cache=quoted("cache"),
        speed=quoted("speed"),
        breaks=quoted("breaks"),
    )


def _relaxed(build: Situation) -> str:
    """What the pod says about seccomp, or what follows where it says nothing."""
    if "privileged" in build.facts:
        return "all off, by privileged"
    types = {(container.security.seccomp or build.pod.security.seccomp) for container in build.pod.containers}
    said = {profile.type for profile in types if profile is not None}
    off = any(
        profile is not None and profile.type == "Unconfined"
        for container in build.pod.containers
        for profile in (container.security.apparmor or build.pod.security.apparmor,)
    )
    return (", ".join(sorted(said)) or "unset: none, or the kubelet's default") + (
        "; AppArmor Unconfined" if off else ""
    )


def _own_seccomp(build: Situation) -> str:
    if "has_run" not in build.facts:
        return "nothing is run"
    return "yes" if "run_own_seccomp" in build.facts else "no, the pod's"


_NOTABLE: Final = (
    "builder_process",
    "builder_kill",
    "builder_env",
    "reg_creds",
    "sa_token",
    "k8s_api",
    "shared_cache",
    "node_bridge_net",
    "runtime_socket",
    "host_fs",
    "node_root",
    "other_pods_secrets",
    "kubelet_creds",
    "other_containers",
    "kernel_full",
    "kernel_userns",
    "sandbox_kernel",
)
"""The nodes that tell the ways apart; what every build reaches by definition is left out."""


def _notable(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in _NOTABLE if name in names)


def page(strategies: Iterable[str] = ()) -> str:
    """The comparison as Markdown. ``strategies``: the table of those that this program builds by itself."""
    return "\n".join(_lines(tuple(strategies))) + "\n"


def _lines(strategies: Sequence[str]) -> Iterator[str]:
    yield "# Ways to build, and what each lets a tenant reach"
    yield ""
    yield "*Written by `layerlab security approaches --page`; the tests compare.*"
    yield ""
    yield (
        "Each way is a pod (`layerlab security approaches NAME` prints it). Two attackers: one wrote the "
        "Dockerfile, the other chose the job's command. *Derived* columns are worked out from the pod by the "
        "rules of Pod Security Standards and by the attack graph, with the default settings of a cluster and "
        "without bugs; *tried* and *read* cells name their sources, which stand at the end."
    )
    yield ""
    if strategies:
        yield "## What this program builds by itself"
        yield ""
        yield "`layerlab compare DOCKERFILE` builds in each of these ways that it can, and tabulates."
        yield ""
        yield from strategies
        yield ""
    yield "## What the pod asks for"
    yield ""
    head = ("way", "daemon", f"level at v1.{NEWEST}", "root", "privileged", "host paths", "SYS_ADMIN")
    yield from _table(
        "Derived, but for the daemon, which is what the builder is.",
        (*head, "seccomp and AppArmor"),
        [
            (
                f"**{row.approach}**: {row.title}",
                row.daemon,
                row.level,
                row.is_root,
                row.is_privileged,
                row.mounts_host,
                row.has_sys_admin,
                row.relaxes,
            )
            for row in rows()
        ],
    )
    yield "## What is reached"
    yield ""
    yield "![Who reaches what in four of the ways](pictures/attack_graph.svg)"
    yield ""
    yield from _table(
        "Derived. The names are nodes of the graph; what each means stands below.",
        ("way", "from a Dockerfile", "from a job", "RUN sees the registry's credentials"),
        [
            (
                f"**{row.approach}**",
                " · ".join(row.dockerfile_reaches) or "nothing",
                " · ".join(row.job_reaches) or "nothing",
                row.shows_credentials,
            )
            for row in rows()
        ],
    )
    yield "## What RUN is kept from"
    yield ""
    yield from _table(
        "Isolation was tried, or read where no experiment is named; the filter is what the builder does.",
        ("way", "RUN and the builder", "RUN has a seccomp filter of its own"),
        [(f"**{row.approach}**", row.isolation, row.has_own_seccomp) for row in rows()],
    )
    yield "## Cache, speed and limits"
    yield ""
    yield from _table(
        "Read or tried.",
        ("way", "cache", "speed", "what breaks"),
        [(f"**{row.approach}**", row.cache, row.speed, row.breaks) for row in rows()],
    )
    yield "## Nodes"
    yield ""
    for name in _NOTABLE:
        yield f"* `{name}`: {nodes()[name].meaning}"
    yield ""
    yield "## Limits of the model"
    yield ""
    yield "* A pod does not say which kind of builder it runs: it is guessed from the image, or told."
    yield "* AppArmor and NetworkPolicy are one bit each: in force or not."
    yield "* A fact holds of a pod if it holds of one of its containers."
    yield "* What a Localhost seccomp profile allows is not known; unshare is taken to be allowed."
    yield ""
    yield "## Sources"
    yield ""
    yield (
        "The experiments A1, A2, A4, A5, B0, B1, B4, B5, B7, C1, C2 and C3 are tried again, in namespaces of "
        "their own and with a canary, by `tests/real/security`."
    )
    yield ""
    used = {
        name
        for row in rows()
        for quoted in (row.isolation, row.cache, row.speed, row.breaks)
        for name in quoted.evidence
    }
    for source in sources().values():
        if source.name in used:
            kind = "tried: " if source.kind is SourceKind.TRIED else ""
            yield f"* `{source.name}`: {kind}{source.what}"


def _table(caption: str, head: Sequence[str], body: Sequence[Sequence[object]]) -> Iterator[str]:
    yield caption
    yield ""
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    for row in body:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"
    yield ""


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("|", "\\|")
