"""What is wrong with a pipeline: its graph, and every reference between its tasks (pipeline_validation.go).

What Tekton finds only when the pipeline runs (a result that no task makes, a param that is not passed) is
found here when the task stands in the pipeline or among the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.security.tekton import graph, names, params
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path, beneath
from builder.security.tekton.library import Library
from builder.security.tekton.params import Declared, Type
from builder.security.tekton.reading import Manifest, items, mapping, named, strings, text, texts
from builder.security.tekton.references import reference
from builder.security.tekton.schema import suggestion
from builder.security.tekton.task import Surroundings, findings_of_task
from builder.security.tekton.variables import Variable, misspelt, variables
from builder.security.tekton.when import conditions

MOST_COMBINATIONS: Final = 256
"""``default-max-matrix-combinations-count`` as Tekton is installed."""

_CONTEXT: Final = {
    "pipelineRun": ("name", "namespace", "uid"),
    "pipeline": ("name",),
    "pipelineTask": ("retries",),
}
_STATUSES: Final = ("status", "reason")
_ONE_OF: Final = ("taskRef", "taskSpec", "pipelineRef", "pipelineSpec")


@dataclass(frozen=True, slots=True)
class Outside:
    """What a run brings to the pipeline within it: params and workspaces that propagate."""

    params: Mapping[str, Declared] = field(default_factory=dict)
    workspaces: frozenset[str] = frozenset()
    of_run: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the tasks of one pipeline can name. ``results``: None where a task's results are not known."""

    features: Features
    library: Library
    outside: Outside
    params: Mapping[str, Declared]
    workspaces: Mapping[str, bool]
    tasks: Mapping[str, Manifest]
    finally_: Mapping[str, Manifest]

    def definition(self, task: Manifest) -> Manifest | None:
        """The TaskSpec (or PipelineSpec) of a pipeline's task, if it is here: inline or in the library."""
        if isinstance(task.get("taskSpec"), dict):
            spec = mapping(task, "taskSpec")
            return None if text(spec, "apiVersion") else spec
        if isinstance(task.get("pipelineSpec"), dict):
            return mapping(task, "pipelineSpec")
        for key, known in (("taskRef", self.library.tasks), ("pipelineRef", self.library.pipelines)):
            ref = mapping(task, key)
            if (
                ref
                and not text(ref, "resolver")
                and not text(ref, "apiVersion")
                and text(ref, "name") in known
            ):
                return mapping(known[text(ref, "name")], "spec")
        return None

    def result_types(self, task: Manifest) -> Mapping[str, Declared] | None:
        """The results of a pipeline's task, if it is here."""
        spec = self.definition(task)
        return None if spec is None else params.declared(spec, "results")


NOTHING: Final = Outside()


def findings_of_pipeline(
    spec: Manifest, features: Features, library: Library, outside: Outside = NOTHING
) -> list[Finding]:
    """What is wrong with the PipelineSpec ``spec``; paths begin at it."""
    tasks, finals = items(spec, "tasks"), items(spec, "finally")
    own = params.declared(spec)
    known_params = dict(outside.params) | own
    if outside.of_run:  # what one task passes or declares propagates to all, as the webhook sees it
        for _, task in (*tasks, *finals):
            known_params = {
                **params.provided(task),
                **params.declared(mapping(task, "taskSpec")),
                **known_params,
            }
    declared = {name: each.get("optional") is True for name, each in named(spec, "workspaces").items()}
    scope = _Scope(
        features,
        library,
        outside,
        known_params,
        dict.fromkeys(outside.workspaces, False) | declared,
        named(spec, "tasks"),
        named(spec, "finally"),
    )
    found = params.declarations(spec, features, strict=not outside.of_run)
    found += _workspaces(spec)
    if not tasks:
        rule = "no-tasks" if finals or not spec else "empty-pipeline"
        what = "finally stands without tasks" if finals else "the pipeline has no tasks"
        found.append(Finding(rule, ("finally",) if finals else (), what))
    seen: dict[str, Path] = {}
    for key, each in (("tasks", tasks), ("finally", finals)):
        for index, task in each:
            place: Path = (key, index)
            found += beneath(place, _task(task, scope, in_finally=key == "finally"))
            name = text(task, "name")
            if name in seen and name:
                found.append(
                    Finding("duplicate-task", (*place, "name"), f"the task {name!r} stands here twice")
                )
            seen.setdefault(name, place)
    found += _order(spec, scope)
    found += _results(spec, scope)
    return found


