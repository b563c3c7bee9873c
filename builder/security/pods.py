"""The pods of a manifest, as the API server would see them after its defaults.

A pod stands alone or as the template of a workload (Deployment, Job, CronJob and so on). What is read is
what decides about security; everything else is left alone (API reference v1.37, "PodSpec").
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from builder.security.documents import Document, Sequence, read
from builder.security.fields import Fields

Path = tuple[str | int, ...]


class Role(enum.Enum):
    """What a container is for. ``value``: the list of the pod's specification in which it stands."""

    INIT = "initContainers"
    MAIN = "containers"
    EPHEMERAL = "ephemeralContainers"


@dataclass(frozen=True, slots=True)
class Profile:
    """A seccomp or AppArmor profile. ``type``: RuntimeDefault, Localhost, Unconfined, or empty."""

    type: str
    path: Path


@dataclass(frozen=True, slots=True)
class SELinux:
    """SELinux options; empty where nothing is written."""

    type: str
    user: str
    role: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityContext:
    """A ``securityContext``, of a pod or of a container. None: unset."""

    path: Path = ()
    privileged: bool | None = None
    allow_privilege_escalation: bool | None = None
    run_as_non_root: bool | None = None
    run_as_user: int | None = None
    run_as_group: int | None = None
    proc_mount: str | None = None
    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    seccomp: Profile | None = None
    apparmor: Profile | None = None
    selinux: SELinux | None = None
    host_process: bool | None = None
    sysctls: tuple[str, ...] = ()
    fs_group: int | None = None
    supplemental_groups: tuple[int, ...] = ()


UNSET: Final = SecurityContext()


