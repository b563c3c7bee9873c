"""Plays one task: its steps one after the other, each in a container of its own (Tekton, docs/tasks.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from builder.errors import BuildError, UnknownImageError
from builder.pipeline.environment import UnknownKeyError, environment, expanded
from builder.pipeline.events import Printed, StepBegan, StepEnded
from builder.pipeline.limit import NO_LIMIT, Limit
from builder.pipeline.lookup import RESULTS, STEPS, first, holds, of_files, of_steps, of_workspaces
from builder.pipeline.order import Part, PlannedTask
from builder.pipeline.outcome import FAILED, SUCCEEDED, StepOutcome, TaskOutcome
from builder.pipeline.tools.programs import programs_for
from builder.pipeline.tools.site import Site
from builder.pipeline.volumes import Volume, Volumes, empty_tree, make_directories
from builder.runners.simulated import account, make_directory
from builder.security.tekton.pods import merged, workspace_mounts
from builder.security.tekton.reading import Manifest, items, mapping, named, strings, text
from builder.security.tekton.runs import seconds_of
from builder.security.tekton.values import (
    Lookup,
    Value,
    defaults,
    filled_tree,
    filled_value,
    given,
    of_params,
    value_from,
)
from builder.security.tekton.variables import variables
from builder.world.machine.attachments import Attachment, devices
from builder.world.machine.executable import DEFAULT_PATH, ExecError
from builder.world.machine.mounted import attached
from builder.world.machine.network import Serving
from builder.world.machine.scheduler import Cancelled
from builder.world.machine.stopped import StoppedError
from builder.world.world import Job, World
from unionfs_sim.layers.layer import Layer
from unionfs_sim.mounting import mount
from unionfs_sim.nodes.caller import Caller
from unionfs_sim.vfs.posix import Posix

_SCRIPTS: Final = "/tekton/scripts"
_SHEBANG: Final = "#!/bin/sh\nset -e\n"
_MOST_RESULT_BYTES: Final = 4096
"""What a container can leave behind for Tekton: its termination message."""

_REFUSED_IN_STEPS: Final = {
    "stdoutConfig": "stdoutConfig",
    "stderrConfig": "stderrConfig",
    "volumeDevices": "volumeDevices",
}
_TIMED_OUT: Final = 124
_NOT_EXECUTABLE: Final = 126


@dataclass(slots=True, kw_only=True)
class TaskPlayer:
    """One task of a run. ``bound``: the volumes of its workspaces.

    ``outside``: what variables stand for that do not come from the task itself.
    ``limit``: when it must be over.
    """

    site: Site
    task: PlannedTask
    params: Mapping[str, Value]
    bound: Mapping[str, Volume]
    volumes: Volumes
    outside: Lookup
    step_actions: Mapping[str, Manifest]
    limit: Limit = NO_LIMIT
    _kept: dict[str, Layer] = field(default_factory=dict)
    _step_results: dict[str, dict[str, Value]] = field(default_factory=dict)

    def run(self) -> TaskOutcome:
        """How the task ended."""
        spec = self.task.spec
        self._kept = {path: empty_tree() for path in (RESULTS, STEPS, _SCRIPTS, "/tekton/home")}
        if items(spec.value, "sidecars"):
            raise spec.refused("sidecars", "sidecars", 0)
        volumes = {
            text(each, "name"): self.volumes.of_task(spec, index)
            for index, each in items(spec.value, "volumes")
        }
        outcomes: list[StepOutcome] = []
        why = ""
        for index, _ in items(spec.value, "steps"):
            name, step, look = self._step(index)
            image = text(step, "image")
            if why:
                outcomes.append(StepOutcome(name, image, None))
                continue
            if not all(holds(each, look) for _, each in items(step, "when")):
                self.site.listener(StepEnded(self.task.name, name, 0, "its when is false"))
                outcomes.append(StepOutcome(name, image, None))
                continue
            self.site.listener(StepBegan(self.task.name, name, image))
            status, said = self._container(index, name, step, volumes)
            goes_on = text(step, "onError") == "continue"
            self._note_exit(name, status)
            note = said or ("its onError says to go on" if status and goes_on else "")
            self.site.listener(StepEnded(self.task.name, name, status, note))
            outcomes.append(StepOutcome(name, image, status))
            try:
                self._step_results[name] = _read(self._kept[STEPS], f"/step-{name}/results", step)
            except BuildError as error:
                why = f"step {name}: {error.what}"
            if status and not goes_on:
                why = f"step {name} ended with {status}" + (f": {said}" if said else "")
        if why:
            return TaskOutcome(self.task.name, FAILED, "Failed", why, tuple(outcomes))
        try:
            results = self._results()
        except BuildError as error:
            return TaskOutcome(self.task.name, FAILED, "Failed", error.what, tuple(outcomes))
        return TaskOutcome(self.task.name, SUCCEEDED, "Succeeded", "", tuple(outcomes), results)

    # ---- what a step is -------------------------------------------------------------------------------

    def _step(self, index: int) -> tuple[str, Manifest, Lookup]:
        """A step's name, and the step with its template or StepAction, all variables filled."""
        spec = self.task.spec.value
        part = self.task.spec.below("steps", index)
        written = part.value
        name = text(written, "name") or f"unnamed-{index}"
        for word, called in _REFUSED_IN_STEPS.items():
            if word in written:
                raise part.refused(called, word)
        look = first(
            of_params(self.params),
            of_workspaces(spec, self.bound),
            of_files(name),
            of_steps(self._step_results),
            self.outside,
        )
        template = mapping(spec, "stepTemplate")
        step = dict(merged(template, written)) if template else dict(written)
        for key, named_by in (("env", "name"), ("volumeMounts", "mountPath")):
            step[key] = _joined(template, written, key, named_by)
        if "ref" in written:
            step = self._from_action(part, step, look)
        return name, filled_tree(step, look), look

    def _from_action(self, part: Part, step: dict[str, Any], look: Lookup) -> dict[str, Any]:
        """The step that a StepAction gives, with the params that are passed to it."""
        reference = mapping(part.value, "ref")
        if "resolver" in reference:
            raise part.refused("references that a resolver fetches", "ref", "resolver")
        name = text(reference, "name")
        action = self.step_actions.get(name)
        if action is None:
            raise BuildError(
                f"no StepAction called {name!r} is in the files",
                where=part.where("ref", "name"),
                fix="name its file on the command line, too",
            )
        spec = mapping(action, "spec")
        params = given(part.value, look, defaults(spec))
        inner = filled_tree(spec, of_params(params))
        env = _joined(inner, step, "env", "name")
        mounts = [*(inner.get("volumeMounts") or []), *(step.get("volumeMounts") or [])]
        outer = {key: value for key, value in step.items() if key not in ("ref", "params") and value}
        return {**inner, **outer, "env": env, "volumeMounts": mounts}

    # ---- its container --------------------------------------------------------------------------------

    def _container(
        self, index: int, name: str, step: Manifest, volumes: Mapping[str, Volume]
    ) -> tuple[int, str]:
        """The exit status of a step, and what is to be said of it."""
        try:
            rootfs = self.site.rootfs(text(step, "image"))
            argv = self._argv(name, step, rootfs.entrypoint, rootfs.cmd)
            root = self._root(rootfs.layers, step, rootfs.working_dir)
            who = account(root, self._user(step, rootfs.user))
            view = attached(root, [devices(), *self._mounts(index, name, step, volumes)])
            if text(step, "workingDir"):
                make_directory(view, text(step, "workingDir"))
        except BuildError as error:
            return _NOT_EXECUTABLE, _in_one_line(error)
        except OSError as error:
            return _NOT_EXECUTABLE, f"cannot be mounted: {error.filename or ''}: {error.strerror}"
        env = {"PATH": DEFAULT_PATH, "HOME": who.home, "HOSTNAME": self.task.name, **rootfs.env}
        try:
            env |= environment(step, self.task.spec.below("steps", index), self.volumes.files)
        except UnknownKeyError as error:
            return _NOT_EXECUTABLE, _in_one_line(error)
        argv = [expanded(each, env) for each in argv]
        job = Job(argv=argv, env=env, cwd=text(step, "workingDir") or rootfs.working_dir)
        limit = Limit.after(seconds_of(text(step, "timeout")), f"not over within {text(step, 'timeout')}")
        limit = limit.sooner(self.limit)
        world = World(
            programs_for(self.site, self.task.name, name),
            self.site.internet,
            is_cancelled=limit.is_over,
        )
        caller = Caller(who.uid, who.gid, who.groups)
        try:
            status = world.run(
                view, job, lambda data: self.site.listener(Printed(self.task.name, name, data)), caller=caller
            )
        except ExecError as error:
            hint = world.nearest(argv[0]) if error.status != _NOT_EXECUTABLE else ""
            return error.status, f"{argv[0]}: {error.message}{hint}"
        except StoppedError as error:
            return 1, error.message
        except Serving as serving:
            return 1, str(serving)
        except Cancelled:
            return _TIMED_OUT, limit.why
        return status, ""

    def _argv(self, name: str, step: Manifest, entrypoint: list[str], cmd: list[str]) -> list[str]:
        args = [str(each) for each in step.get("args") or []]
        script = text(step, "script")
        if script:
            path = f"{_SCRIPTS}/{name}"
            content = script if script.startswith("#!") else _SHEBANG + script
            self._kept[_SCRIPTS].write_bytes(f"/{name}", content.encode("utf-8", "surrogateescape"), 0o755)
            return [path, *args]
        command = [str(each) for each in step.get("command") or []]
        argv = [*command, *args] if command else [*entrypoint, *(args or cmd)]
        if not argv:
            raise BuildError("neither the step nor its image says what to run", fix="write command or script")
        return argv

    def _root(self, layers: list[Layer], step: Manifest, working_dir: str) -> Posix:
        """The container's root; read-only where the step asks for that."""
        scratch = Layer()
        root = mount([Layer().freeze(), *layers], scratch)
        if not text(step, "workingDir").startswith(("/workspace", "/tekton")):
            make_directory(root, text(step, "workingDir") or working_dir)
        if mapping(step, "securityContext").get("readOnlyRootFilesystem") is True:
            return mount([Layer().freeze(), *layers, scratch.freeze()])
        return root

    def _user(self, step: Manifest, of_image: str) -> str:
        context = mapping(step, "securityContext")
        user, group = context.get("runAsUser"), context.get("runAsGroup")
        if user is None:
            if context.get("runAsNonRoot") is True and of_image.partition(":")[0] in ("", "0", "root"):
                raise BuildError("the image runs as root, and runAsNonRoot forbids it", fix="write runAsUser")
            return of_image
        return f"{user}:{group}" if group is not None else str(user)

    def _mounts(
        self, index: int, name: str, step: Manifest, volumes: Mapping[str, Volume]
    ) -> Iterator[Attachment]:
        spec = self.task.spec.value
        make_directories(self._kept[STEPS], f"/step-{name}/results")
        yield Attachment("/workspace", self._kept.setdefault("/workspace", empty_tree()))
        for path in (RESULTS, STEPS, _SCRIPTS, "/tekton/home"):
            yield Attachment(path, self._kept[path])
        declared = named(spec, "workspaces")
        implied = {each: {"name": each} for each in self.bound if each not in declared}
        wanted = {
            text(usage, "name") for _, each in items(spec, "steps") for _, usage in items(each, "workspaces")
        }
        for mounted in workspace_mounts(step, {**declared, **implied}, wanted):
            bound = self.bound.get(mounted.volume.removeprefix("workspace-"))
            if bound is not None:
                yield bound.at(mounted.path, "", read_only=mounted.read_only)
        for at, each in items(step, "volumeMounts"):
            volume = volumes.get(text(each, "name"))
            if volume is None:
                raise BuildError(
                    f"the task has no volume {text(each, 'name')!r}",
                    where=self.task.spec.where("steps", index, "volumeMounts", at),
                )
            yield volume.at(
                text(each, "mountPath"), text(each, "subPath"), read_only=each.get("readOnly") is True
            )

    # ---- what it leaves -------------------------------------------------------------------------------

    def _note_exit(self, name: str, status: int) -> None:
        make_directories(self._kept[STEPS], f"/step-{name}")
        self._kept[STEPS].write_bytes(f"/step-{name}/exitCode", str(status).encode())

    def _results(self) -> dict[str, Value]:
        """The task's results: files that its steps wrote, or what ``value`` of a result stands for."""
        spec = self.task.spec.value
        found = _read(self._kept[RESULTS], "", spec)
        look = first(of_steps(self._step_results), of_params(self.params), self.outside)
        for _, each in items(spec, "results"):
            if each.get("value") is not None:
                written = value_from(each["value"])
                if all(
                    look(each_) is not None for _, value in strings(written) for each_ in variables(value)
                ):
                    found[text(each, "name")] = filled_value(written, look)
        return found