def _workspaces(spec: Manifest) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for index, workspace in items(spec, "workspaces"):
        name = text(workspace, "name")
        if not name:
            found.append(Finding("workspace-name", ("workspaces", index), "the workspace has no name"))
        elif name in seen:
            what = f"the workspace {name!r} is declared before"
            found.append(Finding("duplicate-workspace", ("workspaces", index, "name"), what))
        seen.add(name)
    return found


def _task(task: Manifest, scope: _Scope, *, in_finally: bool) -> list[Finding]:
    found = _name(task)
    found += _definition(task, scope)
    found += _on_error(task, scope)
    found += params.values(task, scope.features)
    found += conditions(task, scope.features)
    found += _bindings(task, scope)
    found += _matrix(task, scope)
    found += _passing(task, scope)
    found += _strings(task, scope, in_finally=in_finally)
    timeout = text(task, "timeout")
    if timeout and "$(" not in timeout and not names.is_duration(timeout):
        found.append(Finding("duration", ("timeout",), f"{timeout!r} is no duration", "such as 90s or 1h30m"))
    if in_finally and texts(task, "runAfter"):
        what = "tasks in finally run at the same time, after all others: no runAfter"
        found.append(Finding("finally-order", ("runAfter",), what))
    return found


def _name(task: Manifest) -> list[Finding]:
    name = text(task, "name")
    if names.is_label(name):
        return []
    if not name:
        return [Finding("task-name", (), "the task has no name")]
    fix = "lower case letters, digits and dashes, at most 63"
    return [Finding("task-name", ("name",), f"no task can be called {name!r}", fix)]


def _definition(task: Manifest, scope: _Scope) -> list[Finding]:
    """That there is one definition, and what is wrong with it."""
    given = [key for key in _ONE_OF if task.get(key) is not None]
    if len(given) != 1:
        what = f"the task has {' and '.join(given)}" if given else "the task has no taskRef and no taskSpec"
        return [Finding("one-definition", (), what, "one of taskRef and taskSpec")]
    found: list[Finding] = []
    key = given[0]
    inner = mapping(task, key)
    if key in ("pipelineRef", "pipelineSpec"):
        found += scope.features.lacking(Features.ALPHA, f"{key} in a task", (key,))
    if key == "pipelineSpec":
        outside = Outside(scope.params, frozenset(scope.workspaces), of_run=True)
        return found + beneath((key,), findings_of_pipeline(inner, scope.features, scope.library, outside))
    if _is_custom(inner):
        return found + _custom(inner, key)
    if key != "taskSpec":
        return found + beneath(
            (key,), reference(inner, scope.features, "a Task" if key == "taskRef" else "a Pipeline")
        )
    around = Surroundings(
        scope.params,
        frozenset(scope.workspaces),
        in_pipeline=True,
        of_run=scope.outside.of_run,
        step_actions=scope.library.step_actions,
    )
    return found + beneath((key,), findings_of_task(inner, scope.features, around))


def _is_custom(inner: Manifest) -> bool:
    """Whether a reference or spec means something that is no Task of Tekton's own."""
    return bool(text(inner, "apiVersion")) or text(inner, "kind") not in ("", "Task")


def _custom(inner: Manifest, key: str) -> list[Finding]:
    if key == "taskSpec" and items(inner, "steps"):
        return [
            Finding("custom-task", (key, each), f"a taskSpec with steps has no {each}")
            for each in ("apiVersion", "kind")
            if text(inner, each)
        ]
    version = text(inner, "apiVersion")
    found = []
    if not text(inner, "kind"):
        found.append(Finding("custom-task", (key,), "a custom task needs a kind"))
    group, slash, number = version.partition("/")
    if not (group and slash and number) or "/" in number:
        what = f"the apiVersion is {version!r}" if version else "a custom task needs an apiVersion"
        found.append(Finding("custom-task", (key,), what, "GROUP/VERSION"))
    return found


