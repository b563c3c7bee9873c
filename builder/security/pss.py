"""Pod Security Standards: the level of a pod, and every rule that keeps it from a stricter one.

The rules are those of Kubernetes' own admission (k8s.io/pod-security-admission, ``policy/check_*.go``), for
every version of the policy from 1.0 to 1.37. A check is a function from a pod to what it objects to; the
table at the end says from which version on each holds. Restricted replaces some checks of baseline by its
own (``OverrideCheckIDs``), so a level is the strictest whose own list passes.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from builder.errors import BuildError
from builder.security.documents import place_name, spelt
from builder.security.fields import line_of
from builder.security.pods import Container, Path, Pod, Profile, SecurityContext, SELinux


class Level(enum.Enum):
    """How strict a standard is. ``rank``: 0 for the weakest."""

    PRIVILEGED = "privileged"
    BASELINE = "baseline"
    RESTRICTED = "restricted"

    @property
    def rank(self) -> int:
        """Its place among the levels, from the weakest."""
        return _RANKS[self]


_RANKS: Final = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class Objection:
    """What a check found: the field, what it has (None: nothing), and what it must be."""

    path: Path
    found: str | None
    wanted: str


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that a pod breaks. ``check``: its name in Kubernetes; ``level``: whose rule it is."""

    pod: Pod
    check: str
    level: Level
    path: Path
    found: str | None
    wanted: str

    @property
    def field(self) -> str:
        """The field's path as kubectl spells it."""
        return spelt(self.path)

    @property
    def line(self) -> int:
        """The line of the field, or of the nearest thing that was written."""
        return line_of(self.pod.document, self.path)

    @property
    def where(self) -> str:
        """File, line and field."""
        return place_name(self.pod.document.name, self.line, self.field)

    @property
    def what(self) -> str:
        """What is wrong, without its place."""
        what = "is unset" if self.found is None else f"is {self.found}"
        return f"{self.check} ({self.level.value}): {what}; must be {self.wanted}"

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The strictest level that a pod meets, and what it breaks of the others, baseline's rules first."""

    pod: Pod
    version: int
    level: Level
    violations: tuple[Violation, ...]


NEWEST: Final = 37
"""The newest version of the policy: 1.37. Kubernetes, too, takes a later one for the newest it knows."""

_VERSION: Final = re.compile(r"v?1\.(0|[1-9][0-9]{0,3})", re.ASCII)


def version_from(text: str) -> int:
    """The minor number of a policy version as a namespace's label spells it; BuildError if it is none.

    >>> version_from("v1.25"), version_from("latest"), version_from("v1.99")
    (25, 37, 37)
    """
    if text == "latest":
        return NEWEST
    found = _VERSION.fullmatch(text)
    if found is None:
        raise BuildError(f"{text!r} is no version of the policy", fix=f"write v1.0 to v1.{NEWEST}, or latest")
    return min(int(found[1]), NEWEST)


def judge(pod: Pod, version: int = NEWEST) -> Verdict:
    """The level of ``pod`` under the policy 1.``version``, with every violation."""
    baseline, restricted = _checks(version)
    broken = [
        Violation(pod, check.id, Level.BASELINE, each.path, each.found, each.wanted)
        for check in baseline
        for each in check.objections(pod)
    ]
    replaced = {name for check in restricted for name in check.replaces}
    stricter = [
        Violation(pod, check.id, Level.RESTRICTED, each.path, each.found, each.wanted)
        for check in restricted
        for each in check.objections(pod)
    ]
    if stricter or any(each.check not in replaced for each in broken):
        level = Level.PRIVILEGED if broken else Level.BASELINE
    else:
        level = Level.RESTRICTED
    return Verdict(pod, version, level, tuple(broken + stricter))


@dataclass(frozen=True, slots=True)
class Check:
    """One rule from version 1.``since`` on, until a later one of the same name. ``replaces``: of baseline."""

    id: str
    level: Level
    since: int
    objections: Callable[[Pod], Iterator[Objection]]
    replaces: tuple[str, ...] = ()


@cache
def _checks(version: int) -> tuple[tuple[Check, ...], tuple[Check, ...]]:
    """The checks of baseline and of restricted in force at 1.``version``."""
    newest: dict[str, Check] = {}
    for check in CHECKS:
        if check.since <= version and (check.id not in newest or newest[check.id].since < check.since):
            newest[check.id] = check
    found = tuple(newest.values())
    return (
        tuple(check for check in found if check.level is Level.BASELINE),
        tuple(check for check in found if check.level is Level.RESTRICTED),
    )


def _contexts(pod: Pod) -> Iterator[SecurityContext]:
    """The contexts that were written: the pod's, then each container's."""
    if pod.security.path:
        yield pod.security
    for container in pod.containers:
        if container.security.path:
            yield container.security


def _field(container: Container, *steps: str | int) -> Path:
    return (*container.path, "securityContext", *steps)


def _host_namespaces(pod: Pod) -> Iterator[Objection]:
    for name, shared in (
        ("hostNetwork", pod.host_network),
        ("hostPID", pod.host_pid),
        ("hostIPC", pod.host_ipc),
    ):
        if shared:
            yield Objection((*pod.path, name), "true", "false or unset")