def _joined(template: Manifest, step: Manifest, key: str, named_by: str) -> list[Any]:
    """The items of a list in a template and in a step; those of the step replace those of the same name."""
    found = {text(each, named_by): each for _, each in items(template, key)}
    found |= {text(each, named_by): each for _, each in items(step, key)}
    return list(found.values())


def _read(tree: Layer, below: str, holder: Manifest) -> dict[str, Value]:
    """The results that ``holder`` declares, as files have them; one that was not written is left out."""
    found: dict[str, Value] = {}
    size = 0
    for _, each in items(holder, "results"):
        name = text(each, "name")
        path = f"{below}/{name}"
        if not tree.exists(path):
            continue
        try:
            raw = tree.read_bytes(path)
        except OSError as error:
            raise BuildError(f"the result {name} cannot be read: {error.strerror}") from None
        size += len(raw)
        type_ = text(each, "type") or ("object" if "properties" in each else "string")
        found[name] = _parsed(name, raw.decode("utf-8", "replace"), type_)
    if size > _MOST_RESULT_BYTES:
        raise BuildError(f"its results have {size} bytes, and Tekton keeps {_MOST_RESULT_BYTES}")
    return found


def _parsed(name: str, raw: str, type_: str) -> Value:
    if type_ == "string":
        return raw
    try:
        value = value_from(json.loads(raw))
    except (ValueError, RecursionError):
        value = raw
    if not isinstance(value, list if type_ == "array" else dict):
        raise BuildError(f"the result {name} is no JSON {type_} of strings: {raw[:60]!r}")
    return value


def _in_one_line(error: BuildError) -> str:
    """The error for a table; of an image that is not here, without all that are."""
    if isinstance(error, UnknownImageError) or not error.fix:
        return error.what
    return f"{error.what} ({error.fix})"