def _on_error(task: Manifest, scope: _Scope) -> list[Finding]:
    value = text(task, "onError")
    if not value or value.startswith("$(params"):
        return []
    found = scope.features.lacking(Features.BETA, "onError of a task", ("onError",))
    if value not in ("continue", "stopAndFail"):
        found.append(Finding("on-error", ("onError",), f"onError is {value!r}", "continue or stopAndFail"))
    retries = task.get("retries")
    if value == "continue" and isinstance(retries, int) and retries > 0:
        found.append(Finding("on-error", ("onError",), "onError: continue does not go with retries"))
    return found


def _bindings(task: Manifest, scope: _Scope) -> list[Finding]:
    """The workspaces that a task is given: that the pipeline has them, and the task wants them."""
    found: list[Finding] = []
    seen: set[str] = set()
    spec = scope.definition(task)
    wanted = named(spec, "workspaces") if spec is not None else None
    inline = isinstance(task.get("taskSpec"), dict)
    for index, binding in items(task, "workspaces"):
        path: Path = ("workspaces", index)
        name = text(binding, "name")
        source = text(binding, "workspace") or name
        if name in seen:
            found.append(
                Finding("duplicate-workspace", (*path, "name"), f"the workspace {name!r} is bound before")
            )
        seen.add(name)
        if source not in scope.workspaces and not scope.outside.of_run:
            at = (*path, "workspace") if "workspace" in binding else (*path, "name")
            fix = suggestion(source, list(scope.workspaces))
            found.append(
                Finding("unknown-workspace", at, f"the pipeline declares no workspace {source!r}", fix)
            )
        if wanted is None or not name:
            continue
        if name not in wanted:
            fix = suggestion(name, list(wanted))
            found.append(
                Finding("unknown-workspace", (*path, "name"), f"the task wants no workspace {name!r}", fix)
            )
        elif scope.workspaces.get(source) and wanted[name].get("optional") is not True:
            what = f"the workspace {source!r} is optional in the pipeline, and the task needs it"
            found.append(Finding("optional-workspace", path, what))
    for name, each in (wanted or {}).items():
        if each.get("optional") is True or name in seen:
            continue
        if inline and (name in scope.workspaces or scope.outside.of_run):
            continue  # propagates into a task that is written inline
        what = f"the task needs the workspace {name!r}, and it is not bound"
        found.append(Finding("missing-workspace", (), what, f"workspaces: [{{name: {name}, workspace: …}}]"))
    return found


def _matrix(task: Manifest, scope: _Scope) -> list[Finding]:
    matrix = mapping(task, "matrix")
    fanned, included = items(matrix, "params"), items(matrix, "include")
    if not fanned and not included:
        return []
    found = scope.features.lacking(Features.BETA, "a matrix", ("matrix",))
    found += beneath(("matrix",), params.values(matrix, scope.features))
    own = params.passed(task)
    for index, param in fanned:
        path: Path = ("matrix", "params", index)
        name, value = text(param, "name"), param.get("value")
        if name in own:
            found.append(
                Finding("matrix-param", (*path, "name"), f"{name!r} stands in params and in the matrix")
            )
        if params.type_of(value) is not Type.ARRAY and not _is_whole(value):
            what = f"the matrix needs an array for {name!r}"
            found.append(Finding("matrix-param", (*path, "value"), what, 'a list, or "$(params.NAME[*])"'))
    for index, include in included:
        found += beneath(("matrix", "include", index), params.values(include, scope.features))
        for at, param in items(include, "params"):
            if params.type_of(param.get("value")) is not Type.STRING:
                place: Path = ("matrix", "include", index, "params", at, "value")
                found.append(Finding("matrix-param", place, "a combination in include has strings"))
            if text(param, "name") in own:
                place = ("matrix", "include", index, "params", at, "name")
                found.append(Finding("matrix-param", place, f"{text(param, 'name')!r} stands in params too"))
    combinations = 1
    for _, param in fanned:
        value = param.get("value")
        combinations *= len(value) if isinstance(value, list) else 1
    combinations = (combinations if fanned else 0) + len(included)
    if combinations > MOST_COMBINATIONS:
        what = f"the matrix has {combinations} combinations, and Tekton allows {MOST_COMBINATIONS}"
        found.append(Finding("matrix-size", ("matrix",), what))
    return found


