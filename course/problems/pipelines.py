"""Pipelines that build, judged: what a cluster takes, what a build reaches, what comes out when played.

Each function yields one verdict, in the group of its own name; the misconceptions that it names stand in
the texts of the exercises (10.1 and the capstone).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

from builder.errors import BuildError
from builder.pipeline.order import order_from
from builder.pipeline.outcome import Outcome
from builder.pipeline.play import play
from builder.pipeline.tools.site import Site
from builder.security.checks import check_pod
from builder.security.documents import Document
from builder.security.facts import guess_builder, situation
from builder.security.graph import Start, reach
from builder.security.tekton.check import checked, is_sound
from builder.security.tekton.finding import Severity
from builder.security.tekton.graph import order
from builder.security.tekton.pods import TaskPod, task_pods
from builder.security.tekton.reading import items, mapping, text
from builder.stores.memory import MemoryStore
from course.check import Verdict, Wrong, held

CARELESS: Final = ("archived-executor", "image-not-pinned", "outdated-builder")


@dataclass(frozen=True)
class Attempted:
    """The documents of a pipeline, and the directory that its git clones."""

    documents: tuple[Document, ...]
    repository: Path

    @cached_property
    def manifests(self) -> list[Document]:
        """The documents of Tekton; what a ConfigMap or a Secret holds, the run finds in ``documents``."""
        return [each for each in self.documents if text(_root(each), "apiVersion").startswith("tekton.dev/")]

    @cached_property
    def errors(self) -> tuple[str, ...]:
        """Why a cluster would refuse it, a line each."""
        return tuple(
            f"{problem.line}: {problem.field}: {problem.message}"
            for each in checked(self.manifests)
            for problem in each.problems
            if problem.severity is Severity.ERROR
        )

    @cached_property
    def pods(self) -> tuple[TaskPod, ...]:
        """The pods that its tasks would be."""
        found = checked(self.manifests)
        return tuple(task_pods(each.document for each in found if is_sound(each)))

    @cached_property
    def building(self) -> tuple[TaskPod, ...]:
        """Those of the pods in which a builder runs that is known."""
        return tuple(each for each in self.pods if guess_builder(each.pod) is not None)

    @cached_property
    def played(self) -> Played:
        """How it ends when it is played; raises BuildError if it cannot be played."""
        wanted = order_from(list(self.documents), "", {})
        site = Site(MemoryStore(), self.repository, lambda _: None)
        return Played(
            site, play(wanted, site), tuple(each.name for each in wanted.tasks if each.of == "deploy")
        )


@dataclass(frozen=True, slots=True)
class Played:
    """One play of a pipeline: where it was played, how it ended, and which of its tasks deploy."""

    site: Site
    outcome: Outcome
    deploying: tuple[str, ...]


def _root(document: Document) -> dict[str, object]:
    return document.root if isinstance(document.root, dict) else {}


def wiring(attempt: Attempted) -> Verdict:
    """Whether a cluster takes it, and the build waits for the clone."""
    if attempt.errors:
        return Verdict("wiring", Wrong("", attempt.errors[0]))
    pipelines = [each.root for each in attempt.manifests if text(_root(each), "kind") == "Pipeline"]
    if len(pipelines) != 1:
        return Verdict("wiring", Wrong("no-pipeline", f"kind: Pipeline ({len(pipelines)})"))
    tasks = [task for _, task in items(mapping(pipelines[0], "spec"), "tasks")]
    waits = order(tasks)
    named = {
        text(mapping(task, "taskRef"), "name") or text(task, "name"): text(task, "name") for task in tasks
    }
    if "clone" not in named or "build" not in named:
        return Verdict("wiring", Wrong("no-pipeline", ", ".join(named)))
    before, waiting = set(), [named["build"]]
    while waiting:
        for name in waits.get(waiting.pop(), ()):
            if name not in before:
                before.add(name)
                waiting.append(name)
    return held("wiring", named["clone"] in before, "races", f"tasks: {named['build']}, {named['clone']}")


def node(attempt: Attempted) -> Verdict:
    """Whether nobody who writes a Dockerfile or a job gets from the build to the node."""
    if not attempt.building:
        return Verdict("node", Wrong("no-build"))
    for each in attempt.building:
        kind = guess_builder(each.pod)
        assert kind is not None
        build = situation(each.pod, kind)
        for start in Start:
            reached = reach(build, start)
            if "node_root" in reached:
                steps = " → ".join([start.value, *(edge.target for edge in reached.path("node_root"))])
                return Verdict("node", Wrong("", f"{each.task}: {steps}"))
        for container in each.pod.containers:
            # Its own rights count: another step of the pod may have what the builder lacks.
            alone = replace(each.pod, containers=(container,))
            named = guess_builder(alone)
            if named is not None and not situation(alone, named).works:
                return Verdict(
                    "node", Wrong("cannot-build", f"{each.task}: {container.name}", {"why": named.why})
                )
    return Verdict("node")


def builder(attempt: Attempted) -> Verdict:
    """Whether what builds is named by digest and looked after."""
    if not attempt.building:
        return Verdict("builder", Wrong("no-build"))
    for each in attempt.building:
        for finding in check_pod(each.pod, lambda _: ""):
            if finding.rule in CARELESS:
                return Verdict("builder", Wrong(finding.rule, finding.what))
    return Verdict("builder")


def credentials(attempt: Attempted) -> Verdict:
    """Whether the Secret is a volume that one step alone mounts."""
    for each in attempt.pods:
        for container in each.pod.containers:
            for variable in container.variables:
                if variable.is_secret:
                    return Verdict("credentials", Wrong("variable", f"{container.name}: {variable.name}"))
    holders = [
        (each, container.name)
        for each in attempt.pods
        for container in each.pod.containers
        if {mount.volume for mount in container.mounts}
        & {volume.name for volume in each.pod.volumes if volume.holds_secret}
    ]
    if not holders or not attempt.building:
        return Verdict("credentials", Wrong("none"))
    outside = [f"{each.task}: {step}" for each, step in holders if each not in attempt.building]
    if outside:
        return Verdict("credentials", Wrong("every-step", outside[0]))
    return held(
        "credentials", len(holders) == 1, "every-step", "steps: " + ", ".join(step for _, step in holders)
    )


def digest(attempt: Attempted) -> Verdict:
    """Whether the task deploy gets what was pushed, by digest: the pipeline is played."""
    if attempt.errors:
        return Verdict("digest", Wrong("not-yet"))
    try:
        played = attempt.played
    except BuildError as error:
        return Verdict("digest", Wrong("stopped", error.what))
    outcome = played.outcome
    tasks = {each.name: each for each in outcome.tasks}
    failed = next((each for each in outcome.tasks if each.state == "Failed"), None)
    if failed is not None:
        return Verdict("digest", Wrong("stopped", f"{failed.name}: {failed.why}"))
    deployed = [str(tasks[name].results.get("DEPLOYED", "")) for name in played.deploying]
    if not outcome.pushed or not deployed:
        return Verdict("digest", Wrong("nothing-pushed"))
    image = deployed[0]
    name, _, pinned = image.partition("@")
    pushed = outcome.pushed[-1]
    if not pinned:
        return Verdict("digest", Wrong("", f"deploying {image}"))
    right = pinned == pushed.digest and pushed.reference.startswith(name.rpartition(":")[0] or name)
    return held("digest", right, "another-image", f"deploying {image}")
