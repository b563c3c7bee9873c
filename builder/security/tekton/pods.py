"""The pods that Tekton makes of tasks: a container for each step and sidecar, all at once (docs/pod-design).

Tekton's own init containers are left out: they meet restricted where its setting ``set-security-context`` is
true. A workspace is a volume of whatever the run binds to it; where no run is among the files, one that is
called after credentials is taken for a Secret. Images, commands and arguments have the values of params that
are known: what the run and the pipeline pass, else the defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

from builder.security.documents import Document, Mapping, spelt
from builder.security.fields import Fields, line_of
from builder.security.pods import (
    UNSET,
    Container,
    Pod,
    Role,
    Volume,
    VolumeMount,
    container_from,
    security_from,
    volume_from,
)
from builder.security.pss import Violation
from builder.security.tekton.finding import Path
from builder.security.tekton.library import Library, library
from builder.security.tekton.reading import Manifest, items, mapping, named, text
from builder.security.tekton.values import (
    Lookup,
    Value,
    defaults,
    filled,
    filled_list,
    given,
    of_params,
)
from builder.security.tekton.variables import Variable

TEMPLATE: Final = ("podTemplate",)
"""How a path in a pod begins that leads into the run's template, and not into the task."""

_SECRET_NAMES: Final = ("docker", "credential", "secret", "auth")
_BINDINGS: Final = (
    "persistentVolumeClaim",
    "volumeClaimTemplate",
    "emptyDir",
    "configMap",
    "secret",
    "projected",
    "csi",
)


@dataclass(frozen=True, slots=True)
class TaskPod:
    """A pod and where its parts are written. ``template``: the run's document and the way in it."""

    pod: Pod
    task: str
    template: tuple[Document, Path] | None

    def place(self, path: Path) -> tuple[str, int, str]:
        """File, line and field of a path in the pod."""
        document, where = self.pod.document, path
        if path[:1] == TEMPLATE:
            if self.template is None:
                where = ()
            else:
                document, where = self.template[0], (*self.template[1], *path[1:])
        return document.name, line_of(document, where), spelt(where)

    def at(self, violation: Violation) -> tuple[str, int, str]:
        """File, line and field of what breaks a rule."""
        return self.place(violation.path)


def task_pods(documents: Iterable[Document]) -> list[TaskPod]:
    """The pods of all tasks in ``documents``: of the runs, and of the tasks that no run here uses.

    The documents must have the structure of their kinds (``schema``).
    """
    documents = list(documents)
    known = library(documents)
    homes = {id(document.root): document for document in documents}
    found: list[TaskPod] = []
    used: set[int] = set()
    for document in documents:
        for each, root in _of_runs(document, known, homes):
            found.append(each)
            used.add(id(root))
    for document in documents:
        root = document.root
        if not isinstance(root, Mapping) or not text(root, "apiVersion").startswith("tekton.dev/"):
            continue
        if text(root, "kind") == "Task" and id(root) not in used:
            name = text(mapping(root, "metadata"), "name")
            found += _pod(document, ("spec",), name, f"Task/{name}", _Run(), known)
        elif text(root, "kind") == "Pipeline" and id(root) not in used:
            name = text(mapping(root, "metadata"), "name")
            for path, task, inline in _tasks(mapping(root, "spec"), ("spec",)):
                if inline:
                    params = given(task, of_params(defaults(mapping(root, "spec"))))
                    run = _Run(params=params)
                    found += _pod(
                        document, (*path, "taskSpec"), text(task, "name"), f"Pipeline/{name}", run, known
                    )
    return found


@dataclass(frozen=True, slots=True)
class _Run:
    """What a run adds to a task: its podTemplate, with its place, and its bindings (None: no run).

    ``params``: the values that it and the pipeline pass.
    """

    template: Manifest | None = None
    place: tuple[Document, Path] | None = None
    bindings: Manifest | None = None
    account: str = ""
    params: dict[str, Value] = field(default_factory=dict)


