"""The pictures of the documentation: made from real unions and real builds, never drawn by hand.

``python -m course.gallery FOLDER`` draws them all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from builder.security.approaches import builder_of, pod
from builder.security.facts import situation
from builder.snapshotters.fingerprint import Mode
from builder.strategies.strategy import Strategy
from course.figures import (
    attack_graph,
    build_cost,
    manifest_anatomy,
    overlay_stack,
    size_waterfall,
    snapshot_timeline,
)
from course.figures.picture import Picture
from course.laboratory import Laboratory
from unionfs_sim import WHITEOUT, Dir, Layer, layer, mount

EXAMPLE = Path(__file__).parents[1] / "examples" / "nginx"


def overlay_stack_example() -> Picture:
    """F1: every way in which a layer can answer, hide or be hidden."""
    base = layer(
        {"/etc/nginx.conf": "a", "/etc/passwd": "root", "/app/old.js": "old", "/var/cache/a.deb": "a"}
    )
    installed = layer({"/etc/nginx.conf": "b", "/var/cache/a.deb": "a2", "/var/cache/b.deb": "b"})
    edited = layer({"/var/cache/a.deb": WHITEOUT, "/app": Dir(opaque=True), "/app/new.js": "new"})
    union = mount([base, installed, edited], Layer())
    union.chmod("/etc/passwd", 0o600)
    union.mkdir("/tmp")
    union.write_bytes("/tmp/log", b"started")
    paths = ["/etc/nginx.conf", "/etc/passwd", "/var/cache/a.deb", "/var/cache/b.deb"]
    names = ["L0 base", "L1 RUN apt-get", "L2 RUN rm, COPY"]
    return overlay_stack.of(union, [*paths, "/app/old.js", "/app/new.js", "/tmp/log"], names)


def stage_graph_example() -> Picture:
    """F2: the nginx example, built again after its page was edited."""
    laboratory = Laboratory()
    dockerfile = (EXAMPLE / "Dockerfile").read_text(encoding="utf-8")
    files = {
        path.name: path.read_text(encoding="utf-8") for path in sorted(EXAMPLE.iterdir()) if path.is_file()
    }
    laboratory.build(dockerfile, files, name="nginx-example")
    page = "index.html"
    edited = {**files, page: files[page] + "<!-- edited -->\n"}
    return laboratory.build(dockerfile, edited, name="nginx-example").stage_graph()


def cache_comparison_example() -> Picture:
    """F4: a page of a small site was edited, and everything below ``COPY . .`` is done again."""
    laboratory = Laboratory()
    dockerfile = (
        "FROM alpine\nENV MODE=release\nRUN apk add --no-cache build-base\nCOPY . /src\n"
        "RUN cc -o /usr/bin/hello /src/hello.c\nCMD hello\n"
    )
    files = {"hello.c": "int main(void) { return 0; }\n", "index.html": "<p>hello</p>\n"}
    before = laboratory.build(dockerfile, files)
    after = laboratory.build(dockerfile, {**files, "index.html": "<p>hello!</p>\n"})
    return after.cache_comparison(before, {"RUN apk": 20, "RUN cc": 40, "COPY": 1})


MOTD: Final = {"motd": "welcome\n" * 200, "page": "<p>hello</p>\n" * 300}
ONE_STAGE: Final = """
FROM alpine
RUN apk add --no-cache build-base
COPY hello.c .
RUN cc -o /usr/local/bin/hello hello.c
RUN apk del build-base && rm hello.c
"""
TWO_STAGES: Final = """
FROM alpine AS build
RUN apk add --no-cache build-base
COPY hello.c .
RUN cc -o /hello hello.c
FROM alpine
COPY --from=build /hello /usr/local/bin/hello
"""
SCANNED: Final = """
FROM alpine
COPY app.conf /etc/app.conf
RUN echo debug=1 >> /etc/app.conf
RUN rm -r /etc/apk
RUN cp -p /etc/os-release /old && echo ID=other > /etc/os-release && touch -r /old /etc/os-release
"""


def size_waterfall_example() -> Picture:
    """F3: a compiler that the last line removes, and one that was never shipped."""
    files = {"hello.c": "int main(void) { return 0; }\n"}
    dockerfiles = {"one stage": ONE_STAGE, "two stages": TWO_STAGES}
    return size_waterfall.of(
        {name: Laboratory().build(text, files).weighed() for name, text in dockerfiles.items()}
    )


def snapshot_timeline_example() -> Picture:
    """F6: the three modes of a scan; the last line puts the time of a changed file back."""
    return snapshot_timeline.of(
        {
            mode.value: Laboratory()
            .build(SCANNED, {"app.conf": "port=80\n"}, strategy=Strategy.KANIKO_STYLE, mode=mode)
            .scanned()
            for mode in Mode
        }
    )


def manifest_anatomy_example() -> Picture:
    """F7: an image of two layers, as a registry has it."""
    laboratory = Laboratory()
    built = laboratory.build("FROM scratch\nCOPY motd /etc/motd\nCOPY page /srv/\n", MOTD)
    return manifest_anatomy.of(laboratory.stored(built), "web:latest")


def build_cost_example() -> Picture:
    """What a union and a scan pay for one small change of a lower file."""
    changed = "FROM alpine\nRUN echo PRETTY=yes >> /etc/os-release\nRUN chmod 700 /bin/busybox\n"
    return build_cost.of(Laboratory().compare(changed))


def attack_graph_example() -> Picture:
    """F5: the three ways of the lesson, and the fourth one without root."""
    names = ("docker-socket", "docker-in-docker", "kaniko", "buildah-rootless")
    return attack_graph.of({name: situation(pod(name), builder_of(name)) for name in names})


PICTURES: Final[Mapping[str, Callable[[], Picture]]] = MappingProxyType(
    {
        "overlay_stack": overlay_stack_example,
        "stage_graph": stage_graph_example,
        "cache_comparison": cache_comparison_example,
        "size_waterfall": size_waterfall_example,
        "snapshot_timeline": snapshot_timeline_example,
        "manifest_anatomy": manifest_anatomy_example,
        "build_cost": build_cost_example,
        "attack_graph": attack_graph_example,
    }
)
"""Every picture of ``docs/pictures``, by the name of its files."""


def main(folder: Path) -> None:
    """Write every picture into ``folder``, as SVG and as text; the graphs as Mermaid, too."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PICTURES.items():
        picture = make()
        for suffix in suffixes(picture):
            sys.stdout.write(f"{picture.save(folder / (name + suffix))}\n")


def suffixes(picture: Picture) -> list[str]:
    """The forms in which a picture is kept."""
    return [".svg", ".txt", *([".mmd"] if hasattr(picture.figure, "as_mermaid") else [])]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