def _is_whole(value: Any) -> bool:
    """Whether ``value`` is one variable for a whole array or object."""
    return isinstance(value, str) and any(each.alone and each.is_whole for each in variables(value))


def _passing(task: Manifest, scope: _Scope) -> list[Finding]:
    """The params that a task is given, against those that it declares, if it is here."""
    spec = scope.definition(task)
    if spec is None:
        return []
    wanted = params.declared(spec)
    inline = isinstance(task.get("taskSpec"), dict) or isinstance(task.get("pipelineSpec"), dict)
    of = (
        "the task"
        if inline
        else f"{text(mapping(task, 'taskRef') or mapping(task, 'pipelineRef'), 'name')!r}"
    )
    matrix = mapping(task, "matrix")
    fanned = set(params.passed(matrix))
    for _, include in items(matrix, "include"):
        fanned |= set(params.passed(include))
    outer = {**scope.outside.params, **scope.params} if inline else {}
    found = params.fitting(wanted, task, _wholes(scope), of=of, also=fanned | set(outer))
    for index, param in items(matrix, "params"):
        declared = wanted.get(text(param, "name"))
        if declared is not None and declared.type is not Type.STRING:
            what = f"the matrix gives {declared.name!r} one string at a time, and it is {declared.type.value}"
            found.append(Finding("param-mismatch", ("matrix", "params", index), what))
    for index, param in items(task, "params"):
        name = text(param, "name")
        used = inline and any(name in each.names for _, value in strings(spec) for each in variables(value))
        if name and name not in wanted and not used:
            fix = suggestion(name, list(wanted))
            found.append(
                Finding("extra-param", ("params", index, "name"), f"{of} has no param {name!r}", fix)
            )
    return found


def _wholes(scope: _Scope) -> dict[str, Type]:
    """The variables that stand for a whole param or result → its type."""
    found: dict[str, Type] = {}
    for name, declared in scope.params.items():
        for spelt in (f"$(params.{name}[*])", f"$(params['{name}'][*])", f'$(params["{name}"][*])'):
            found[spelt] = declared.type
    for name, task in scope.tasks.items():
        for result, made in (scope.result_types(task) or {}).items():
            type_ = Type.ARRAY if mapping(task, "matrix") else made.type
            found[f"$(tasks.{name}.results.{result}[*])"] = type_
            if made.type is not Type.STRING and not mapping(task, "matrix"):
                found[f"$(tasks.{name}.results.{result})"] = type_
    return found


# Variables in the fields of a pipeline's task.


def _strings(task: Manifest, scope: _Scope, *, in_finally: bool) -> list[Finding]:
    found: list[Finding] = []
    for key in ("params", "matrix", "when", "workspaces", "displayName", "taskRef", "onError"):
        for path, value in strings(task.get(key), (key,)):
            if "$(" in value and path[-1] != "name":
                found += _string(value, path, scope, in_finally=in_finally)
    for path, variable in graph.uses(task):
        if path[0] == "taskSpec":
            found += _use(variable, path, scope)
    return found


