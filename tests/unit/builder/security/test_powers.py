"""The table of powers: complete, and true to what was tried."""

from __future__ import annotations

from dataclasses import fields

import pytest

from builder.security.approaches import APPROACHES, builder_of, pod
from builder.security.facts import situation
from builder.security.graph import Start, reach
from builder.security.powers import Powers, all_powers, powers
from builder.security.pss import judge
from builder.strategies.strategy import Strategy


def test_every_cell_is_filled_and_every_key_is_there_once():
    keys = [row.key for row in all_powers()]

    assert len(keys) == len(set(keys)) >= 14
    assert all(getattr(row, field.name).strip() for row in all_powers() for field in fields(Powers))


def test_every_strategy_has_its_powers():
    assert {strategy.powers.key for strategy in Strategy} == {
        "simulated",
        "rootless",
        "kaniko",
        "docker-in-docker",
        "docker-socket",
    }


def test_a_run_reads_the_registry_credentials_only_where_it_shares_the_builders_root():
    readable = {row.key for row in all_powers() if row.credentials == "readable by every RUN"}

    assert readable == {"kaniko", "kaniko-hardened", "kaniko-user-namespace", "kaniko-sandboxed"}


def test_only_a_socket_or_privileges_reach_the_node():
    reaching = {
        row.key for row in all_powers() if row.job_reaches.startswith(("the node's", "the node through"))
    }

    assert reaching == {"docker-socket", "docker-in-docker", "buildah-privileged", "buildkit"}


def test_an_unknown_key_names_the_known_ones():
    with pytest.raises(KeyError, match="none of simulated, rootless, docker-socket"):
        powers("magic")


@pytest.mark.parametrize("approach", APPROACHES)
def test_what_the_words_say_is_what_the_model_works_out(approach):
    words, build = powers(approach), situation(pod(approach), builder_of(approach))

    assert words.pod_security.startswith(judge(build.pod).level.value)
    assert (words.credentials == "readable by every RUN") == ("reg_creds" in reach(build, Start.DOCKERFILE))
    assert words.privileged.startswith("yes") == ("privileged" in build.facts)
    assert (words.host_mounts != "none") == ("hostpath" in build.facts)
    reaches_node = words.job_reaches.startswith(("the node's", "the node through"))
    assert reaches_node == ("node_root" in reach(build, Start.JOB))
