"""F5: what two attackers reach, small multiples. A box is something to reach, an arrow a step, ✕ a cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from builder.security.facts import Situation
from builder.security.graph import Reached, Start, reach
from builder.security.tables import Edge, nodes
from course.figures import mpl, svg
from course.figures.attack_graph_layout import label_of, lay_out
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]

SHOWN: Final = (
    "dockerfile_run",
    "ci_job",
    "builder_process",
    "builder_files",
    "reg_creds",
    "sa_token",
    "runtime_socket",
    "host_block_devices",
    "node_root",
    "host_fs",
    "kubelet_creds",
    "other_pods_secrets",
    "other_containers",
)
"""The nodes that are drawn; what lies between two of them is passed through."""


def of(builds: Mapping[str, Situation], title: str = "") -> Picture:
    """The figure of some builds, by the names of their panels; see ``spec``."""
    return Picture(sys.modules[__name__], spec(builds, title))


def spec(builds: Mapping[str, Situation], title: str = "") -> dict[str, Any]:
    """The facts of the figure: one panel a build, every panel with the same nodes and the same steps.

    A step's ``by`` is who takes it: "dockerfile" (and the job, too), "job", or "nobody"; then ``needs`` says
    what would open it.
    """
    found = {name: [reach(build, start) for start in Start] for name, build in builds.items()}
    taken = {name: [dict(_steps(each)) for each in starts] for name, starts in found.items()}
    every = sorted(
        {step for starts in taken.values() for steps in starts for step in steps},
        key=lambda step: (SHOWN.index(step[0]), SHOWN.index(step[1])),
    )
    ways = {
        step: next(starts[n][step] for starts in taken.values() for n in (0, 1) if step in starts[n])
        for step in every
    }
    columns = _columns(every)
    return {
        "figure": "attack-graph",
        "title": title,
        "nodes": [
            {
                "name": name,
                "meaning": nodes()[name].meaning,
                "class": nodes()[name].kind.value,
                "column": columns[name],
            }
            for name in SHOWN
            if name in columns
        ],
        "panels": [
            {
                "name": name,
                "builder": build.builder.title,
                "reached": {
                    node: _who(*(node in each for each in found[name])) for node in SHOWN if node in columns
                },
                "steps": [
                    {
                        "from": source,
                        "to": target,
                        "by": _who(*((source, target) in steps for steps in taken[name])),
                        "because": ways[source, target][0].because,
                        "needs": _missing(ways[source, target], build),
                    }
                    for source, target in every
                ],
            }
            for name, build in builds.items()
        ],
    }


def _who(by_dockerfile: bool, by_job: bool) -> str:  # noqa: FBT001 - both are unpacked from one pair
    return "dockerfile" if by_dockerfile else "job" if by_job else "nobody"


def _steps(found: Reached) -> Iterator[tuple[tuple[str, str], tuple[Edge, ...]]]:
    """Pairs of drawn nodes with the shortest open way between them that passes no other drawn node."""
    import networkx as nx

    graph = found.graph
    for source in SHOWN:
        if source not in graph:
            continue
        hidden = [name for name in graph if name not in SHOWN]
        for target in SHOWN:
            if target == source or target not in graph:
                continue
            between = graph.subgraph([source, target, *hidden])
            if nx.has_path(between, source, target):
                way = nx.shortest_path(between, source, target)
                yield (
                    (source, target),
                    tuple(graph[a][b]["steps"][0] for a, b in pairwise(way)),
                )


def _missing(way: Sequence[Edge], build: Situation) -> str:
    """The condition of the first step of the way that does not hold; empty if all do."""
    closed = (edge for edge in way if not edge.when.holds(build.facts))
    return next((str(edge.when) for edge in closed), "")


def _columns(steps: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Node → its column: after all from which steps lead to it, a circle being one place; starts first."""
    import networkx as nx

    starts = {start.value for start in Start}
    graph: nx.DiGraph[str] = nx.DiGraph((a, b) for a, b in steps if b not in starts)
    graph.add_nodes_from(starts)
    together = nx.condensation(graph)
    columns: dict[str, int] = {}
    for column, group in enumerate(nx.topological_generations(together)):
        for component in group:
            columns |= dict.fromkeys(together.nodes[component]["members"], column)
    return columns


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f5") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The figure as lines: for each panel who reaches what, and what would open the steps that are cut."""
    say = words(spec)
    made: list[str] = []
    for panel in spec["panels"]:
        made.append(f"{panel['name']}  ({panel['builder']})")
        for who in ("dockerfile", "job", "nobody"):
            held = [
                label_of(name, say)
                for name, by in panel["reached"].items()
                if by == who and _is_goal(spec, name)
            ]
            nothing = say("figures.attack.nothing")
            made.append(f"  {say(f'figures.attack.who.{who}')}: {', '.join(held) or nothing}")
        for step in panel["steps"]:
            if step["by"] == "nobody" and step["needs"]:
                source, target = (label_of(step[end], say) for end in ("from", "to"))
                made.append(f"    ✕ {source} → {target}: {say('figures.attack.needs', needs=step['needs'])}")
    return "\n".join(made)


def _is_goal(spec: Spec, name: str) -> bool:
    return any(node["name"] == name and node["class"] != "start" for node in spec["nodes"])


_ARROWS: Final = {"dockerfile": "==>", "job": "-->", "nobody": "-.-x"}


def as_mermaid(spec: Spec) -> str:
    """The figure as a Mermaid flowchart: thick from a Dockerfile, thin from a job, dotted where it is cut."""
    made = ["flowchart LR"]
    say = words(spec)
    for number, panel in enumerate(spec["panels"]):
        made.append(f'  subgraph p{number}["{panel["name"]}"]')
        made += [f'    p{number}_{node["name"]}["{label_of(node["name"], say)}"]' for node in spec["nodes"]]
        made += [
            f"    p{number}_{step['from']} {_ARROWS[step['by']]} p{number}_{step['to']}"
            for step in panel["steps"]
        ]
        made.append("  end")
    return "\n".join(made) + "\n"


def scene(spec: Spec) -> Scene:
    """The figure laid out: panels two by two, the same places in each."""
    return lay_out(spec, as_text(spec))
