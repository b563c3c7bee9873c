"""RUN: a command in the root of the stage, with what is mounted for it (Dockerfile reference, "RUN")."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from builder.dockerfile.plan.scope import proxy_environment
from builder.dockerfile.syntax.heredoc import Heredoc
from builder.dockerfile.syntax.instruction import NetworkMode, Run, SecurityMode
from builder.dockerfile.syntax.mount import MountType
from builder.engine import cachekey
from builder.engine.configure import DEFAULT_PATH, argv
from builder.engine.mounts import RunMounts, ssh_agent
from builder.engine.stage import StageBuild
from builder.errors import NotSupportedError, StepFailedError
from builder.events import OutputPrinted
from builder.image.digest import DiffID
from builder.protocols import EMPTY, Bind, Command, Execution, FsT, Mount, Network, Purpose, Workspace
from builder.protocols import run as start

_SCRIPT_DIRECTORY: Final = "/dev/pipes"
"""Where BuildKit puts a heredoc that begins with ``#!``."""

_TAIL_BYTES: Final = 2_000
_TAIL_LINES: Final = 6


def refuse(stage: StageBuild[FsT], instruction: Run) -> None:
    """Raise NotSupportedError for what this builder may not do, or cannot."""
    if instruction.security is SecurityMode.INSECURE:
        raise NotSupportedError(
            "RUN --security=insecure: a privileged step cannot be had here",
            fix="leave the flag out, or build this Dockerfile with a BuildKit that allows security.insecure",
        )
    is_simulated = stage.workshop.execution is Execution.SIMULATED
    if instruction.network is NetworkMode.HOST and is_simulated:
        raise NotSupportedError(
            "RUN --network=host: there is no host network here",
            fix="leave the flag out, or use --network=none",
        )
    for mount in instruction.mounts:
        if mount.type is MountType.SSH and mount.required and ssh_agent(stage.request.ssh, mount) is None:
            raise NotSupportedError(
                "RUN --mount=type=ssh,required: no ssh agent is passed to this build",
                fix="a real build can have one: --strategy rootless --ssh default; or leave required out",
            )


def history_line(stage: StageBuild[FsT], words: tuple[str, ...]) -> str:
    """The line that docker writes: build arguments, then the command with its shell."""
    arguments = [f"{name}={stage.scope.lookup(name) or ''}" for name in stage.scope.declared]
    prefix = [f"|{len(arguments)}", *arguments] if arguments else []
    return f"RUN {' '.join([*prefix, *words])} # buildkit"


def run(stage: StageBuild[FsT], instruction: Run) -> None:
    """Run the command, or take the layer that it made before."""
    refuse(stage, instruction)
    config = stage.image.config
    script = instruction.script
    words = argv(instruction.command, config)
    if script is not None and script.content.startswith("#!"):
        words = (f"{_SCRIPT_DIRECTORY}/{script.name}",)
    elif words and instruction.shell_text:
        words = (*words[:-1], instruction.shell_text)
    env = {"PATH": DEFAULT_PATH, **stage.scope.environment()}
    mounts = RunMounts(stage, instruction)
    inputs = [
        cachekey.parent(stage.snapshot.chain_id),
        cachekey.said("what runs it", stage.workshop.execution.value),
        cachekey.said("the command", *words, script.content if script is not None else ""),
        cachekey.said("the working directory", config.working_dir),
        cachekey.said("the user", config.user),
        cachekey.said("the network", instruction.network.value),
        *cachekey.variables("variable", env),
        *mounts.inputs(),
    ]
    env |= proxy_environment(stage.request.graph.build_args)

    def act(work: Workspace[FsT]) -> None:
        attached = mounts.attached()
        extra: tuple[Mount, ...] = ()
        if script is not None and words[0].startswith(_SCRIPT_DIRECTORY):
            extra = (_script(stage, script, words[0]),)
        command = Command(
            argv=words,
            env={**env, **attached.env},
            cwd=config.working_dir or "/",
            user=config.user,
            network=Network(instruction.network.value),
            mounts=(*attached.mounts, *extra),
            timeout_seconds=stage.request.timeout_seconds,
        )
        _execute(stage, work, command)

    stage.on_files(inputs, act, purpose=Purpose.ANYTHING, line=history_line(stage, words))


def _script(stage: StageBuild[FsT], script: Heredoc, path: str) -> Bind:
    """The heredoc as a program at ``path``: a layer of its own, bound for one command."""
    from unionfs_sim.layers.layer import File, layer  # a step that is known needs no tree
    from unionfs_sim.tar.pack import pack

    tree = layer({f"/{script.name}": File(script.content, mode=0o755)})
    stored = stage.workshop.store.put(pack(tree))
    return Bind(
        target=PurePosixPath(path),
        snapshot=EMPTY.with_layer(DiffID(stored.digest)),
        path=PurePosixPath("/", script.name),
    )


def _last_words(said: Sequence[str]) -> str:
    """What a command that failed printed last, for the error."""
    if not said:
        return "it printed nothing"
    if len(said) == 1:
        return f"it last said: {said[0]}"
    return "\n".join(("it last said:", *(f"    {line}" for line in said[-_TAIL_LINES:])))


def _execute(stage: StageBuild[FsT], work: Workspace[FsT], command: Command) -> None:
    tail = bytearray()

    def output(data: bytes) -> None:
        tail.extend(data)
        del tail[:-_TAIL_BYTES]
        stage.build.listener(OutputPrinted(stage.planned.index, stage.step, data))

    if not command.argv:
        raise StepFailedError("RUN: there is no command")
    ended = start(stage.workshop.runner, work.rootfs, command, output=output)
    if ended.status:
        said = tail.decode("utf-8", "replace").strip().splitlines()
        raise StepFailedError(
            f"RUN: the command ended with exit status {ended.status}",
            fix=_last_words(said),
            exit_status=ended.status,
        )
