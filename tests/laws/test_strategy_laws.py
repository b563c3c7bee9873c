"""A strategy changes how an image is built, never what: the laws that tie strategies together."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.comparison import Comparison, compare
from builder.context.context import LABEL, BuildContext
from builder.context.selection import Source
from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from builder.recipe import Recipe
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from unionfs_sim.layers.layer import Dir, File, Symlink, layer

# The simulated world raises the limit when it first runs; hypothesis minds if that happens inside a test.
sys.setrecursionlimit(20_000)

CONTEXT = layer(
    {
        "/app/main.c": "int main() {}",
        "/app/run": File("#!/bin/sh\n", mode=0o755),
        "/app/link": Symlink("run"),
        "/app/private": Dir(mode=0o700),
        "/app/private/key": File("k", mode=0o600),
        "/motd": "hello\n",
    }
).freeze()


def compared(dockerfile: str, *strategies: Strategy, mode: Mode = Mode.FULL) -> Comparison:
    context = BuildContext(CONTEXT)
    chosen = strategies or (Strategy.SIMULATED, Strategy.KANIKO_STYLE)
    source = Source(context, LABEL, context.hint)
    return compare(Recipe(graph=plan(parse(dockerfile)), context=source, mode=mode), chosen)


STEPS = st.sampled_from(
    [
        "COPY app /app",
        "COPY app/private /app/private",
        "COPY motd /etc/motd",
        "COPY --chown=3:4 --chmod=640 motd /deep/er/motd",
        "COPY --link app /etc/app",
        "COPY <<EOF /given\ntext\nEOF",
        "WORKDIR /work/here",
        "WORKDIR /etc",
        "ENV A=b",
        "USER 0",
        "RUN echo x >> /log",
        "RUN rm -rf /etc/motd /app",
        "RUN rm -rf /var && mkdir /var && echo new > /var/new",
        "RUN mkdir -p /app/private && chmod 711 /app/private",
        "RUN ln -sf /etc/motd /link",
        "RUN mv /etc/motd /moved || true",
        "RUN chown -R 5:6 /work || true",
        "RUN true",
    ]
)
BODIES = st.lists(STEPS, max_size=5)


@given(first=BODIES, second=BODIES)
@settings(max_examples=15)
def test_equal_inputs_give_equal_trees_under_every_strategy(first: list[str], second: list[str]) -> None:
    """Law 2."""
    dockerfile = "\n".join(
        [
            "FROM busybox AS one",
            *first,
            "FROM one AS two",
            "RUN echo two > /two",
            "FROM busybox",
            *second,
            "COPY --from=two /two /etc/hostname* /from/",
            "",
        ]
    )

    found = compared(dockerfile)

    assert [reason.difference for reason in found.reasons[Strategy.KANIKO_STYLE]] == []


@given(body=BODIES)
@settings(max_examples=10)
def test_equal_inputs_give_equal_diff_ids_under_one_strategy(body: list[str]) -> None:
    """Law 3, as far as one process can hold it: the in-memory strategies, each against itself."""
    dockerfile = "\n".join(["FROM busybox", *body, ""])

    found = compared(
        dockerfile, Strategy.SIMULATED, Strategy.SIMULATED, Strategy.KANIKO_STYLE, Strategy.KANIKO_STYLE
    )

    simulated, again, scanned, scanned_again = (outcome.image.id for outcome in found.outcomes)
    assert simulated == again
    assert scanned == scanned_again


DIFFERENCES = [
    ("RUN mkdir -p /var/run && echo 1 > /var/run/app.pid", Mode.FULL, "a scan ignores this path"),
    (
        "RUN echo a > /f && ln /f /g\nRUN chmod 600 /f",
        Mode.TIME,
        "mode time looks at the time of the last change",
    ),
]


@pytest.mark.parametrize(("body", "mode", "why"), DIFFERENCES)
def test_where_a_scan_differs_by_design_the_reason_is_told(body: str, mode: Mode, why: str) -> None:
    found = compared(f"FROM busybox\n{body}\n", mode=mode)

    reasons = found.reasons[Strategy.KANIKO_STYLE]
    assert not found.same_tree(Strategy.KANIKO_STYLE)
    assert reasons[0].why.startswith(why)


def test_a_scan_costs_the_whole_root_and_a_union_what_was_changed() -> None:
    found = compared("FROM busybox\nCOPY motd /motd\nRUN echo a > /a\nRUN echo b >> /motd\n")

    union, scan = found.outcomes
    assert union.entries_scanned == 3
    assert (union.bytes_copied_up, scan.bytes_copied_up) == (len("hello\n"), 0)
    assert scan.entries_scanned > 300
    assert union.bytes_hashed == 0
    assert scan.bytes_hashed > 10_000


def test_a_run_under_kaniko_sees_the_files_of_the_builder() -> None:
    dockerfile = (
        "FROM busybox AS a\nRUN echo s > /s\nFROM busybox\n"
        "RUN cd /kaniko && echo * > /seen || echo none > /seen\nCOPY --from=a /s /s\n"
    )

    union, scan = compared(dockerfile).outcomes

    assert union.tree.read_bytes("/seen") == b"none\n"
    assert scan.tree.read_bytes("/seen") == b"0\n"
