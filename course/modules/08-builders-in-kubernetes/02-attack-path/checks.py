"""Exercise 8.2: how a job reaches another tenant; what is reached, and by which steps, the attack graph says."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise

from builder.security.facts import Situation, builder_named, situation
from builder.security.graph import Reached, Start, cuts, open_edges, reach
from builder.security.pods import pods_in
from builder.security.tables import Edge, EdgeKind, controls, edges
from course.check import Question, Text, Wrong

TARGET = "other_pods_secrets"
NODES = (
    "ci_job", "builder_process", "builder_files", "pod_uid0", "runtime_socket", "sysadmin_host",
    "host_block_devices", "hostpath_dir", "host_proc_view", "host_proc_access", "host_fs", "kubelet_creds",
    "daemon_creds", "other_images", "sa_token", "pod_network", "k8s_api", "reg_creds", TARGET,
)  # fmt: skip
"""The part of the graph that is asked about; the README says what they mean."""
CREDENTIALS = ("reg_creds", "sa_token", "kubelet_creds", "daemon_creds", TARGET)
CONTROLS = (
    "no-socket", "no-hostpath", "unprivileged", "user-namespace", "sandbox", "drop-capabilities", "seccomp",
    "no-host-pid", "no-token", "weak-account", "egress-policy", "non-root",
)  # fmt: skip
IMAGES = {"docker-socket": "docker:29-cli", "docker-in-docker": "docker:29-dind", "kaniko": "kaniko:v1.28.3"}
IMAGES |= {"buildkit-rootless": "moby/buildkit:v0.31.1-rootless"}


def pod(
    kind: str,
    *,
    namespace: str = "team-a",
    context: str = "",
    path: str = "",
    read_only: bool = False,
    more: str = "",
) -> str:
    """A build pod as YAML: ``context``: what its container's securityContext says; ``path``: a hostPath."""
    lines = ["apiVersion: v1", "kind: Pod", f"metadata: {{ name: build, namespace: {namespace} }}", "spec:"]
    lines += [f"  {more}"] if more else []
    lines += ["  containers:", "    - name: build", f"      image: {IMAGES[kind]}"]
    lines += [f"      securityContext: {{ {context} }}"] if context else []
    if path:
        mode = ", readOnly: true" if read_only else ""
        lines += ["      volumeMounts:", f"        - {{ name: node, mountPath: {path}{mode} }}", "  volumes:"]
        lines += [f"    - {{ name: node, hostPath: {{ path: {path} }} }}"]
    return "\n".join(lines)


SOCKET = "/var/run/docker.sock"
ROOTLESS = "runAsUser: 1000, seccompProfile: { type: Unconfined }"
# name → builder, pod, and the misconception that the other answer betrays
REACHED = {
    "socket": ("docker-socket", pod("docker-socket", path=SOCKET), "just-a-file"),
    "socket-read-only": ("docker-socket", pod("docker-socket", path=SOCKET, read_only=True), "read-only"),
    "own-namespace": ("docker-socket", pod("docker-socket", namespace="team-b", path="/run"), "namespace"),
    "dind": ("docker-in-docker", pod("docker-in-docker", context="privileged: true"), "dind-is-isolated"),
    "kaniko": ("kaniko", pod("kaniko"), "root-is-root"),
    "kaniko-cache": ("kaniko", pod("kaniko", path="/var/cache/kaniko"), "any-hostpath"),
    "kubelet-read-only": ("kaniko", pod("kaniko", path="/var/lib/kubelet", read_only=True), "read-only"),
    "rootless": ("buildkit-rootless", pod("buildkit-rootless", context=ROOTLESS), "no-seccomp"),
}
PATHS = ("socket", "dind", "host-pid")
HOST_PID = pod("kaniko", context="capabilities: { add: [SYS_PTRACE] }", more="hostPID: true")
BOTH = pod(
    "kaniko", context="capabilities: { add: [SYS_PTRACE] }", more="hostPID: true", path="/var/lib/kubelet"
)
BUILDS = {name: (kind, text) for name, (kind, text, _) in REACHED.items()}
BUILDS |= {"host-pid": ("kaniko", HOST_PID), "both": ("kaniko", BOTH)}


@cache
def build(name: str) -> Situation:
    kind, text = BUILDS[name]
    (found,) = pods_in(text.encode(), "pod.yaml")
    return situation(found, builder_named(kind))


@cache
def reached(name: str) -> Reached:
    return reach(build(name), Start.JOB)


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    for name in dice.sample(list(REACHED), len(REACHED)):
        yield yes_or_no(name)
    names = [*dice.sample(PATHS, 2), "kubelet-read-only"]
    for name in names[:2]:
        yield path(name)
    for name in names:
        yield length(name)
    for name in dice.sample(("socket", "dind", "kubelet-read-only"), 2):
        yield credentials(name)
    yield credentials("kaniko")
    for name in ("dind", dice.choice(("kubelet-read-only", "host-pid")), "both"):
        yield cut(name)


