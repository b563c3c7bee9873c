"""What is wrong with a task: its steps, and every variable in them (docs/tasks.md; task_validation.go)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.security.tekton import names, params
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path, beneath
from builder.security.tekton.params import Declared, Type
from builder.security.tekton.reading import Manifest, items, mapping, named, strings, text, texts
from builder.security.tekton.references import reference
from builder.security.tekton.schema import suggestion
from builder.security.tekton.variables import Variable, misspelt, variables
from builder.security.tekton.when import conditions

RESERVED_SIDECAR: Final = "tekton-log-results"
_CONTEXT: Final = {"taskRun": ("name", "namespace", "uid"), "task": ("name", "retry-count")}
_WORKSPACE_FIELDS: Final = ("path", "bound", "claim", "volume")
_OF_A_PIPELINE: Final = ("pipelineRun", "pipeline", "pipelineTask")
_NOT_WITH_REF: Final = ("image", "command", "args", "script", "env", "volumeMounts", "results")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a task stands in. ``params``, ``workspaces``: what propagates into it.

    ``in_pipeline``: results of other tasks can be named. ``of_run``: a run may bind and pass more.
    """

    params: Mapping[str, Declared] = field(default_factory=dict)
    workspaces: frozenset[str] = frozenset()
    in_pipeline: bool = False
    of_run: bool = False
    step_actions: Mapping[str, Manifest] = field(default_factory=dict)


ALONE: Final = Surroundings()


def findings_of_task(spec: Manifest, features: Features, around: Surroundings = ALONE) -> list[Finding]:
    """What is wrong with the TaskSpec ``spec``; paths begin at it."""
    found = params.declarations(spec, features, strict=not around.of_run)
    found += params.result_declarations(spec, features)
    if not items(spec, "steps"):
        found.append(
            Finding("no-steps", ("steps",) if "steps" in spec else (), "a task needs at least one step")
        )
    found += _volumes(spec)
    found += _workspaces(spec)
    template = mapping(spec, "stepTemplate")
    seen: dict[str, int] = {}
    for index, step in items(spec, "steps"):
        found += beneath(("steps", index), _step(step, template, features, around))
        found += beneath(("steps", index), _used_workspaces(step, spec, features, "a step"))
        name = text(step, "name")
        if name and name in seen:
            found.append(
                Finding(
                    "duplicate-step", ("steps", index, "name"), f"steps[{seen[name]}] is called {name!r} too"
                )
            )
        seen.setdefault(name, index)
    for index, sidecar in items(spec, "sidecars"):
        found += beneath(("sidecars", index), _sidecar(sidecar))
        found += beneath(("sidecars", index), _used_workspaces(sidecar, spec, features, "a sidecar"))
    found += _variables(spec, around)
    return found


def _volumes(spec: Manifest) -> list[Finding]:
    found: list[Finding] = []
    seen: set[str] = set()
    for index, volume in items(spec, "volumes"):
        name = text(volume, "name")
        if name in seen:
            found.append(
                Finding(
                    "duplicate-volume", ("volumes", index, "name"), f"the volume {name!r} is defined before"
                )
            )
        seen.add(name)
        sources = [key for key in volume if key != "name" and volume[key] is not None]
        if len(sources) > 1:
            what = f"the volume {name!r} has {len(sources)} sources: {', '.join(sources)}"
            found.append(Finding("volume-source", ("volumes", index), what, "a volume has one source"))
    for place, mount in _mounts(spec):
        name = text(mount, "name")
        if name and "$(" not in name and name not in seen:
            what = f"no volume of the task is called {name!r}"
            fix = suggestion(name, sorted(seen)) if seen else "add it to volumes, or to the run's podTemplate"
            found.append(Finding("unknown-volume", (*place, "name"), what, fix))
    return found


def _mounts(spec: Manifest) -> Iterator[tuple[Path, Manifest]]:
    holders: list[tuple[Path, Manifest]] = [(("stepTemplate",), mapping(spec, "stepTemplate"))]
    holders += [((key, index), holder) for key in ("steps", "sidecars") for index, holder in items(spec, key)]
    for place, holder in holders:
        for index, mount in items(holder, "volumeMounts"):
            yield (*place, "volumeMounts", index), mount


