"""A docker daemon does it: whoever may open its socket commands it.

The context goes through the socket as the classic builder takes it, and the image comes back as
``docker save`` writes it. What the daemon runs, it runs with its own powers: with docker's, that is root. Its
images and its cache are those of everybody who may open the socket.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.dockerfile.plan.scope import Scope
from builder.dockerfile.plan.stages import StageGraph
from builder.dockerfile.syntax.lexer import DEFAULT_LIMITS
from builder.dockerfile.syntax.parser import Dockerfile, parse
from builder.engine.order import BuildRequest, BuildResult, BuiltStage, CacheUse
from builder.engine.stage import snapshot_of
from builder.errors import BuildError, NotSupportedError, StepFailedError
from builder.events import BuildBegan, BuildDone, Listener, OutputPrinted, StagePlanned
from builder.protocols import Execution, Workshop
from builder.security.powers import powers
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Definition, Hindrance, Remote, Settings, depends
from builder.strategies.simulated import fetcher

if TYPE_CHECKING:
    from builder.protocols import Runner, Snapshotter
    from builder.snapshotters.memory import MemorySnapshotter
    from builder.transport.docker_socket import DockerSocket
    from unionfs_sim.tar.pack import Entry
    from unionfs_sim.vfs.posix import Posix

SOCKET: Final = Path("/var/run/docker.sock")
"""Where docker's own daemon listens, unless it is told otherwise."""

_IGNORE_FILE: Final = ".dockerignore"
_OWN: Final = "Dockerfile"
_HIDDEN: Final = ".dockerfile.of-the-build"
_INTERRUPTED: Final = 130
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Elsewhere:
    """Builds by the daemon at a socket. ``token``: a new random word, so that no two builds share a name."""

    daemon: DockerSocket
    store: RecordingStore
    token: Callable[[], str] = lambda: secrets.token_hex(6)

    def build(self, request: BuildRequest, listener: Listener) -> BuildResult:
        """Send the context, wait, fetch the image; what the daemon keeps of it has no name any more."""
        if request.secrets or request.ssh:
            raise NotSupportedError(
                "secrets and ssh agents cannot be sent to a daemon's classic builder",
                fix="use another --strategy, or leave --secret and --ssh out",
            )
        began = request.seconds()
        listener(_plan(request))
        try:
            self.daemon.ping()
        except BuildError as error:
            raise NotSupportedError(
                f"--strategy docker-sock: {error.what}", where=error.where, fix=error.fix
            ) from None
        name = f"layerlab.invalid/build-{self.token()}:sent"
        stage = request.graph.target.index
        try:
            with (
                self.daemon.build(_query(request, name), _context(request)) as going,
                _stopping(request.stop, going.stop),
            ):
                for text in going.said():
                    listener(OutputPrinted(stage, 0, text.encode()))
        except BuildError:
            if not request.stop.is_set():
                raise
        if request.stop.is_set():
            raise StepFailedError("the build was stopped", exit_status=_INTERRUPTED)
        try:
            result = self._fetched(request, name)
        finally:
            self.daemon.remove(name)
        listener(BuildDone(result.manifest.digest, request.seconds() - began))
        return result

    def _fetched(self, request: BuildRequest, name: str) -> BuildResult:
        from builder.transport.load import arrived, opened

        with self.daemon.image(name) as archive, opened("-", stdin=archive) as source:
            (loaded, *_) = arrived(self.store, source)
        target = request.graph.target
        built = BuiltStage(
            target.index, target.title, str(target.base), loaded.image, snapshot_of(loaded.image), Scope()
        )
        return BuildResult(loaded.image, loaded.manifest, (built,))


def _plan(request: BuildRequest) -> BuildBegan:
    graph = request.graph
    return BuildBegan(
        request.strategy,
        graph.target.title,
        tuple(
            StagePlanned(
                each.index,
                each.title,
                str(each.base),
                each.needs,
                tuple(instruction.source for instruction in each.stage.instructions),
            )
            for each in graph.stages
        ),
    )


def _query(request: BuildRequest, name: str) -> dict[str, str]:
    fields = {
        "version": "1",
        "t": name,
        "dockerfile": _OWN if _is_in_context(request) else _HIDDEN,
        "buildargs": json.dumps(dict(request.graph.build_args)),
        "rm": "1",
        "forcerm": "1",
    }
    return {**fields, "nocache": "1"} if request.cache is CacheUse.IGNORE else fields