def _string(value: str, path: Path, scope: _Scope, *, in_finally: bool) -> list[Finding]:
    found: list[Finding] = []
    for variable in variables(value):
        match variable.root:
            case "params":
                found += _param(variable, path, scope)
            case "context" if len(variable.names) > 1:
                known = _CONTEXT.get(variable.names[0])
                if known is not None and variable.names[1] not in known:
                    fix = f"context.{variable.names[0]} has: {', '.join(known)}"
                    found.append(Finding("unknown-context", path, f"{variable.text} is no variable", fix))
            case "workspaces" if variable.names:
                name = variable.names[0]
                if name not in scope.workspaces and not scope.outside.of_run:
                    what = f"{variable.text}: the pipeline declares no workspace {name!r}"
                    found.append(
                        Finding("unknown-workspace", path, what, suggestion(name, list(scope.workspaces)))
                    )
            case "tasks" if graph.is_result(variable):
                found += _use(variable, path, scope)
            case "tasks":
                found += _status(variable, path, scope, in_finally=in_finally)
            case _:
                pass
    for wrong, right in misspelt(value):
        found.append(
            Finding("misspelt-variable", path, f"{wrong} is no variable", f"did you mean $({right}.…)?")
        )
    return found


def _param(variable: Variable, path: Path, scope: _Scope) -> list[Finding]:
    if not variable.names:
        return []
    name = variable.names[0]
    declared = scope.params.get(name)
    if variable.dotted and len(variable.names) > 2:
        what = f"{variable.text} has more than two names"
        return [Finding("unknown-param", path, what, "a name with dots stands in brackets: $(params['a.b'])")]
    if declared is None:
        dotted = ".".join(variable.names)
        fix = (
            f"write $(params['{dotted}'])" if dotted in scope.params else suggestion(name, list(scope.params))
        )
        return [
            Finding("unknown-param", path, f"{variable.text}: the pipeline declares no param {name!r}", fix)
        ]
    if len(variable.names) > 1 and declared.type is Type.OBJECT and declared.keys:
        if variable.names[1] in declared.keys:
            return []
        what = f"{variable.text}: the object {name!r} has no key {variable.names[1]!r}"
        return [Finding("unknown-key", path, what, suggestion(variable.names[1], sorted(declared.keys)))]
    if len(variable.names) > 1 or variable.index.isdigit() or declared.type is Type.STRING:
        return []
    if variable.alone and _has_room(variable, path, declared.type):
        return []
    rule, article = ("array-use", "an array") if declared.type is Type.ARRAY else ("object-use", "an object")
    fix = f'"$(params.{name}[*])" alone, or one of it'
    return [Finding(rule, path, f"{variable.text} is {article}, and this is one string", fix)]


def _has_room(variable: Variable, path: Path, type_: Type) -> bool:
    """Whether a whole array or object may stand at ``path``: as a param's value; an array also in lists."""
    if path[-1] == "value" and "include" not in path:
        return variable.is_whole
    if type_ is Type.OBJECT or not isinstance(path[-1], int):
        return False
    return path[-2] == "value" or (path[-2] == "values" and variable.is_whole)


def _use(variable: Variable, path: Path, scope: _Scope) -> list[Finding]:
    """One use of another task's result."""
    name, result = variable.names[0], variable.names[2]
    if name in scope.finally_:
        what = f"{variable.text}: {name!r} runs in finally, and its results come too late"
        return [Finding("result-of-finally", path, what)]
    task = scope.tasks.get(name)
    if task is None:
        fix = suggestion(name, list(scope.tasks))
        return [Finding("unknown-task", path, f"{variable.text}: the pipeline has no task {name!r}", fix)]
    if mapping(task, "matrix") and not variable.is_whole:
        what = f"{variable.text}: {name!r} runs once for each combination"
        return [Finding("matrix-result", path, what, f"$(tasks.{name}.results.{result}[*])")]
    known = scope.result_types(task)
    if known is None:
        return []
    made = known.get(result)
    if made is None:
        what = f"{variable.text}: the task {name!r} makes no result {result!r}"
        return [Finding("unknown-result", path, what, suggestion(result, list(known)))]
    if len(variable.names) > 3 and made.type is Type.OBJECT and variable.names[3] not in made.keys:
        what = f"{variable.text}: the object {result!r} has no key {variable.names[3]!r}"
        return [Finding("unknown-key", path, what, suggestion(variable.names[3], sorted(made.keys)))]
    matrixed = bool(mapping(task, "matrix"))
    if matrixed and made.type is not Type.STRING:
        what = f"{variable.text}: what a matrix makes must be strings, and this is {made.type.value}"
        return [Finding("matrix-result", path, what)]
    if len(variable.names) > 3 and made.type is not Type.OBJECT:
        return [Finding("result-use", path, f"{variable.text}: {result!r} is no object")]
    if variable.index and not matrixed and made.type is Type.STRING:
        return [
            Finding(
                "result-use",
                path,
                f"{variable.text}: {result!r} is one string",
                f"$(tasks.{name}.results.{result})",
            )
        ]
    return []


