"""Speed of the security words: pods through the standards, and one pod through the attack graph.

Reference points of the same run: PyYAML's own safe loaders, which only parse, and a walk of the open steps
by networkx, which ignores what a step requires.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import networkx as nx
import yaml

from builder.security.approaches import APPROACHES, builder_of, manifest, pod
from builder.security.documents import read
from builder.security.facts import situation
from builder.security.graph import Start, cuts, open_edges, reach
from builder.security.pods import pods_in
from builder.security.pss import judge

COPIES = 322
"""322 times the fourteen pods: 4,508 of them."""


def seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """CPU seconds of one call, so that a busy machine matters less; the best of some rounds."""
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        call()
        best = min(best, time.process_time() - begin)
    return best


def main() -> None:
    """Print the tables."""
    texts = [manifest(name) for name in APPROACHES] * COPIES
    judged = seconds(lambda: [judge(each) for text in texts for each in pods_in(text, "x.yaml")], 1)
    rows = [
        ("judged by the standards", judged),
        ("read by us", seconds(lambda: [read(text, "x.yaml") for text in texts], 1)),
        ("read by PyYAML with libyaml", seconds(lambda: [yaml.load(t, yaml.CSafeLoader) for t in texts], 1)),
    ]
    few = texts[: len(APPROACHES) * 10]
    rows.append(
        (
            "read by PyYAML in Python",
            seconds(lambda: [yaml.safe_load(t) for t in few], 1) * len(texts) / len(few),
        )
    )
    print(f"{len(texts)} pods")
    for name, took in rows:
        print(f"  {name:30} {took:6.2f} s   {took / judged:5.2f} of judging")
    build = situation(pod("docker-in-docker"), builder_of("docker-in-docker"))
    derived = seconds(lambda: reach(build, Start.JOB), 200)
    print("one pod, milliseconds")
    for name, took in (
        ("facts", seconds(lambda: situation(pod("docker-in-docker"), builder_of("docker-in-docker")), 200)),
        ("reach (a fixpoint)", derived),
        ("walk by networkx, no requires", seconds(lambda: _walk(build), 200)),
        ("smallest cuts of node_root", seconds(lambda: cuts(build, Start.JOB, "node_root"), 20)),
    ):
        print(f"  {name:30} {took * 1000:6.2f} ms   {took / derived:5.2f} of reach")


def _walk(build: object) -> set[str]:
    graph = nx.DiGraph((edge.source, edge.target) for edge in open_edges(build))  # type: ignore[arg-type]
    return set(nx.descendants(graph, Start.JOB.value))


if __name__ == "__main__":
    main()
