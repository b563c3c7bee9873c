"""What variables ``$(…)`` stand for while a pipeline is played (Tekton, docs/variables.md)."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Mapping
from typing import Final

from builder.pipeline.outcome import FAILED, SKIPPED, SUCCEEDED, TaskOutcome
from builder.security.tekton.reading import Manifest, items, text, texts
from builder.security.tekton.values import Lookup, Value, filled, filled_list, selected
from builder.security.tekton.variables import Variable

RESULTS: Final = "/tekton/results"
STEPS: Final = "/tekton/steps"


def first(*looks: Lookup) -> Lookup:
    """Asks each in turn."""

    def look(variable: Variable) -> Value | None:
        for each in looks:
            found = each(variable)
            if found is not None:
                return found
        return None

    return look


def of_context(values: Mapping[str, str]) -> Lookup:
    """``$(context.…)``: the part behind ``context.`` → value."""

    def look(variable: Variable) -> Value | None:
        return values.get(".".join(variable.names)) if variable.root == "context" else None

    return look


def context(*, run: str, pipeline: str, task: str, of: str) -> dict[str, str]:
    """The context variables of one task of a run."""
    task_run = f"{run}-{task}" if pipeline or task != run else run
    return {
        "pipelineRun.name": run,
        "pipelineRun.namespace": "default",
        "pipelineRun.uid": _uid(run),
        "pipeline.name": pipeline or run,
        "pipelineTask.retries": "0",
        "taskRun.name": task_run,
        "taskRun.namespace": "default",
        "taskRun.uid": _uid(task_run),
        "task.name": of or task,
        "task.retry-count": "0",
    }


def _uid(name: str) -> str:
    """An identifier as objects have one, the same for the same name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.simulated"))


def of_tasks(done: Mapping[str, TaskOutcome]) -> Lookup:
    """Results and states of tasks that are over."""

    def look(variable: Variable) -> Value | None:
        if variable.root not in ("tasks", "finally") or not variable.names:
            return None
        name, *rest = variable.names
        if rest == [] and variable.root == "tasks" and name == "status":
            return aggregate(done)
        task = done.get(name)
        if task is None:
            return None
        if rest == ["status"]:
            return task.state
        if rest == ["reason"]:
            return task.reason
        if rest[:1] == ["results"]:
            return selected(task.results, tuple(rest[1:]), variable.index)
        return None

    return look


def aggregate(done: Mapping[str, TaskOutcome]) -> str:
    """``$(tasks.status)``."""
    states = {each.state for each in done.values()}
    if FAILED in states:
        return FAILED
    if SKIPPED in states:
        return "Completed"
    return SUCCEEDED


def of_workspaces(spec: Manifest, bound: Mapping[str, object]) -> Lookup:
    """Where the workspaces of a task are, and whether something is bound to them."""
    paths = {name: f"/workspace/{name}" for name in bound} | {
        text(each, "name"): text(each, "mountPath") or f"/workspace/{text(each, 'name')}"
        for _, each in items(spec, "workspaces")
    }

    def look(variable: Variable) -> Value | None:
        if variable.root != "workspaces" or len(variable.names) != 2:
            return None
        name, what = variable.names
        if what == "bound":
            return "true" if name in bound else "false"
        if what == "path" and name in paths:
            return paths[name] if name in bound else ""
        if what in ("claim", "volume") and name in paths:
            return f"{name}-simulated" if name in bound else ""
        return None

    return look


def of_files(step: str) -> Lookup:
    """Where a step writes results, and finds what Tekton leaves for it."""

    def look(variable: Variable) -> Value | None:
        names = variable.names
        if variable.root == "results" and names[-1:] == ("path",):
            return posixpath.join(RESULTS, ".".join(names[:-1]))
        if variable.root == "step" and names[:1] == ("results",) and names[-1:] == ("path",):
            return posixpath.join(STEPS, f"step-{step}", "results", ".".join(names[1:-1]))
        if variable.root == "steps" and names[1:] == ("exitCode", "path"):
            return posixpath.join(STEPS, names[0], "exitCode")
        if variable.root == "credentials" and names == ("path",):
            return "/tekton/creds"
        return None

    return look


def of_steps(results: Mapping[str, Mapping[str, Value]]) -> Lookup:
    """``$(steps.STEP.results.RESULT)``."""

    def look(variable: Variable) -> Value | None:
        if variable.root != "steps" or variable.names[1:2] != ("results",):
            return None
        step = results.get(variable.names[0])
        return None if step is None else selected(step, variable.names[2:], variable.index)

    return look


def holds(condition: Manifest, look: Lookup) -> bool:
    """Whether a condition of ``when`` is true."""
    values = filled_list([value for _, value in texts(condition, "values")], look)
    found = filled(text(condition, "input"), look) in values
    return found if text(condition, "operator") == "in" else not found
