"""``/containers/…/exec`` and ``/exec``: one more command in a container that runs."""

from __future__ import annotations

from typing import Final

from builder.daemon.api.containers import size_of
from builder.daemon.containers.attachment import BOTH, MULTIPLEXED, RAW, Attachment
from builder.daemon.containers.spec import words_of
from builder.daemon.http.connection import Exchange
from builder.daemon.http.errors import BadRequest, Conflict
from builder.daemon.http.routes import Asked, Route
from builder.daemon.service import Service
from builder.protocols import Command, TerminalSize

_TERMINAL: Final = TerminalSize(80, 24)


async def create(service: Service, exchange: Exchange, asked: Asked) -> None:
    """A command that is not yet begun."""
    body = await exchange.json()
    container = service.containers.find(asked.name)
    argv = words_of(body, "Cmd")
    if not argv:
        raise BadRequest("No exec command specified")
    if body.get("Privileged"):
        raise BadRequest("--privileged (Privileged): no command gets more than its user has")
    has_terminal = body.get("Tty") is True
    if has_terminal and service.is_simulated:
        raise BadRequest("--tty (-t): the simulated world has no terminals; leave it out")
    env = dict(container.spec.env)
    for each in words_of(body, "Env") or []:
        name, equals, value = each.partition("=")
        if equals:
            env[name] = value
    takes_input = body.get("AttachStdin") is True
    user, cwd = (
        str(body.get("User") or container.spec.user),
        str(body.get("WorkingDir") or container.spec.cwd),
    )
    command = Command(
        argv=tuple(argv),
        env={"HOSTNAME": container.id[:12], **env},
        cwd=cwd,
        user=user,
        stdin=None if takes_input else b"",
        network=container.spec.network,
        terminal=_TERMINAL if has_terminal else None,
    )
    shown = {
        "tty": has_terminal,
        "entrypoint": argv[0],
        "arguments": argv[1:],
        "privileged": False,
        "user": user,
    }
    made = container.execution(service.containers.token(), command, shown, ends=True)
    service.containers.tell(container, f"exec_create: {' '.join(argv)}", execID=made.id)
    await exchange.answer(201, {"Id": made.id})


async def start(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Let it begin; its streams are on the connection, unless it is detached."""
    body = await exchange.json()
    container, execution = service.containers.execution(asked.name)
    if execution.is_started:
        raise Conflict(f"exec command {execution.id} has already run")
    service.containers.tell(container, f"exec_start: {' '.join(execution.command.argv)}", execID=execution.id)
    if body.get("Detach"):
        service.containers.spawn(container.execute(execution, None))
        await exchange.answer(200)
        return
    is_raw = execution.command.terminal is not None
    attachment = Attachment(BOTH, is_raw=is_raw)
    upgraded = await exchange.upgrade(RAW if is_raw else MULTIPLEXED)
    service.containers.spawn(container.execute(execution, attachment))
    take = execution.feed.take if execution.command.stdin is None else None
    await attachment.serve(upgraded, take)


async def inspect(service: Service, exchange: Exchange, asked: Asked) -> None:
    """How far it has come."""
    container, execution = service.containers.execution(asked.name)
    is_running = execution.is_started and execution.exit_code is None
    await exchange.answer(
        200,
        {
            "ID": execution.id,
            "Running": is_running,
            "ExitCode": execution.exit_code,
            "ProcessConfig": dict(execution.shown),
            "OpenStdin": execution.command.stdin is None,
            "OpenStdout": True,
            "OpenStderr": True,
            "CanRemove": False,
            "ContainerID": container.id,
            "DetachKeys": "",
            "Pid": 1 if is_running else 0,
        },
    )


async def resize(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Tell its terminal a new size."""
    _, execution = service.containers.execution(asked.name)
    if execution.process is not None:
        execution.process.resize(size_of(asked.query))
    await exchange.answer(200)


ROUTES: Final = (
    Route("POST", "/containers/{name}/exec", create),
    Route("POST", "/exec/{name}/start", start),
    Route("POST", "/exec/{name}/resize", resize),
    Route("GET", "/exec/{name}/json", inspect),
)
