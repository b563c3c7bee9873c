"""Pod Security Standards: every rule at every version, as Kubernetes' own fixtures are made.

A fixture is the smallest pod that meets a level, changed in one place. What a change does at which versions
is written from k8s.io/pod-security-admission (``policy/check_*.go``).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import BuildError
from builder.security.pods import Pod, pods_in
from builder.security.pss import CHECKS, NEWEST, Level, Verdict, judge, version_from

VERSIONS = range(NEWEST + 1)
P, B, R = Level.PRIVILEGED, Level.BASELINE, Level.RESTRICTED

STRICT: dict[str, Any] = {
    "containers": [
        {
            "name": "main",
            "image": "x",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "initContainers": [
        {
            "name": "init",
            "image": "x",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
    "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
}


def changed(spec: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """``spec`` with values put at paths such as ``containers__0__securityContext__privileged``."""
    made = copy.deepcopy(spec)
    for path, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in path.split("__"))
        place: Any = made
        for step in steps:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        if value is DELETE:
            del place[last]
        else:
            place[last] = value
    return made


DELETE = object()


def read(spec: dict[str, Any], annotations: dict[str, str] | None = None) -> Pod:
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "annotations": annotations or {}},
        "spec": spec,
    }
    (pod,) = pods_in(json.dumps(manifest).encode(), "x.yaml")
    return pod


def verdict(spec: dict[str, Any], version: int = NEWEST) -> Verdict:
    return judge(read(spec), version)


def levels(spec: dict[str, Any], annotations: dict[str, str] | None = None) -> list[Level]:
    pod = read(spec, annotations)
    return [judge(pod, version).level for version in VERSIONS]


def steps(*parts: tuple[Level, int]) -> list[Level]:
    """A list of levels by version: each level with the version from which on it holds."""
    found: list[Level] = []
    for (level, since), until in zip(parts, [*(since for _, since in parts[1:]), NEWEST + 1], strict=True):
        found += [level] * (until - since)
    return found


def test_the_strict_pod_is_restricted_at_every_version() -> None:
    assert levels(STRICT) == steps((R, 0))


def test_a_pod_that_says_nothing_is_baseline() -> None:
    spec = {"containers": [{"name": "c"}]}

    assert levels(spec) == steps((B, 0))


CONTAINERS = ("containers__0__", "initContainers__0__", "ephemeralContainers__0__")
EPHEMERAL = changed(STRICT, ephemeralContainers=[{**STRICT["containers"][0], "name": "debug"}])


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("securityContext__privileged", True, steps((P, 0))),
        ("securityContext__privileged", False, steps((R, 0))),
        ("securityContext__capabilities__add", ["NET_RAW"], steps((P, 0))),
        ("securityContext__capabilities__add", ["CAP_CHOWN"], steps((P, 0))),
        ("securityContext__capabilities__add", ["chown"], steps((P, 0))),
        ("securityContext__capabilities__add", ["CHOWN"], steps((R, 0), (B, 22))),
        ("securityContext__capabilities__add", ["NET_BIND_SERVICE"], steps((R, 0))),
        ("securityContext__capabilities__drop", ["all"], steps((R, 0), (B, 22))),
        ("securityContext__capabilities__drop", ["NET_RAW", "ALL"], steps((R, 0))),
        ("securityContext__capabilities", None, steps((R, 0), (B, 22))),
        ("securityContext__allowPrivilegeEscalation", None, steps((R, 0), (B, 8))),
        ("securityContext__allowPrivilegeEscalation", True, steps((R, 0), (B, 8))),
        ("securityContext__procMount", "Unmasked", steps((P, 0))),
        ("securityContext__procMount", "Default", steps((R, 0))),
        ("securityContext__runAsNonRoot", False, steps((B, 0))),
        ("securityContext__runAsNonRoot", True, steps((R, 0))),
        ("securityContext__runAsUser", 0, steps((R, 0), (B, 23))),
        ("securityContext__runAsUser", 7, steps((R, 0))),
        ("securityContext__seccompProfile", {"type": "Unconfined"}, steps((R, 0), (P, 19))),
        ("securityContext__seccompProfile", {"type": ""}, steps((R, 0), (P, 19))),
        ("securityContext__seccompProfile", {"type": "Localhost"}, steps((R, 0))),
        ("securityContext__appArmorProfile", {"type": "Unconfined"}, steps((P, 0))),
        ("securityContext__appArmorProfile", {"type": "Localhost"}, steps((R, 0))),
        ("securityContext__seLinuxOptions", {"type": "spc_t"}, steps((P, 0))),
        ("securityContext__seLinuxOptions", {"type": "container_engine_t"}, steps((P, 0), (R, 31))),
        ("securityContext__seLinuxOptions", {"user": "u"}, steps((P, 0))),
        ("securityContext__seLinuxOptions", {"role": "r"}, steps((P, 0))),
        ("securityContext__seLinuxOptions", {"level": "s0"}, steps((R, 0))),
        ("securityContext__windowsOptions", {"hostProcess": True}, steps((P, 0))),
        ("securityContext__windowsOptions", {"hostProcess": False}, steps((R, 0))),
        ("ports", [{"containerPort": 1, "hostPort": 2}], steps((P, 0))),
        ("ports", [{"containerPort": 1, "hostPort": 0}], steps((R, 0))),
        ("livenessProbe", {"httpGet": {"host": "h", "port": 1}}, steps((R, 0), (P, 34))),
        ("readinessProbe", {"tcpSocket": {"host": "h", "port": 1}}, steps((R, 0), (P, 34))),
        ("startupProbe", {"httpGet": {"host": "", "port": 1}}, steps((R, 0))),
        ("lifecycle", {"postStart": {"httpGet": {"host": "h"}}}, steps((R, 0), (P, 34))),
        ("lifecycle", {"preStop": {"tcpSocket": {"host": "h"}}}, steps((R, 0), (P, 34))),
        ("lifecycle", {"preStop": {"exec": {"command": ["x"]}}}, steps((R, 0))),
    ],
)
def test_a_container_field_decides_from_its_version_on(
    container: str, field: str, value: object, expected: list[Level]
) -> None:
    assert levels(changed(EPHEMERAL, **{container + field: value})) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"hostNetwork": True}, steps((P, 0))),
        ({"hostPID": True}, steps((P, 0))),
        ({"hostIPC": True}, steps((P, 0))),
        ({"hostIPC": False, "hostUsers": True}, steps((R, 0))),
        ({"securityContext__runAsNonRoot": False}, steps((B, 0))),
        ({"securityContext__runAsNonRoot": None}, steps((B, 0))),
        ({"securityContext__runAsUser": 0}, steps((R, 0), (B, 23))),
        ({"securityContext__seccompProfile": None}, steps((R, 0), (B, 19))),
        ({"securityContext__seccompProfile": {"type": "Unconfined"}}, steps((R, 0), (P, 19))),
        ({"securityContext__appArmorProfile": {"type": "Unconfined"}}, steps((P, 0))),
        ({"securityContext__seLinuxOptions": {"type": "spc_t"}}, steps((P, 0))),
        ({"securityContext__windowsOptions": {"hostProcess": True}}, steps((P, 0))),
        ({"securityContext__runAsNonRoot": None, "hostUsers": False}, steps((B, 0), (R, 35))),
        (
            {"securityContext__runAsNonRoot": False, "securityContext__runAsUser": 0, "hostUsers": False},
            steps((B, 0), (R, 35)),
        ),
        (
            {"containers__0__securityContext__procMount": "Unmasked", "hostUsers": False},
            steps((P, 0), (B, 35)),
        ),
        ({"containers__0__securityContext__privileged": True, "hostUsers": False}, steps((P, 0))),
        (
            {"containers__0__securityContext__allowPrivilegeEscalation": None, "os": {"name": "windows"}},
            steps((R, 0), (B, 8), (R, 25)),
        ),
        (
            {"containers__0__securityContext__capabilities": None, "os": {"name": "windows"}},
            steps((R, 0), (B, 22), (R, 25)),
        ),
        (
            {"securityContext__seccompProfile": None, "os": {"name": "windows"}},
            steps((R, 0), (B, 19), (R, 25)),
        ),
        ({"securityContext__seccompProfile": None, "os": {"name": "linux"}}, steps((R, 0), (B, 19))),
        # the restricted list alone decides, and for Windows it asks nothing about capabilities
        (
            {"containers__0__securityContext__capabilities__add": ["SYS_TIME"], "os": {"name": "windows"}},
            steps((P, 0), (R, 25)),
        ),
    ],
)
def test_a_pod_field_decides_from_its_version_on(changes: dict[str, Any], expected: list[Level]) -> None:
    assert levels(changed(STRICT, **changes)) == expected


SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({"seccomp.security.alpha.kubernetes.io/pod": "unconfined"}, steps((P, 0), (R, 19))),
        ({"seccomp.security.alpha.kubernetes.io/pod": "docker/default"}, steps((R, 0))),
        ({"seccomp.security.alpha.kubernetes.io/pod": "localhost/x"}, steps((R, 0))),
        ({f"{SECCOMP}main": ""}, steps((P, 0), (R, 19))),
        ({f"{SECCOMP}init": "unconfined"}, steps((P, 0), (R, 19))),
        ({f"{SECCOMP}nobody": "unconfined"}, steps((R, 0))),
        ({"container.apparmor.security.beta.kubernetes.io/main": "unconfined"}, steps((P, 0))),
        ({"container.apparmor.security.beta.kubernetes.io/nobody": "unconfined"}, steps((P, 0))),
        ({"container.apparmor.security.beta.kubernetes.io/main": "localhost/x"}, steps((R, 0))),
        ({"container.apparmor.security.beta.kubernetes.io/main": ""}, steps((R, 0))),
    ],
)
def test_an_annotation_decides_until_a_field_does(annotations: dict[str, str], expected: list[Level]) -> None:
    assert levels(STRICT, annotations) == expected


@pytest.mark.parametrize(
    ("name", "since"),
    [
        ("kernel.shm_rmid_forced", 0),
        ("net.ipv4.ip_local_port_range", 0),
        ("net.ipv4.ip_unprivileged_port_start", 0),
        ("net.ipv4.tcp_syncookies", 0),
        ("net.ipv4.ping_group_range", 0),
        ("net.ipv4.ip_local_reserved_ports", 27),
        ("net.ipv4.tcp_keepalive_time", 29),
        ("net.ipv4.tcp_fin_timeout", 29),
        ("net.ipv4.tcp_keepalive_intvl", 29),
        ("net.ipv4.tcp_keepalive_probes", 29),
        ("net.ipv4.tcp_rmem", 32),
        ("net.ipv4.tcp_wmem", 32),
        ("net.ipv4.tcp_slow_start_after_idle", 37),
        ("net.ipv4.tcp_notsent_lowat", 37),
        ("kernel.msgmax", NEWEST + 1),
    ],
)
def test_a_sysctl_is_safe_from_its_version_on(name: str, since: int) -> None:
    spec = changed(STRICT, securityContext__sysctls=[{"name": name, "value": "1"}])

    assert levels(spec) == [P] * since + [R] * (NEWEST + 1 - since)


@pytest.mark.parametrize(
    ("sources", "level"),
    [
        ("configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret", R),
        ("gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume cinder", B),
        ("cephfs flocker fc azureFile vsphereVolume quobyte azureDisk photonPersistentDisk", B),
        ("portworxVolume scaleIO storageos unheardOf", B),
        ("hostPath", P),
    ],
)
def test_a_volume_decides_by_its_source(sources: str, level: Level) -> None:
    found = {
        source: set(levels(changed(STRICT, volumes=[{"name": "v", source: {}}])))
        for source in sources.split()
    }

    assert found == {source: {level} for source in sources.split()}


def test_a_container_may_set_what_the_pod_does_not() -> None:
    context = {**STRICT["containers"][0]["securityContext"]}
    context |= {"runAsNonRoot": True, "seccompProfile": {"type": "Localhost"}}
    spec = changed(
        STRICT,
        containers__0__securityContext=context,
        initContainers__0__securityContext=context,
        securityContext=None,
    )

    assert levels(spec) == steps((R, 0))


def test_a_violation_names_the_field_its_line_and_what_to_write() -> None:
    text = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
          - name: c
            securityContext:
              privileged: true
"""
    (pod,) = pods_in(text.encode(), "job.yaml")

    said = [str(each) for each in judge(pod, 7).violations]

    path = "spec.jobTemplate.spec.template.spec.containers[0].securityContext"
    assert said == [
        f"job.yaml:12: {path}.privileged: privileged (baseline): is true; must be false or unset",
        f"job.yaml:11: {path}.runAsNonRoot: runAsNonRoot (restricted): is unset; "
        "must be true, here or in the pod",
    ]


