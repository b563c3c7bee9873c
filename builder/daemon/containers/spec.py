"""What a container is to be, from the body of a request; what cannot be kept is refused by its name.

Engine API, "ContainerCreate". A client sends every option, most of them empty: only those that
ask for something are looked at.
"""

from __future__ import annotations

import ipaddress
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from builder.daemon.http.errors import BadRequest, NotFound
from builder.image.config import ImageConfig
from builder.protocols import Network

_NOTHING: Final[tuple[object, ...]] = (None, False, 0, "", [], {}, -1)
_LIMIT: Final = "nothing here limits what a container may use"
_CONFINED: Final = "how a container is confined cannot be chosen here"
_NAMESPACE: Final = "a container always has a namespace of its own here"
_MOUNT: Final = "nothing of this machine is mounted into containers here; docker cp copies files out of them"
_NETWORK: Final = "there are no networks to choose from here; -p publishes a port"

_HOST_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "Binds": ("-v", _MOUNT),
    "Mounts": ("--mount", _MOUNT),
    "VolumesFrom": ("--volumes-from", _MOUNT),
    "VolumeDriver": ("--volume-driver", _MOUNT),
    "Tmpfs": ("--tmpfs", _MOUNT),
    "Devices": ("--device", "devices of this machine are not given away"),
    "DeviceRequests": ("--gpus", "devices of this machine are not given away"),
    "DeviceCgroupRules": ("--device-cgroup-rule", "devices of this machine are not given away"),
    "Privileged": ("--privileged", "no container gets more than its user has"),
    "CapAdd": ("--cap-add", "no container gets more than its user has"),
    "CapDrop": ("--cap-drop", _CONFINED),
    "Memory": ("--memory", _LIMIT),
    "MemoryReservation": ("--memory-reservation", _LIMIT),
    "MemorySwap": ("--memory-swap", _LIMIT),
    "KernelMemory": ("--kernel-memory", _LIMIT),
    "NanoCpus": ("--cpus", _LIMIT),
    "CpuShares": ("--cpu-shares", _LIMIT),
    "CpuPeriod": ("--cpu-period", _LIMIT),
    "CpuQuota": ("--cpu-quota", _LIMIT),
    "CpuRealtimePeriod": ("--cpu-rt-period", _LIMIT),
    "CpuRealtimeRuntime": ("--cpu-rt-runtime", _LIMIT),
    "CpusetCpus": ("--cpuset-cpus", _LIMIT),
    "CpusetMems": ("--cpuset-mems", _LIMIT),
    "CpuCount": ("CpuCount", _LIMIT),
    "CpuPercent": ("CpuPercent", _LIMIT),
    "BlkioWeight": ("--blkio-weight", _LIMIT),
    "BlkioWeightDevice": ("--blkio-weight-device", _LIMIT),
    "BlkioDeviceReadBps": ("--device-read-bps", _LIMIT),
    "BlkioDeviceWriteBps": ("--device-write-bps", _LIMIT),
    "BlkioDeviceReadIOps": ("--device-read-iops", _LIMIT),
    "BlkioDeviceWriteIOps": ("--device-write-iops", _LIMIT),
    "IOMaximumIOps": ("IOMaximumIOps", _LIMIT),
    "IOMaximumBandwidth": ("IOMaximumBandwidth", _LIMIT),
    "PidsLimit": ("--pids-limit", _LIMIT),
    "Ulimits": ("--ulimit", _LIMIT),
    "OomKillDisable": ("--oom-kill-disable", _LIMIT),
    "OomScoreAdj": ("--oom-score-adj", _LIMIT),
    "ShmSize": ("--shm-size", _LIMIT),
    "StorageOpt": ("--storage-opt", _LIMIT),
    "CgroupParent": ("--cgroup-parent", "there are no control groups here"),
    "Cgroup": ("Cgroup", "there are no control groups here"),
    "CgroupnsMode": ("--cgroupns", "there are no control groups here"),
    "IpcMode": ("--ipc", _NAMESPACE),
    "PidMode": ("--pid", _NAMESPACE),
    "UTSMode": ("--uts", _NAMESPACE),
    "UsernsMode": ("--userns", _NAMESPACE),
    "Sysctls": ("--sysctl", _CONFINED),
    "ReadonlyRootfs": ("--read-only", _CONFINED),
    "MaskedPaths": ("MaskedPaths", _CONFINED),
    "ReadonlyPaths": ("ReadonlyPaths", _CONFINED),
    "GroupAdd": ("--group-add", _CONFINED),
    "Runtime": ("--runtime", "there is one runtime here: the daemon's --strategy"),
    "Isolation": ("--isolation", "there is one isolation here: the daemon's --strategy"),
    "Init": ("--init", "the command itself is process 1 here"),
    "ContainerIDFile": ("", ""),
    "Dns": ("--dns", _NETWORK),
    "DnsOptions": ("--dns-option", _NETWORK),
    "DnsSearch": ("--dns-search", _NETWORK),
    "ExtraHosts": ("--add-host", _NETWORK),
    "Links": ("--link", _NETWORK),
    "Annotations": ("--annotation", "nothing here reads annotations; --label is kept"),
}
_KEPT: Final = frozenset(
    [
        "PortBindings",
        "PublishAllPorts",
        "AutoRemove",
        "NetworkMode",
        "RestartPolicy",
        "LogConfig",
        "SecurityOpt",
    ]
)
_MEANINGLESS: Final = frozenset(["ContainerIDFile", "ConsoleSize", "MemorySwappiness"])
_CONFIG_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "Hostname": ("--hostname", "the name of the machine inside cannot be chosen"),
    "Domainname": ("--domainname", "the name of the machine inside cannot be chosen"),
    "MacAddress": ("--mac-address", _NETWORK),
    "NetworkDisabled": ("NetworkDisabled", _NETWORK),
    "Volumes": ("-v", _MOUNT),
    "Healthcheck": ("--health-cmd", "nobody here asks a container how it is"),
    "OnBuild": ("OnBuild", "that is for builds"),
    "Shell": ("Shell", "that is for builds"),
}
_PORT: Final = re.compile(r"([0-9]{1,5})(?:/(tcp|udp|sctp))?")
_MAX_SECONDS: Final = 10**6


