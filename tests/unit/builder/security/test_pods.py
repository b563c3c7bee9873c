"""Pods out of manifests: where they stand, what the API server would fill in, and what it would refuse."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import ManifestError
from builder.security.pods import WORKLOADS, Pod, Role, pods_in

SPEC = {"containers": [{"name": "c", "image": "x", "securityContext": {"privileged": True}}]}


def pods(text: str) -> tuple[Pod, ...]:
    return pods_in(textwrap.dedent(text).encode(), "x.yaml")


def pod(spec: str) -> Pod:
    (found,) = pods("apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + textwrap.indent(spec, "  "))
    return found


def wrapped(kind: str, spec: object) -> dict[str, object]:
    """A manifest of ``kind`` whose pod has ``spec``."""
    versions, where = WORKLOADS[kind]
    inner: dict[str, object] = {"spec": spec}
    for step in reversed(where):
        inner = {step: inner}
    return {"apiVersion": max(versions), "kind": kind, "metadata": {"name": "w"}, **inner}


@pytest.mark.parametrize("kind", WORKLOADS)
def test_every_workload_holds_a_pod_at_its_own_path(kind: str) -> None:
    (found,) = pods_in(yaml.safe_dump(wrapped(kind, SPEC)).encode(), "x.yaml")

    assert (found.kind, found.name) == (kind, "w")
    assert found.path == (*WORKLOADS[kind][1], "spec")
    assert found.containers[0].path == (*found.path, "containers", 0)
    assert found.containers[0].security.privileged


def test_lists_and_several_documents_give_their_pods_in_order() -> None:
    found = pods("""\
        kind: List
        apiVersion: v1
        items:
        - {apiVersion: v1, kind: Service, metadata: {name: s}}
        - {apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {containers: [{name: c}]}}
        ---
        {apiVersion: v1, kind: Pod, metadata: {generateName: b-}, spec: {containers: [{name: c}]}}
        """)

    assert [each.name for each in found] == ["a", "b-"]
    assert found[0].path == ("items", 1, "spec")


def test_containers_of_all_three_kinds_are_found() -> None:
    found = pod("containers: [{name: m}]\ninitContainers: [{name: i}]\nephemeralContainers: [{name: e}]\n")

    assert [(each.name, each.role) for each in found.containers] == [
        ("i", Role.INIT),
        ("m", Role.MAIN),
        ("e", Role.EPHEMERAL),
    ]


def test_a_volume_with_a_name_alone_is_an_empty_directory() -> None:
    found = pod(
        "containers: [{name: c}]\nvolumes: [{name: a}, {name: b, secret: null}, {name: d, nfs: {}}]\n"
    )

    assert [each.source for each in found.volumes] == ["emptyDir", "emptyDir", "nfs"]


def test_ports_on_the_hosts_network_are_host_ports() -> None:
    ports = "containers: [{name: c, ports: [{containerPort: 80}, {containerPort: 81, hostPort: 82}]}]\n"

    assert [each.number for each in pod(ports).containers[0].host_ports] == [82]
    assert [each.number for each in pod(ports + "hostNetwork: true\n").containers[0].host_ports] == [80, 82]


def test_defaults_are_the_api_servers() -> None:
    found = pod("containers: [{name: c}]\nhostUsers: null\n")

    assert found.host_users
    assert found.automounts_token
    assert found.service_account == "default"
    assert not (found.host_network or found.host_pid or found.host_ipc)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "x.yaml:1: a manifest is a mapping, not a list"),
        ("kind: Pod\n", "x.yaml:1: apiVersion is missing"),
        ("apiVersion: v7\nkind: Pod\n", "x.yaml:1: apiVersion: there is no Pod in 'v7'\n  write v1"),
        ("apiVersion: apps/v9\nkind: Job\n", "x.yaml:1: apiVersion: there is no Job in 'apps/v9'"),
        ("apiVersion: v1\nkind: Pod\n", "x.yaml:1: spec: a Pod needs spec"),
        ("apiVersion: v1\nkind: Pod\nspec: {}\n", "x.yaml:3: spec.containers: a pod needs at least one"),
        ("apiVersion: apps/v1\nkind: Deployment\nspec: {}\n", "x.yaml:3: spec.template: a Deployment needs"),
        ("apiVersion: 1\nkind: Pod\n", "x.yaml:1: apiVersion: must be a string, and is a number"),
    ],
)
def test_a_broken_object_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        pods(text)

    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("containers: {}\n", "x.yaml:5: spec.containers: must be a list, and is a mapping"),
        ("containers:\n- x\n", "x.yaml:6: spec.containers[0]: must be a mapping, and is a string"),
        (
            "containers:\n- name: c\n  securityContext:\n    privileged: 'true'\n",
            "x.yaml:8: spec.containers[0].securityContext.privileged: must be a boolean, and is a string",
        ),
        (
            "containers:\n- name: c\n  securityContext:\n    capabilities:\n      drop: ALL\n",
            "x.yaml:9: spec.containers[0].securityContext.capabilities.drop: must be a list, and is a string",
        ),
        (
            "containers:\n- name: c\n  securityContext: {runAsUser: 1.5}\n",
            "x.yaml:7: spec.containers[0].securityContext.runAsUser: must be an integer, and is a number",
        ),
        (
            "containers: [{name: c}]\nvolumes: [{name: v, emptyDir: {}, hostPath: {path: /}}]\n",
            "x.yaml:6: spec.volumes[0].hostPath: a volume has one source, and this one has emptyDir too",
        ),
    ],
)
def test_a_wrong_type_is_refused_with_its_place(spec: str, said: str) -> None:
    with pytest.raises(ManifestError) as caught:
        pod(spec)

    assert str(caught.value).startswith(said)


def test_kinds_that_make_no_pod_and_kinds_of_others_are_passed_over() -> None:
    assert pods("apiVersion: v1\nkind: Service\n---\napiVersion: batch.example.com/v1\nkind: Job\n") == ()


def broken(make: Callable[[], object]) -> object:
    try:
        return make()
    except ManifestError as error:
        assert str(error).startswith("x.yaml:")
        return None


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "type", "a"]), inner)
    ),
    max_leaves=4,
)
FIELDS = [
    "containers",
    "volumes",
    "securityContext",
    "hostPID",
    "hostUsers",
    "os",
    "runtimeClassName",
    "serviceAccount",
]
CONTAINER_FIELDS = [
    "name",
    "image",
    "env",
    "ports",
    "securityContext",
    "volumeMounts",
    "livenessProbe",
    "args",
]


@given(
    st.dictionaries(st.sampled_from(FIELDS), junk),
    st.dictionaries(st.sampled_from(CONTAINER_FIELDS), junk),
)
def test_wrong_types_everywhere_end_in_a_pod_or_in_an_error_with_a_place(
    spec: dict[str, object], container: dict[str, object]
) -> None:
    manifest = wrapped("Pod", {"containers": [container], **spec})

    broken(lambda: pods_in(yaml.safe_dump(manifest).encode(), "x.yaml"))
