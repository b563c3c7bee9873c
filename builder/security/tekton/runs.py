"""What is wrong with a run: what it names, passes and binds (taskrun_ and pipelinerun_validation.go)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Final

from builder.security.tekton import graph, names, params
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path, beneath
from builder.security.tekton.library import Library
from builder.security.tekton.params import Declared
from builder.security.tekton.pipeline import Outside, findings_of_pipeline
from builder.security.tekton.reading import Manifest, items, mapping, named, strings, text
from builder.security.tekton.references import reference
from builder.security.tekton.schema import suggestion
from builder.security.tekton.task import Surroundings, findings_of_task
from builder.security.tekton.variables import variables

_SOURCES: Final = (
    "volumeClaimTemplate",
    "persistentVolumeClaim",
    "emptyDir",
    "configMap",
    "secret",
    "projected",
    "csi",
)
_PIPELINE_STATUSES: Final = ("Cancelled", "CancelledRunFinally", "StoppedRunFinally", "PipelineRunPending")
_DEFAULT_TIMEOUT_SECONDS: Final = 3600.0
_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PIECE: Final = re.compile(r"([0-9.]+)(ns|us|µs|μs|ms|s|m|h)")


def findings_of_task_run(spec: Manifest, features: Features, library: Library) -> list[Finding]:
    """What is wrong with the TaskRunSpec ``spec``; paths begin at it."""
    found = _one(spec, "taskRef", "taskSpec")
    found += params.values(spec, features) + _workspaces(spec, features) + _specs(spec, features)
    found += _duration(spec, "timeout", ("timeout",))
    status = text(spec, "status")
    if status and status != "TaskRunCancelled":
        found.append(Finding("run-status", ("status",), f"the status is {status!r}", "TaskRunCancelled"))
    if text(spec, "statusMessage") and not status:
        found.append(Finding("run-status", ("statusMessage",), "a statusMessage needs a status"))
    if spec.get("debug") is not None:
        found += features.lacking(Features.ALPHA, "debug", ("debug",))
    task = mapping(spec, "taskSpec")
    if task:
        own = params.provided(spec)
        around = Surroundings(
            own, frozenset(named(spec, "workspaces")), of_run=True, step_actions=library.step_actions
        )
        found += beneath(("taskSpec",), findings_of_task(task, features, around))
        return found + _passing(task, spec, "the task")
    ref = mapping(spec, "taskRef")
    if spec.get("taskRef") is not None:
        found += beneath(("taskRef",), reference(ref, features, "a Task"))
        known = library.tasks.get(text(ref, "name"))
        if known is not None and not text(ref, "resolver"):
            found += _passing(mapping(known, "spec"), spec, f"the Task {text(ref, 'name')!r}")
    return found


def findings_of_pipeline_run(spec: Manifest, features: Features, library: Library) -> list[Finding]:
    """What is wrong with the PipelineRunSpec ``spec``; paths begin at it."""
    found = _one(spec, "pipelineRef", "pipelineSpec")
    found += params.values(spec, features) + _no_results(spec) + _workspaces(spec, features)
    found += _timeouts(mapping(spec, "timeouts"))
    status = text(spec, "status")
    if status and status not in _PIPELINE_STATUSES:
        fix = ", ".join(_PIPELINE_STATUSES)
        found.append(Finding("run-status", ("status",), f"the status is {status!r}", fix))
    pipeline = mapping(spec, "pipelineSpec")
    if pipeline:
        outside = Outside(params.provided(spec), frozenset(named(spec, "workspaces")), of_run=True)
        found += beneath(("pipelineSpec",), findings_of_pipeline(pipeline, features, library, outside))
        found += _passing(pipeline, spec, "the pipeline")
    elif spec.get("pipelineRef") is not None:
        ref = mapping(spec, "pipelineRef")
        found += beneath(("pipelineRef",), reference(ref, features, "a Pipeline"))
        known = library.pipelines.get(text(ref, "name"))
        if known is not None and not text(ref, "resolver"):
            pipeline = mapping(known, "spec")
            found += _passing(pipeline, spec, f"the Pipeline {text(ref, 'name')!r}")
    for index, each in items(spec, "taskRunSpecs"):
        path: Path = ("taskRunSpecs", index)
        found += beneath(path, _specs(each, features))
        name = text(each, "pipelineTaskName")
        tasks = [*named(pipeline, "tasks"), *named(pipeline, "finally")]
        if pipeline and name not in tasks:
            what = f"the pipeline has no task {name!r}"
            found.append(Finding("unknown-task", (*path, "pipelineTaskName"), what, suggestion(name, tasks)))
    return found


def _one(spec: Manifest, ref: str, inline: str) -> list[Finding]:
    given = [key for key in (ref, inline) if spec.get(key) is not None]
    if len(given) == 1:
        return []
    what = f"the run has {ref} and {inline}" if given else f"the run has no {ref} and no {inline}"
    return [Finding("one-definition", (), what, f"one of {ref} and {inline}")]


def _passing(definition: Manifest, spec: Manifest, of: str) -> list[Finding]:
    """The params and workspaces that a run gives, against those that the definition declares."""
    wanted: Mapping[str, Declared] = params.declared(definition)
    found = params.fitting(wanted, spec, {}, of=of)
    given = named(spec, "workspaces")
    for name, each in named(definition, "workspaces").items():
        if name not in given and each.get("optional") is not True:
            what = f"{of} needs the workspace {name!r}, and the run does not bind it"
            found.append(
                Finding("missing-workspace", (), what, f"workspaces: [{{name: {name}, emptyDir: {{}}}}]")
            )
    return found


def _no_results(spec: Manifest) -> list[Finding]:
    found = []
    for index, param in items(spec, "params"):
        for path, value in strings(param.get("value"), ("params", index, "value")):
            for variable in variables(value):
                if graph.is_result(variable):
                    what = f"{variable.text}: a run's params are known before any task runs"
                    found.append(Finding("scope", path, what))
    return found


def _workspaces(spec: Manifest, features: Features) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for index, binding in items(spec, "workspaces"):
        path: Path = ("workspaces", index)
        name = text(binding, "name")
        if name in seen:
            found.append(
                Finding("duplicate-workspace", (*path, "name"), f"the workspace {name!r} is bound before")
            )
        seen.add(name)
        given = [source for source in _SOURCES if binding.get(source) is not None]
        if len(given) != 1:
            what = (
                f"the workspace {name!r} is bound to {' and '.join(given)}"
                if given
                else f"the workspace {name!r} has no volume"
            )
            found.append(Finding("binding", path, what, f"one of {', '.join(_SOURCES)}"))
            continue
        found += beneath(path, _source(binding, given[0], features))
    return found


def _source(binding: Manifest, source: str, features: Features) -> list[Finding]:
    volume = mapping(binding, source)
    needed = {
        "persistentVolumeClaim": "claimName",
        "configMap": "name",
        "secret": "secretName",
        "projected": "sources",
    }
    if source == "csi":
        return features.lacking(Features.BETA, "a csi workspace", ("csi",))
    if source in needed and not volume.get(needed[source]):
        return [Finding("binding", (source,), f"{source} needs {needed[source]}")]
    return []


def _specs(spec: Manifest, features: Features) -> list[Finding]:
    found: list[Finding] = []
    for key in ("stepSpecs", "sidecarSpecs"):
        if spec.get(key) is not None:
            found += features.lacking(Features.BETA, key, (key,))
        seen: set[str] = set()
        for index, each in items(spec, key):
            name = text(each, "name")
            if not name or name in seen:
                what = f"{name!r} stands here twice" if name else f"{key}[{index}] has no name"
                found.append(Finding("step-spec", (key, index), what))
            seen.add(name)
    if spec.get("computeResources") is not None:
        found += features.lacking(Features.BETA, "computeResources of a run", ("computeResources",))
        if any(mapping(each, "computeResources") for _, each in items(spec, "stepSpecs")):
            what = "computeResources stand on the run and on its steps"
            found.append(Finding("step-spec", ("computeResources",), what, "one of the two"))
    return found


def _duration(holder: Manifest, key: str, path: Path) -> list[Finding]:
    value = text(holder, key)
    if not value or "$(" in value:
        return []
    if not names.is_duration(value):
        return [Finding("duration", path, f"{value!r} is no duration", "such as 90s or 1h30m")]
    return [Finding("duration", path, f"{value!r} is negative")] if value.startswith("-") else []


def _timeouts(timeouts: Manifest) -> list[Finding]:
    found: list[Finding] = []
    for key in ("pipeline", "tasks", "finally"):
        found += _duration(timeouts, key, ("timeouts", key))
    if found or not timeouts:
        return found
    whole = seconds_of(text(timeouts, "pipeline")) if text(timeouts, "pipeline") else _DEFAULT_TIMEOUT_SECONDS
    parts = {key: seconds_of(text(timeouts, key)) for key in ("tasks", "finally") if text(timeouts, key)}
    if not whole:
        return []
    limit = text(timeouts, "pipeline") or "1h, which is the default"
    for key, seconds in parts.items():
        if seconds > whole or seconds == 0:
            what = f"{text(timeouts, key)} is more than the whole pipeline has: {limit}"
            found.append(Finding("timeouts", ("timeouts", key), what))
    if not found and sum(parts.values()) > whole:
        what = f"tasks and finally together have more than the whole pipeline: {limit}"
        found.append(Finding("timeouts", ("timeouts",), what))
    return found


def seconds_of(duration: str) -> float:
    """Seconds of a Go duration.

    >>> seconds_of("1h30m"), seconds_of("0")
    (5400.0, 0.0)
    """
    return math.fsum(float(number) * _UNITS[unit] for number, unit in _PIECE.findall(duration))