def test_an_annotation_of_a_template_has_its_path() -> None:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "template": {
                "metadata": {
                    "annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}
                },
                "spec": STRICT,
            }
        },
    }
    (pod,) = pods_in(yaml.safe_dump(manifest).encode(), "d.yaml")

    (found,) = judge(pod).violations

    assert found.check == "appArmorProfile"
    assert found.field == (
        "spec.template.metadata.annotations['container.apparmor.security.beta.kubernetes.io/c']"
    )
    assert found.line == 9


@pytest.mark.parametrize(
    ("text", "minor"), [("v1.0", 0), ("1.37", 37), ("latest", 37), ("v1.38", 37), ("v1.10000", None)]
)
def test_a_version_is_spelt_as_a_namespaces_label_spells_it(text: str, minor: int | None) -> None:
    if minor is not None:
        assert version_from(text) == minor
        return
    with pytest.raises(BuildError, match=r"no version of the policy\n  write v1\.0 to v1\.37, or latest"):
        version_from(text)


@pytest.mark.parametrize("text", ["v2.0", "v1.01", "", "v1", "1.x", "v1.-1", "V1.2"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BuildError):
        version_from(text)


def test_checks_replace_only_checks_of_baseline() -> None:
    baseline = {check.id for check in CHECKS if check.level is B}

    assert all(set(check.replaces) <= baseline for check in CHECKS)
    assert all(check.level is R for check in CHECKS if check.replaces)


contexts = st.fixed_dictionaries(
    {},
    optional={
        "privileged": st.booleans(),
        "allowPrivilegeEscalation": st.booleans(),
        "runAsNonRoot": st.booleans(),
        "runAsUser": st.sampled_from([0, 1000]),
        "procMount": st.sampled_from(["Default", "Unmasked"]),
        "seccompProfile": st.sampled_from(
            [{"type": "RuntimeDefault"}, {"type": "Unconfined"}, {"type": "Localhost"}]
        ),
        "seLinuxOptions": st.sampled_from([{"type": "container_t"}, {"type": "x"}, {}]),
        "windowsOptions": st.sampled_from([{"hostProcess": True}, {}]),
        "capabilities": st.fixed_dictionaries(
            {},
            optional={
                "add": st.lists(st.sampled_from(["CHOWN", "NET_RAW", "NET_BIND_SERVICE"]), max_size=2),
                "drop": st.lists(st.sampled_from(["ALL", "CHOWN"]), max_size=2),
            },
        ),
    },
)
specs = st.fixed_dictionaries(
    {
        "containers": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"securityContext": contexts}),
            min_size=1,
            max_size=2,
        )
    },
    optional={
        "securityContext": contexts.map(
            lambda found: {name: found[name] for name in found if name not in ("capabilities", "privileged")}
        ),
        "hostUsers": st.booleans(),
        "hostPID": st.booleans(),
        "os": st.sampled_from([{"name": "windows"}, {"name": "linux"}]),
        "volumes": st.lists(
            st.sampled_from(
                [{"name": "v"}, {"name": "h", "hostPath": {"path": "/"}}, {"name": "n", "nfs": {}}]
            ),
            max_size=2,
        ),
    },
)
minors = st.integers(0, NEWEST)


@given(specs, minors)
def test_a_workload_is_judged_as_its_pod(spec: dict[str, Any], version: int) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {"template": {"spec": spec}},
    }
    (inside,) = pods_in(json.dumps(deployment).encode(), "x.yaml")
    alone = verdict(spec, version)
    wrapped = judge(inside, version)

    assert wrapped.level is alone.level
    assert [each.path for each in wrapped.violations] == [
        ("spec", "template", *each.path) for each in alone.violations
    ]


@given(specs, minors)
def test_the_level_is_the_strictest_whose_own_rules_are_all_kept(spec: dict[str, Any], version: int) -> None:
    found = verdict(spec, version)
    broken = {each.check for each in found.violations}
    active = [check for check in CHECKS if check.since <= version]
    replaced = {name for check in active for name in check.replaces}
    baseline = {check.id for check in active if check.level is B}
    restricted = {check.id for check in active} - replaced

    assert (found.level is R) == (not broken & restricted)
    assert (found.level is P) == bool(broken & baseline and broken & restricted)


@given(specs, minors)
def test_switching_privileged_on_makes_every_pod_privileged(spec: dict[str, Any], version: int) -> None:
    made = changed(spec, containers__0__securityContext__privileged=True)

    assert verdict(made, version).level is P
