"""The table of powers: complete, and true to what was tried."""

from __future__ import annotations

from dataclasses import fields

import pytest

from builder.security.powers import Powers, all_powers, powers
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
        "privileged-dind",
        "docker-socket",
    }


def test_a_run_reads_the_registry_credentials_only_where_it_shares_the_builders_root():
    readable = {row.key for row in all_powers() if row.credentials == "readable by every RUN"}

    assert readable == {"kaniko", "kaniko-hardened", "kaniko-userns", "kaniko-sandboxed"}


def test_only_a_socket_or_privileges_reach_the_node():
    reaching = {
        row.key for row in all_powers() if row.job_reaches.startswith(("the node's", "the node through"))
    }

    assert reaching == {"docker-socket", "privileged-dind", "buildah-privileged", "buildkit-privileged"}


def test_an_unknown_key_names_the_known_ones():
    with pytest.raises(KeyError, match="none of simulated, docker-socket"):
        powers("magic")
