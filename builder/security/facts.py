"""The facts about one build: from its pod, its builder's kind, the cluster's settings and known bugs.

``facts.csv`` says each rule in words; here they are carried out. A pod may have several containers, and
the attacker may be in any of them or command one from another: a fact holds if it holds of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from builder.errors import BuildError
from builder.security import hostpaths
from builder.security.pods import Container, Pod, Role, Volume
from builder.security.tables import Builder, advisories, builders, controls, facts
from builder.security.versions import Version, bugs_of, unknown_to


@dataclass(frozen=True, slots=True)
class Settings:
    """What is true of the cluster. ``chosen``: fact → whether it holds, over defaults and over the pod."""

    chosen: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))
    sock_gid: int | None = None

    def __contains__(self, name: str) -> bool:
        return self.chosen.get(name, facts()[name].default == "yes")


@dataclass(frozen=True, slots=True)
class Situation:
    """One build as the graph sees it. ``facts``: the names of those that hold.

    ``unknown``: bugs of components whose version was not said.
    """

    pod: Pod
    builder: Builder
    facts: frozenset[str]
    unknown: frozenset[str] = frozenset()

    @property
    def works(self) -> bool:
        """Whether the builder has what it cannot work without."""
        return self.builder.needs.holds(self.facts)

    def under(self, names: Sequence[str]) -> Situation:
        """The same build with these controls; KeyError for a name that is none."""
        found = set(self.facts)
        for control in (controls()[name] for name in names):
            found = (found | control.sets) - control.clears
        return Situation(self.pod, self.builder, frozenset(found), self.unknown)


_YES: Final = frozenset({"yes", "true", "on", "1", ""})
_NO: Final = frozenset({"no", "false", "off", "0"})


def settings_from(words: Sequence[str]) -> Settings:
    """``name``, ``name=yes`` or ``name=no``: settings, facts, and names of advisories; ``sock_gid=NUMBER``.

    Raises BuildError for a name that is none of them.

    >>> settings_from(["sa_powerful", "api_egress=no"]).chosen["api_egress"]
    False
    """
    chosen: dict[str, bool] = {}
    sock_gid: int | None = None
    for word in words:
        name, _, value = word.partition("=")
        if name == "sock_gid":
            if not value.isascii() or not value.isdigit():
                raise BuildError(f"{word!r} names no group", fix="write sock_gid=NUMBER")
            sock_gid = int(value)
            continue
        fact = advisories()[name].fact if name in advisories() else name
        if fact not in facts():
            raise BuildError(f"there is no setting or fact {name!r}{_nearest(name)}", fix=_SETTINGS_HELP)
        if value.lower() not in _YES | _NO:
            raise BuildError(f"{word!r} is neither yes nor no", fix=f"write {name}=yes or {name}=no")
        chosen[fact] = value.lower() in _YES
    return Settings(MappingProxyType(chosen), sock_gid)


_SETTINGS_HELP: Final = "layerlab security reach --facts lists them"


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, facts(), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def situation(
    pod: Pod,
    builder: Builder,
    settings: Settings | None = None,
    versions: Mapping[str, Version] | None = None,
) -> Situation:
    """The facts of a build. ``versions``: of components, whose bugs then hold."""
    settings = settings or Settings()
    versions = versions or {}
    found = {name for name, fact in facts().items() if fact.default == "yes"}
    found |= builder.traits | bugs_of(versions)
    # A chosen setting decides before facts are derived from it, and a chosen fact after.
    found |= {name for name, rule in RULES.items() if rule(pod, builder, settings)}
    if "assume_runtime_bug" in settings:
        found |= {each.fact for each in advisories().values() if "kernel" not in each.component}
    found |= {name for name, holds in settings.chosen.items() if holds}
    found -= {name for name, holds in settings.chosen.items() if not holds}
    return Situation(pod, builder, frozenset(found), unknown_to(versions))


def builder_named(name: str) -> Builder:
    """The kind of builder called ``name``; BuildError if there is none."""
    if name not in builders():
        raise BuildError(f"no such kind of builder: {name}", fix=f"there are: {', '.join(builders())}")
    return builders()[name]


def guess_builder(pod: Pod) -> Builder | None:
    """The kind of builder that the pod's images and commands name; None if they name none."""
    for container in _attackable(pod):
        image = container.image.lower()
        said = " ".join((image, *container.command, *container.args))
        as_root = _runs_as_root(pod, container, 0)
        if "kaniko" in image:
            return builders()["kaniko"]
        if "buildah" in said or "podman" in image:
            if not as_root:
                return builders()["buildah-rootless"]
            return builders()["buildah-chroot" if "chroot" in said else "buildah"]
        if "buildkit" in said or "buildctl" in said:
            return builders()["buildkit" if as_root and "rootless" not in image else "buildkit-rootless"]
        if "docker" in image or "dockerd" in said:
            if "dind" in image or "dockerd" in said:
                return builders()["docker-in-docker"]
            return builders()["docker-socket"]
        if any(word in image.replace(":", "/").split("/") for word in ("ko", "jib", "crane")):
            return builders()["no-run"]
    return None