@dataclass(frozen=True, slots=True)
class VolumeMount:
    """A volume in a container."""

    volume: str
    path: str
    read_only: bool


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable. ``value``: None if not written; ``is_secret``: it comes from a Secret."""

    name: str
    value: str | None
    is_secret: bool


@dataclass(frozen=True, slots=True)
class Port:
    """A host port that a container asks for."""

    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class Handler:
    """A probe or hook that names a host."""

    host: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container. ``host_ports`` and ``hosts`` hold only what is not the default."""

    name: str
    role: Role
    path: Path
    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    mounts: tuple[VolumeMount, ...] = ()
    security: SecurityContext = UNSET
    host_ports: tuple[Port, ...] = ()
    hosts: tuple[Handler, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume. ``source``: the name of its field (``hostPath``, ``secret``), never empty after defaults.

    ``holds_secret``: a Secret is mounted, alone or projected. ``holds_token``: a ServiceAccount's token is.
    """

    name: str
    source: str
    path: Path
    host_path: str | None = None
    holds_secret: bool = False
    holds_token: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """One pod, or the template of pods. ``path``: of its specification in the document."""

    document: Document
    kind: str
    name: str
    path: Path
    containers: tuple[Container, ...]
    volumes: tuple[Volume, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    security: SecurityContext = UNSET
    host_network: bool = False
    host_pid: bool = False
    host_ipc: bool = False
    host_users: bool = True
    os: str = ""
    runtime_class: str = ""
    service_account: str = ""
    automounts_token: bool = True

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


_TEMPLATE: Final = ("spec", "template")
WORKLOADS: Final[Mapping[str, tuple[frozenset[str], tuple[str, ...]]]] = MappingProxyType(
    {
        "Pod": (frozenset({"v1"}), ()),
        "PodTemplate": (frozenset({"v1"}), ("template",)),
        "ReplicationController": (frozenset({"v1"}), _TEMPLATE),
        "ReplicaSet": (frozenset({"apps/v1", "apps/v1beta2", "extensions/v1beta1"}), _TEMPLATE),
        "Deployment": (
            frozenset({"apps/v1", "apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"}),
            _TEMPLATE,
        ),
        "StatefulSet": (frozenset({"apps/v1", "apps/v1beta1", "apps/v1beta2"}), _TEMPLATE),
        "DaemonSet": (frozenset({"apps/v1", "apps/v1beta2", "extensions/v1beta1"}), _TEMPLATE),
        "Job": (frozenset({"batch/v1"}), _TEMPLATE),
        "CronJob": (
            frozenset({"batch/v1", "batch/v1beta1", "batch/v2alpha1"}),
            ("spec", "jobTemplate", *_TEMPLATE),
        ),
    }
)
"""Kind → the API versions that it has or had, and where its pod stands."""

_GROUPS: Final = frozenset(version for versions, _ in WORKLOADS.values() for version in versions)


def pods_in(raw: bytes, name: str) -> tuple[Pod, ...]:
    """The pods of a file, in its order; objects that make no pods are passed over."""
    return tuple(pods_of(read(raw, name)))


def pods_of(documents: Iterable[Document]) -> Iterator[Pod]:
    """The pods of some documents, in their order; objects that make no pods are passed over."""
    for document in documents:
        for manifest in objects_of(document):
            pod = pod_of(manifest)
            if pod is not None:
                yield pod


def objects_of(document: Document) -> Iterator[Fields]:
    """The objects of a document: itself, or the items of a List.

    Raises ManifestError where ``apiVersion`` or ``kind`` is missing.
    """
    top = Fields.of(document)
    kind = top.text("kind")
    if kind is not None and kind.endswith("List") and type(top.values.get("items")) is Sequence:
        for item in top.items("items"):
            yield _identified(item)
        return
    yield _identified(top)


def _identified(manifest: Fields) -> Fields:
    for key in ("apiVersion", "kind"):
        if not manifest.text(key):
            raise manifest.error(
                f"{key} is missing, so this is no Kubernetes object", fix=f"write {key}: first"
            )
    return manifest


def pod_of(manifest: Fields) -> Pod | None:
    """The pod of a manifest, or None if its kind makes none.

    Raises ManifestError for a version of the kind that never was, and for fields of a wrong type.
    """
    kind, version = manifest.text("kind") or "", manifest.text("apiVersion") or ""
    if kind not in WORKLOADS:
        return None
    versions, where = WORKLOADS[kind]
    if version not in versions:
        if "/" in version and version not in _GROUPS and version.split("/")[0] not in _OWN_GROUPS:
            return None  # somebody else's kind of the same name
        raise manifest.error(
            f"there is no {kind} in {version!r}", "apiVersion", fix=f"write {' or '.join(sorted(versions))}"
        )
    template = manifest
    for step in where:
        inner = template.fields(step)
        if inner is None:
            raise template.error(f"a {kind} needs {step}", step)
        template = inner
    metadata = manifest.fields("metadata")
    own = template.fields("metadata")
    name = ""
    if metadata is not None:
        name = metadata.text("name") or metadata.text("generateName") or ""
    spec = template.fields("spec")
    if spec is None:
        raise template.error(f"a {kind} needs spec", "spec")
    return pod_from(spec, kind=kind, name=name, annotations=own.string_map("annotations") if own else {})


_OWN_GROUPS: Final = frozenset({"apps", "batch", "extensions", "core", "v1"})


def pod_from(spec: Fields, *, kind: str, name: str, annotations: Mapping[str, str]) -> Pod:
    """The pod that a ``PodSpec`` describes, with the API server's defaults (pkg/apis/core/v1/defaults.go)."""
    flag = spec.flag
    host_network = flag("hostNetwork") is True
    containers = tuple(
        container_from(each, role, host_network=host_network)
        for role in Role
        for each in spec.items(role.value)
    )
    if not any(each.role is Role.MAIN for each in containers):
        raise spec.error("a pod needs at least one container", "containers")
    context = spec.fields("securityContext")
    os = spec.fields("os")
    return Pod(
        document=spec.document,
        kind=kind,
        name=name,
        path=spec.path,
        containers=containers,
        volumes=tuple(volume_from(each) for each in spec.items("volumes")),
        annotations=annotations,
        security=UNSET if context is None else security_from(context),
        host_network=host_network,
        host_pid=flag("hostPID") is True,
        host_ipc=flag("hostIPC") is True,
        host_users=flag("hostUsers") is not False,
        os=(os.text("name") or "") if os else "",
        runtime_class=spec.text("runtimeClassName") or "",
        service_account=spec.text("serviceAccountName") or spec.text("serviceAccount") or "default",
        automounts_token=flag("automountServiceAccountToken") is not False,
    )


def container_from(container: Fields, role: Role, *, host_network: bool = False) -> Container:
    """One container, or a Tekton step: it has the same fields.

    With ``host_network`` a port without ``hostPort`` gets its ``containerPort``, as the API server does it.
    """
    context = container.fields("securityContext")
    return Container(
        name=container.text("name") or "",
        role=role,
        path=container.path,
        image=container.text("image") or "",
        command=container.texts("command"),
        args=container.texts("args"),
        variables=tuple(map(_variable, container.items("env"))),
        mounts=tuple(
            VolumeMount(
                mount.text("name") or "", mount.text("mountPath") or "", mount.flag("readOnly") is True
            )
            for mount in container.items("volumeMounts")
        ),
        security=UNSET if context is None else security_from(context),
        host_ports=tuple(_host_ports(container, host_network=host_network)),
        hosts=tuple(_hosts(container)),
    )


def _variable(variable: Fields) -> Variable:
    source = variable.fields("valueFrom")
    return Variable(
        variable.text("name") or "",
        variable.text("value"),
        source is not None and source.fields("secretKeyRef") is not None,
    )


def _host_ports(container: Fields, *, host_network: bool) -> Iterator[Port]:
    for port in container.items("ports"):
        number = port.number("hostPort") or (port.number("containerPort") if host_network else 0)
        if number:
            yield Port(number, (*port.path, "hostPort"))


_PROBES: Final = (("livenessProbe",), ("readinessProbe",), ("startupProbe",))
_HOOKS: Final = (("lifecycle", "postStart"), ("lifecycle", "preStop"))


def _hosts(container: Fields) -> Iterator[Handler]:
    for steps in _PROBES + _HOOKS:
        found: Fields | None = container
        for step in steps:
            found = found.fields(step) if found is not None else None
        if found is None:
            continue
        for kind in ("httpGet", "tcpSocket"):
            action = found.fields(kind)
            if action is not None and (host := action.text("host")):
                yield Handler(host, (*action.path, "host"))


def security_from(context: Fields) -> SecurityContext:
    """A ``securityContext`` of a pod or a container."""
    capabilities = context.fields("capabilities")
    selinux = context.fields("seLinuxOptions")
    windows = context.fields("windowsOptions")
    return SecurityContext(
        path=context.path,
        privileged=context.flag("privileged"),
        allow_privilege_escalation=context.flag("allowPrivilegeEscalation"),
        run_as_non_root=context.flag("runAsNonRoot"),
        run_as_user=context.number("runAsUser"),
        run_as_group=context.number("runAsGroup"),
        proc_mount=context.text("procMount"),
        added=capabilities.texts("add") if capabilities else (),
        dropped=capabilities.texts("drop") if capabilities else (),
        seccomp=_profile(context.fields("seccompProfile")),
        apparmor=_profile(context.fields("appArmorProfile")),
        selinux=SELinux(
            selinux.text("type") or "", selinux.text("user") or "", selinux.text("role") or "", selinux.path
        )
        if selinux
        else None,
        host_process=windows.flag("hostProcess") if windows else None,
        sysctls=tuple(sysctl.text("name") or "" for sysctl in context.items("sysctls")),
        fs_group=context.number("fsGroup"),
        supplemental_groups=context.numbers("supplementalGroups"),
    )


def _profile(profile: Fields | None) -> Profile | None:
    return None if profile is None else Profile(profile.text("type") or "", (*profile.path, "type"))


def volume_from(volume: Fields) -> Volume:
    """A volume. One that has only a name is an emptyDir: the API server says so before admission sees it."""
    source, holds_secret, holds_token, host_path = "", False, False, None
    for key in volume.values:
        if key == "name" or (found := volume.fields(key)) is None:
            continue
        if source:
            raise volume.error(f"a volume has one source, and this one has {source} too", key)
        source = key
        if key == "hostPath":
            host_path = found.text("path") or ""
        elif key == "secret":
            holds_secret = True
        elif key == "projected":
            for part in found.items("sources"):
                holds_secret = holds_secret or part.fields("secret") is not None
                holds_token = holds_token or part.fields("serviceAccountToken") is not None
    return Volume(
        name=volume.text("name") or "",
        source=source or "emptyDir",
        path=(*volume.path, source) if source else volume.path,
        host_path=host_path,
        holds_secret=holds_secret,
        holds_token=holds_token,
    )