def _of_runs(document: Document, known: Library, homes: dict[int, Document]) -> Iterator[tuple[TaskPod, Any]]:
    """The pods of a run, each with the root of the document that its task stands in, or its pipeline does."""
    root = document.root
    if not isinstance(root, Mapping) or not text(root, "apiVersion").startswith("tekton.dev/"):
        return
    spec, kind = mapping(root, "spec"), text(root, "kind")
    metadata = mapping(root, "metadata")
    of = f"{kind}/{text(metadata, 'name') or text(metadata, 'generateName')}"
    if kind == "TaskRun":
        run = _Run(
            mapping(spec, "podTemplate"),
            (document, ("spec", "podTemplate")),
            named(spec, "workspaces"),
            text(spec, "serviceAccountName"),
            given(spec, _unknown),
        )
        if mapping(spec, "taskSpec"):
            for each in _pod(document, ("spec", "taskSpec"), "", of, run, known):
                yield each, root
        task = known.tasks.get(text(mapping(spec, "taskRef"), "name"))
        if task is not None and not mapping(spec, "taskSpec"):
            name = text(mapping(spec, "taskRef"), "name")
            for each in _pod(homes[id(task)], ("spec",), name, of, run, known):
                yield each, task
    elif kind == "PipelineRun":
        yield from _of_pipeline_run(document, spec, of, known, homes)


def _of_pipeline_run(
    document: Document, spec: Manifest, of: str, known: Library, homes: dict[int, Document]
) -> Iterator[tuple[TaskPod, Any]]:
    home, pipeline = document, mapping(spec, "pipelineSpec")
    place: Path = ("spec", "pipelineSpec")
    if not pipeline:
        referred = known.pipelines.get(text(mapping(spec, "pipelineRef"), "name"))
        if referred is None:
            return
        home, place, pipeline = homes[id(referred)], ("spec",), mapping(referred, "spec")
    bound = named(spec, "workspaces")
    for path, task, inline in _tasks(pipeline, place):
        run = _run_of(document, spec, task, bound)
        passed = given(spec, _unknown, defaults(pipeline))
        # What the run passes is known in tasks that are written inline, too.
        run = replace(run, params=given(task, of_params(passed), passed if inline else {}))
        if inline:
            for each in _pod(home, (*path, "taskSpec"), text(task, "name"), of, run, known):
                yield each, home.root
        referred_task = known.tasks.get(text(mapping(task, "taskRef"), "name"))
        if not inline and referred_task is not None and not text(mapping(task, "taskRef"), "resolver"):
            for each in _pod(homes[id(referred_task)], ("spec",), text(task, "name"), of, run, known):
                yield each, referred_task


def _run_of(document: Document, spec: Manifest, task: Manifest, bound: dict[str, Manifest]) -> _Run:
    """What a PipelineRun adds to one task: the podTemplate for it, else the general one."""
    general = mapping(spec, "taskRunTemplate")
    template = mapping(general, "podTemplate")
    place: Path = ("spec", "taskRunTemplate", "podTemplate")
    account = text(general, "serviceAccountName")
    for index, each in items(spec, "taskRunSpecs"):
        if text(each, "pipelineTaskName") == text(task, "name"):
            account = text(each, "serviceAccountName") or account
            if mapping(each, "podTemplate"):
                template, place = mapping(each, "podTemplate"), ("spec", "taskRunSpecs", index, "podTemplate")
    bindings = dict(bound)
    for _, binding in items(task, "workspaces"):
        source = text(binding, "workspace") or text(binding, "name")
        if source in bound:
            bindings[text(binding, "name")] = bound[source]
    return _Run(template, (document, place), bindings, account)


def _tasks(pipeline: Manifest, place: Path) -> Iterator[tuple[Path, Manifest, bool]]:
    """The tasks of a pipeline with their places, and whether each is written inline."""
    for key in ("tasks", "finally"):
        for index, task in items(pipeline, key):
            inline = mapping(task, "taskSpec")
            if not text(inline, "apiVersion"):
                yield (*place, key, index), task, bool(inline)


