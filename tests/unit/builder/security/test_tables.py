"""The tables: every name that one of them uses is a row of another, and nothing is without a source."""

from __future__ import annotations

import pytest

from builder.security.approaches import APPROACHES
from builder.security.facts import RULES
from builder.security.tables import (
    EdgeKind,
    NodeClass,
    Origin,
    SourceKind,
    advisories,
    builders,
    controls,
    edges,
    facts,
    nodes,
    sources,
)
from builder.security.versions import version_from

ROWS = (*edges(), *facts().values(), *builders().values(), *controls().values())


def test_every_row_has_evidence_and_every_piece_of_evidence_is_a_source() -> None:
    cited = {source for row in ROWS for source in row.evidence}

    assert all(row.evidence for row in ROWS)
    assert cited <= sources().keys()
    assert sources().keys() - cited <= {"tekton-kaniko"}


def test_edges_join_nodes_that_exist_and_every_node_is_an_end_of_one() -> None:
    ends = {name for edge in edges() for name in (edge.source, edge.target, *edge.requires)}

    assert ends == nodes().keys()
    assert [edge.id for edge in edges()] == [f"E{number:03}" for number in range(1, len(edges()) + 1)]


def test_conditions_ask_about_facts_and_every_fact_is_asked_about() -> None:
    asked = {name for edge in edges() for name in edge.when.names}
    asked |= {name for builder in builders().values() for name in builder.needs.names}
    derived = {"seccomp_default", "node_apparmor", "sock_gid", "pushes", "assume_runtime_bug"}

    assert asked <= facts().keys()
    assert facts().keys() - asked == derived  # other facts come from these


def test_every_fact_of_a_pod_has_a_rule_and_every_trait_is_a_fact_of_builders() -> None:
    assert {name for name, fact in facts().items() if fact.origin is Origin.POD} == RULES.keys()
    traits = {trait for builder in builders().values() for trait in builder.traits}
    assert {name for name, fact in facts().items() if fact.origin is Origin.BUILDER} == traits


def test_only_settings_have_defaults() -> None:
    for fact in facts().values():
        number = fact.name == "sock_gid"
        assert (fact.default in ("yes", "no")) == (
            fact.origin in (Origin.SETTING, Origin.ADVISORY) and not number
        )


def test_controls_change_facts_and_are_voided_by_advisories() -> None:
    for control in controls().values():
        assert control.sets | control.clears <= facts().keys()
        assert control.sets | control.clears
        assert control.voided_by <= {advisory.fact for advisory in advisories().values()}


def test_every_advisory_opens_an_edge_of_kind_bug_that_cites_it() -> None:
    for advisory in advisories().values():
        opened = [edge for edge in edges() if advisory.fact in edge.when.names]

        assert opened
        assert all(edge.kind is EdgeKind.BUG and advisory.name in edge.evidence for edge in opened)
        assert facts()[advisory.fact].origin is Origin.ADVISORY
        assert all(version_from(text) for text in (*advisory.fixed_in, advisory.since or "0"))


def test_bugs_and_settings_that_are_off_are_the_only_steps_that_are_not_by_design() -> None:
    bugs = {advisory.fact for advisory in advisories().values()}
    bugs |= {"assume_kernel_bug", "assume_kernel_bug_filtered"}

    for edge in edges():
        assert (edge.kind is EdgeKind.BUG) == bool(edge.when.names & bugs)


def test_there_are_two_starts_and_steps_into_them_only_from_each_other() -> None:
    starts = {name for name, node in nodes().items() if node.kind is NodeClass.START}

    assert starts == {"dockerfile_run", "ci_job"}
    assert {edge.source for edge in edges() if edge.target in starts} == {"ci_job"}


def test_what_was_tried_is_told_from_what_was_read() -> None:
    kinds = {source.kind for source in sources().values()}

    assert kinds == set(SourceKind)
    assert all(source.what for source in sources().values())


@pytest.mark.parametrize("approach", APPROACHES)
def test_every_approach_has_a_builder(approach: str) -> None:
    assert APPROACHES[approach] in builders()