def _attackable(pod: Pod) -> Iterator[Container]:
    return (each for each in pod.containers if each.role is Role.MAIN)


Rule = Callable[[Pod, Builder, Settings], bool]


def _any(rule: Callable[[Pod, Container], bool]) -> Rule:
    """The fact that holds of a pod if the rule holds of one of its containers."""
    return lambda pod, _builder, _settings: any(rule(pod, each) for each in _attackable(pod))


def _root(pod: Pod, builder: Builder, settings: Settings) -> bool:  # noqa: ARG001 - a rule's signature
    return any(
        _runs_as_root(pod, each, builder.user) or (_privileged(pod, each) and _may_escalate(pod, each))
        for each in _attackable(pod)
    )


def _runs_as_root(pod: Pod, container: Container, image_user: int) -> bool:
    own, shared = container.security, pod.security
    user = shared.run_as_user if own.run_as_user is None else own.run_as_user
    if user is not None:
        return user == 0
    demanded = shared.run_as_non_root if own.run_as_non_root is None else own.run_as_non_root
    return (
        image_user == 0 and not demanded
    )  # the kubelet does not start an image's root where that is demanded


def _privileged(_pod: Pod, container: Container) -> bool:
    return container.security.privileged is True


def _may_escalate(pod: Pod, container: Container) -> bool:
    # The API server refuses allowPrivilegeEscalation: false beside privileged and beside SYS_ADMIN.
    return container.security.allow_privilege_escalation is not False or _holds(pod, container, "SYS_ADMIN")


_DEFAULT: Final = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "NET_RAW",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)
"""What containerd gives a container that says nothing (containerd, pkg/oci, defaultUnixCaps)."""


def _holds(_pod: Pod, container: Container, capability: str) -> bool:
    """Whether a container has a capability. Runtimes take names in any case, and some with CAP_ before."""
    context = container.security
    if context.privileged:
        return True
    added, dropped = (
        {name.upper().removeprefix("CAP_") for name in names} for names in (context.added, context.dropped)
    )
    if capability in added or "ALL" in added:
        return True
    return capability in _DEFAULT and capability not in dropped and "ALL" not in dropped


def _capability(*names: str) -> Rule:
    return _any(lambda pod, container: all(_holds(pod, container, name) for name in names))


def _seccomp(pod: Pod, container: Container) -> str:
    """The type of the profile in force, or "" where nothing is said."""
    profile = container.security.seccomp or pod.security.seccomp
    return "Unconfined" if container.security.privileged else profile.type if profile else ""


def _seccomp_unconfined(pod: Pod, _builder: Builder, settings: Settings) -> bool:
    loose = {"Unconfined"} if "seccomp_default" in settings else {"Unconfined", ""}
    return any(_seccomp(pod, each) in loose for each in _attackable(pod))


def _userns_syscalls(pod: Pod, builder: Builder, settings: Settings) -> bool:
    return _seccomp_unconfined(pod, builder, settings) or any(
        _seccomp(pod, each) == "Localhost" or _holds(pod, each, "SYS_ADMIN") for each in _attackable(pod)
    )


_APPARMOR: Final = "container.apparmor.security.beta.kubernetes.io/"


def _apparmor_enforced(pod: Pod, _builder: Builder, settings: Settings) -> bool:
    def is_off(container: Container) -> bool:
        profile = container.security.apparmor or pod.security.apparmor
        said = pod.annotations.get(_APPARMOR + container.name)
        return bool(
            container.security.privileged
            or (profile and profile.type == "Unconfined")
            or said == "unconfined"
        )

    return "node_apparmor" in settings and not any(is_off(each) for each in _attackable(pod))