def _workspaces(spec: Manifest) -> list[Finding]:
    found: list[Finding] = []
    mounted = {
        posixpath.normpath(text(mount, "mountPath")): spelt
        for spelt, mount in _mounts(spec)
        if spelt[0] != "sidecars" and text(mount, "mountPath")
    }
    seen: set[str] = set()
    for index, workspace in items(spec, "workspaces"):
        name = text(workspace, "name")
        path: Path = ("workspaces", index)
        if name in seen:
            found.append(
                Finding("duplicate-workspace", (*path, "name"), f"the workspace {name!r} is declared before")
            )
        seen.add(name)
        mount = posixpath.normpath(text(workspace, "mountPath") or f"/workspace/{name}")
        if mount in mounted:
            what = f"something else is mounted at {mount}"
            found.append(
                Finding("mount-path", (*path, "mountPath") if "mountPath" in workspace else path, what)
            )
        mounted[mount] = path
    return found


def _used_workspaces(holder: Manifest, spec: Manifest, features: Features, what: str) -> list[Finding]:
    """The workspaces that one step or sidecar wants for itself."""
    if not items(holder, "workspaces"):
        return []
    known = named(spec, "workspaces")
    found = features.lacking(Features.BETA, f"workspaces of {what}", ("workspaces",))
    for index, usage in items(holder, "workspaces"):
        name = text(usage, "name")
        if name not in known:
            fix = suggestion(name, list(known))
            found.append(
                Finding(
                    "unknown-workspace",
                    ("workspaces", index, "name"),
                    f"the task declares no workspace {name!r}",
                    fix,
                )
            )
    return found


def _step(step: Manifest, template: Manifest, features: Features, around: Surroundings) -> list[Finding]:
    found: list[Finding] = []
    name = text(step, "name")
    if name and "$(" not in name and not names.is_label(name):
        fix = "lower case letters, digits and dashes, at most 63"
        found.append(Finding("step-name", ("name",), f"no step can be called {name!r}", fix))
    if step.get("ref") is not None:
        found += _referring(step, features, around)
    else:
        found += _inline(step, template)
    found += params.result_declarations(step, features, of_step=True)
    found += _timeout(step)
    found += _guarded_mounts(step)
    on_error = text(step, "onError")
    if on_error and on_error not in ("continue", "stopAndFail") and not on_error.startswith("$(params"):
        found.append(Finding("on-error", ("onError",), f"onError is {on_error!r}", "continue or stopAndFail"))
    if text(step, "script").strip().startswith("#!win"):
        found += features.lacking(Features.ALPHA, "a script for Windows", ("script",))
    for key in ("stdoutConfig", "stderrConfig"):
        if step.get(key) is not None:
            found += features.lacking(Features.ALPHA, key, (key,))
    return found + conditions(step, features)


def _inline(step: Manifest, template: Manifest) -> list[Finding]:
    found: list[Finding] = []
    if items(step, "params"):
        found.append(Finding("params-without-ref", ("params",), "a step takes params only with ref"))
    if not text(step, "image") and not text(template, "image"):
        found.append(
            Finding("no-image", (), "the step has no image", "image: NAME, or ref: {name: STEPACTION}")
        )
    if text(step, "script"):
        if texts(step, "command"):
            found.append(
                Finding("script-and-command", ("script",), "a step has a script or a command, not both")
            )
        elif texts(template, "command"):
            what = "the step has a script, and takes a command from stepTemplate"
            found.append(Finding("script-and-command", ("script",), what))
    return found


def _referring(step: Manifest, features: Features, around: Surroundings) -> list[Finding]:
    found = [
        Finding("not-with-ref", (key,), f"a step with ref has no {key} of its own: the StepAction has it")
        for key in _NOT_WITH_REF
        if step.get(key)
    ]
    ref = mapping(step, "ref")
    found += beneath(("ref",), reference(ref, features, "a StepAction"))
    found += params.values(step, features)
    action = around.step_actions.get(text(ref, "name"))
    if action is not None and not text(ref, "resolver"):
        wanted = params.declared(mapping(action, "spec"))
        found += params.fitting(wanted, step, {}, of=f"the StepAction {text(ref, 'name')!r}")
    return found


