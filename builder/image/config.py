"""What a container is started with: the ``config`` object of an image.

OCI image-spec config.md, with the three fields that Docker adds (Healthcheck, OnBuild, Shell). Fields
that neither names are carried along in ``extra``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from builder.errors import ImageFormatError
from builder.image.oci import Document, strings, text
from unionfs_sim.nodes.record import Record, field, replace

DEFAULT_SHELL: Final = ("/bin/sh", "-c")
"""What the shell form of RUN, CMD and ENTRYPOINT is run with where SHELL says nothing."""

_SIMPLE: Final = ("User", "WorkingDir", "StopSignal", "ExposedPorts", "Volumes", "Env", "Labels")
_KNOWN: Final = frozenset([*_SIMPLE, "Entrypoint", "Cmd", "Healthcheck", "OnBuild", "Shell"])
_HEALTHCHECK_TIMES: Final = {
    "Interval": "interval_ns",
    "Timeout": "timeout_ns",
    "StartPeriod": "start_period_ns",
    "StartInterval": "start_interval_ns",
    "Retries": "retries",
}


class Healthcheck(Record):
    """How to ask whether a container works; 0 means inherit (moby ``HealthConfig``).

    ``test``: ``("NONE",)``, ``("CMD", …)`` or ``("CMD-SHELL", line)``.
    """

    test: tuple[str, ...]
    interval_ns: int = 0
    timeout_ns: int = 0
    start_period_ns: int = 0
    start_interval_ns: int = 0
    retries: int = 0

    def document(self) -> dict[str, Any]:
        """The JSON object; zeros are left out."""
        times = {name: getattr(self, attribute) for name, attribute in _HEALTHCHECK_TIMES.items()}
        return {"Test": list(self.test)} | {name: value for name, value in times.items() if value}

    @classmethod
    def of(cls, document: object, *, where: str) -> Healthcheck:
        """The health check written in a JSON object."""
        if not isinstance(document, dict):
            raise ImageFormatError("'Healthcheck' must be a JSON object", where=where)
        times = {attribute: document.get(name, 0) for name, attribute in _HEALTHCHECK_TIMES.items()}
        if not all(isinstance(value, int) for value in times.values()):
            raise ImageFormatError("the times of 'Healthcheck' must be whole numbers", where=where)
        return cls(words(document, "Test", where=where) or (), **times)


class ImageConfig(Record, kw_only=True):
    """The defaults of a container. A change is a new configuration; None means: not set.

    ``env`` keeps its order. ``exposed_ports``: such as ``80/tcp``; ports and ``volumes`` are sets, sorted.
    """

    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    working_dir: str = ""
    user: str = ""
    exposed_ports: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    stop_signal: str = ""
    healthcheck: Healthcheck | None = None
    shell: tuple[str, ...] | None = None
    on_build: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def replace(self, **changes: Any) -> ImageConfig:
        """The same configuration with other fields, as ``dataclasses.replace`` does it."""
        return replace(self, **changes)

    def with_env(self, **variables: str) -> ImageConfig:
        """The configuration with more variables; one that is set already keeps its place."""
        return replace(self, env=MappingProxyType({**self.env, **variables}))

    def with_labels(self, labels: Mapping[str, str]) -> ImageConfig:
        """The configuration with more labels."""
        return replace(self, labels=MappingProxyType({**self.labels, **labels}))

    def with_exposed_ports(self, ports: Iterable[str]) -> ImageConfig:
        """The configuration with more ports."""
        return replace(self, exposed_ports=tuple(sorted({*self.exposed_ports, *ports})))

    def with_volumes(self, volumes: Iterable[str]) -> ImageConfig:
        """The configuration with more volumes."""
        return replace(self, volumes=tuple(sorted({*self.volumes, *volumes})))

    @property
    def command(self) -> tuple[str, ...]:
        """What a container runs when nothing else is said: the entrypoint, then cmd."""
        return (self.entrypoint or ()) + (self.cmd or ())

    @property
    def env_list(self) -> list[str]:
        """The variables as ``NAME=value``."""
        return [f"{name}={value}" for name, value in self.env.items()]

    def document(self) -> dict[str, Any]:
        """The JSON object, without the fields that are not set."""
        fields: dict[str, Any] = {
            "User": self.user,
            "ExposedPorts": {port: {} for port in self.exposed_ports},
            "Env": self.env_list,
            "Volumes": {volume: {} for volume in self.volumes},
            "WorkingDir": self.working_dir,
            "Labels": dict(self.labels),
            "StopSignal": self.stop_signal,
            "OnBuild": list(self.on_build),
        }
        found = {name: value for name, value in fields.items() if value}
        lists = {"Entrypoint": self.entrypoint, "Cmd": self.cmd, "Shell": self.shell}
        found |= {name: list(value) for name, value in lists.items() if value is not None}
        if self.healthcheck is not None:
            found["Healthcheck"] = self.healthcheck.document()
        return dict(self.extra) | found

    @classmethod
    def of(cls, document: Document, *, where: str) -> ImageConfig:
        """The configuration written in a JSON object; ImageFormatError names the field that is wrong."""
        healthcheck = document.get("Healthcheck")
        return cls(
            env=_env(words(document, "Env", where=where) or ()),
            entrypoint=words(document, "Entrypoint", where=where),
            cmd=words(document, "Cmd", where=where),
            working_dir=text(document, "WorkingDir", where=where),
            user=text(document, "User", where=where),
            exposed_ports=_keys(document, "ExposedPorts", where=where),
            volumes=_keys(document, "Volumes", where=where),
            labels=strings(document, "Labels", where=where),
            stop_signal=text(document, "StopSignal", where=where),
            healthcheck=None if healthcheck is None else Healthcheck.of(healthcheck, where=where),
            shell=words(document, "Shell", where=where),
            on_build=words(document, "OnBuild", where=where) or (),
            extra=MappingProxyType({name: value for name, value in document.items() if name not in _KNOWN}),
        )


def words(document: Document, name: str, *, where: str) -> tuple[str, ...] | None:
    """The member ``name`` as a tuple of strings; None if absent or null."""
    value = document.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ImageFormatError(f"{name!r} must be a list of strings", where=where)
    return tuple(value)


def _keys(document: Document, name: str, *, where: str) -> tuple[str, ...]:
    """A set that is written as an object with empty values."""
    value = document.get(name)
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise ImageFormatError(f"{name!r} must be a JSON object", where=where)
    return tuple(sorted(value))


def _env(entries: tuple[str, ...]) -> Mapping[str, str]:
    """Variables by name. Said twice, the last value counts, as it does for execve(2)'s readers."""
    pairs = (entry.partition("=") for entry in entries)
    return MappingProxyType({name: value for name, _, value in pairs})
