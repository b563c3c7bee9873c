"""The recorded run of four ways to build: every way is accounted for, and a failure is a sentence."""

from __future__ import annotations

import pytest

from builder.errors import BuildError
from builder.security.approaches import APPROACHES as KNOWN
from builder.strategies.strategy import Strategy
from course.recording import APPROACHES, DOCKERFILE, WAYS, live, recorded


def test_every_way_was_built_with_or_says_why_not() -> None:
    run = recorded()

    told = [build["strategy"] for build in run.builds] + [
        each["strategy"] for each in run.document["not_built"]
    ]
    assert sorted(told) == sorted(WAYS)
    assert len(run.builds) == 4
    assert [build["strategy"] for build in run.builds if build not in run.counted] == ["docker-sock"]
    assert all(build["seconds"] > 0 and build["layers"] for build in run.builds)
    assert "Recorded on 20" in str(run) and "Linux" in str(run)
    for way in WAYS:
        assert way in str(run)


def test_all_made_the_same_tree_and_the_scan_looked_at_more() -> None:
    by_name = {build["strategy"]: build for build in recorded().counted}

    assert all(build["same_tree"] for build in recorded().builds)
    assert by_name["kaniko-style"]["bytes_hashed"] > by_name["rootless"]["bytes_hashed"] == 0
    assert by_name["kaniko-style"]["entries_scanned"] > by_name["rootless"]["entries_scanned"]


def test_the_example_changes_files_of_layers_below() -> None:
    assert "chmod 600 /var/lib/db" in DOCKERFILE and ">> /etc/os-release" in DOCKERFILE
    assert all(build["bytes_packed"] > 2 * 2_000_000 for build in recorded().counted)


def test_the_ways_are_strategies_and_their_pods_are_known() -> None:
    assert set(WAYS) == {strategy.value for strategy in Strategy} - {"simulated"}
    assert APPROACHES.keys() == set(WAYS) and set(APPROACHES.values()) <= set(KNOWN)


def test_without_busybox_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(BuildError, match="busybox, which is not here"):
        live()


def test_what_the_command_says_is_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("course.recording").recording.BASE, "Dockerfile", "FORM scratch\n")

    with pytest.raises(BuildError, match="FORM"):
        live()
