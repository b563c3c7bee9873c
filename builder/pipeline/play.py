"""Plays a run: its tasks in their order, then ``finally``, then the results (Tekton, docs/pipelines.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from builder.pipeline.events import TaskBegan, TaskEnded, TaskSkipped
from builder.pipeline.limit import NO_LIMIT, Limit
from builder.pipeline.lookup import aggregate, context, first, holds, of_context, of_tasks
from builder.pipeline.order import Order, PlannedTask
from builder.pipeline.outcome import COMPLETED, FAILED, SKIPPED, SUCCEEDED, TIMED_OUT, Outcome, TaskOutcome
from builder.pipeline.steps import TaskPlayer
from builder.pipeline.tools.site import Site
from builder.pipeline.volumes import Volume, Volumes
from builder.security.tekton.graph import Graph, order, uses
from builder.security.tekton.reading import Manifest, items, named, strings, text
from builder.security.tekton.runs import seconds_of
from builder.security.tekton.values import (
    Lookup,
    Value,
    defaults,
    filled,
    filled_value,
    given,
    of_params,
)
from builder.security.tekton.variables import Variable, variables


def play(wanted: Order, site: Site) -> Outcome:
    """Play it; how it ended. What the steps print and build is told to the site's listener."""
    return _Play(wanted, site, Volumes(wanted.files)).run()


