"""``/containers``: made, started, watched, ended, looked into."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from builder.daemon.bodies import ChunkWriter
from builder.daemon.containers.attachment import MULTIPLEXED, RAW
from builder.daemon.containers.container import Container
from builder.daemon.containers.copying import STAT_HEADER, Place, archived, place_of
from builder.daemon.containers.log import ERR, OUT, framed
from builder.daemon.containers.shown import inspected, listed
from builder.daemon.containers.spec import signal_number, spec_of
from builder.daemon.http.connection import JSON, Exchange
from builder.daemon.http.errors import ApiError, BadRequest
from builder.daemon.http.query import Query
from builder.daemon.http.routes import Asked, Route
from builder.daemon.service import Service
from builder.daemon.threads import aside
from builder.image.oci import Platform
from builder.protocols import TerminalSize

_FILTERS: Final = (
    "id",
    "name",
    "label",
    "status",
    "ancestor",
    "exited",
    "before",
    "since",
    "publish",
    "expose",
    "volume",
    "network",
    "health",
    "is-task",
)
_SECOND_NS: Final = 1_000_000_000
_MAX_SIDE: Final = 65535


async def create(service: Service, exchange: Exchange, asked: Asked) -> None:
    """A new container of an image that is here; 404 lets the client pull it first."""
    body = await exchange.json()
    written = body.get("Image")
    if not isinstance(written, str) or not written:
        raise BadRequest("Image is needed: what the container is made of")
    kept = await aside(lambda: service.images.find(written))
    if platform := asked.query.text("platform"):
        wanted, here = Platform.parse(platform), kept.image.platform
        if (wanted.os, wanted.architecture) != (here.os, here.architecture):
            raise ApiError(404, f"No such image: {written}: what is here is for {here}, not for {wanted}")
    spec = spec_of(body, kept.image.config, simulated=service.is_simulated)
    made = service.containers.create(asked.query.text("name"), spec, kept)
    await exchange.answer(201, {"Id": made.id, "Warnings": []})


async def list_containers(service: Service, exchange: Exchange, asked: Asked) -> None:
    """The containers that run, or all of them; ``filters`` choose among them."""
    query = asked.query
    filters = query.filters(_FILTERS)
    limit = query.number("limit") or 0
    everything = query.flag("all") or limit > 0 or "status" in filters or "exited" in filters
    found = [
        each
        for each in service.containers.all()
        if (everything or each.state.is_running)
        and all(_fits(service, each, name, values) for name, values in filters.items() if values)
    ]
    now = service.configuration.now_ns()
    chosen = found[:limit] if limit > 0 else found
    await exchange.answer(200, [listed(each, now) for each in chosen])


def _fits(service: Service, container: Container, name: str, values: list[str]) -> bool:
    match name:
        case "id":
            return any(container.id.startswith(value) for value in values)
        case "name":
            return any(value.removeprefix("/") in container.name for value in values)
        case "label":
            pairs = (value.partition("=") for value in values)
            labels = container.spec.labels
            return all(
                labels.get(key) == wanted if equals else key in labels for key, equals, wanted in pairs
            )
        case "status":
            return container.state.status in values
        case "exited":
            return container.state.status == "exited" and str(container.state.exit_code) in values
        case "ancestor":
            image = container.kept.image.id
            known = {container.spec.image, *container.kept.tags, image, image.partition(":")[2][:12]}
            return any(value in known or f"{value}:latest" in known for value in values)
        case "before":
            return container.created_ns < service.containers.find(values[0]).created_ns
        case "since":
            return container.created_ns > service.containers.find(values[0]).created_ns
    raise BadRequest(f"the filter {name!r} cannot be answered here")


async def inspect(service: Service, exchange: Exchange, asked: Asked) -> None:
    """All that is known of one."""
    await exchange.answer(200, inspected(service.containers.find(asked.name)))


async def start(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Let it begin."""
    await service.containers.find(asked.name).start()
    await exchange.answer(204)


async def stop(service: Service, exchange: Exchange, asked: Asked) -> None:
    """End it: in good order, or after some seconds for sure."""
    number = asked.query.text("signal")
    chosen = signal_number(number) if number else None
    await service.containers.find(asked.name).stop(asked.query.number("t"), chosen)
    await exchange.answer(204)


