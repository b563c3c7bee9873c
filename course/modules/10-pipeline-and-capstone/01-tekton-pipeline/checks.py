"""Exercise 10.1: the pipeline is checked, its pods are looked at, and it is played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from builder.errors import BuildError
from builder.pipeline.order import order_from
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
from course.check import Verdict, held

CARELESS = ("archived-executor", "image-not-pinned", "outdated-builder")
CONTEXT = Path(__file__).parent / "given"


def judge(documents: Sequence[Document], starter: Sequence[Document]) -> Iterator[Verdict]:
    manifests = list(documents)
    found = checked(manifests)
    pods = task_pods(each.document for each in found if is_sound(each))
    building = [each for each in pods if guess_builder(each.pod) is not None]
    errors = [
        f"{problem.line}: {problem.field}: {problem.message}"
        for each in found
        for problem in each.problems
        if problem.severity is Severity.ERROR
    ]
    yield wiring(manifests, errors)
    yield node(building)
    yield builder(building)
    yield credentials(pods, building)
    yield digest(manifests, errors)


def wiring(manifests: list[Document], errors: list[str]) -> Verdict:
    """Whether a cluster takes it, and the build waits for the clone."""
    if errors:
        return held("wiring", False, "", errors[0])
    pipelines = [each.root for each in manifests if text(each.root, "kind") == "Pipeline"]
    if len(pipelines) != 1:
        return held("wiring", False, "no-pipeline", f"{len(pipelines)}")
    tasks = [task for _, task in items(mapping(pipelines[0], "spec"), "tasks")]
    waits = order(tasks)
    named = {
        text(mapping(task, "taskRef"), "name") or text(task, "name"): text(task, "name") for task in tasks
    }
    if "clone" not in named or "build" not in named:
        return held("wiring", False, "no-pipeline", ", ".join(named))
    before, waiting = set(), [named["build"]]
    while waiting:
        for name in waits.get(waiting.pop(), ()):
            if name not in before:
                before.add(name)
                waiting.append(name)
    return held("wiring", named["clone"] in before, "races", f"tasks: {named['build']}, {named['clone']}")


def node(building: list[TaskPod]) -> Verdict:
    """Whether nobody who writes a Dockerfile or a job gets from the build to the node."""
    if not building:
        return held("node", False, "no-build")
    for each in building:
        kind = guess_builder(each.pod)
        assert kind is not None
        build = situation(each.pod, kind)
        for start in Start:
            reached = reach(build, start)
            if "node_root" in reached:
                steps = " → ".join([start.value, *(edge.target for edge in reached.path("node_root"))])
                return held("node", False, "", f"{each.task}: {steps}")
        if not build.works:
            return held("node", False, "cannot-build", kind.name, why=kind.why)
    return held("node", True)


def builder(building: list[TaskPod]) -> Verdict:
    """Whether what builds is named by digest and looked after."""
    if not building:
        return held("builder", False, "no-build")
    for each in building:
        for finding in check_pod(each.pod, lambda _: ""):
            if finding.rule in CARELESS:
                return held("builder", False, finding.rule, finding.what)
    return held("builder", True)


def credentials(pods: list[TaskPod], building: list[TaskPod]) -> Verdict:
    """Whether the Secret is a volume that one step alone mounts."""
    for each in pods:
        for container in each.pod.containers:
            for variable in container.variables:
                if variable.is_secret:
                    return held("credentials", False, "variable", f"{container.name}: {variable.name}")
    holders = [
        (each, container.name)
        for each in pods
        for container in each.pod.containers
        if {mount.volume for mount in container.mounts}
        & {volume.name for volume in each.pod.volumes if volume.holds_secret}
    ]
    if not holders or not building:
        return held("credentials", False, "none")
    outside = [f"{each.task}: {step}" for each, step in holders if each not in building]
    if outside:
        return held("credentials", False, "every-step", outside[0])
    return held(
        "credentials", len(holders) == 1, "every-step", "steps: " + ", ".join(step for _, step in holders)
    )


def digest(manifests: list[Document], errors: list[str]) -> Verdict:
    """Whether the task deploy gets what was pushed, by digest: the pipeline is played."""
    if errors:
        return held("digest", False, "not-yet")
    try:
        wanted = order_from(manifests, "", {})
        outcome = play(wanted, Site(MemoryStore(), CONTEXT, lambda _: None))
    except BuildError as error:
        return held("digest", False, "stopped", error.what)
    tasks = {each.name: each for each in outcome.tasks}
    failed = next((each for each in outcome.tasks if each.state == "Failed"), None)
    if failed is not None:
        return held("digest", False, "stopped", f"{failed.name}: {failed.why}")
    ends = {task.name for task in wanted.tasks if task.of == "deploy"}
    deployed = [str(tasks[name].results.get("DEPLOYED", "")) for name in ends]
    if not outcome.pushed or not deployed:
        return held("digest", False, "nothing-pushed")
    image = deployed[0]
    name, _, pinned = image.partition("@")
    pushed = outcome.pushed[-1]
    if not pinned:
        return held("digest", False, "", f"deploying {image}")
    right = pinned == pushed.digest and pushed.reference.startswith(name.rpartition(":")[0] or name)
    return held("digest", right, "another-image", f"deploying {image}")