def _is_in_context(request: BuildRequest) -> bool:
    """Whether the context's own Dockerfile says what is to be built, so that none need be added."""
    try:
        with closing(request.context.tree.open(f"/{_OWN}", os.O_RDONLY)) as file:
            return _text(parse(file.read(DEFAULT_LIMITS.file_bytes + 1)), None) == dockerfile_text(
                request.graph
            )
    except (OSError, BuildError):
        return False


def dockerfile_text(graph: StageGraph) -> str:
    """The Dockerfile as written, to the end of the target: a classic builder builds the last stage."""
    return _text(graph.dockerfile, graph.target.index)


def _text(file: Dockerfile, last: int | None) -> str:
    stages = file.stages if last is None else file.stages[: last + 1]
    inside = (each for stage in stages for each in (stage.start, *stage.instructions))
    escape = "" if file.escape == "\\" else f"# escape={file.escape}\n"
    return escape + "".join(f"{each.source}\n" for each in (*file.global_args, *inside))


def _context(request: BuildRequest) -> Iterator[bytes]:
    """The context as a tar, with the Dockerfile if it is not in there already."""
    from builder.context.sending import entries_below
    from unionfs_sim.tar.pack import write_tar

    entries = entries_below(request.context.tree, "/", ".")
    if _is_in_context(request):
        return write_tar(entries)
    return write_tar(_with_hidden(entries, dockerfile_text(request.graph)))


def _with_hidden(entries: Iterable[Entry], dockerfile: str) -> Iterator[Entry]:
    """The context with a Dockerfile that COPY does not see, hidden as docker's own client hides one.

    So an ignore file that COPY does see has one line more (docker/cli ``AddDockerfileToBuildContext``).
    """
    from unionfs_sim.nodes.content import Content
    from unionfs_sim.tar.header import REGULAR, TarHeader
    from unionfs_sim.tar.pack import Entry

    texts = {_HIDDEN: dockerfile, _IGNORE_FILE: f"{_IGNORE_FILE}\n{_HIDDEN}\n"}
    for entry in entries:
        header, content = entry
        if header.name == f"./{_IGNORE_FILE}" and header.kind == REGULAR:
            written = content.read() + f"\n{_HIDDEN}\n".encode()
            del texts[_IGNORE_FILE]
            yield Entry(header._replace(size=len(written)), Content.of(written))
        else:
            yield entry
    for name, text in texts.items():
        raw = text.encode("utf-8", "surrogateescape")
        yield Entry(TarHeader(name, REGULAR, 0o644, size=len(raw)), Content.of(raw))


@contextmanager
def _stopping(stop: threading.Event, leave: Callable[[], None]) -> Iterator[None]:
    """Leave when the build is stopped from outside: that ends it at the daemon."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if stop.is_set():
                leave()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _tools(store: RecordingStore, settings: Settings) -> Remote[Any]:
    from builder.transport.docker_socket import DockerSocket

    def snapshotter() -> MemorySnapshotter:
        from builder.snapshotters.memory import MemorySnapshotter

        return MemorySnapshotter(store, timestamps=settings.timestamps, listener=settings.listener)

    def runner(_: Snapshotter[Posix]) -> Runner[Posix]:
        raise BuildError("what a daemon runs is not run here")

    workshop = Workshop(
        fetcher(store, settings), store, snapshotter=snapshotter, runner=runner, execution=Execution.REAL
    )
    daemon = DockerSocket(settings.socket or SOCKET)
    return Remote(workshop, _Elsewhere(daemon, store).build)


def _hindrance(state_dir: Path) -> Hindrance | None:  # noqa: ARG001 - nothing is kept there
    from builder.transport.docker_socket import DockerSocket

    try:
        DockerSocket(SOCKET).ping()
    except BuildError as error:
        return Hindrance(str(error), "start a docker daemon, or name another socket with --socket")
    return None


DOCKER_SOCK: Final = Definition(
    powers=lambda: powers("docker-socket"), reason=depends, tools=_tools, hindrance=_hindrance
)
