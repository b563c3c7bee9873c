"""Exercise 7.1: which lines run again after an edit; the builder builds before and after, and says so."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import TypeAlias

from builder.events import CacheMissed, StepBegan
from course.check import Question, Text
from course.laboratory import Laboratory
from unionfs_sim import File, layer

TOUCH_CAUSES = ("contents", "no-line-changed", "too-recent", "size")
FROM_CAUSES = ("bytes-equal", "other-stage", "copy-never", "line-unchanged")


@dataclass(frozen=True)
class Project:
    """A Dockerfile with its build context: what ``docker build`` is asked to build."""

    lines: tuple[str, ...]
    files: Mapping[str, str]
    modes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    mtime: int = 1_700_000_000
    args: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def with_file(self, path: str, text: str) -> Project:
        return replace(self, files={**self.files, path: text})

    def with_line(self, old: str, new: str) -> Project:
        return replace(self, lines=tuple(new if line == old else line for line in self.lines))


Frozen: TypeAlias = tuple[str, tuple[tuple[str, str, int], ...], int, tuple[tuple[str, str], ...]]
"""A project that a cache can be asked for: text, files with contents and modes, their time, arguments."""


def project(dice: random.Random, *, early: bool = False) -> Project:
    """Two stages; the order of the final one is thrown. ``early``: ARG stands before a RUN that ignores it."""
    main, conf = dice.choice(("main.c", "server.c", "app.c")), dice.choice(("conf", "etc", "settings"))
    steps = ["COPY --from=build /out /srv/app", f"COPY {conf}/ /etc/app/"]
    dice.shuffle(steps)
    if early:
        steps = ["ARG VERSION=1", *steps, "RUN echo ready > /ready"]
    else:
        steps.insert(dice.randrange(3), "RUN mkdir -p /var/app")
        steps += ["ARG VERSION=1", "RUN echo $VERSION > /version"]
    lines = (
        "FROM alpine AS build",
        "COPY deps.txt /src/",
        "RUN sort /src/deps.txt > /deps",
        "COPY src/ /src/",
        f"RUN grep -v '^//' /src/{main} > /out",
        "FROM alpine",
        *steps,
        'CMD ["cat", "/srv/app"]',
    )
    files = {
        "deps.txt": f"zlib\npcre {dice.randint(1, 9)}\n",
        f"src/{main}": f"// {dice.choice(('fast', 'small', 'nice'))}\nint main = {dice.randint(1, 9)};\n",
        "src/util.h": "int util;\n",
        f"{conf}/app.conf": f"port = {dice.randint(1024, 9999)}\n",
        "README.md": "hello\n",
    }
    return Project(lines, files)


def questions(seed: str) -> Iterator[Question]:
    dice = random.Random(seed)
    before = project(dice)
    main = next(path for path in before.files if path.endswith(".c"))
    conf = next(path for path in before.files if path.endswith(".conf"))
    code, comment = before.files[main].replace("int", "long"), before.files[main].replace("// ", "// very ")
    tag = dice.randint(2, 9)
    base = next(line for line in before.lines if "deps.txt >" in line)
    cmd = before.lines[-1]
    asked = [
        ("conf", "below", f"echo 'port = 80' > {conf}", before.with_file(conf, "port = 80\n")),
        ("code", "below", f"sed -i s/int/long/ {main}", before.with_file(main, code)),
        (
            "deps",
            "below",
            "echo ssl >> deps.txt",
            before.with_file("deps.txt", before.files["deps.txt"] + "ssl\n"),
        ),
        (
            "line",
            "below",
            "in the Dockerfile: sort -r",
            before.with_line(base, base.replace("sort", "sort -r")),
        ),
        ("touch", "touch", f"touch {main}", replace(before, mtime=before.mtime + 999)),
        ("clone", "touch", "git clone again, on another machine", replace(before, mtime=before.mtime + 9999)),
        ("readme", "context", "echo more >> README.md", before.with_file("README.md", "hello\nmore\n")),
        ("header", "context", "echo '//' >> src/util.h", before.with_file("src/util.h", "int util;\n//\n")),
        ("mode", "context", f"chmod 600 {conf}", replace(before, modes={conf: 0o600})),
        ("command", "context", "in the Dockerfile: CMD", before.with_line(cmd, 'CMD ["ls", "/srv"]')),
        ("comment", "from", f"sed -i 's,// ,// very ,' {main}", before.with_file(main, comment)),
        (
            "arg",
            "args",
            f"docker build --build-arg VERSION={tag} .",
            replace(before, args={"VERSION": str(tag)}),
        ),
    ]
    for name, group, told, after in asked:
        yield hit_or_miss(name, group, told, before, after)
    early = project(dice, early=True)
    after = replace(early, args={"VERSION": str(tag)})
    yield hit_or_miss("arg-early", "args", f"docker build --build-arg VERSION={tag} .", early, after)
    yield why(dice, "why-touch", f"touch {main}", before, TOUCH_CAUSES)
    yield why(dice, "why-from", f"sed -i 's,// ,// very ,' {main}", before, FROM_CAUSES)


def hit_or_miss(name: str, group: str, told: str, before: Project, after: Project) -> Question:
    """Which lines run again, with the answers that betray what else somebody may think."""
    missed = run_again(before, after)
    wrong = {
        "only-the-first": missed[:1],
        "by-time": run_again(before, everything_in(before, "src/")) if group == "touch" else missed,
        "any-file": [number for number in steps(before) if line(before, number).startswith("COPY")],
        "never-equal": sorted({*missed, *below(before, number_of(before, "COPY --from"))}),
        "to-the-end": [number for number in steps(before) if number >= min(missed, default=99)],
        "arg-for-all": below(before, number_of(before, "ARG")),
    }
    wanted = {
        "below": ("only-the-first", "to-the-end"),
        "touch": ("by-time",),
        "context": ("any-file", "only-the-first"),
        "from": ("never-equal", "only-the-first", "to-the-end"),
        "args": ("arg-for-all", "to-the-end"),
    }[group]
    shows = {each: wrong[each] for each in wanted if wrong[each] != missed}
    return Question(
        name,
        group,
        Text("questions.edited"),
        list[int],
        [5, 9],
        shown=shown(told, before),
        key=missed,
        shows=shows,
        given={"wrong": wrong},
    )


def shown(told: str, before: Project) -> str:
    listing = "  ".join(before.files)
    numbered = [f"{number:>2} {text}" for number, text in enumerate(before.lines, 1)]
    return "\n".join([f"context: {listing}", "", *numbered, "", f"$ {told}"])


def line(found: Project, number: int) -> str:
    return found.lines[number - 1]


def number_of(found: Project, start: str) -> int:
    return next(number for number, text in enumerate(found.lines, 1) if text.startswith(start))


def steps(found: Project) -> list[int]:
    """The lines that a builder can find in its cache: COPY and RUN."""
    return [number for number, text in enumerate(found.lines, 1) if text.startswith(("COPY", "RUN"))]


def below(found: Project, number: int) -> list[int]:
    """The steps of its stage from this line on."""
    ends = [each for each, text in enumerate(found.lines, 1) if text.startswith("FROM") and each > number]
    return [each for each in steps(found) if number <= each < min(ends, default=99)]


def everything_in(found: Project, folder: str) -> Project:
    changed = {path: f"{text}more\n" for path, text in found.files.items() if path.startswith(folder)}
    return replace(found, files={**found.files, **changed})


def run_again(before: Project, after: Project) -> list[int]:
    """The lines that the builder does not find in its cache, once it built ``before``."""
    return list(_run_again(*(_frozen(each) for each in (before, after))))


def _frozen(found: Project) -> Frozen:
    files = tuple((path, text, found.modes.get(path, 0o644)) for path, text in found.files.items())
    return "\n".join(found.lines) + "\n", files, found.mtime, tuple(found.args.items())


@cache
def _run_again(before: Frozen, after: Frozen) -> tuple[int, ...]:
    laboratory = Laboratory()
    for text, files, mtime, args in (before, after):
        context = {
            f"/{path}": File(content, mode=mode, mtime_ns=mtime * 10**9) for path, content, mode in files
        }
        done = laboratory.build(text, layer(context), build_args=dict(args))
    where = {
        (e.stage, e.step): int(e.where.rpartition(":")[2]) for e in done.events if isinstance(e, StepBegan)
    }
    return tuple(sorted(where[e.stage, e.step] for e in done.events if isinstance(e, CacheMissed)))


def why(dice: random.Random, name: str, told: str, before: Project, causes: tuple[str, ...]) -> Question:
    return Question(
        name,
        "why",
        Text(
            f"questions.{name}",
            {"copy": number_of(before, "COPY --from"), "src": number_of(before, "COPY src")},
        ),
        shown=shown(told, before),
        key=f"causes.{causes[0]}",
        choices=[Text(f"causes.{cause}") for cause in dice.sample(list(causes), 4)],
        shows={cause: f"causes.{cause}" for cause in causes[1:]},
    )
