"""Facts from pods: each rule of the table, with a pod for which it holds and one for which it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from builder.errors import BuildError
from builder.security.approaches import APPROACHES, pod
from builder.security.facts import RULES, Settings, guess_builder, settings_from, situation
from builder.security.hostpaths import SOCKETS
from builder.security.pods import Pod, pods_in
from builder.security.tables import builders

KANIKO = builders()["kaniko"]


def made(*contexts: dict[str, Any], mounts: list[dict[str, Any]] | None = None, **spec: Any) -> Pod:
    containers = [
        {"name": f"c{number}", "image": "x", "securityContext": context, "volumeMounts": mounts or []}
        for number, context in enumerate(contexts or ({},))
    ]
    manifest = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": containers, **spec}}
    (found,) = pods_in(json.dumps(manifest).encode(), "x.yaml")
    return found


def mounting(path: str, **mount: Any) -> Pod:
    return made(
        mounts=[{"name": "v", "mountPath": "/v", **mount}],
        volumes=[{"name": "v", "hostPath": {"path": path}}],
    )


def holds(fact: str, found: Pod, *words: str, kind: str = "kaniko") -> bool:
    return fact in situation(found, builders()[kind], settings_from(words)).facts


PLAIN = made()
HOLDS = [
    ("root", PLAIN, made({"runAsUser": 7})),
    ("root", made({"runAsUser": 0}, runAsNonRoot=None), made(securityContext={"runAsUser": 7})),
    ("root", made({"runAsUser": 0}, securityContext={"runAsUser": 7}), made({"runAsNonRoot": True})),
    ("root", made({}, {"runAsUser": 7}), made({"runAsUser": 6}, {"runAsUser": 7})),
    (
        "root",
        made({"runAsUser": 7, "privileged": True}),
        made({"runAsUser": 7, "allowPrivilegeEscalation": False}),
    ),
    ("userns", made(hostUsers=False), made(hostUsers=True)),
    ("userns", made(runtimeClassName="sysbox-runc"), PLAIN),
    ("sandboxed", made(runtimeClassName="gvisor"), made(runtimeClassName="nvidia")),
    ("sandboxed", made(runtimeClassName="kata-qemu"), PLAIN),
    ("privileged", made({"privileged": True}), made({"privileged": False})),
    ("sysadmin", made({"capabilities": {"add": ["SYS_ADMIN"]}}), PLAIN),
    (
        "sysadmin",
        made({"capabilities": {"add": ["cap_sys_admin"]}}),
        made({"capabilities": {"add": ["CHOWN"]}}),
    ),
    ("sysadmin", made({"privileged": True}), made({"capabilities": {"drop": ["ALL"]}})),
    ("sysmodule", made({"capabilities": {"add": ["ALL"]}}), PLAIN),
    ("sysptrace", made({"capabilities": {"add": ["SYS_PTRACE"]}}), PLAIN),
    ("file_caps", PLAIN, made({"capabilities": {"drop": ["CHOWN"]}})),
    (
        "file_caps",
        made({"capabilities": {"drop": ["ALL"], "add": ["CHOWN", "DAC_OVERRIDE", "FOWNER"]}}),
        made({"capabilities": {"drop": ["all"], "add": ["CHOWN"]}}),
    ),
    ("id_caps", PLAIN, made({"capabilities": {"drop": ["ALL"], "add": ["SETUID"]}})),
    ("may_escalate", PLAIN, made({"allowPrivilegeEscalation": False})),
    ("seccomp_unconfined", PLAIN, made({"seccompProfile": {"type": "RuntimeDefault"}})),
    (
        "seccomp_unconfined",
        made(
            {"seccompProfile": {"type": "Unconfined"}},
            securityContext={"seccompProfile": {"type": "Localhost"}},
        ),
        made(securityContext={"seccompProfile": {"type": "Localhost"}}),
    ),
    (
        "userns_syscalls",
        made(securityContext={"seccompProfile": {"type": "Localhost"}}),
        made(securityContext={"seccompProfile": {"type": "RuntimeDefault"}}),
    ),
    ("proc_unmasked", made({"procMount": "Unmasked"}), made({"procMount": "Default"})),
    ("hostpid", made(hostPID=True), PLAIN),
    ("hostnet", made(hostNetwork=True), PLAIN),
    ("hostpath", mounting("/srv"), made(volumes=[{"name": "v", "hostPath": {"path": "/"}}])),
    ("hostpath_root", mounting("//"), mounting("/srv")),
    ("hostpath_root", mounting("/proc/1/root"), mounting("/proc")),
    ("hostpath_kubelet", mounting("/var/lib"), mounting("/var/lib/kubelet/device-plugins")),
    ("hostpath_system_written", mounting("/etc"), mounting("/etc", readOnly=True)),
    ("hostpath_system_written", mounting("/etc/cron.d/"), mounting("/etc/ssl/certs")),
    ("hostpath_proc_written", mounting("/proc"), mounting("/proc", readOnly=True)),
    ("hostpath_proc_written", mounting("/"), mounting("/proc/net")),
    ("sa_token", PLAIN, made(automountServiceAccountToken=False)),
    (
        "sa_token",
        made(
            automountServiceAccountToken=False,
            mounts=[{"name": "t", "mountPath": "/t"}],
            volumes=[{"name": "t", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
        ),
        made(
            automountServiceAccountToken=False,
            mounts=[{"name": "t", "mountPath": "/t"}],
            volumes=[{"name": "t", "projected": {"sources": [{"configMap": {"name": "m"}}]}}],
        ),
    ),
]


@pytest.mark.parametrize(("fact", "yes", "no"), HOLDS, ids=[f"{row[0]}-{n}" for n, row in enumerate(HOLDS)])
def test_a_fact_holds_for_the_pods_that_its_rule_describes(fact: str, yes: Pod, no: Pod) -> None:
    assert holds(fact, yes)
    assert not holds(fact, no)


@pytest.mark.parametrize("path", [*SOCKETS, "/", "/run/", "/var/run", "/var/run/docker.sock", "/run/crio"])
def test_a_socket_is_recognised_in_any_spelling_read_only_or_not(path: str) -> None:
    assert holds("sock", mounting(path, readOnly=True))


@pytest.mark.parametrize(
    "path", ["/var", "/var/log", "/runner", "/run/docker", "/run/docker.sock.d", "/srv/var/run"]
)
def test_other_directories_are_no_socket(path: str) -> None:
    assert not holds("sock", mounting(path))


def test_the_sockets_group_is_a_setting() -> None:
    grouped = made(securityContext={"supplementalGroups": [4, 998]})

    assert holds("sock_group", grouped, "sock_gid=998")
    assert not holds("sock_group", grouped, "sock_gid=5")
    assert not holds("sock_group", grouped)


def test_a_silent_pod_is_confined_where_the_kubelet_says_so() -> None:
    assert not holds("seccomp_unconfined", PLAIN, "seccomp_default")
    assert holds("seccomp_unconfined", made({"privileged": True}), "seccomp_default")


def test_apparmor_is_in_force_unless_it_is_switched_off() -> None:
    assert holds("apparmor_enforced", PLAIN, "node_apparmor")
    assert not holds("apparmor_enforced", PLAIN)
    for off in ({"appArmorProfile": {"type": "Unconfined"}}, {"privileged": True}):
        assert not holds("apparmor_enforced", made(off), "node_apparmor")


def test_credentials_are_mounted_or_assumed_of_whoever_pushes() -> None:
    mounted = made(
        mounts=[{"name": "s", "mountPath": "/s"}], volumes=[{"name": "s", "secret": {"secretName": "r"}}]
    )

    assert holds("reg_creds_mounted", PLAIN)
    assert not holds("reg_creds_mounted", PLAIN, "pushes=no")
    assert holds("reg_creds_mounted", mounted, "pushes=no")


def test_a_daemon_is_shared_if_it_is_the_nodes_or_listens_on_tcp() -> None:
    assert holds("shared_daemon", PLAIN, kind="docker-socket")
    assert not holds("shared_daemon", PLAIN, kind="buildkit")
    assert holds("shared_daemon", pod("buildkit"), kind="buildkit")


def test_a_chosen_fact_stands_over_what_the_pod_says() -> None:
    assert not holds("root", PLAIN, "root=no")
    assert holds("run_same_rootfs", PLAIN, "run_same_rootfs", kind="buildkit")
    assert holds("cve_2024_21626", PLAIN, "CVE-2024-21626")


def test_assuming_runtime_bugs_assumes_those_of_builders_and_runtimes_and_not_the_kernels() -> None:
    assert holds("cve_2026_33747", PLAIN, "assume_runtime_bug")
    assert not holds("cve_2023_0386", PLAIN, "assume_runtime_bug")


@pytest.mark.parametrize("words", [["rooot"], ["root=maybe"], ["sock_gid=x"], ["sock_gid"], ["CVE-1"]])
def test_what_is_no_setting_is_refused(words: list[str]) -> None:
    with pytest.raises(BuildError):
        settings_from(words)


@pytest.mark.parametrize("approach", APPROACHES)
def test_the_kind_of_builder_is_guessed_from_the_pod(approach: str) -> None:
    found = guess_builder(pod(approach))

    assert found is not None
    assert found.name == APPROACHES[approach]
    assert guess_builder(PLAIN) is None


def test_every_rule_is_tried_here() -> None:
    elsewhere = {"sock", "sock_group", "apparmor_enforced", "reg_creds_mounted", "reg_creds_env"}
    elsewhere |= {"shared_daemon", "no_process_sandbox"}

    assert {row[0] for row in HOLDS} | elsewhere == RULES.keys()


def test_a_secret_in_the_environment_is_a_credential() -> None:
    def with_variable(variable: dict[str, Any]) -> Pod:
        spec = {"containers": [{"name": "c", "env": [variable]}]}
        manifest = {"apiVersion": "v1", "kind": "Pod", "spec": spec}
        (found,) = pods_in(json.dumps(manifest).encode(), "x.yaml")
        return found

    assert holds("reg_creds_env", with_variable({"name": "A", "valueFrom": {"secretKeyRef": {"name": "s"}}}))
    assert holds("reg_creds_env", with_variable({"name": "DOCKER_AUTH_CONFIG", "value": "{}"}))
    assert not holds("reg_creds_env", with_variable({"name": "REGISTRY_AUTH_FILE", "value": "/a"}))
    assert not holds("reg_creds_env", PLAIN)


def test_a_daemon_without_process_sandbox_is_told_so() -> None:
    assert holds("no_process_sandbox", pod("buildkit-rootless"), kind="buildkit-rootless")
    assert not holds("no_process_sandbox", PLAIN)


def test_settings_have_the_defaults_of_the_table() -> None:
    assert "api_egress" in Settings()
    assert "sa_powerful" not in Settings()