def _privileged(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        if container.security.privileged:
            yield Objection(_field(container, "privileged"), "true", "false or unset")


_DEFAULT_CAPABILITIES: Final = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
)


def _capabilities(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        yield from _added(container, _DEFAULT_CAPABILITIES, "of the default set, without NET_RAW")


def _added(container: Container, allowed: tuple[str, ...], wanted: str) -> Iterator[Objection]:
    for index, capability in enumerate(container.security.added):
        if capability not in allowed:
            yield Objection(_field(container, "capabilities", "add", index), capability, wanted)


def _host_paths(pod: Pod) -> Iterator[Objection]:
    for volume in pod.volumes:
        if volume.host_path is not None:
            yield Objection(volume.path, volume.host_path, "another kind of volume")


def _host_ports(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        for port in container.host_ports:
            yield Objection(port.path, str(port.number), "0 or unset")


_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def _apparmor(pod: Pod) -> Iterator[Objection]:
    for context in _contexts(pod):
        yield from _outside(context.apparmor)
    for key, value in pod.annotations.items():
        if not key.startswith(_APPARMOR) or value in ("", "runtime/default"):
            continue
        if not value.startswith("localhost/"):
            yield Objection(_annotation(pod, key), value, "runtime/default, localhost/… or unset")


def _annotation(pod: Pod, key: str) -> Path:
    return (*pod.path[:-1], "metadata", "annotations", key)


def _outside(profile: Profile | None) -> Iterator[Objection]:
    if profile is not None and profile.type not in ("RuntimeDefault", "Localhost"):
        yield Objection(profile.path, profile.type or "empty", "RuntimeDefault or Localhost")


_SELINUX_TYPES: Final = ("", "container_t", "container_init_t", "container_kvm_t")


def _selinux(*types: str) -> Callable[[Pod], Iterator[Objection]]:
    wanted = f"{', '.join(types[1:])} or unset"

    def objections(pod: Pod) -> Iterator[Objection]:
        for context in _contexts(pod):
            options: SELinux | None = context.selinux
            if options is None:
                continue
            if options.type not in types:
                yield Objection((*options.path, "type"), options.type, wanted)
            for name, value in (("user", options.user), ("role", options.role)):
                if value:
                    yield Objection((*options.path, name), value, "unset")

    return objections


def _proc_mount(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        mount = container.security.proc_mount
        if mount is not None and mount != "Default":
            yield Objection(_field(container, "procMount"), mount or "empty", "Default or unset")


def _unless_own_users(
    objections: Callable[[Pod], Iterator[Objection]],
) -> Callable[[Pod], Iterator[Objection]]:
    """The check, waived for a pod with a user namespace of its own (KEP-127)."""
    return lambda pod: objections(pod) if pod.host_users else iter(())


def _unless_windows(
    objections: Callable[[Pod], Iterator[Objection]],
) -> Callable[[Pod], Iterator[Objection]]:
    """The check, waived for pods that say they are for Windows, which has no such thing."""
    return lambda pod: iter(()) if pod.os == "windows" else objections(pod)


_SECCOMP_POD: Final = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER: Final = "container.seccomp.security.alpha.kubernetes.io/"


def _seccomp_annotations(pod: Pod) -> Iterator[Objection]:
    if not pod.annotations:
        return
    for key in (_SECCOMP_POD, *(f"{_SECCOMP_CONTAINER}{each.name}" for each in pod.containers)):
        value = pod.annotations.get(key)
        if value is None or value in ("runtime/default", "docker/default") or value.startswith("localhost/"):
            continue
        yield Objection(
            _annotation(pod, key), value or "empty", "runtime/default, docker/default, localhost/… or unset"
        )


def _seccomp(pod: Pod) -> Iterator[Objection]:
    for context in _contexts(pod):
        yield from _outside(context.seccomp)


def _seccomp_set(pod: Pod) -> Iterator[Objection]:
    yield from _seccomp(pod)
    own = pod.security.seccomp
    if own is not None and own.type in ("RuntimeDefault", "Localhost"):
        return
    for container in pod.containers:
        if container.security.seccomp is None:
            yield Objection(
                _field(container, "seccompProfile", "type"),
                None,
                "RuntimeDefault or Localhost, here or in the pod",
            )


def _sysctls(*names: str) -> Callable[[Pod], Iterator[Objection]]:
    def objections(pod: Pod) -> Iterator[Objection]:
        for index, name in enumerate(pod.security.sysctls):
            if name not in names:
                yield Objection((*pod.security.path, "sysctls", index, "name"), name, "a safe sysctl")

    return objections


_SYSCTLS_1_0: Final = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
)
_SYSCTLS_1_27: Final = (*_SYSCTLS_1_0, "net.ipv4.ip_local_reserved_ports")
_SYSCTLS_1_29: Final = (
    *_SYSCTLS_1_27,
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
)
_SYSCTLS_1_32: Final = (*_SYSCTLS_1_29, "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem")
_SYSCTLS_1_37: Final = (
    *_SYSCTLS_1_32,
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_notsent_lowat",
)


def _host_process(pod: Pod) -> Iterator[Objection]:
    for context in _contexts(pod):
        if context.host_process:
            yield Objection((*context.path, "windowsOptions", "hostProcess"), "true", "false or unset")


def _host_probes(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        for handler in container.hosts:
            yield Objection(handler.path, handler.host, "unset, so that the pod itself is asked")


_HARMLESS_VOLUMES: Final = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)


def _volumes(pod: Pod) -> Iterator[Objection]:
    for volume in pod.volumes:
        if volume.source not in _HARMLESS_VOLUMES:
            yield Objection(volume.path, volume.source, "a volume that holds nothing of the node")


def _escalation(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        allowed = container.security.allow_privilege_escalation
        if allowed is not False:
            yield Objection(
                _field(container, "allowPrivilegeEscalation"), "true" if allowed else None, "false"
            )


def _non_root(pod: Pod) -> Iterator[Objection]:
    demanded = pod.security.run_as_non_root
    if demanded is False:
        yield Objection((*pod.security.path, "runAsNonRoot"), "false", "true")
    for container in pod.containers:
        own = container.security.run_as_non_root
        if own is False:
            yield Objection(_field(container, "runAsNonRoot"), "false", "true")
        elif own is None and not demanded:
            yield Objection(_field(container, "runAsNonRoot"), None, "true, here or in the pod")


def _user(pod: Pod) -> Iterator[Objection]:
    for context in _contexts(pod):
        if context.run_as_user == 0:
            yield Objection((*context.path, "runAsUser"), "0", "another user, or unset")


def _capabilities_dropped(pod: Pod) -> Iterator[Objection]:
    for container in pod.containers:
        dropped = container.security.dropped
        if "ALL" not in dropped:
            yield Objection(
                _field(container, "capabilities", "drop"), ", ".join(dropped) or None, "a list with ALL"
            )
        yield from _added(container, ("NET_BIND_SERVICE",), "NET_BIND_SERVICE or nothing")


def _rules() -> Iterator[Check]:
    def baseline(name: str, since: int, objections: Callable[[Pod], Iterator[Objection]]) -> Check:
        return Check(name, Level.BASELINE, since, objections)

    def restricted(
        name: str, since: int, objections: Callable[[Pod], Iterator[Objection]], *replaces: str
    ) -> Check:
        return Check(name, Level.RESTRICTED, since, objections, replaces)

    yield baseline("hostNamespaces", 0, _host_namespaces)
    yield baseline("privileged", 0, _privileged)
    yield baseline("capabilities_baseline", 0, _capabilities)
    yield baseline("hostPathVolumes", 0, _host_paths)
    yield baseline("hostPorts", 0, _host_ports)
    yield baseline("appArmorProfile", 0, _apparmor)
    yield baseline("seLinuxOptions", 0, _selinux(*_SELINUX_TYPES))
    yield baseline("seLinuxOptions", 31, _selinux(*_SELINUX_TYPES, "container_engine_t"))
    yield baseline("procMount", 0, _proc_mount)
    yield baseline("procMount", 35, _unless_own_users(_proc_mount))
    yield baseline("seccompProfile_baseline", 0, _seccomp_annotations)
    yield baseline("seccompProfile_baseline", 19, _seccomp)
    yield baseline("sysctls", 0, _sysctls(*_SYSCTLS_1_0))
    yield baseline("sysctls", 27, _sysctls(*_SYSCTLS_1_27))
    yield baseline("sysctls", 29, _sysctls(*_SYSCTLS_1_29))
    yield baseline("sysctls", 32, _sysctls(*_SYSCTLS_1_32))
    yield baseline("sysctls", 37, _sysctls(*_SYSCTLS_1_37))
    yield baseline("windowsHostProcess", 0, _host_process)
    yield baseline("hostProbesAndHostLifecycle", 34, _host_probes)
    yield restricted("restrictedVolumes", 0, _volumes, "hostPathVolumes")
    yield restricted("allowPrivilegeEscalation", 8, _escalation)
    yield restricted("allowPrivilegeEscalation", 25, _unless_windows(_escalation))
    yield restricted("runAsNonRoot", 0, _non_root)
    yield restricted("runAsNonRoot", 35, _unless_own_users(_non_root))
    yield restricted("runAsUser", 23, _user)
    yield restricted("runAsUser", 35, _unless_own_users(_user))
    yield restricted("seccompProfile_restricted", 19, _seccomp_set, "seccompProfile_baseline")
    yield restricted(
        "seccompProfile_restricted", 25, _unless_windows(_seccomp_set), "seccompProfile_baseline"
    )
    yield restricted("capabilities_restricted", 22, _capabilities_dropped, "capabilities_baseline")
    yield restricted(
        "capabilities_restricted", 25, _unless_windows(_capabilities_dropped), "capabilities_baseline"
    )
    yield restricted("procMount_restricted", 35, _proc_mount, "procMount")


CHECKS: Final = tuple(_rules())
"""Every check, with the version of the policy from which on it holds."""
