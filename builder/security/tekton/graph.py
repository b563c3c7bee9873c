"""The order in which a pipeline's tasks run: by ``runAfter``, and by the results that they use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from builder.security.tekton.finding import Path
from builder.security.tekton.reading import Manifest, items, mapping, strings, text, texts
from builder.security.tekton.variables import Variable, variables

Graph = Mapping[str, tuple[str, ...]]
"""A task's name → the names of those that must have ended before it."""


def uses(task: Manifest) -> Iterator[tuple[Path, Variable]]:
    """The variables by which a pipeline's task uses results of others, with their places in the task."""
    for key in ("params", "matrix", "when", "workspaces", "displayName"):
        for path, value in strings(task.get(key), (key,)):
            for variable in variables(value):
                if is_result(variable):
                    yield path, variable
    spec = mapping(task, "taskSpec")
    for key in ("steps", "sidecars"):
        for path, value in strings(spec.get(key), ("taskSpec", key)):
            for variable in variables(value):
                if is_result(variable):
                    yield path, variable


def is_result(variable: Variable) -> bool:
    """Whether ``variable`` is ``tasks.TASK.results.RESULT`` (or ``finally.…``), of any form."""
    return (
        variable.root in ("tasks", "finally") and len(variable.names) >= 3 and variable.names[1] == "results"
    )


def order(tasks: Iterable[Manifest]) -> Graph:
    """What each of ``tasks`` waits for, in the order of the pipeline."""
    graph: dict[str, tuple[str, ...]] = {}
    for task in tasks:
        waits = [name for _, name in texts(task, "runAfter")]
        waits += [variable.names[0] for _, variable in uses(task) if variable.root == "tasks"]
        waits += _matrix_lengths(task)
        graph.setdefault(text(task, "name"), tuple(dict.fromkeys(waits)))
    return graph


def _matrix_lengths(task: Manifest) -> list[str]:
    """Tasks whose fan-out is counted: ``tasks.TASK.matrix.length``."""
    found = []
    for index, param in items(task, "params"):
        for _, value in strings(param.get("value"), ("params", index)):
            found += [
                variable.names[0]
                for variable in variables(value)
                if variable.root == "tasks" and variable.names[1:2] == ("matrix",)
            ]
    return found


def cycle(graph: Graph) -> tuple[str, ...]:
    """The tasks of a circle, each waiting for the next; empty if there is none.

    >>> cycle({"a": ("b",), "b": ("a",)}), cycle({"a": (), "b": ("a",)})
    (('a', 'b', 'a'), ())
    """
    known = {name: [each for each in waits if each in graph] for name, waits in graph.items()}
    try:
        TopologicalSorter(known).prepare()
    except CycleError as error:
        nodes = list(reversed(error.args[1]))
        first = min(range(len(nodes) - 1), key=lambda at: nodes[at])
        turned = nodes[first:-1] + nodes[:first]
        return (*turned, turned[0])
    return ()