def _pod(document: Document, path: Path, task: str, of: str, run: _Run, known: Library) -> Iterator[TaskPod]:
    """The pod of the TaskSpec at ``path``; none if it has no steps that are known."""
    spec: Any = document.root
    for part in path:
        spec = spec[part]
    template = mapping(spec, "stepTemplate")
    containers = []
    workspaces = named(spec, "workspaces")
    wanted = {
        text(usage, "name")
        for key in ("steps", "sidecars")
        for _, holder in items(spec, key)
        for _, usage in items(holder, "workspaces")
    }
    for key, role in (("steps", Role.MAIN), ("sidecars", Role.MAIN)):
        for index, step in items(spec, key):
            whole = merged(template, step) if key == "steps" else step
            action = known.step_actions.get(text(mapping(step, "ref"), "name"))
            if action is not None:
                whole = merged(mapping(action, "spec"), whole)
            if not isinstance(whole, Mapping):
                continue
            place = (*path, key, index)
            container = container_from(Fields(whole, document, place), role)
            mounts = tuple(workspace_mounts(step, workspaces, wanted))
            name = container.name or f"unnamed-{index}"
            container = _with_values(container, of_params({**defaults(spec), **run.params}))
            containers.append(replace(container, name=name, mounts=(*container.mounts, *mounts)))
    if not containers:
        return
    volumes = [
        volume_from(Fields(each, document, (*path, "volumes", at)))
        for at, each in items(spec, "volumes")
        if isinstance(each, Mapping)
    ]
    volumes += [_workspace_volume(name, run, path) for name in workspaces]
    pod = Pod(
        document=document,
        kind="Task",
        name=f"{of.partition('/')[2]}/{task}"
        if task and not of.startswith("Task/")
        else of.partition("/")[2],
        path=TEMPLATE,
        containers=tuple(containers),
        volumes=tuple(volumes),
    )
    yield TaskPod(_with_template(pod, run), task, run.place)


def sounds_secret(workspace: str) -> bool:
    """Whether a workspace that nothing is bound to is taken for a Secret, by its name."""
    return any(each in workspace.lower() for each in _SECRET_NAMES)


def _unknown(_: Variable) -> None:
    """The lookup of a run's own params: there is nothing that they could name."""


def _with_values(container: Container, look: Lookup) -> Container:
    return replace(
        container,
        image=filled(container.image, look),
        command=tuple(filled_list(container.command, look)),
        args=tuple(filled_list(container.args, look)),
    )


def _with_template(pod: Pod, run: _Run) -> Pod:
    """The pod with what the run's podTemplate says."""
    template = run.template
    if not isinstance(template, Mapping):
        return replace(pod, service_account=run.account or "default")
    assert run.place is not None
    fields = Fields(template, run.place[0], TEMPLATE)
    context = fields.fields("securityContext")
    return replace(
        pod,
        security=UNSET if context is None else security_from(context),
        host_network=fields.flag("hostNetwork") is True,
        host_users=fields.flag("hostUsers") is not False,
        runtime_class=fields.text("runtimeClassName") or "",
        automounts_token=fields.flag("automountServiceAccountToken") is not False,
        service_account=run.account or "default",
        volumes=(*pod.volumes, *(volume_from(each) for each in fields.items("volumes"))),
    )


def workspace_mounts(
    step: Manifest, workspaces: dict[str, Manifest], wanted: Set[str]
) -> Iterator[VolumeMount]:
    """The workspaces in one container: those that it asks for, and all that none asks for (``wanted``)."""
    own = {text(usage, "name"): usage for _, usage in items(step, "workspaces")}
    for name, workspace in workspaces.items():
        if name in own or name not in wanted:
            where = (
                text(own.get(name, {}), "mountPath") or text(workspace, "mountPath") or f"/workspace/{name}"
            )
            yield VolumeMount(f"workspace-{name}", where, workspace.get("readOnly") is True)


def _workspace_volume(name: str, run: _Run, path: Path) -> Volume:
    binding = (run.bindings or {}).get(name)
    if binding is None:
        is_secret = run.bindings is None and sounds_secret(name)
        source = "secret" if is_secret else "persistentVolumeClaim"
    else:
        source = next((each for each in _BINDINGS if binding.get(each) is not None), "emptyDir")
        if source == "volumeClaimTemplate":
            source = "persistentVolumeClaim"
        is_secret = source == "secret" or any(
            "secret" in each for _, each in items(mapping(binding, "projected"), "sources")
        )
    return Volume(name=f"workspace-{name}", source=source, path=(*path, "workspaces"), holds_secret=is_secret)


def merged(template: Manifest, step: Manifest) -> Manifest:
    """A step with what its template says where it says nothing itself (pkg/apis merge.go)."""
    if not isinstance(template, Mapping) or not isinstance(step, Mapping) or not template:
        return step
    found = Mapping(template)
    found.line = step.line
    found.lines = {**template.lines, **step.lines}
    for key, value in step.items():
        before = template.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            found[key] = merged(before, value)
        elif value is not None:
            found[key] = value
    return found