def _timeout(holder: Manifest) -> list[Finding]:
    value = text(holder, "timeout")
    if not value or "$(" in value:
        return []
    if not names.is_duration(value):
        return [Finding("duration", ("timeout",), f"{value!r} is no duration", "such as 90s or 1h30m")]
    if value.startswith("-"):
        return [Finding("duration", ("timeout",), f"{value!r} is negative")]
    return []


def _guarded_mounts(step: Manifest) -> list[Finding]:
    found = []
    for index, mount in items(step, "volumeMounts"):
        place: Path = ("volumeMounts", index)
        where = text(mount, "mountPath")
        if where.startswith("/tekton/") and not where.startswith("/tekton/home"):
            found.append(
                Finding(
                    "tekton-mount", (*place, "mountPath"), f"{where} is Tekton's own", "mount it elsewhere"
                )
            )
        if text(mount, "name").startswith("tekton-internal-"):
            found.append(
                Finding(
                    "tekton-mount",
                    (*place, "name"),
                    "names that begin with tekton-internal- are Tekton's own",
                )
            )
    return found


def _sidecar(sidecar: Manifest) -> list[Finding]:
    name = text(sidecar, "name")
    if name == RESERVED_SIDECAR:
        return [Finding("sidecar-name", ("name",), f"{name!r} is Tekton's own sidecar")]
    if not name:
        return [Finding("sidecar-name", (), "the sidecar has no name")]
    return []


