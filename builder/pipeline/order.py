"""What is to be played: which run, pipeline or task of some documents, with which values."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final

from builder.errors import BuildError, NotSupportedError
from builder.security.documents import Document, place_name, spelt
from builder.security.fields import line_of
from builder.security.tekton.finding import Path
from builder.security.tekton.library import Library, library
from builder.security.tekton.params import Type, declared
from builder.security.tekton.pods import sounds_secret
from builder.security.tekton.reading import Manifest, items, mapping, named, text
from builder.security.tekton.runs import seconds_of
from builder.security.tekton.values import Value, defaults, given, value_from

_PLAYED: Final = (("PipelineRun", "TaskRun"), ("Pipeline",), ("Task",))
"""What is looked for among the documents, and in what order."""


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping in a document, and where it stands."""

    document: Document
    path: Path

    @property
    def value(self) -> Manifest:
        """The mapping."""
        found: Any = self.document.root
        for step in self.path:
            found = found[step]
        return found if isinstance(found, dict) else {}

    def below(self, *path: str | int) -> Part:
        """A part of this part."""
        return Part(self.document, (*self.path, *path))

    def where(self, *path: str | int) -> str:
        """File, line and field of something in it."""
        whole = (*self.path, *path)
        return place_name(self.document.name, line_of(self.document, whole), spelt(whole))

    def refused(self, what: str, *path: str | int, fix: str = "") -> NotSupportedError:
        """The error for something in it that the simulation does not do."""
        return NotSupportedError(
            f"the simulation does not play {what}", where=self.where(*path), fix=fix or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedTask:
    """A task of a pipeline. ``part``: the task as the pipeline lists it; ``spec``: its steps and the rest.

    ``of``: the name of the Task that it refers to; empty if it is written inline.
    """

    name: str
    part: Part
    spec: Part
    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run. ``workspaces``: what each is bound to; a workspace that nothing is bound to is left out.

    ``results``: name → expression, of the pipeline. ``files``: kind and name of ConfigMaps and Secrets → what
    they hold. ``timeouts``: seconds for ``pipeline``, ``tasks`` and ``finally``, where something is said.
    """

    name: str
    pipeline: str
    tasks: tuple[PlannedTask, ...]
    final: tuple[PlannedTask, ...] = ()
    params: Mapping[str, Value]
    workspaces: Mapping[str, Manifest]
    results: Mapping[str, Value] = field(default_factory=dict)
    step_actions: Mapping[str, Manifest] = field(default_factory=dict)
    files: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict)
    timeouts: Mapping[str, float] = field(default_factory=dict)


def order_from(documents: Sequence[Document], chosen: str, params: Mapping[str, str]) -> Order:
    """What ``documents`` ask for. ``chosen``: the name of an object; ``params``: over those that are written.

    Raises NotSupportedError that names file, line and field for what cannot be played, and BuildError where
    nothing, or more than one thing, could be meant, or a param has no value.
    """
    part = _chosen(documents, chosen)
    known, homes = library(documents), {id(each.root): each for each in documents}
    kind = text(part.value, "kind")
    making = _Making(known, homes, params)
    order = making.of_pipeline(part) if "Pipeline" in kind else making.of_task(part)
    return replace(order, files=dict(_files(documents)))


def _files(documents: Iterable[Document]) -> Iterator[tuple[tuple[str, str], dict[str, bytes]]]:
    """What the ConfigMaps and Secrets among the documents hold."""
    for document in documents:
        root = document.root
        if not isinstance(root, dict) or text(root, "apiVersion") != "v1":
            continue
        plain: Manifest = {**mapping(root, "data"), **mapping(root, "stringData")}
        encoded = mapping(root, "binaryData")
        if text(root, "kind") == "Secret":
            plain, encoded = mapping(root, "stringData"), mapping(root, "data")
        elif text(root, "kind") != "ConfigMap":
            continue
        found = {key: str(value).encode("utf-8", "surrogateescape") for key, value in plain.items()}
        with suppress(ValueError):
            found |= {key: b64decode(str(value), validate=True) for key, value in encoded.items()}
        yield (text(root, "kind"), text(mapping(root, "metadata"), "name")), found


def _chosen(documents: Iterable[Document], name: str) -> Part:
    found: list[tuple[str, str, Part]] = []
    for document in documents:
        root = document.root
        if isinstance(root, dict) and text(root, "apiVersion") == "tekton.dev/v1":
            metadata = mapping(root, "metadata")
            called = text(metadata, "name") or text(metadata, "generateName")
            found.append((text(root, "kind"), called, Part(document, ())))
    for kinds in _PLAYED:
        there = [each for each in found if each[0] in kinds and name in ("", each[1])]
        if len(there) == 1:
            return there[0][2]
        if there:
            names = ", ".join(dict.fromkeys(each[1] for each in there))
            raise BuildError(f"there is more than one {kinds[0]}", fix=f"--name one of: {names}")
    if name:
        names = ", ".join(dict.fromkeys(each[1] for each in found)) or "nothing"
        raise BuildError(f"nothing called {name!r} can be played", fix=f"there is: {names}")
    raise BuildError("there is no run, pipeline or task to play", fix="name a file that has one")


@dataclass(frozen=True, slots=True)
class _Making:
    known: Library
    homes: Mapping[int, Document]
    given: Mapping[str, str]

    def of_pipeline(self, part: Part) -> Order:
        run = part.below("spec")
        spec, name = run, text(mapping(part.value, "metadata"), "name")
        bound: Manifest = {}
        is_run = text(part.value, "kind") == "PipelineRun"
        if is_run:
            spec, name = self._pipeline(run)
            bound = named(run.value, "workspaces")
        params = self._params(spec.value, run.value if is_run else {})
        if not is_run:
            bound = _bindings(spec.value)
        return Order(
            name=_run_name(part.value),
            pipeline=name,
            tasks=tuple(self._tasks(spec, "tasks")),
            final=tuple(self._tasks(spec, "finally")),
            params=params,
            workspaces=bound,
            results={
                text(each, "name"): value_from(each.get("value")) for _, each in items(spec.value, "results")
            },
            step_actions=self.known.step_actions,
            timeouts=_timeouts(run.value) if is_run else {},
        )

    def of_task(self, part: Part) -> Order:
        run = part.below("spec")
        if text(part.value, "kind") == "Task":
            spec, of, bound = run, text(mapping(part.value, "metadata"), "name"), _bindings(run.value)
            params = self._params(run.value, {})
        else:
            self._refuse_run(run)
            spec, of = self._task(run)
            params, bound = self._params(spec.value, run.value), named(run.value, "workspaces")
        task = PlannedTask(name=of or _run_name(part.value), part=run, spec=spec, of=of)
        return Order(
            name=_run_name(part.value),
            pipeline="",
            tasks=(task,),
            params=params,
            workspaces=bound,
            step_actions=self.known.step_actions,
        )

    def _pipeline(self, run: Part) -> tuple[Part, str]:
        """The pipeline of a run, and its name."""
        self._refuse_run(run)
        if mapping(run.value, "pipelineSpec"):
            return run.below("pipelineSpec"), ""
        reference = mapping(run.value, "pipelineRef")
        if "resolver" in reference:
            raise run.refused(
                "references that a resolver fetches", "pipelineRef", "resolver", fix=_FETCH_YOURSELF
            )
        name = text(reference, "name")
        found = self.known.pipelines.get(name)
        if found is None:
            raise self._missing("Pipeline", name, run.where("pipelineRef", "name"), self.known.pipelines)
        return Part(self.homes[id(found)], ("spec",)), name

    def _tasks(self, spec: Part, key: str) -> Iterator[PlannedTask]:
        for index, task in items(spec.value, key):
            part = spec.below(key, index)
            for word, called in _REFUSED_IN_TASKS.items():
                if word in task:
                    raise part.refused(called, word)
            _refuse_cel(part)
            found, of = self._task(part)
            yield PlannedTask(name=text(task, "name") or of, part=part, spec=found, of=of)

    def _task(self, part: Part) -> tuple[Part, str]:
        """The TaskSpec that a pipeline's task or a TaskRun means, and the Task's name."""
        inline, reference = mapping(part.value, "taskSpec"), mapping(part.value, "taskRef")
        if inline:
            if text(inline, "apiVersion"):
                raise part.refused("custom tasks", "taskSpec", "apiVersion")
            return part.below("taskSpec"), ""
        if "resolver" in reference:
            raise part.refused(
                "references that a resolver fetches", "taskRef", "resolver", fix=_FETCH_YOURSELF
            )
        if text(reference, "apiVersion") and not text(reference, "apiVersion").startswith("tekton.dev/"):
            raise part.refused("custom tasks", "taskRef", "apiVersion")
        name = text(reference, "name")
        found = self.known.tasks.get(name)
        if found is None:
            raise self._missing("Task", name, part.where("taskRef", "name"), self.known.tasks)
        return Part(self.homes[id(found)], ("spec",)), name

    def _missing(self, kind: str, name: str, where: str, known: Mapping[str, Any]) -> BuildError:
        there = f"there is: {', '.join(known)}; " if known else ""
        return BuildError(
            f"no {kind} called {name!r} is in the files",
            where=where,
            fix=f"{there}name its file on the command line, too",
        )

    def _refuse_run(self, run: Part) -> None:
        for word, called in _REFUSED_IN_RUNS.items():
            if word in run.value:
                raise run.refused(called, word)

    def _params(self, spec: Manifest, run: Manifest) -> dict[str, Value]:
        """The values of all params of a pipeline or task."""
        wanted = declared(spec)
        found = given(run, lambda _: None, defaults(spec))
        for name, written in self.given.items():
            if name not in wanted and name not in found:
                there = ", ".join(wanted) or "none"
                raise BuildError(f"there is no param {name!r}", fix=f"there is: {there}")
            found[name] = _typed(written, wanted[name].type if name in wanted else Type.STRING)
        missing = [name for name in wanted if name not in found]
        if missing:
            raise BuildError(
                f"the param {missing[0]!r} has no value",
                fix="say " + " ".join(f"-p {name}=…" for name in missing),
            )
        return found


_FETCH_YOURSELF: Final = "nothing is fetched: put the Task into a file, and name it with name:"
_REFUSED_IN_TASKS: Final = {
    "matrix": "a matrix",
    "retries": "retries",
    "pipelineRef": "pipelines in pipelines",
    "pipelineSpec": "pipelines in pipelines",
}
_REFUSED_IN_RUNS: Final = {"status": "a status", "debug": "breakpoints", "retries": "retries"}


def _timeouts(run: Manifest) -> dict[str, float]:
    """What a run says of time; what the tasks have is what finally leaves them of the whole."""
    found = {key: seconds_of(str(value)) for key, value in mapping(run, "timeouts").items()}
    if found.get("pipeline") and found.get("finally") and not found.get("tasks"):
        found["tasks"] = found["pipeline"] - found["finally"]
    return found


def _refuse_cel(part: Part) -> None:
    for index, condition in items(part.value, "when"):
        if "cel" in condition:
            raise part.refused("conditions in CEL", "when", index, "cel", fix="write input, operator, values")


def _run_name(manifest: Manifest) -> str:
    """What the run is called; a name that the cluster would make up ends with ``simulated``."""
    metadata = mapping(manifest, "metadata")
    if text(manifest, "kind").endswith("Run") and text(metadata, "name"):
        return text(metadata, "name")
    return (text(metadata, "generateName") or f"{text(metadata, 'name')}-") + "simulated"


def _bindings(spec: Manifest) -> dict[str, Manifest]:
    """What workspaces are bound to where no run says it: volumes that tasks share."""
    return {
        name: {"name": name, "secret": {"secretName": name}}
        if sounds_secret(name)
        else {"name": name, "persistentVolumeClaim": {"claimName": name}}
        for name, each in named(spec, "workspaces").items()
        if each.get("optional") is not True
    }


def _typed(written: str, type_: Type) -> Value:
    """A param as the command line has it: items with commas between them, ``key:value`` for objects."""
    if type_ is Type.ARRAY:
        return written.split(",") if written else []
    if type_ is Type.OBJECT:
        return dict(each.partition(":")[::2] for each in written.split(",") if each)
    return written
