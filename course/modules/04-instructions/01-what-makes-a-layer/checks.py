"""Exercise 4.1: what a line leaves in an image; the builder builds with it, and the image is looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache

from builder.dockerfile.plan.stages import plan
from builder.dockerfile.syntax.parser import parse
from course.grader.kinds.choice import Item
from course.laboratory import Laboratory

CLASSES = ("layer", "config", "nothing")
REASONS = ("files", "settings", "build-time", "left-behind")
CONTEXT = {"app.conf": "greeting = hello\n", "site/index.html": "<h1>hello</h1>\n"}
BASE = "FROM alpine"

# group -> name -> lines to choose from
LINES = {
    "files": {
        "run": (
            "RUN echo hello > /hello",
            "RUN mkdir /data && echo 1 > /data/n",
            "RUN apk add --no-cache curl",
        ),
        "copy": ("COPY app.conf /etc/app.conf", "COPY site/ /srv/", "COPY --chmod=600 app.conf /etc/"),
        "add": ("ADD site/index.html /srv/", "ADD app.conf /etc/app.conf"),
    },
    "surprises": {
        "rm": ("RUN rm /etc/alpine-release", "RUN rm -r /etc/apk", "RUN rm /sbin/apk"),
        "chmod": ("RUN chmod 600 /etc/passwd", "RUN chmod 700 /etc", "RUN chown 1000 /etc/group"),
        "workdir-new": ("WORKDIR /app", "WORKDIR /usr/src/app", "WORKDIR /srv/www"),
        "workdir-old": ("WORKDIR /etc", "WORKDIR /tmp", "WORKDIR /usr"),
    },
    "settings": {
        "env": ("ENV MODE=production", "ENV PATH=/app/bin:$PATH"),
        "cmd": ('CMD ["cat", "/etc/hosts"]', "CMD cat /etc/hosts", 'ENTRYPOINT ["/bin/sh"]'),
        "expose": ("EXPOSE 8080", "EXPOSE 80/tcp 443/tcp", "VOLUME /data"),
        "user": ("USER 1000", "USER nobody", "STOPSIGNAL SIGQUIT", "LABEL version=1.0"),
    },
    "build-time": {
        "arg": ("ARG VERSION=1.0", "ARG MODE=production"),
        "arg-global": ("ARG BASE=alpine",),
        "mount": (
            "RUN --mount=type=cache,target=/root/.cache echo 1 > /root/.cache/n",
            "RUN --mount=type=tmpfs,target=/tmp echo 1 > /tmp/n",
        ),
        "read": ("RUN cat /etc/passwd", "RUN ls /etc", "RUN grep root /etc/passwd"),
    },
    "left-behind": {
        "stage-run": ("RUN apk add --no-cache make", "RUN echo object > /tool.o"),
        "stage-copy": ("COPY site/ /src/", "COPY app.conf /src/"),
        "stage-env": ("ENV MODE=production", "ENV LEVEL=3"),
        "stage-workdir": ("WORKDIR /src", "WORKDIR /work"),
    },
}


def items(seed: str) -> Iterator[Item]:
    dice = random.Random(seed)
    for group, names in LINES.items():
        for name, lines in names.items():
            line = dice.choice(lines)
            text, number = placed(name, line)
            right, because = left(text, number, group)
            yield Item(
                name,
                group,
                marked(text, number),
                CLASSES,
                right,
                REASONS,
                because,
                shows(name, group, right),
                {"line": line, "group": group},
            )


def placed(name: str, line: str) -> tuple[str, int]:
    """A Dockerfile with the line in it, and its number."""
    if name == "arg-global":
        return f"{line}\nFROM $BASE\n", 1
    if name.startswith("stage-"):
        whole = f"{BASE} AS build\n{line}\nRUN echo program > /program\n{BASE}\nCOPY --from=build /program /program\n"
        return whole, 2
    return f"{BASE}\n{line}\n", 2


def marked(text: str, number: int) -> str:
    lines = text.splitlines()
    return "\n".join(f"{'>' if at == number else ' '} {line}" for at, line in enumerate(lines, 1))


@cache
def left(text: str, number: int, group: str) -> tuple[str, str]:
    """What the line leaves in the image, found by building, and the reason for that."""
    dockerfile = parse(text)
    target = plan(dockerfile).target
    if any(
        each.span.line == number for stage in dockerfile.stages[: target.index] for each in stage.instructions
    ):
        return "nothing", "left-behind"
    laboratory = Laboratory()
    lines = text.splitlines()
    without = [line for at, line in enumerate(lines, 1) if at != number]
    if len(without) == 1 and "$" in without[0]:
        without = [BASE]
    before, after = (laboratory.build("\n".join(each) + "\n", CONTEXT).image for each in (without, lines))
    if len(after.layers) > len(before.layers):
        return "layer", "files"
    return ("nothing", "build-time") if after.config == before.config else ("config", "settings")


def shows(name: str, group: str, right: str) -> dict[str, object]:
    """The misconceptions that wrong classes of this line betray."""
    if group == "left-behind":
        return {"stages-add-up": "layer", "stage-config": "config"}
    if group == "files":
        return {"copy-refers": "config"}
    return {
        "rm": {"rm-takes-away": "nothing"},
        "chmod": {"chmod-is-small": "config", "no-new-file": "nothing"},
        "workdir-new": {"workdir-is-a-setting": "config"},
        "workdir-old": {"every-line": "layer"},
        "arg": {"arg-persists": "config", "every-line": "layer"},
        "arg-global": {"arg-persists": "config", "every-line": "layer"},
        "mount": {"mount-is-part": "layer"},
        "read": {"every-line": "layer"},
    }.get(name, {"every-line": "layer"} if right == "config" else {})
