"""The attack graph: the truths about each way to build, and laws over every situation there can be."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import BuildError
from builder.security.approaches import APPROACHES, builder_of, pod
from builder.security.facts import RULES, Settings, Situation, settings_from, situation
from builder.security.graph import Reached, Start, change, cuts, node_named, open_edges, reach
from builder.security.pods import Pod, Profile
from builder.security.tables import NodeClass, advisories, builders, controls, facts, nodes
from builder.security.versions import versions_from

NODE = {"host_fs", "node_root", "other_pods_secrets", "kubelet_creds"}
COMMANDS_NODE = {"docker-socket", "docker-in-docker", "buildah-privileged", "buildkit"}
KANIKO = {name for name in APPROACHES if APPROACHES[name] == "kaniko"}


def build(approach: str, *words: str, versions: str = "") -> Situation:
    return situation(
        pod(approach),
        builder_of(approach),
        settings_from(words),
        versions_from([versions] if versions else []),
    )


def reached(approach: str, start: Start, *words: str, versions: str = "") -> Reached:
    return reach(build(approach, *words, versions=versions), start)


@pytest.mark.parametrize("approach", APPROACHES)
def test_every_builder_works_in_its_own_pod(approach: str) -> None:
    assert build(approach).works


@pytest.mark.parametrize("approach", APPROACHES)
def test_the_node_is_reached_by_the_job_alone_through_a_socket_or_real_privilege(approach: str) -> None:
    by_job = NODE & set(reached(approach, Start.JOB).names)

    assert by_job == (NODE if approach in COMMANDS_NODE else set())
    assert not NODE & set(reached(approach, Start.DOCKERFILE).names)


@pytest.mark.parametrize("approach", APPROACHES)
def test_registry_credentials_are_reached_from_a_dockerfile_only_under_kaniko(approach: str) -> None:
    assert ("reg_creds" in reached(approach, Start.DOCKERFILE)) == (approach in KANIKO)
    assert "reg_creds" in reached(approach, Start.JOB)


@pytest.mark.parametrize("approach", APPROACHES)
def test_only_a_mounted_socket_is_the_runtimes_socket_and_only_there_the_bridge_is_reached(
    approach: str,
) -> None:
    for start in Start:
        found = reached(approach, start)
        assert ("runtime_socket" in found) == (approach == "docker-socket" and start is Start.JOB)
        assert ("node_bridge_net" in found) == (approach == "docker-socket")


@pytest.mark.parametrize("approach", APPROACHES)
def test_the_cluster_is_never_controlled_by_default(approach: str) -> None:
    assert not any("cluster_control" in reached(approach, start) for start in Start)
    powerful = reached(approach, Start.JOB, "sa_powerful")
    assert ("cluster_control" in powerful) == ("k8s_api" in powerful)


@pytest.mark.parametrize("approach", APPROACHES)
def test_what_a_dockerfile_reaches_the_job_reaches_too(approach: str) -> None:
    job = reached(approach, Start.JOB)

    if "has_run" in job.situation.facts:
        assert set(reached(approach, Start.DOCKERFILE).names) <= set(job.names)


def test_a_socket_that_may_not_be_opened_gives_nothing() -> None:
    found = dataclasses.replace(
        pod("docker-socket"),
        security=dataclasses.replace(
            pod("docker-socket").security, run_as_user=1000, supplemental_groups=(2375,)
        ),
    )

    shut = situation(found, builders()["docker-socket"])
    grouped = situation(found, builders()["docker-socket"], Settings(sock_gid=2375))

    assert not shut.works
    assert "runtime_socket" not in reach(shut, Start.JOB)
    assert "node_root" in reach(grouped, Start.JOB)


def test_privileged_as_another_user_is_no_cut_while_escalation_is_allowed() -> None:
    found = pod("docker-in-docker")
    container = found.containers[0]
    context = dataclasses.replace(container.security, run_as_user=1000)
    changed = dataclasses.replace(found, containers=(dataclasses.replace(container, security=context),))

    assert "node_root" in reach(situation(changed, builders()["docker-in-docker"]), Start.JOB)


NAMES = sorted(facts())
situations = st.builds(
    lambda bits, kind: Situation(
        pod("kaniko"),
        builders()[kind],
        frozenset(name for place, name in enumerate(NAMES) if bits[place // 8] >> place % 8 & 1),
    ),
    st.binary(min_size=len(NAMES) // 8 + 1, max_size=len(NAMES) // 8 + 1),
    st.sampled_from(sorted(builders())),
)
"""Every fact by one bit: a set of facts would mostly be a small one."""

starts = st.sampled_from(Start)
WORTH = {name for name, node in nodes().items() if node.kind is NodeClass.ASSET} | {
    "node_root",
    "kernel_compromise",
}


@settings(max_examples=500)
@given(situations, starts)
def test_hardening_adds_nothing_worth_having_whatever_else_holds(found: Situation, start: Start) -> None:
    before = set(reach(found, start).names)

    added = {
        control: more
        for control in controls()
        if (more := (set(reach(found.under([control]), start).names) - before) & WORTH)
    }

    assert added == {}


@settings(max_examples=300)
@given(situations, starts)
def test_reachability_is_the_least_fixpoint(found: Situation, start: Start) -> None:
    reached = reach(found, start)

    for edge in open_edges(found):  # nothing more can be added
        if edge.source in reached and all(name in reached for name in edge.requires):
            assert edge.target in reached
    held = {start.value}
    for name, edge in reached.by.items():  # and nothing stands there without its grounds
        assert edge.when.holds(found.facts)
        assert edge.target == name
        assert edge.source in held
        assert held.issuperset(edge.requires)
        held.add(name)


@settings(max_examples=200)
@given(situations, starts)
def test_a_path_is_a_derivation_that_needs_nothing_but_its_start(found: Situation, start: Start) -> None:
    reached = reach(found, start)

    for target in reached.names:
        steps = reached.path(target)
        alone = {start.value}
        for step in steps:
            assert {step.source, *step.requires} <= alone
            alone.add(step.target)
        assert steps[-1].target == target
        assert len({step.target for step in steps}) == len(steps)


@settings(max_examples=60)
@given(situations, starts)
def test_every_path_passes_the_bottlenecks(found: Situation, start: Start) -> None:
    reached = reach(found, start)

    for target in reached.names:
        between = reached.bottlenecks(target)
        chain = [target]
        while chain[-1] in reached.by:
            chain.append(reached.by[chain[-1]].source)
        assert set(between) <= set(chain)
        for node in between:  # without it the target is not reached
            closed = frozenset(edge for edge in open_edges(found) if node in (edge.source, edge.target))
            assert target not in _without(found, start, closed)


def _without(found: Situation, start: Start, closed: frozenset) -> set[str]:
    held, steps = {start.value}, [edge for edge in open_edges(found) if edge not in closed]
    while (
        fresh := {edge.target for edge in steps if edge.source in held and held.issuperset(edge.requires)}
        - held
    ):
        held |= fresh
    return held


@settings(max_examples=60, deadline=None)
@given(
    situations, starts, st.sampled_from(["node_root", "reg_creds", "k8s_api", "kernel_compromise", "host_fs"])
)
def test_a_cut_cuts_is_minimal_and_leaves_the_builder_working(
    found: Situation, start: Start, target: str
) -> None:
    for chosen in cuts(found, start, target, 2):
        names = [control.name for control in chosen]
        after = found.under(names)
        assert target not in reach(after, start)
        assert after.works or not found.works
        for smaller in itertools.combinations(names, len(names) - 1):
            less = found.under(smaller)
            assert target in reach(less, start) or (found.works and not less.works)


def names(found: tuple) -> list[list[str]]:
    return [[control.name for control in chosen] for chosen in found]


def test_cuts_are_controls_that_the_builder_can_live_with() -> None:
    assert names(cuts(build("docker-in-docker"), Start.JOB, "node_root")) == [["user-namespace"], ["sandbox"]]
    assert names(cuts(build("kaniko"), Start.DOCKERFILE, "reg_creds")) == [["isolated-run"]]
    assert cuts(build("docker-socket"), Start.JOB, "node_root") == ()
    assert cuts(build("kaniko"), Start.JOB, "node_root") == ()  # it is not reached


def test_an_authorization_plugin_is_a_cut_only_where_no_known_bug_passes_it() -> None:
    assert names(cuts(build("docker-socket", versions="docker=29.3.0"), Start.JOB, "node_root")) == []
    mended = cuts(build("docker-socket", versions="docker=29.5.1"), Start.JOB, "node_root")
    assert names(mended) == [["authz-plugin"]]
    with_plugin = reached("docker-socket", Start.JOB, "authz_plugin", versions="docker=29.3.0")
    assert with_plugin.by["runtime_socket"].evidence == ("CVE-2026-34040",)
    assert "runtime_socket" not in reached("docker-socket", Start.JOB, "authz_plugin")


BUGS = [
    ("CVE-2019-5736", "kaniko", Start.DOCKERFILE, "node_root", "userns"),
    ("CVE-2024-21626", "docker-socket", Start.DOCKERFILE, "node_root", None),
    ("CVE-2025-31133", "kaniko-hardened", Start.DOCKERFILE, "node_root", "userns"),
    ("CVE-2025-52565", "kaniko-hardened", Start.JOB, "node_root", "userns"),
    ("CVE-2025-52881", "docker-socket", Start.DOCKERFILE, "node_root", None),
    ("CVE-2026-41579", "no-run", Start.DOCKERFILE, "host_files_spoilt", None),
    ("CVE-2024-23651", "buildkit", Start.DOCKERFILE, "builder_files", None),
    ("CVE-2024-23652", "docker-socket", Start.DOCKERFILE, "node_dos", None),
    ("CVE-2024-23653", "docker-socket", Start.DOCKERFILE, "node_root", "frontends_pinned"),
    ("CVE-2026-33747", "buildkit", Start.DOCKERFILE, "node_root", "frontends_pinned"),
    ("CVE-2026-33747", "buildkit-rootless", Start.DOCKERFILE, "reg_creds", "frontends_pinned"),
    ("GHSA-7236-3392-c5c6", "buildkit", Start.DOCKERFILE, "kernel_full", "frontends_pinned"),
    ("CVE-2026-28406", "kaniko", Start.DOCKERFILE, "reg_creds", None),
    ("CVE-2021-3493", "buildah-rootless", Start.JOB, "pod_uid0", "userns"),
    ("CVE-2023-0386", "buildkit-rootless", Start.JOB, "pod_uid0", "userns"),
    ("CVE-2023-2640", "buildah-rootless", Start.JOB, "pod_uid0", "userns"),
]


@pytest.mark.parametrize(("name", "approach", "start", "target", "cut"), BUGS)
def test_a_published_bug_opens_its_step_and_its_remedy_closes_it(
    name: str, approach: str, start: Start, target: str, cut: str | None
) -> None:
    with_bug = reached(approach, start, name)

    assert target in with_bug
    fact = advisories()[name].fact
    assert any(fact in edge.when.names for edge in open_edges(with_bug.situation))
    if cut is not None:
        assert target not in reached(approach, start, name, cut)


def test_docker_cp_is_a_bug_only_for_those_whose_containers_somebody_copies_into() -> None:
    words = ("CVE-2026-41567",)

    assert "node_root" not in reached("docker-socket", Start.DOCKERFILE, *words)
    assert "node_root" in reached("docker-socket", Start.DOCKERFILE, *words, "archive_uploads")


def test_an_old_version_is_all_of_its_bugs() -> None:
    old = reached("kaniko-hardened", Start.DOCKERFILE, versions="runc=1.2.7,buildkit=0.27")

    assert "node_root" in old
    assert "node_root" not in reached("kaniko-hardened", Start.DOCKERFILE, versions="runc=1.2.8")
    assert "node_root" not in reached("kaniko-user-namespace", Start.JOB, versions="runc=1.2.7")


def test_a_comparison_names_what_a_setting_changes() -> None:
    found = change(reached("kaniko", Start.JOB), reached("kaniko", Start.JOB, "sa_powerful"))

    assert (found.gained, found.lost) == (("cluster_control",), ())
    assert [str(step) for step in found.opened] == ["k8s_api → cluster_control"]
    assert (found.facts_gained, found.facts_lost) == (("sa_powerful",), ())


@given(situations, situations, starts)
def test_a_comparison_the_other_way_round_is_its_mirror(one: Situation, two: Situation, start: Start) -> None:
    there, back = (change(reach(a, start), reach(b, start)) for a, b in ((one, two), (two, one)))

    assert (there.gained, there.opened, there.facts_gained) == (back.lost, back.closed, back.facts_lost)


def test_what_is_not_reached_has_no_path() -> None:
    with pytest.raises(KeyError):
        reached("no-run", Start.DOCKERFILE).path("node_root")
    with pytest.raises(KeyError):
        reached("no-run", Start.DOCKERFILE).bottlenecks("node_root")
    with pytest.raises(BuildError, match="did you mean 'node_root'"):
        node_named("node_roof")


def hardenings() -> dict[str, Callable[[Pod], Pod]]:
    """What an operator writes into a pod, as changes of the pod itself and not of facts."""

    def everywhere(**fields: object) -> Callable[[Pod], Pod]:
        return lambda found: dataclasses.replace(
            found,
            containers=tuple(
                dataclasses.replace(each, security=dataclasses.replace(each.security, **fields))
                for each in found.containers
            ),
        )

    profile = Profile("RuntimeDefault", ())
    return {
        "hostUsers: false": lambda found: dataclasses.replace(found, host_users=False),
        "gVisor": lambda found: dataclasses.replace(found, runtime_class="gvisor"),
        "no token": lambda found: dataclasses.replace(found, automounts_token=False),
        "no volumes": lambda found: dataclasses.replace(found, volumes=()),
        "no host namespaces": lambda found: dataclasses.replace(found, host_pid=False, host_network=False),
        "not privileged": everywhere(privileged=False),
        "drop all": everywhere(dropped=("ALL",), added=(), privileged=False),
        "no escalation": everywhere(allow_privilege_escalation=False),
        "seccomp": everywhere(seccomp=profile),
        "another user": everywhere(run_as_user=1000, allow_privilege_escalation=False),
        "non-root demanded": everywhere(run_as_non_root=True, allow_privilege_escalation=False),
        "proc masked": everywhere(proc_mount="Default"),
    }


words = st.lists(
    st.sampled_from(sorted(facts().keys() - RULES.keys() - {"sock_gid"})), max_size=8, unique=True
)
pods = st.builds(
    lambda approach, flags, changes: dataclasses.replace(
        everywhere_privileged(pod(approach)) if flags & 1 else pod(approach),
        host_pid=bool(flags & 2),
        host_network=bool(flags & 4),
        host_users=not flags & 8,
        **changes,
    ),
    st.sampled_from(sorted(APPROACHES)),
    st.integers(0, 15),
    st.fixed_dictionaries({}, optional={"runtime_class": st.sampled_from(["kata", "sysbox-runc"])}),
)


def everywhere_privileged(found: Pod) -> Pod:
    contexts = (dataclasses.replace(each.security, privileged=True) for each in found.containers)
    return dataclasses.replace(
        found,
        containers=tuple(
            dataclasses.replace(each, security=context)
            for each, context in zip(found.containers, contexts, strict=True)
        ),
    )


@settings(max_examples=200)
@given(pods, st.sampled_from(sorted(builders())), words, starts)
def test_hardening_the_pod_itself_adds_nothing_worth_having(
    found: Pod, kind: str, chosen: list[str], start: Start
) -> None:
    def names(hardened: Pod) -> set[str]:
        return WORTH & set(reach(situation(hardened, builders()[kind], settings_from(chosen)), start).names)

    before = names(found)

    added = {how: more for how, harden in hardenings().items() if (more := names(harden(found)) - before)}

    assert added == {}
