"""Exercise 6.4: a base for each of five services; what a choice holds is looked up in what is built."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from course.check import Question, Text, Verdict, held
from course.laboratory import Laboratory

BASES = ("scratch", "busybox:musl", "alpine:3.19", "debian:bookworm-slim", "debian:bookworm")
DATA = {
    "ca-certificates": "/etc/ssl/certs/ca-certificates.crt",
    "tzdata": "/usr/share/zoneinfo",
}
"""What can be copied into any image, as it is data and no program, and where it lies there."""
LOADERS = {"glibc": "/lib64/ld-linux-x86-64.so.2", "musl": "/lib/ld-musl-x86_64.so.1", "static": ""}
SHELL = "/bin/sh"
GROUPS = ("starts", "shell", "certificates", "zones", "no-more")
NAMES = ("billing", "mailer", "search", "gateway", "reports", "importer", "catalog", "planner")


@dataclass(frozen=True)
class Service:
    """What one service is like. ``shell``: needs one, must not have one, or "" where nobody cares."""

    name: str
    libc: str
    shell: str
    needs: tuple[str, ...]

    @property
    def budget(self) -> int:
        """The bytes that its image may have besides the service: what the smallest choice has, and a bit."""
        best = self.best
        return -(-measured(best[0], best[1:]).size_bytes * 11 // 10 // 1000) * 1000

    @property
    def best(self) -> tuple[str, ...]:
        """The smallest choice that fits: a base and what is copied into it."""
        choices = [
            (base, *added)
            for base in BASES
            for count in range(len(DATA) + 1)
            for added in combinations(DATA, count)
        ]
        fitting = [choice for choice in choices if self.runs_on(measured(choice[0], choice[1:]))]
        return min(fitting, key=lambda choice: (measured(choice[0], choice[1:]).size_bytes, len(choice)))

    def runs_on(self, image: Measured) -> bool:
        return (
            self.libc in image.libcs
            and not (self.shell == "required" and not image.has_shell)
            and not (self.shell == "forbidden" and image.has_shell)
            and image.data.issuperset(self.needs)
        )


@dataclass(frozen=True)
class Measured:
    """What an image holds. ``libcs``: the kinds of programs that start in it; a static one always does."""

    libcs: frozenset[str]
    has_shell: bool
    data: frozenset[str]
    size_bytes: int


@cache
def measured(base: str, added: tuple[str, ...]) -> Measured:
    """The image of ``base`` with ``added``, built and looked at."""
    lines = ["FROM alpine:3.19 AS data", "RUN apk add --no-cache tzdata", f"FROM {base}"]
    lines += [f"COPY --from=data {DATA[name]} {DATA[name]}" for name in added]
    built = Laboratory().build("\n".join(lines) + "\n")
    union, tree = built.union(), built.tree()
    return Measured(
        frozenset(libc for libc, loader in LOADERS.items() if not loader or union.exists(loader)),
        union.exists(SHELL),
        frozenset(name for name, path in DATA.items() if union.exists(path)),
        tree.size_bytes,
    )


def services(seed: str) -> list[Service]:
    dice = random.Random(seed)
    names = dice.sample(NAMES, 5)
    maybe = lambda *needs: tuple(need for need in needs if dice.random() < 0.5)  # noqa: E731 - for five lines
    made = [
        Service(names[0], "static", "forbidden", ("ca-certificates", *maybe("tzdata"))),
        Service(names[1], "glibc", "", ("ca-certificates", *maybe("tzdata"))),
        Service(names[2], "musl", dice.choice(("required", "")), ("tzdata", *maybe("ca-certificates"))),
        Service(names[3], "static", "required", maybe("tzdata")),
        Service(names[4], "glibc", "required", maybe("tzdata")),
    ]
    return dice.sample(made, len(made))


def told(service: Service) -> str:
    starts = {
        "glibc": "dynamic, interpreter /lib64/ld-linux-x86-64.so.2",
        "musl": "dynamic, interpreter /lib/ld-musl-x86_64.so.1",
        "static": "statically linked",
    }[service.libc]
    lines = [f"{service.name}:", f"  program: ELF, {starts}"]
    if service.shell == "required":
        lines.append("  ENTRYPOINT: /entrypoint.sh, which begins with #!/bin/sh")
    elif service.shell == "forbidden":
        lines.append("  policy: no shell in this image")
    if "ca-certificates" in service.needs:
        lines.append("  log: GET https://api.example.com/ ...")
    if "tzdata" in service.needs:
        lines.append("  config: timezone = Asia/Shanghai")
    lines.append(f"  base and data: at most {service.budget:,} bytes")
    return "\n".join(lines)


def questions(seed: str) -> Iterator[Question]:
    wanted = services(seed)
    yield Question(
        "plan",
        "starts",
        Text("questions.plan", {"bases": ", ".join(BASES), "data": ", ".join(DATA)}),
        dict[str, list[str]],
        {service.name: ["debian:bookworm", "tzdata"] for service in wanted[:2]},
        shown="\n".join(map(told, wanted)),
        given={"services": {service.name: service for service in wanted}},
    )


def judge(plan: Mapping[str, Sequence[str]], seed: str) -> Iterator[Verdict]:
    for service in services(seed):
        chosen = list(plan.get(service.name, ()))
        because = fault(chosen)
        if because:
            shown = f"{service.name}: {', '.join(chosen)}"
            yield from (held(group, False, because, shown) for group in GROUPS)
        else:
            yield from judged(service, chosen[0], tuple(name for name in DATA if name in chosen))


def fault(chosen: Sequence[str]) -> str:
    """Why this is no choice at all; "" if it is one."""
    if not chosen:
        return "missing"
    if chosen[0] not in BASES:
        return "no-base"
    return "" if set(chosen[1:]) <= DATA.keys() and len(set(chosen)) == len(chosen) else "no-data"


def judged(service: Service, base: str, added: tuple[str, ...]) -> Iterator[Verdict]:
    image, bare = measured(base, added), measured(base, ())
    shown = f"{told(service)}\n→ {', '.join((base, *added))}"
    yield held("starts", service.libc in image.libcs, "", shown, loader=LOADERS[service.libc])
    yield held("shell", service.shell != "required" or image.has_shell, "", shown)
    for group, name in (("certificates", "ca-certificates"), ("zones", "tzdata")):
        yield held(group, name not in service.needs or name in image.data, "", shown)
    yield held("no-more", not (service.shell == "forbidden" and image.has_shell), "shell", shown)
    twice = [name for name in added if name in bare.data]
    yield held("no-more", not twice, "twice", shown, name=", ".join(twice))
    idle = [name for name in added if name not in service.needs]
    yield held("no-more", not idle, "idle", shown, name=", ".join(idle))
    yield held("no-more", image.size_bytes <= service.budget, "budget", shown, size=f"{image.size_bytes:,}")
