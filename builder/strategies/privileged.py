"""Real processes and overlay mounts of the machine's root, in no user namespace: as docker in docker.

The sandboxes are those of rootless builds, with the same few capabilities and the same filter; but uid 0 in
them is the machine's, and only the kernel's and our own faultlessness stands between.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from builder.errors import NotSupportedError
from builder.namespace.confinement import ALLOW_HOST_ROOT, HostRoot
from builder.security.powers import powers
from builder.stores.cachemounts import RecordingStore
from builder.strategies.definition import Definition, Hindrance, Local, Settings, depends
from builder.strategies.rootless import TREES, tools

if TYPE_CHECKING:
    from builder.namespace.idmap import IdMap


def _tools(store: RecordingStore, settings: Settings) -> Local[Any]:
    if settings.confinement.host_root is not HostRoot.ALLOWED:
        raise NotSupportedError(
            "--strategy privileged: uid 0 of every RUN is this machine's root, so one fault of the kernel or "
            "of the builder gives a Dockerfile the whole machine",
            fix=f"accept that with {ALLOW_HOST_ROOT}; --strategy rootless builds the same without it",
        )
    if settings.state_dir is not None:
        hindrance = _hindrance(settings.state_dir)
        if hindrance is not None:
            raise NotSupportedError(f"--strategy privileged: {hindrance.cause}", fix=hindrance.remedy)
    return tools(store, settings, _ids)


def _ids() -> IdMap:
    from builder.namespace.idmap import MACHINES_OWN

    return MACHINES_OWN


def _hindrance(state_dir: Path) -> Hindrance | None:
    from builder.namespace.doctor import refuses_root

    cause = refuses_root(str(state_dir / TREES))
    return None if cause is None else Hindrance(*cause)


PRIVILEGED: Final = Definition(
    powers=lambda: powers("docker-in-docker"), reason=depends, tools=_tools, hindrance=_hindrance
)
