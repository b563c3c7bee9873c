"""Exercise 8.3: the first builder of a list that a scenario lets in; the model of builds says which that is."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from itertools import product

from builder.security import pss
from builder.security.approaches import builder_of, pod
from builder.security.facts import settings_from, situation
from builder.security.graph import Start, reach
from builder.security.pss import Level
from course.grader.kinds.choice import Item

WAYS = {
    "docker-socket": "docker-socket",
    "buildah-rootless": "buildah-rootless",
    "kaniko": "kaniko-hardened",
    "no-run": "no-run",
}
"""What can be chosen, in the order of the list, each with the pod that stands for it."""
CLASSES = (*WAYS, "none")
COUNTS = {"socket": 4, "level": 3, "userns": 3, "run-reads": 3, "root": 3, "runs": 3}
REASONS = ("alone", "reaches", "level", "userns", "run-reads", "runs")


@dataclass(frozen=True)
class Scenario:
    """What a team may do where. ``outside``: anybody writes Dockerfiles; ``runs``: they have RUN lines."""

    enforce: str
    shared: bool
    userns: bool
    runs: bool
    outside: bool

    def excluded(self, way: str) -> tuple[str, ...]:
        """Every reason why ``way`` is out here."""
        level, works, tenants, password = measured(WAYS[way], userns=self.userns)
        faults = {
            "level": Level(level).rank < Level(self.enforce).rank,
            "userns": not works,
            "reaches": self.shared and tenants,
            "run-reads": self.outside and password,
            "runs": self.runs and not builder_of(WAYS[way]).traits,
        }
        return tuple(name for name, holds in faults.items() if holds)

    @property
    def choice(self) -> str:
        """The first way that nothing excludes."""
        return next((way for way in WAYS if not self.excluded(way)), "none")

    @property
    def why(self) -> tuple[str, ...]:
        """Every reason against the way above the one that is chosen."""
        place = CLASSES.index(self.choice)
        return self.excluded(CLASSES[place - 1]) if place else ("alone",)

    @property
    def shown(self) -> str:
        tenants = "[team-a, team-b, team-c]" if self.shared else "[team-a]"
        lines = [f"enforce: {self.enforce}", f"tenants-of-the-node: {tenants}"]
        lines += [f"user-namespaces: {'allowed' if self.userns else 'refused'}"]
        lines += [f"dockerfiles-by: {'anybody' if self.outside else 'team-a'}", "dockerfile: |"]
        lines += ["  FROM alpine:3.19", "  RUN apk add --no-cache curl"] if self.runs else ["  FROM scratch"]
        return "\n".join([*lines, "  COPY app /app"])


@cache
def measured(approach: str, *, userns: bool) -> tuple[str, bool, bool, bool]:
    """A pod's level, whether it builds, whether its job gets to other tenants, and a RUN to the password."""
    build = situation(
        pod(approach), builder_of(approach), settings_from([] if userns else ["userns_syscalls=no"])
    )
    tenants = "other_pods_secrets" in reach(build, Start.JOB)
    password = "reg_creds" in reach(build, Start.DOCKERFILE)
    return pss.judge(build.pod).level.value, build.works, tenants, password


@cache
def buckets() -> Mapping[str, tuple[Scenario, ...]]:
    """Group → the scenarios in which exactly one reason decides, and it is that of the group."""
    found: dict[str, list[Scenario]] = {name: [] for name in COUNTS}
    for values in product(("privileged", "baseline", "restricted"), *[(False, True)] * 4):
        scenario = Scenario(*values)
        if len(scenario.why) == 1:
            reason, above = scenario.why[0], CLASSES[max(CLASSES.index(scenario.choice) - 1, 0)]
            group = {"alone": "socket", "reaches": "socket"}.get(reason, reason)
            if reason == "level" and above == "kaniko":
                group = "root"
            found[group].append(scenario)
    return {name: tuple(each) for name, each in found.items()}


def items(seed: str) -> Iterator[Item]:
    dice = random.Random(seed)
    chosen: list[tuple[str, Scenario]] = []
    for group, count in COUNTS.items():
        if group == "socket":  # as many with the socket as without, so that no guess serves
            for reason in ("alone", "reaches"):
                fitting = [each for each in buckets()[group] if each.why == (reason,)]
                chosen += [(group, each) for each in dice.sample(fitting, count // 2)]
        else:
            chosen += [(group, each) for each in dice.sample(buckets()[group], count)]
    dice.shuffle(chosen)
    for number, (group, scenario) in enumerate(chosen, 1):
        yield item(f"scenario-{number}", group, scenario)


def item(name: str, group: str, scenario: Scenario) -> Item:
    shows = {
        "socket-is-a-file": ("docker-socket", scenario.shared),
        "kaniko-needs-no-root": ("kaniko", scenario.enforce == "restricted"),
        "rootless-needs-nothing": ("buildah-rootless", not scenario.userns),
        "kaniko-isolates": ("kaniko", scenario.outside and scenario.enforce != "restricted"),
        "level-is-a-label": ("docker-socket", not scenario.shared and scenario.enforce != "privileged"),
        "ko-runs": ("no-run", scenario.runs),
        "too-careful": ("none", scenario.choice != "none"),
    }
    return Item(
        name,
        group,
        scenario.shown,
        CLASSES,
        scenario.choice,
        REASONS,
        scenario.why[0],
        shows={each: said for each, (said, holds) in shows.items() if holds and said != scenario.choice},
        given=asdict(scenario),
    )