# Variables: what is substituted where. Tekton refuses unknown ones in the fields of steps alone; elsewhere it
# leaves the text as it stands, which nobody can have meant.


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the variables in one task can name."""

    params: Mapping[str, Declared]
    own: Mapping[str, Declared]
    results: Mapping[str, Declared]
    workspaces: frozenset[str]
    steps: Mapping[str, tuple[int, Mapping[str, Declared] | None]]
    around: Surroundings


def _variables(spec: Manifest, around: Surroundings) -> list[Finding]:
    own = params.declared(spec)
    steps: dict[str, tuple[int, Mapping[str, Declared] | None]] = {}
    for index, step in items(spec, "steps"):
        action = around.step_actions.get(text(mapping(step, "ref"), "name"))
        made: Mapping[str, Declared] | None = params.declared(step, "results")
        if step.get("ref") is not None:
            made = params.declared(mapping(action, "spec"), "results") if action is not None else None
        steps[text(step, "name") or f"unnamed-{index}"] = (index, made)
    scope = _Scope(
        {**around.params, **own},
        own,
        params.declared(spec, "results"),
        frozenset(named(spec, "workspaces")) | around.workspaces,
        steps,
        around,
    )
    found: list[Finding] = []
    for index, step in items(spec, "steps"):
        for path, value in strings(step, ("steps", index)):
            if path[2:3] != ("displayName",):
                found += _of_step(value, path, step, index, scope)
    for key in ("stepTemplate", "sidecars", "volumes"):
        for path, value in strings(spec.get(key), (key,)):
            found += [
                Finding(
                    "unsubstituted", each.path, f"{each.message}: Tekton leaves it as it stands", each.fix
                )
                for each in _unknown_params(value, path, scope)
            ]
    for index, result in items(spec, "results"):
        for path, value in strings(result.get("value"), ("results", index, "value")):
            found += _of_step(value, path, {}, len(steps), scope)
    return found


def _of_step(value: str, path: Path, step: Manifest, index: int, scope: _Scope) -> list[Finding]:
    """What is wrong with the variables in one string of a step."""
    if "$(" not in value:
        return []
    found = _unknown_params(value, path, scope)
    where = path[2] if len(path) > 2 else ""
    if where != "params":
        found += _of_wrong_type(value, path, scope, in_words=where in ("command", "args"))
    for variable in variables(value):
        match variable.root:
            case "context":
                found += _context(variable, path, scope)
            case "results":
                found += _results(variable, path, step, scope)
            case "workspaces":
                found += _workspace(variable, path, scope)
            case "steps":
                found += _steps(variable, path, index, scope)
            case "step":
                found += _own_results(variable, path, step)
            case "tasks" | "finally" if not scope.around.in_pipeline:
                what = f"{variable.text}: a task alone does not know other tasks"
                found.append(Finding("scope", path, what, "take the value as a param"))
            case _:
                pass
    for wrong, right in misspelt(value):
        found.append(
            Finding("misspelt-variable", path, f"{wrong} is no variable", f"did you mean $({right}.…)?")
        )
    return found


def _unknown_params(value: str, path: Path, scope: _Scope) -> list[Finding]:
    found: list[Finding] = []
    for variable in variables(value):
        if variable.root != "params" or not variable.names:
            continue
        if variable.dotted and len(variable.names) > 2:
            what = f"{variable.text} has more than two names"
            found.append(
                Finding("unknown-param", path, what, "a name with dots stands in brackets: $(params['a.b'])")
            )
            continue
        name = variable.names[0]
        declared = scope.params.get(name)
        if declared is None:
            dotted = ".".join(variable.names)
            fix = (
                f"write $(params['{dotted}'])"
                if dotted in scope.params
                else suggestion(name, list(scope.params))
            )
            found.append(
                Finding("unknown-param", path, f"{variable.text}: no param {name!r} is declared", fix)
            )
        elif len(variable.names) > 1 and declared.type is Type.OBJECT and declared.keys:
            key = variable.names[1]
            if key not in declared.keys:
                what = f"{variable.text}: the object {name!r} has no key {key!r}"
                found.append(Finding("unknown-key", path, what, suggestion(key, sorted(declared.keys))))
    return found


def _of_wrong_type(value: str, path: Path, scope: _Scope, *, in_words: bool) -> list[Finding]:
    """Arrays and objects where there is no room for them."""
    found: list[Finding] = []
    for variable in variables(value):
        declared = (
            scope.params.get(variable.names[0]) if variable.root == "params" and variable.names else None
        )
        if declared is None or variable.index.isdigit() or len(variable.names) > 1:
            continue
        if declared.type is Type.ARRAY and not in_words:
            what = f"{variable.text} is an array, and this is one string"
            found.append(
                Finding("array-use", path, what, f"an item: $(params.{declared.name}[0]); all: in args")
            )
        elif declared.type is Type.ARRAY and not variable.alone:
            what = f"{variable.text} is an array, and other text stands beside it"
            found.append(Finding("array-use", path, what, f'"$(params.{declared.name}[*])" alone'))
        elif declared.type is Type.OBJECT:
            what = f"{variable.text} is an object, and a step takes single keys"
            keys = sorted(declared.keys)
            found.append(
                Finding("object-use", path, what, f"$(params.{declared.name}.{keys[0] if keys else 'KEY'})")
            )
    return found


def _context(variable: Variable, path: Path, scope: _Scope) -> list[Finding]:
    if len(variable.names) < 2:
        return []
    of, name = variable.names[0], variable.names[1]
    if of in _OF_A_PIPELINE:
        if scope.around.in_pipeline or scope.around.of_run:
            return []
        return [
            Finding(
                "scope",
                path,
                f"{variable.text}: a task alone does not know its pipeline",
                "take the value as a param",
            )
        ]
    known = _CONTEXT.get(of)
    if known is not None and name not in known:
        return [
            Finding(
                "unknown-context",
                path,
                f"{variable.text} is no variable",
                f"context.{of} has: {', '.join(known)}",
            )
        ]
    return []


def _results(variable: Variable, path: Path, step: Manifest, scope: _Scope) -> list[Finding]:
    if not variable.names:
        return []
    name = variable.names[0]
    if name in scope.results or name in params.declared(step, "results"):
        if variable.names[1:] != ("path",):
            what = f"{variable.text} is no variable: a step writes a result to $(results.{name}.path)"
            return [Finding("unsubstituted", path, what)]
        return []
    what = f"{variable.text}: the task declares no result {name!r}"
    return [Finding("unknown-result", path, what, suggestion(name, list(scope.results)))]


def _workspace(variable: Variable, path: Path, scope: _Scope) -> list[Finding]:
    if not variable.names:
        return []
    name = variable.names[0]
    if name not in scope.workspaces:
        what = f"{variable.text}: no workspace {name!r} is declared"
        rule = "unsubstituted" if scope.around.of_run else "unknown-workspace"
        return [Finding(rule, path, what, suggestion(name, sorted(scope.workspaces)))]
    if len(variable.names) != 2 or variable.names[1] not in _WORKSPACE_FIELDS:
        fix = f"a workspace has: {', '.join(_WORKSPACE_FIELDS)}"
        return [Finding("unsubstituted", path, f"{variable.text} is no variable", fix)]
    return []


def _steps(variable: Variable, path: Path, index: int, scope: _Scope) -> list[Finding]:
    """``steps.NAME.results.R``, ``steps.step-NAME.exitCode.path``, ``steps.NAME.outputs``."""
    if len(variable.names) < 2:
        return []
    name, what_of_it = variable.names[0], variable.names[1]
    bare = name.removeprefix("step-") if what_of_it == "exitCode" else name
    at = scope.steps.get(bare)
    if at is None:
        fix = suggestion(bare, list(scope.steps))
        return [Finding("unknown-step", path, f"{variable.text}: the task has no step {bare!r}", fix)]
    if at[0] >= index:
        return [
            Finding(
                "unknown-step",
                path,
                f"{variable.text}: the step {bare!r} has not run by then",
                "use earlier steps",
            )
        ]
    if (
        what_of_it == "results"
        and len(variable.names) > 2
        and at[1] is not None
        and variable.names[2] not in at[1]
    ):
        fix = suggestion(variable.names[2], list(at[1]))
        what = f"{variable.text}: the step {bare!r} declares no result {variable.names[2]!r}"
        return [Finding("unknown-result", path, what, fix)]
    return []


def _own_results(variable: Variable, path: Path, step: Manifest) -> list[Finding]:
    """``step.results.R.path``: where a step writes a result of its own."""
    if variable.names[:1] != ("results",) or len(variable.names) < 2 or step.get("ref") is not None:
        return []
    known = params.declared(step, "results")
    if variable.names[1] in known:
        return []
    what = f"{variable.text}: the step declares no result {variable.names[1]!r}"
    return [Finding("unknown-result", path, what, suggestion(variable.names[1], list(known)))]


def step_action(spec: Manifest, features: Features) -> list[Finding]:
    """What is wrong with the StepActionSpec ``spec`` (stepaction_validation.go); paths begin at it."""
    found = params.declarations(spec, features) + params.result_declarations(spec, features, of_step=True)
    if not text(spec, "image"):
        found.append(Finding("no-image", (), "the StepAction has no image"))
    script = text(spec, "script")
    if script and texts(spec, "command"):
        found.append(
            Finding("script-and-command", ("script",), "a StepAction has a script or a command, not both")
        )
    if any(variable.root == "params" for variable in variables(script)):
        what = "the script of a StepAction cannot use $(params.…)"
        found.append(
            Finding("param-in-script", ("script",), what, "pass it by env: {name: X, value: $(params.x)}")
        )
    for index, mount in items(spec, "volumeMounts"):
        name = text(mount, "name")
        if not any(variable.root == "params" and variable.alone for variable in variables(name)):
            what = f"the volume {name!r} is not taken as a param"
            found.append(
                Finding("action-volume", ("volumeMounts", index, "name"), what, "name: $(params.volume)")
            )
    scope = _Scope(
        params.declared(spec), params.declared(spec), {}, frozenset(), {}, Surroundings(of_run=True)
    )
    for path, value in strings(
        {key: item for key, item in spec.items() if key not in ("params", "results", "script")}
    ):
        found += _unknown_params(value, path, scope)
        found += _of_wrong_type(value, path, scope, in_words=path[0] in ("command", "args"))
    for variable in variables(script):
        if variable.root == "step":
            found += _own_results(variable, ("script",), spec)
    return found
