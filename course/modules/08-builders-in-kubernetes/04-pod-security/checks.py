"""Exercise 8.4: the Pod Security Standards judge both pods; the model of builds says whether one builds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from builder.errors import BuildError
from builder.security import pss
from builder.security.documents import Document
from builder.security.facts import builder_named, situation
from builder.security.pods import Pod, pods_of
from builder.security.pss import Level
from course.check import Verdict, held

KANIKO = "kaniko"
NEEDED = frozenset({"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"})
GROUPS = ("baseline", "least", "builds", "restricted", "same")


def judge(documents: Sequence[Document], starter: Sequence[Document]) -> Iterator[Verdict]:
    try:
        pods = pods_by_name(documents)
    except BuildError as error:
        yield from (held(group, False, "unreadable", str(error)) for group in GROUPS)
        return
    build, web = pods.get("build"), pods.get("web")
    if build is None or web is None or len(pods) != 2:
        yield from (held(group, False, "two-pods", ", ".join(pods)) for group in GROUPS)
        return
    yield meets("baseline", build, Level.BASELINE)
    yield least(build)
    yield builds(build)
    yield meets("restricted", web, Level.RESTRICTED)
    yield same(pods, pods_by_name(starter))


def pods_by_name(documents: Sequence[Document]) -> dict[str, Pod]:
    return {pod.name: pod for pod in pods_of(documents)}


def meets(group: str, pod: Pod, level: Level) -> Verdict:
    """Whether a pod is let into a namespace that enforces ``level``."""
    verdict = pss.judge(pod)
    broken = [each for each in verdict.violations if each.level.rank <= level.rank]
    if verdict.level.rank >= level.rank:
        return held(group, True)
    first = broken[0]
    return held(group, False, "", f"{first.line}: {first.field}: {first.what}", count=len(broken))


def least(pod: Pod) -> Verdict:
    """Whether the build has only the capabilities that it cannot do without."""
    for container in pod.containers:
        context = container.security
        if context.privileged or "ALL" not in context.dropped:
            return held("least", False, "keeps", f"{container.name}: capabilities.drop")
        more = sorted(set(context.added) - NEEDED)
        if more:
            return held("least", False, "", f"{container.name}: {', '.join(more)}")
        if context.allow_privilege_escalation is not False:
            return held("least", False, "escalation", f"{container.name}: allowPrivilegeEscalation")
    return held("least", True)


def builds(pod: Pod) -> Verdict:
    """Whether Kaniko has what it needs, in the model of builds."""
    build = situation(pod, builder_named(KANIKO))
    return held("builds", build.works, "", build.builder.title, why=build.builder.why)


def same(pods: dict[str, Pod], before: dict[str, Pod]) -> Verdict:
    """Whether the same programs run, and find their files where they look for them."""
    for name, pod in pods.items():
        lost = sorted(outline(before[name]) ^ outline(pod))
        if lost:
            container, image, words, path = lost[0]
            return held("same", False, "", f"{name}: {container}: {image} {words} {path}")
    return held("same", True)


def outline(pod: Pod) -> set:
    return {
        (container.name, container.image, " ".join(container.command + container.args), mount.path)
        for container in pod.containers
        for mount in container.mounts
    }