def _mounted(pod: Pod) -> Iterator[tuple[Volume, bool]]:
    """The volumes that a container mounts, each with whether it is mounted writable."""
    volumes = {volume.name: volume for volume in pod.volumes}
    for container in _attackable(pod):
        for mount in container.mounts:
            if mount.volume in volumes:
                yield volumes[mount.volume], not mount.read_only


def _host_path(test: Callable[[str], object], *, written: bool = False) -> Rule:
    return lambda pod, _builder, _settings: any(
        volume.host_path is not None and test(volume.host_path) and (writable or not written)
        for volume, writable in _mounted(pod)
    )


def _sock_group(pod: Pod, _builder: Builder, settings: Settings) -> bool:
    groups = {pod.security.run_as_group, pod.security.fs_group, *pod.security.supplemental_groups}
    groups |= {each.security.run_as_group for each in _attackable(pod)}
    return settings.sock_gid is not None and settings.sock_gid in groups


_CREDENTIALS: Final = ("DOCKER_AUTH", "REGISTRY_PASS", "REGISTRY_TOKEN", "REGISTRY_AUTH", "DOCKER_PASS")


def _creds_in_environment(_pod: Pod, container: Container) -> bool:
    return any(
        variable.is_secret
        or (variable.name.startswith(_CREDENTIALS) and not variable.name.endswith(("_FILE", "_DIR")))
        for variable in container.variables
    )


def _creds_mounted(pod: Pod, _builder: Builder, settings: Settings) -> bool:
    return "pushes" in settings or any(volume.holds_secret for volume, _ in _mounted(pod))


def _token(pod: Pod, _builder: Builder, _settings: Settings) -> bool:
    return pod.automounts_token or any(volume.holds_token for volume, _ in _mounted(pod))


def _told(pod: Pod) -> str:
    return " ".join(
        word
        for each in _attackable(pod)
        for word in (*each.command, *each.args, *(variable.value or "" for variable in each.variables))
    )


def _own_kernel(pod: Pod) -> bool:
    name = pod.runtime_class.lower()
    return name.startswith(("gvisor", "runsc", "kata"))


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "root": _root,
        "userns": lambda pod, _builder, _settings: (
            not pod.host_users or pod.runtime_class.lower().startswith("sysbox")
        ),
        "sandboxed": lambda pod, _builder, _settings: _own_kernel(pod),
        "privileged": _any(_privileged),
        "sysadmin": _capability("SYS_ADMIN"),
        "sysmodule": _capability("SYS_MODULE"),
        "sysptrace": _capability("SYS_PTRACE"),
        "file_caps": _capability("CHOWN", "DAC_OVERRIDE", "FOWNER"),
        "id_caps": _capability("SETUID", "SETGID"),
        "may_escalate": _any(_may_escalate),
        "seccomp_unconfined": _seccomp_unconfined,
        "userns_syscalls": _userns_syscalls,
        "apparmor_enforced": _apparmor_enforced,
        "proc_unmasked": _any(
            lambda _pod, each: each.security.privileged is True or each.security.proc_mount == "Unmasked"
        ),
        "hostpid": lambda pod, _builder, _settings: pod.host_pid,
        "hostnet": lambda pod, _builder, _settings: pod.host_network,
        "hostpath": _host_path(lambda _path: True),
        "hostpath_root": _host_path(lambda path: hostpaths.true_path(path) == "/"),
        "hostpath_kubelet": _host_path(lambda path: hostpaths.holds(path, hostpaths.KUBELET)),
        "hostpath_system_written": _host_path(
            lambda path: hostpaths.holds(path, hostpaths.SYSTEM), written=True
        ),
        "hostpath_proc_written": _host_path(
            lambda path: hostpaths.holds(path, hostpaths.KERNEL), written=True
        ),
        "sock": _host_path(lambda path: hostpaths.holds(path, hostpaths.SOCKETS)),
        "sock_group": _sock_group,
        "sa_token": _token,
        "reg_creds_mounted": _creds_mounted,
        "reg_creds_env": _any(_creds_in_environment),
        "shared_daemon": lambda pod, builder, _settings: (
            "host_daemon" in builder.traits or ("inpod_daemon" in builder.traits and "tcp://" in _told(pod))
        ),
        "no_process_sandbox": lambda pod, _builder, _settings: (
            "--oci-worker-no-process-sandbox" in _told(pod)
        ),
    }
)
"""Fact → its rule, for every fact whose origin is the pod."""
