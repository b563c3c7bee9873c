"""Real processes in namespaces of this user: no daemon, no root."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.engine.order import Download
from builder.errors import NotSupportedError, StepFailedError, require_linux
from builder.events import Warned
from builder.protocols import Execution, Snapshotter, Workshop
from builder.security.powers import powers
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Definition, Hindrance, Local, Settings, depends
from builder.strategies.simulated import fetcher

if TYPE_CHECKING:
    from builder.namespace.idmap import IdMap
    from builder.namespace.rootfs import RootFs
    from builder.namespace.state import State
    from builder.runners.rootless.runner import RootlessRunner
    from builder.snapshotters.overlayfs import OverlaySnapshotter

_PATIENCE_SECONDS: Final = 30
TREES: Final = "trees"
"""Where in the state directory layers lie unpacked."""


def download(url: str) -> Download:
    """What a URL answers to ADD. StepFailedError if nothing, or an error."""
    import urllib.error
    import urllib.request
    from email.utils import parsedate_to_datetime

    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE_SECONDS) as answer:
            dated = answer.headers.get("Last-Modified")
            body = answer.read()
    except urllib.error.HTTPError as error:
        raise StepFailedError(f"ADD {url}: the server answers {error.code} {error.reason}") from None
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise StepFailedError(f"ADD {url}: {reason}") from None
    try:
        mtime = 0 if dated is None else int(parsedate_to_datetime(dated).timestamp()) * 10**9
    except ValueError:
        mtime = 0
    return Download(body, mtime)


def tools(store: RecordingStore, settings: Settings, ids: Callable[[], IdMap] | None = None) -> Local[Any]:
    """Overlay mounts and sandboxes. ``ids``: of the sandboxes; None: the best that this user can have."""
    require_linux("a real build")
    directory = settings.state_dir
    if directory is None:
        raise NotSupportedError(
            "a real build (rootless, privileged) needs a directory for its layers",
            fix="give a state directory",
        )
    made: list[State] = []

    def warn(text: str, fix: str) -> None:
        settings.listener(Warned(text, fix))

    def state() -> State:
        from builder.namespace.state import State

        if not made:
            chosen = None if ids is None else ids()
            strict = settings.confinement.strict_owner
            made.append(State(str(directory / TREES), chosen, warn=warn, strict_owner=strict))
        return made[0]

    def snapshotter() -> OverlaySnapshotter:
        from builder.snapshotters.overlayfs import OverlaySnapshotter

        return OverlaySnapshotter(store, state(), timestamps=settings.timestamps, listener=settings.listener)

    def runner(snapshotter: Snapshotter[RootFs]) -> RootlessRunner:
        from builder.runners.rootless.runner import RootlessRunner

        return RootlessRunner(
            state(),
            snapshotter,
            confinement=settings.confinement,
            is_cancelled=settings.is_stopped,
            mounted=settings.mounted,
        )

    workshop = Workshop(
        fetcher(store, settings), store, snapshotter=snapshotter, runner=runner, execution=Execution.REAL
    )
    return Local(workshop, download, lambda: made[0].processes if made else 0)


def _hindrance(state_dir: Path) -> Hindrance | None:
    from builder.namespace.doctor import examine

    refusal = examine(str(state_dir / TREES)).refusal
    return None if refusal is None else Hindrance(refusal.cause, refusal.remedy)


ROOTLESS: Final = Definition(
    powers=lambda: powers("rootless"), reason=depends, tools=tools, hindrance=_hindrance
)