@dataclass(frozen=True, slots=True)
class Binding:
    """A port inside and where it is to be reached: ``outer`` 0 is any free port."""

    inner: int
    address: str
    outer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a container is to be. ``ports``: what is published. ``config``, ``host``: as inspected."""

    image: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    user: str
    labels: Mapping[str, str]
    ports: tuple[Binding, ...]
    exposed: tuple[str, ...]
    network: Network
    takes_input: bool
    input_ends_with_client: bool
    has_terminal: bool
    removes_itself: bool
    stop_signal: int
    stop_seconds: int
    config: Mapping[str, Any]
    host: Mapping[str, Any]


def spec_of(body: Mapping[str, Any], image: ImageConfig, *, simulated: bool) -> Spec:
    """The container that ``body`` asks for, of an image with this configuration.

    BadRequest names the first thing that cannot be kept.
    """
    host = _object(body, "HostConfig")
    _refuse(body, _CONFIG_REFUSED)
    _refuse(host, _HOST_REFUSED)
    for name, value in host.items():
        if name not in _KEPT | _MEANINGLESS | _HOST_REFUSED.keys() and value not in _NOTHING:
            raise BadRequest(f"HostConfig.{name} is not known here")
    _refuse_policies(host)
    if simulated and body.get("Tty"):
        raise BadRequest(
            "--tty (-t): the simulated world has no terminals; leave it out (-i alone passes input on)"
        )
    exposed = tuple(dict.fromkeys([*image.exposed_ports, *_object(body, "ExposedPorts")]))
    for each in exposed:
        _exposed(each)
    network = _network(host, simulated=simulated)
    ports = _bindings(host, exposed)
    if ports and network is Network.HOST:
        ports = ()  # as docker has it: the ports are this machine's already
    entrypoint, arguments = _words(body, "Entrypoint"), _words(body, "Cmd")
    if entrypoint is None:
        entrypoint = list(image.entrypoint or ())
        arguments = arguments or list(image.cmd or ())
    argv = tuple(word for word in [*(each for each in entrypoint if each), *(arguments or [])])
    if not argv:
        raise BadRequest("no command specified: the image has none, so one must follow its name")
    return Spec(
        image=str(body.get("Image") or ""),
        argv=argv,
        env=_environment(image.env, _words(body, "Env") or []),
        cwd=_text(body, "WorkingDir") or image.working_dir or "/",
        user=_text(body, "User") or image.user,
        labels={**image.labels, **_labels(body)},
        ports=ports,
        exposed=exposed,
        network=network,
        takes_input=body.get("OpenStdin") is True,
        input_ends_with_client=body.get("StdinOnce") is True,
        has_terminal=body.get("Tty") is True,
        removes_itself=host.get("AutoRemove") is True,
        stop_signal=signal_number(_text(body, "StopSignal") or image.stop_signal or "SIGTERM"),
        stop_seconds=_seconds(body, "StopTimeout", usual=10),
        config=_shown_config(body, image),
        host=_shown_host(host),
    )


def signal_number(written: str) -> int:
    """The number of a signal that is named ``TERM``, ``SIGTERM`` or ``15``; BadRequest if none is."""
    if written.isascii() and written.isdigit() and len(written) < 4 and 0 < int(written) < signal.NSIG:
        return int(written)
    name = written.upper()
    for candidate in (name, f"SIG{name}"):
        found = getattr(signal, candidate, None)
        if isinstance(found, signal.Signals):
            return int(found)
    raise BadRequest(f"Invalid signal: {written!r:.50}")


def _refuse(given: Mapping[str, Any], table: Mapping[str, tuple[str, str]]) -> None:
    for name, (option, why) in table.items():
        value = given.get(name)
        if why and value not in _NOTHING and value != "default" and value != "private":
            raise BadRequest(f"{option} ({name}): {why}")


def _refuse_policies(host: Mapping[str, Any]) -> None:
    policy = _object(host, "RestartPolicy").get("Name") or "no"
    if policy != "no":
        raise BadRequest(
            f"--restart {policy} (RestartPolicy): containers are not started again by themselves here"
        )
    driver = _object(host, "LogConfig").get("Type") or "json-file"
    if driver not in ("json-file", "local"):
        raise BadRequest(
            f"--log-driver {driver} (LogConfig): what a container prints is kept here, or nowhere"
        )
    for option in _words(host, "SecurityOpt") or []:
        if option.partition("=")[0].partition(":")[0] != "no-new-privileges":
            raise BadRequest(f"--security-opt {option:.100} (SecurityOpt): {_CONFINED}")


def _network(host: Mapping[str, Any], *, simulated: bool) -> Network:
    mode = _text(host, "NetworkMode") or "default"
    if mode in ("default", "bridge"):
        return Network.DEFAULT if simulated else Network.NONE
    if mode == "none":
        return Network.NONE
    if mode == "host":
        if simulated:
            raise BadRequest(
                "--network host (NetworkMode): the simulated world has a network of its own; -p publishes"
            )
        return Network.HOST
    raise NotFound(f"network {mode:.100} not found: {_NETWORK}")


def _bindings(host: Mapping[str, Any], exposed: Sequence[str]) -> tuple[Binding, ...]:
    """What is published: 127.0.0.1 unless an address is given."""
    found = []
    for inner, places in _object(host, "PortBindings").items():
        number = _port(inner)
        if not isinstance(places, list | None) or not all(isinstance(each, dict) for each in places or []):
            raise BadRequest("PortBindings must hold lists of objects")
        for place in places or []:
            written = str(place.get("HostPort") or "0")
            if not (written.isascii() and written.isdigit() and len(written) < 6 and int(written) < 65536):
                raise BadRequest(
                    f"-p {written:.50}:{number} (HostPort): not one port; ranges are not known here"
                )
            found.append(Binding(number, _address(place.get("HostIp")), int(written)))
    if host.get("PublishAllPorts"):
        known = {each.inner for each in found}
        found += [
            Binding(number, "127.0.0.1", 0)
            for number in map(_port, (each for each in exposed if not each.endswith(("/udp", "/sctp"))))
            if number not in known
        ]
    return tuple(found)


def _address(written: object) -> str:
    """An address of this machine to listen at: 127.0.0.1 unless another is given. No name is looked up."""
    if not written:
        return "127.0.0.1"
    try:
        return str(ipaddress.IPv4Address(str(written)))
    except ValueError:
        raise BadRequest(f"-p {written!s:.50}:… (HostIp): not an IPv4 address of this machine") from None


def _exposed(written: str) -> re.Match[str]:
    match = _PORT.fullmatch(written)
    if match is None or not 0 < int(match[1]) < 65536:
        raise BadRequest(f"not a port: {written!r:.50}")
    return match


def _port(written: str) -> int:
    match = _exposed(written)
    if match[2] not in (None, "tcp"):
        raise BadRequest(f"-p {written}: only TCP is passed on here")
    return int(match[1])


def _environment(image: Mapping[str, str], given: Sequence[str]) -> Mapping[str, str]:
    found = dict(image)
    for each in given:
        name, equals, value = each.partition("=")
        if equals:
            found[name] = value
        else:
            found.pop(name, None)
    return found


def _seconds(body: Mapping[str, Any], name: str, *, usual: int) -> int:
    found = body.get(name)
    if found is None:
        return usual
    if not isinstance(found, int) or isinstance(found, bool) or not -1 <= found <= _MAX_SECONDS:
        raise BadRequest(f"{name} must be a number of seconds, or -1")
    return found


def _labels(body: Mapping[str, Any]) -> dict[str, str]:
    found = _object(body, "Labels")
    if not all(isinstance(value, str) for value in found.values()):
        raise BadRequest("Labels must be an object of strings")
    return found


def _object(body: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise BadRequest(f"{name} must be a JSON object")
    return found


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if found is None:
        return ""
    if not isinstance(found, str) or "\0" in found:
        raise BadRequest(f"{name} must be a string")
    return found


def words_of(body: Mapping[str, Any], name: str) -> list[str] | None:
    """A list of words, or one word; None if it is not given. BadRequest if it is something else."""
    found = body.get(name)
    if found is None:
        return None
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(each, str) and "\0" not in each for each in listed):
        raise BadRequest(f"{name} must be a list of strings")
    return listed


_words = words_of


def _shown_config(body: Mapping[str, Any], image: ImageConfig) -> dict[str, Any]:
    """The ``Config`` of an inspection: what was asked for, completed from the image."""
    cmd = _words(body, "Cmd")
    return {
        "Hostname": "",
        "Domainname": "",
        "User": _text(body, "User") or image.user,
        "AttachStdin": body.get("AttachStdin") is True,
        "AttachStdout": body.get("AttachStdout") is True,
        "AttachStderr": body.get("AttachStderr") is True,
        "ExposedPorts": {each: {} for each in image.exposed_ports},
        "Tty": body.get("Tty") is True,
        "OpenStdin": body.get("OpenStdin") is True,
        "StdinOnce": body.get("StdinOnce") is True,
        "Env": [
            f"{name}={value}" for name, value in _environment(image.env, _words(body, "Env") or []).items()
        ],
        "Cmd": cmd if cmd else list(image.cmd or ()) or None,
        "Image": body.get("Image"),
        "Volumes": None,
        "WorkingDir": _text(body, "WorkingDir") or image.working_dir,
        "Entrypoint": _words(body, "Entrypoint") or list(image.entrypoint or ()) or None,
        "OnBuild": None,
        "Labels": {**image.labels, **_labels(body)},
        "StopSignal": _text(body, "StopSignal") or image.stop_signal or "SIGTERM",
    }


def _shown_host(host: Mapping[str, Any]) -> dict[str, Any]:
    """The ``HostConfig`` of an inspection; docker-py looks at the kind of log before it follows one."""
    return {
        "Binds": None,
        "NetworkMode": host.get("NetworkMode") or "default",
        "PortBindings": host.get("PortBindings") or {},
        "PublishAllPorts": host.get("PublishAllPorts") is True,
        "AutoRemove": host.get("AutoRemove") is True,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "LogConfig": {"Type": "json-file", "Config": {}},
        "Privileged": False,
        "ReadonlyRootfs": False,
        "Memory": 0,
        "Mounts": [],
    }