async def restart(service: Service, exchange: Exchange, asked: Asked) -> None:
    """End it, if it runs, and let it begin again."""
    container = service.containers.find(asked.name)
    try:
        await container.stop(asked.query.number("t"), None)
    except ApiError as error:
        if error.status != 304:
            raise
    await container.start()
    await exchange.answer(204)


async def kill(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Send it a signal."""
    container = service.containers.find(asked.name)
    await container.signal(signal_number(asked.query.text("signal") or "KILL"))
    await exchange.answer(204)


async def wait(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Its exit status, when there is one; the head of the answer comes at once, for clients start it then."""
    container = service.containers.find(asked.name)
    condition = asked.query.text("condition")
    if condition not in ("", "not-running", "next-exit", "removed"):
        raise BadRequest(f"invalid condition: {condition!r:.50}")
    waiting = asyncio.ensure_future(container.wait(condition))
    try:
        await exchange.begin(JSON)
        code, error = await waiting
    finally:
        waiting.cancel()
    told = {"StatusCode": code, "Error": {"Message": error} if error and code == 128 else None}
    await exchange.send(json.dumps(told).encode() + b"\n")
    await exchange.end()


async def remove(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Take it away with its files."""
    if asked.query.flag("link"):
        raise BadRequest("--link: there are no links between containers here")
    await service.containers.find(asked.name).remove(force=asked.query.flag("force"))
    await exchange.answer(204)


async def prune(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Take away all that do not run."""
    asked.query.filters(())
    gone = []
    for container in service.containers.all():
        if not container.state.is_running:
            await container.remove(force=False)
            gone.append(container.id)
    await exchange.answer(200, {"ContainersDeleted": gone or None, "SpaceReclaimed": 0})


async def rename(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Give it another name."""
    service.containers.rename(service.containers.find(asked.name), asked.query.text("name"))
    await exchange.answer(204)


async def resize(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Tell its terminal a new size."""
    service.containers.find(asked.name).resize(size_of(asked.query))
    await exchange.answer(200)


def size_of(query: Query) -> TerminalSize:
    """The size that a query tells; BadRequest if none."""
    rows, columns = query.number("h"), query.number("w")
    if rows is None or columns is None or not (0 <= rows <= _MAX_SIDE and 0 <= columns <= _MAX_SIDE):
        raise BadRequest(f"h and w are needed: a size between 0 and {_MAX_SIDE}")
    return TerminalSize(columns, rows)


async def attach(service: Service, exchange: Exchange, asked: Asked) -> None:
    """Its output from now on, and its input; with ``logs=1`` what it has printed before."""
    container, query = service.containers.find(asked.name), asked.query
    streams = frozenset(number for number, name in ((OUT, "stdout"), (ERR, "stderr")) if query.flag(name))
    is_raw = container.spec.has_terminal
    async with container.attached(streams if query.flag("stream") else frozenset()) as attachment:
        upgraded = await exchange.upgrade(RAW if is_raw else MULTIPLEXED)
        if query.flag("logs"):
            async for line in container.log.read(tail=None, since_ns=0, until_ns=None, follows=False):
                if line.stream in streams:
                    await upgraded.write(line.data if is_raw else framed(line.stream, line.data))
        if not query.flag("stream") or not (
            container.state.is_running or container.state.status == "created"
        ):
            return
        take: Callable[[bytes | None], Awaitable[None]] | None = None
        if query.flag("stdin") and container.spec.takes_input:
            take = container.feed.take
        await attachment.serve(upgraded, take)


async def logs(service: Service, exchange: Exchange, asked: Asked) -> None:
    """What it has printed; with ``follow`` also what it prints until it ends."""
    container, query = service.containers.find(asked.name), asked.query
    streams = {number for number, name in ((OUT, "stdout"), (ERR, "stderr")) if query.flag(name)}
    if not streams:
        raise BadRequest("Bad parameters: you must choose at least one stream")
    written = query.text("tail", "all")
    if written not in ("all", "") and not (written.isascii() and written.isdigit()):
        written = "all"  # as docker takes what is no number
    tail = None if written in ("all", "") else int(written)
    since, until = _time(query, "since") or 0, _time(query, "until")
    is_raw = container.spec.has_terminal
    await exchange.begin(RAW if is_raw else MULTIPLEXED)
    lines = container.log.read(tail=tail, since_ns=since, until_ns=until, follows=query.flag("follow"))
    async for line in lines:
        if line.stream in streams:
            data = line.stamped() if query.flag("timestamps") else line.data
            await exchange.send(data if is_raw else framed(line.stream, data))
    await exchange.end()


def _time(query: Query, name: str) -> int | None:
    """A time in seconds since 1970, with or without a fraction, as nanoseconds; None if not given."""
    written = query.text(name)
    if not written or written == "0":
        return None
    try:
        return int(float(written) * _SECOND_NS)
    except (ValueError, OverflowError):
        raise BadRequest(f"{name}={written!r:.50} is not a time in seconds since 1970") from None


async def archive(service: Service, exchange: Exchange, asked: Asked) -> None:
    """A file or directory of it as a tar, or (HEAD) only what is there."""
    container = service.containers.find(asked.name)
    path = asked.query.text("path")
    if not path:
        raise BadRequest("path is needed: what to copy")
    work, machinery = await container.prepared(), service.containers.machinery

    def look() -> Place:
        with machinery.looking(work, container.running) as tree:
            return place_of(tree, path)

    place = await aside(look)
    headers = {STAT_HEADER: place.header()}
    if exchange.method == "HEAD":
        await exchange.answer_bytes(200, b"", headers)
        return
    await exchange.begin("application/x-tar", headers)
    writer = ChunkWriter(exchange)

    def send() -> None:
        with machinery.looking(work, container.running) as tree, writer.file() as file:
            file.writelines(archived(tree, place))

    await aside(send)
    await exchange.end()


async def no_copy_in(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
    """Refused."""
    raise BadRequest("files are not copied into containers here: COPY them into the image")


def _refusing(sentence: str) -> Any:
    async def refuse(service: Service, exchange: Exchange, asked: Asked) -> None:  # noqa: ARG001
        raise BadRequest(sentence)

    return refuse


ROUTES: Final = (
    Route("POST", "/containers/create", create),
    Route("GET", "/containers/json", list_containers),
    Route("POST", "/containers/prune", prune),
    Route("GET", "/containers/{name}/json", inspect),
    Route("POST", "/containers/{name}/start", start),
    Route("POST", "/containers/{name}/stop", stop),
    Route("POST", "/containers/{name}/restart", restart),
    Route("POST", "/containers/{name}/kill", kill),
    Route("POST", "/containers/{name}/wait", wait),
    Route("POST", "/containers/{name}/rename", rename),
    Route("POST", "/containers/{name}/resize", resize),
    Route("POST", "/containers/{name}/attach", attach),
    Route("GET", "/containers/{name}/logs", logs),
    Route("GET", "/containers/{name}/archive", archive),
    Route("HEAD", "/containers/{name}/archive", archive),
    Route("PUT", "/containers/{name}/archive", no_copy_in),
    Route(
        "GET",
        "/containers/{name}/top",
        _refusing("docker top: processes are not listed here; docker exec NAME ps"),
    ),
    Route(
        "GET",
        "/containers/{name}/stats",
        _refusing("docker stats: what a container uses is not measured here"),
    ),
    Route(
        "GET",
        "/containers/{name}/changes",
        _refusing("docker diff: build an image, and see layerlab image tree"),
    ),
    Route(
        "GET",
        "/containers/{name}/export",
        _refusing("docker export: docker cp NAME:/ - gives the files as a tar"),
    ),
    Route("POST", "/containers/{name}/pause", _refusing("docker pause: containers are not paused here")),
    Route("POST", "/containers/{name}/unpause", _refusing("docker unpause: containers are not paused here")),
    Route("POST", "/containers/{name}/update", _refusing("docker update: nothing here limits a container")),
    Route(
        "POST",
        "/commit",
        _refusing("docker commit: write a Dockerfile, so that others can read what you did"),
    ),
    Route("DELETE", "/containers/{name}", remove),
)