@dataclass(slots=True)
class _Play:
    wanted: Order
    site: Site
    volumes: Volumes
    done: dict[str, TaskOutcome] = field(default_factory=dict)
    is_stopping: bool = False
    limit: Limit = NO_LIMIT

    def run(self) -> Outcome:
        """Tasks one after the other, each when all that it waits for is over."""
        waits = order(each.part.value for each in self.wanted.tasks)
        whole = self._limit("pipeline", "the pipeline")
        self.limit = self._limit("tasks", "the tasks of the pipeline").sooner(whole)
        waiting = list(self.wanted.tasks)
        while waiting:
            ready = next(
                each for each in waiting if all(name in self.done for name in waits.get(each.name, ()))
            )
            waiting.remove(ready)
            self.done[ready.name] = self._task(ready, waits)
        tasks = dict(self.done)
        self.limit = self._limit("finally", "finally").sooner(whole)
        for each in self.wanted.final:
            # They see the states of the pipeline's tasks, and run whatever those are.
            self.done[each.name] = self._final(each, tasks)
        results, why = self._results()
        why = why or next((each.why for each in self.done.values() if each.reason == TIMED_OUT), "")
        return Outcome(
            name=self.wanted.name,
            state=FAILED if why else self._state(tasks),
            why=why,
            tasks=tuple(self.done.values()),
            results=results,
            pushed=tuple(self.site.pushed),
        )

    def _limit(self, key: str, called: str) -> Limit:
        seconds = self.wanted.timeouts.get(key, 0.0)
        return Limit.after(seconds, f"{called} got {seconds:g} s, and they are over")

    def _state(self, tasks: Mapping[str, TaskOutcome]) -> str:
        ends = {each.name: each for each in (*self.wanted.tasks, *self.wanted.final)}
        failed = [
            name
            for name, each in self.done.items()
            if each.state == FAILED and text(ends[name].part.value, "onError") != "continue"
        ]
        if failed:
            return FAILED
        return COMPLETED if aggregate(tasks) == "Completed" else SUCCEEDED

    def _results(self) -> tuple[dict[str, Value], str]:
        """The pipeline's results, and what fails the run: a result that a task should have written.

        Results of tasks that did not succeed are left out.
        """
        if not self.wanted.pipeline and len(self.wanted.tasks) == 1 and not self.wanted.results:
            return dict(next(iter(self.done.values())).results), ""
        look = first(of_tasks(self.done), of_params(self.wanted.params), self._context())
        found: dict[str, Value] = {}
        why = ""
        for name, written in self.wanted.results.items():
            used = [each for _, value in strings(written) for each in variables(value)]
            missing = [each for each in used if look(each) is None]
            if not missing:
                found[name] = filled_value(written, look)
            elif all(self._succeeded(each) for each in missing):
                why = why or f"the result {name}: {missing[0].text} does not exist"
        return found, why

    def _succeeded(self, variable: Variable) -> bool:
        """Whether the task succeeded whose result is meant."""
        task = self.done.get(variable.names[0]) if variable.names else None
        return task is not None and task.state == SUCCEEDED

    def _context(self, task: PlannedTask | None = None) -> Lookup:
        name, of = (task.name, task.of) if task else ("", "")
        return of_context(context(run=self.wanted.name, pipeline=self.wanted.pipeline, task=name, of=of))

    def _task(self, task: PlannedTask, waits: Graph) -> TaskOutcome:
        reason = (TIMED_OUT, self.limit.why) if self.limit.is_over() else self._skipped(task, waits)
        if reason:
            return self._skip(task, *reason)
        missing = self._missing(task, self.done)
        if missing:  # the task that should have written it ran
            outcome = TaskOutcome(task.name, FAILED, "InvalidTaskResultReference", missing)
            self.site.listener(TaskEnded(task.name, FAILED, missing))
        else:
            outcome = self._play(task, self.done)
        if outcome.state == FAILED and text(task.part.value, "onError") != "continue":
            self.is_stopping = True
        return outcome

    def _final(self, task: PlannedTask, tasks: Mapping[str, TaskOutcome]) -> TaskOutcome:
        if self.limit.is_over():
            return self._skip(task, TIMED_OUT, self.limit.why)
        missing = self._missing(task, tasks)
        if missing:
            return self._skip(task, "MissingResultsSkip", missing)
        if not self._when(task, tasks):
            return self._skip(task, "WhenExpressionsEvaluatedToFalse", "its when is false")
        return self._play(task, tasks)

    def _skipped(self, task: PlannedTask, waits: Graph) -> tuple[str, str] | None:
        """Tekton's reason why a task does not run, and the same in words."""
        if self.is_stopping:
            return "Stopping", "a task failed, so no other one starts"
        for name in waits.get(task.name, ()):
            before = self.done[name]
            if before.state == SKIPPED and before.reason != "WhenExpressionsEvaluatedToFalse":
                return "ParentTasksSkipped", f"{name}, which it waits for, did not run"
        missing = self._missing(task, self.done, ran=False)
        if missing:
            return "MissingResultsSkip", missing
        if not self._missing(task, self.done) and not self._when(task, self.done):
            return "WhenExpressionsEvaluatedToFalse", "its when is false"
        return None

    def _skip(self, task: PlannedTask, reason: str, why: str) -> TaskOutcome:
        self.site.listener(TaskSkipped(task.name, why))
        return TaskOutcome(task.name, SKIPPED, reason, why)

    def _missing(self, task: PlannedTask, done: Mapping[str, TaskOutcome], *, ran: bool = True) -> str:
        """A result that a task uses and that is not there. ``ran``: also of tasks that ran."""
        look = of_tasks(done)
        for _, variable in uses(task.part.value):
            before = done.get(variable.names[0])
            if look(variable) is None and (ran or before is None or before.state == SKIPPED):
                return f"{variable.text} does not exist"
        return ""

    def _when(self, task: PlannedTask, done: Mapping[str, TaskOutcome]) -> bool:
        look = self._look(task, done)
        return all(holds(each, look) for _, each in items(task.part.value, "when"))

    def _look(self, task: PlannedTask, done: Mapping[str, TaskOutcome]) -> Lookup:
        """What the variables of a pipeline's task stand for."""

        def bound(variable: Variable) -> Value | None:
            if variable.root != "workspaces" or variable.names[1:] != ("bound",):
                return None
            return "true" if variable.names[0] in self.wanted.workspaces else "false"

        return first(of_params(self.wanted.params), of_tasks(done), bound, self._context(task))

    def _play(self, task: PlannedTask, done: Mapping[str, TaskOutcome]) -> TaskOutcome:
        self.site.listener(TaskBegan(task.name, task.of))
        look = self._look(task, done)
        inline = not task.of
        if task.part.path == ("spec",):  # a task that no pipeline lists
            params: dict[str, Value] = {**defaults(task.spec.value), **self.wanted.params}
        else:
            params = defaults(task.spec.value) | (dict(self.wanted.params) if inline else {})
            params = given(task.part.value, look, params)
        outcome = TaskPlayer(
            site=self.site,
            task=task,
            params=params,
            bound=self._bound(task, look, inline=inline),
            volumes=self.volumes,
            outside=first(self._context(task), look) if inline else self._context(task),
            step_actions=self.wanted.step_actions,
            limit=_of_task(task.part.value).sooner(self.limit),
        ).run()
        self.site.listener(TaskEnded(task.name, outcome.state, outcome.why))
        return outcome

    def _bound(self, task: PlannedTask, look: Lookup, *, inline: bool) -> dict[str, Volume]:
        """The volumes behind the workspaces of a task, by its own names for them."""
        found: dict[str, Volume] = {}
        usages = named(task.part.value, "workspaces") if task.part.path != ("spec",) else {}
        wanted = list(named(task.spec.value, "workspaces"))
        if inline:
            wanted += [name for name in self._propagated(task) if name not in wanted]
        for name in wanted:
            usage = usages.get(name, {})
            binding = self.wanted.workspaces.get(text(usage, "workspace") or name)
            if binding is None:
                continue
            volume = self.volumes.bound(text(usage, "workspace") or name, binding)
            below = filled(text(usage, "subPath"), look)
            path = f"{volume.path.rstrip('/')}/{below}" if below else volume.path
            found[name] = Volume(volume.tree, path, volume.read_only)
        return found

    def _propagated(self, task: PlannedTask) -> list[str]:
        """Workspaces of the pipeline that a task uses which is written inline and does not declare them."""
        return [
            variable.names[0]
            for _, value in strings(task.spec.value)
            for variable in variables(value)
            if variable.root == "workspaces" and variable.names[0] in self.wanted.workspaces
        ]


def _of_task(task: Manifest) -> Limit:
    """How long a pipeline's task, or a TaskRun, may take."""
    written = text(task, "timeout")
    return Limit.after(seconds_of(written), f"not over within {written}")