def yes_or_no(name: str) -> Question:
    key = "yes" if TARGET in reached(name) else "no"
    other = "no" if key == "yes" else "yes"
    return Question(
        f"reached-{name}",
        "reached",
        Text("questions.reached", {"target": TARGET}),
        str,
        "no",
        shown=BUILDS[name][1],
        key=key,
        shows={REACHED[name][2]: other},
        given={"pod": BUILDS[name][1], "kind": BUILDS[name][0]},
    )


def steps() -> list[Edge]:
    """The steps among the nodes that are asked about, bugs left out."""
    return [e for e in edges() if e.source in NODES and e.target in NODES and e.kind is not EdgeKind.BUG]


def told(edge: Edge) -> str:
    conditions = [str(edge.when)] if edge.when.names else []
    conditions += [f"{node} reached" for node in edge.requires]
    return f"{edge.source} → {edge.target}" + (f"  if {' and '.join(conditions)}" if conditions else "")


def path(name: str) -> Question:
    way = [Start.JOB.value]
    for edge in chain(reached(name)):
        way.append(edge.target)

    def judge(answer: object) -> Wrong | None:
        assert isinstance(answer, list)
        return wrong_way(name, answer)

    return Question(
        f"path-{name}",
        "path",
        Text("questions.path", {"start": Start.JOB.value, "target": TARGET}),
        list[str],
        ["ci_job", "builder_process", TARGET],
        shown="\n".join([BUILDS[name][1], "", *map(told, steps())]),
        judge=judge,
        given={"way": way, "pod": BUILDS[name][1]},
    )


def chain(found: Reached) -> list[Edge]:
    """The steps from the start to the target, one after the other; what they require besides is left out."""
    steps, node = [], TARGET
    while node != found.start.value:
        steps.append(found.by[node])
        node = found.by[node].source
    return steps[::-1]


def wrong_way(name: str, answer: Sequence[str]) -> Wrong | None:
    """Why this is no way to the target; None if it is one."""
    found = reached(name)
    if list(answer[:1]) != [found.start.value] or list(answer[-1:]) != [TARGET]:
        return Wrong("ends", shown=" → ".join(answer))
    for source, target in pairwise(answer):
        known = [edge for edge in edges() if (edge.source, edge.target) == (source, target)]
        if not known:
            return Wrong("no-step", shown=f"{source} → {target}")
        usable = [edge for edge in open_edges(build(name)) if edge in known]
        if not any(all(node in found for node in edge.requires) for edge in usable):
            return Wrong("closed", shown=told(known[0]))
    return None


def length(name: str) -> Question:
    count = len(chain(reached(name)))
    return Question(
        f"steps-{name}",
        "shortest",
        Text("questions.steps", {"start": Start.JOB.value, "target": TARGET}),
        int,
        9,
        shown=BUILDS[name][1],
        key=count,
        shows={"counts-nodes": count + 1},
        given={},
    )


def credentials(name: str) -> Question:
    key = [each for each in CREDENTIALS if each in reached(name)]
    without = [each for each in key if each not in ("kubelet_creds", "daemon_creds")]
    return Question(
        f"credentials-{name}",
        "credentials",
        Text("questions.credentials", {"start": Start.JOB.value, "names": ", ".join(CREDENTIALS)}),
        list[str],
        ["reg_creds"],
        shown=BUILDS[name][1],
        key=key,
        shows={"forgets-the-node": without} if without != key else {},
        given={"without": without},
    )


def cut(name: str) -> Question:
    smallest = [tuple(each.name for each in found) for found in cuts(build(name), Start.JOB, TARGET)]

    def judge(answer: object) -> Wrong | None:
        assert isinstance(answer, list)
        return wrong_cut(name, answer, len(smallest[0]))

    return Question(
        f"cut-{name}",
        "cut",
        Text("questions.cut", {"start": Start.JOB.value, "target": TARGET, "names": ", ".join(CONTROLS)}),
        list[str],
        ["no-token"],
        shown=BUILDS[name][1],
        judge=judge,
        given={"smallest": smallest},
    )


def wrong_cut(name: str, answer: Sequence[str], fewest: int) -> Wrong | None:
    """Why these controls do not keep the job from the target, or are too many; None if they are right."""
    unknown = [each for each in answer if each not in controls()]
    if unknown or len(set(answer)) != len(answer):
        return Wrong("no-control", shown=", ".join(unknown or answer))
    after = build(name).under(answer)
    left = reach(after, Start.JOB)
    if TARGET in left:
        return Wrong("still-reached", shown="\n".join(map(told, chain(left))))
    if not after.works:
        return Wrong("cannot-build", shown=", ".join(answer), fields={"needs": str(after.builder.needs)})
    return None if len(answer) == fewest else Wrong("not-smallest", fields={"fewest": fewest})
