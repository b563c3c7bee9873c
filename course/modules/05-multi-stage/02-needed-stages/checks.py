"""Exercise 5.2: stages that a target needs; each case is written as a Dockerfile, and the planner is asked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from course.check import Case


def stage(
    name: str | None, base: str = "alpine", copies: Sequence[str] = (), mounts: Sequence[str] = ()
) -> dict:
    return {"name": name, "base": base, "copies": list(copies), "mounts": list(mounts)}


BUILD, WEB = stage("build"), stage(None, "nginx", ["build"])
CHAIN = [stage("a"), stage("b", "a"), stage("c", "b")]
DIRECTED = {
    "target": [
        ([BUILD], None),
        ([BUILD, WEB], "build"),
        ([stage("a"), stage("b"), stage("c", copies=["a"])], "b"),
        (CHAIN, "b"),
    ],
    "bases": [
        ([BUILD, stage("test", "build")], None),
        (CHAIN, None),
        ([stage("a"), stage("b"), stage("c", "a")], None),
    ],
    "copies": [
        ([BUILD, WEB], None),
        ([BUILD, stage("test", "build"), stage(None, copies=["test"])], None),
        ([stage("a"), stage("b", copies=["a"]), stage("c", copies=["b"])], None),
    ],
    "mounts": [
        ([BUILD, stage(None, mounts=["build"])], None),
        ([stage("a"), stage("b", mounts=["a"]), stage("c", copies=["b"])], None),
    ],
    "not-needed": [
        ([BUILD, stage("docs", "build"), WEB], None),
        ([stage("test"), stage("build"), stage("web", copies=["build"]), stage("debug", "web")], "web"),
        ([stage("a"), stage("b")], None),
        ([BUILD, stage(None, copies=["busybox"])], None),
    ],
    "names": [
        ([stage("a"), stage("b"), stage(None, copies=["1"])], None),
        ([stage(None), stage(None), stage(None, copies=["0"])], None),
        ([stage("alpine"), stage("web", copies=["alpine"])], None),
        (
            [
                stage("tools"),
                stage("web", "busybox"),
                stage("busybox", "tools"),
                stage("all", copies=["web"]),
            ],
            None,
        ),
    ],
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for stages, target in rows:
            yield Case(group, (stages, target), because=because(stages))
    dice = random.Random(seed)
    for _ in range(20):
        yield Case("any-graph", random_graph(dice))


def because(stages: Sequence[dict]) -> str:
    if any(name.isdigit() for stage in stages for name in stage["copies"]):
        return "number"
    names = [stage["name"] for stage in stages]
    below = any(stage["base"] in names[at:] for at, stage in enumerate(stages))
    return "below" if below else ""


def oracle(stages, target):
    """The stages that the planner keeps."""
    return sorted(each.index for each in plan(parse(written(stages)), target=target).stages)


def written(stages) -> str:
    """The Dockerfile that the stages are from."""
    lines = []
    for each in stages:
        lines.append(f"FROM {each['base']}" + (f" AS {each['name']}" if each["name"] else ""))
        lines += [f"COPY --from={name} /a /a" for name in each["copies"]]
        lines += [f"RUN --mount=type=bind,from={name},target=/m true" for name in each["mounts"]]
    return "\n".join(lines) + "\n"


def random_graph(dice: random.Random) -> tuple[list[dict], str | None]:
    names = dice.sample(("build", "test", "docs", "web", "debug", "assets"), dice.randint(3, 6))
    stages: list[dict] = []
    for number, name in enumerate(names):
        above = names[:number]
        by_number = [str(at) for at in range(number)]
        stages.append(
            stage(
                name,
                dice.choice(["alpine", "nginx", *above]),
                dice.sample([*above, *by_number, "busybox"], dice.randint(0, 1)),
                dice.sample([*above, *by_number], dice.randint(0, 1))
                if above and dice.random() < 0.4
                else (),
            )
        )
    return stages, dice.choice([None, None, *names])
