"""The key of notebook 06: what a pod reaches, asked of the attack graph."""

from __future__ import annotations

from collections.abc import Mapping

from builder.security.approaches import builder_of, manifest, pod
from builder.security.facts import Situation, situation
from builder.security.graph import Reached, Start, cuts, reach
from builder.security.pods import pods_in
from builder.security.pss import Level, judge
from course.lesson import Sealed


def check() -> Mapping[str, Sealed]:
    """The key, by question."""
    mounted = "mountPath: /var/run/docker.sock }"
    text = manifest("docker-socket").decode().replace(mounted, mounted[:-2] + ", readOnly: true }")
    (read_only,) = pods_in(text.encode(), "read-only.yaml")
    socket = reach(situation(read_only, builder_of("docker-socket")), Start.JOB)
    rootless = {start: reach(_build("buildah-rootless"), start) for start in Start}
    dind = _build("docker-in-docker")
    named = [control.name for each in cuts(dind, Start.JOB, "node_root") for control in each]
    kaniko = judge(pod("kaniko-hardened"))
    return {
        "read_only": Sealed("node_root" not in socket, shown=lambda: _way(socket, "node_root")),
        "start": Sealed(
            "dockerfile" if "reg_creds" in rootless[Start.DOCKERFILE] else "job",
            shown=lambda: _way(rootless[Start.JOB], "reg_creds"),
        ),
        "cut": Sealed(
            "hostUsers: false" if "user-namespace" in named else "no API token",
            shown=lambda: _way(reach(dind.under(["no-token"]), Start.JOB), "node_root"),
        ),
        "restricted": Sealed(
            kaniko.level is Level.RESTRICTED,
            shown=lambda: "\n".join(map(str, kaniko.violations)),
        ),
    }


def _build(way: str) -> Situation:
    return situation(pod(way), builder_of(way))


def _way(found: Reached, node: str) -> str:
    return "\n".join(str(step) for step in found.path(node))
