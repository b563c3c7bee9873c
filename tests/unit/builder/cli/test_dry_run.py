"""``build --dry-run``: what it says of each step is what the build then does, and it leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Layerlab = Callable[..., Any]

FILES = ("a", "b", "c")
STAGES = """\
FROM alpine:3.19 AS one
COPY a /a
RUN echo {0} > /one
FROM one AS two
COPY b /b
RUN echo {1} > /two
FROM busybox:1.36
ENV X={2}
WORKDIR /w
COPY --from=two /b /b
COPY c .
RUN --mount=type=bind,from=one,source=/one,target=/mnt cat /mnt > /copy
"""


def written(context: Path, versions: tuple[int, ...]) -> None:
    """The context and its Dockerfile, each part in one of its versions."""
    context.mkdir(exist_ok=True)
    for name, version in zip(FILES, versions, strict=False):
        (context / name).write_text(str(version))
    (context / "Dockerfile").write_text(STAGES.format(*versions[len(FILES) :]))


def snapshot(state: Path) -> dict[str, bytes]:
    """The store's blobs and names."""
    return {str(path): path.read_bytes() for path in sorted(state.glob("blobs/**/*")) if path.is_file()}


VERSIONS = st.tuples(*[st.integers(1, 2)] * (len(FILES) + 3))


@pytest.mark.filterwarnings("ignore:The recursion limit will not be reset")  # a shell needs many
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=VERSIONS, now=VERSIONS)
def test_the_build_does_what_was_said_of_each_step(
    layerlab: Layerlab, tmp_path: Path, before: tuple[int, ...], now: tuple[int, ...]
) -> None:
    context, state = tmp_path / "context", tmp_path / "state"
    written(context, before)
    layerlab("build", "-q", context)
    written(context, now)
    blobs = snapshot(state)

    foreseen = json.loads(layerlab("build", "--dry-run", "--json", context).out)["steps"]
    again = json.loads(layerlab("build", "--dry-run", "--json", context).out)["steps"]
    left = snapshot(state)
    done = json.loads(layerlab("build", "--why", "--json", context).out)["steps"]

    assert (foreseen, left) == (again, blobs)
    assert [(each["stage"], each["step"], each["where"]) for each in foreseen] == [
        (each["stage"], each["step"], each["where"]) for each in done
    ]
    for said, did in zip(foreseen, done, strict=True):
        if said["outlook"] != "depends":
            assert (said["outlook"] == "known", said["why"]) == (did["known"], did["why"]), said
    if before == now:
        assert {each["outlook"] for each in foreseen} == {"known"}


def test_after_a_build_every_step_is_known(layerlab: Layerlab, tmp_path: Path) -> None:
    written(tmp_path / "context", (1, 1, 1, 1, 1, 1))
    layerlab("build", "-q", tmp_path / "context")

    said = layerlab("build", "--dry-run", tmp_path / "context").out.splitlines()

    assert said[0].split() == ["STEP", "WHERE", "INSTRUCTION", "OUTLOOK"]
    assert [line.split()[-1] for line in said[1:]] == ["known"] * 8


@pytest.mark.parametrize(
    ("dockerfile", "outlooks"),
    [
        (
            "FROM ghcr.io/none/none\nRUN true\n",
            ["depends on the image ghcr.io/none/none:latest, which is not here"],
        ),
        (
            "FROM scratch\nADD https://example.com/ /x\nCOPY a /a\n",
            [
                "not known: what https://example.com/ answers is not asked for before the build",
                "depends on step 1 of stage 0",
            ],
        ),
        (
            "FROM scratch\nCOPY --from=ghcr.io/none/none /x /x\n",
            ["not known: no image 'ghcr.io/none/none:latest' here: it would be asked for"],
        ),
    ],
)
def test_what_would_have_to_be_asked_of_others_is_not_known(
    layerlab: Layerlab, tmp_path: Path, dockerfile: str, outlooks: list[str]
) -> None:
    written(tmp_path / "context", (1, 1, 1, 1, 1, 1))
    (tmp_path / "context/Dockerfile").write_text(dockerfile)

    said = layerlab("build", "--dry-run", tmp_path / "context")

    assert [line.split("   ")[-1] for line in said.out.splitlines()[1:]] == outlooks
    assert said.status == 0


def test_a_file_that_is_missing_fails_as_the_build_would(layerlab: Layerlab, tmp_path: Path) -> None:
    written(tmp_path / "context", (1, 1, 1, 1, 1, 1))
    (tmp_path / "context/Dockerfile").write_text("FROM scratch\nCOPY nothing /\n")

    dry, real = (layerlab("build", *option, "-q", tmp_path / "context") for option in (("--dry-run",), ()))

    assert (dry.status, dry.err) == (real.status, real.err) == (1, dry.err)


@pytest.mark.parametrize("option", ["-oout", "--push", "--cache-to=type=local,dest=c", "--report=page.html"])
def test_what_would_write_is_refused(layerlab: Layerlab, tmp_path: Path, option: str) -> None:
    written(tmp_path / "context", (1, 1, 1, 1, 1, 1))

    said = layerlab("build", "--dry-run", "-t", "x", option, tmp_path / "context")

    assert said.status == 2
    assert "--dry-run builds nothing that" in said.err