def _status(variable: Variable, path: Path, scope: _Scope, *, in_finally: bool) -> list[Finding]:
    """``tasks.status``, ``tasks.TASK.status``, ``tasks.TASK.reason``."""
    if not variable.names or variable.names[-1] not in _STATUSES:
        return []
    if not in_finally:
        what = f"{variable.text} is known in finally only"
        return [Finding("status-scope", path, what, "use it in a task under finally")]
    if variable.names == ("status",):
        return []
    name = ".".join(variable.names[:-1])
    if name not in scope.tasks:
        fix = suggestion(name, list(scope.tasks))
        return [Finding("unknown-task", path, f"{variable.text}: the pipeline has no task {name!r}", fix)]
    return []


def _order(spec: Manifest, scope: _Scope) -> list[Finding]:
    found: list[Finding] = []
    for index, task in items(spec, "tasks"):
        for at, name in texts(task, "runAfter"):
            if name not in scope.tasks:
                others = [each for each in scope.tasks if each != text(task, "name")]
                what = f"no task is called {name!r}"
                if name in scope.finally_:
                    what = f"{name!r} runs in finally, after all tasks"
                found.append(
                    Finding("unknown-task", ("tasks", index, "runAfter", at), what, suggestion(name, others))
                )
    circle = graph.cycle(graph.order(task for _, task in items(spec, "tasks")))
    if circle:
        what = f"the tasks wait for each other: {' → '.join(circle)}"
        index = next((at for at, task in items(spec, "tasks") if text(task, "name") == circle[0]), 0)
        found.append(Finding("cycle", ("tasks", index), what, "take one of these runAfter or results away"))
    return found


def _results(spec: Manifest, scope: _Scope) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for index, result in items(spec, "results"):
        place: Path = ("results", index)
        name = text(result, "name")
        if name in seen:
            found.append(
                Finding("duplicate-result", (*place, "name"), f"the result {name!r} is declared before")
            )
        seen.add(name)
        used = False
        for path, value in strings(result.get("value"), (*place, "value")):
            if isinstance(result.get("value"), str) and "$(" in value and not value.startswith("$"):
                what = "the value must begin with a result: Tekton refuses text before it"
                found.append(Finding("pipeline-result", path, what))
            for variable in variables(value):
                if not graph.is_result(variable):
                    continue
                used = True
                if variable.dotted and len(variable.names) > 4:
                    what = f"{variable.text} has too many names"
                    found.append(Finding("pipeline-result", path, what, "$(tasks.TASK.results.RESULT.KEY)"))
                found += _use_in_result(variable, path, scope)
        if not used:
            what = f"the result {name!r} names no task's result"
            found.append(Finding("pipeline-result", (*place, "value"), what, "$(tasks.TASK.results.RESULT)"))
    return found


def _use_in_result(variable: Variable, path: Path, scope: _Scope) -> list[Finding]:
    known = scope.tasks if variable.root == "tasks" else scope.finally_
    name, result = variable.names[0], variable.names[2]
    if name not in known:
        fix = suggestion(name, list(known))
        what = f"{variable.text}: no task {name!r} stands under {variable.root}"
        return [Finding("unknown-task", path, what, fix)]
    made = scope.result_types(known[name])
    if made is not None and result not in made:
        what = f"{variable.text}: the task {name!r} makes no result {result!r}"
        return [Finding("unknown-result", path, what, suggestion(result, list(made)))]
    return []
