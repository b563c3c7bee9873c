"""Exercise 5.1R: lines of a Dockerfile with two stages; whatever order is made of them is built and run."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Verdict, held
from course.grader.attempt import Attempt
from course.problems.containers import ran

OWN_BYTES = 40_000
ARCHIVE = "https://downloads.example.org/tally/tally-0.3.tar.gz"
TOOLS = "RUN apk add --no-cache gcc make musl-dev"
FETCH = f"RUN wget -q -O- {ARCHIVE} | tar -xz --strip-components=1"
STARTER = [
    "FROM alpine",
    TOOLS,
    "WORKDIR /src",
    FETCH,
    "RUN make",
    "RUN cp build/tally /usr/local/bin/tally",
    'ENTRYPOINT ["tally"]',
]


def lines(seed: str) -> list[str]:
    """The right lines, in order, then wrong ones."""
    dice = random.Random(seed)
    directory, stage = dice.choice(("/src", "/work", "/usr/src")), dice.choice(("build", "compile", "make"))
    return [
        f"FROM alpine AS {stage}",
        TOOLS,
        f"WORKDIR {directory}",
        FETCH,
        "RUN make",
        "FROM alpine",
        f"COPY --from={stage} {directory}/build/tally /usr/local/bin/tally",
        'ENTRYPOINT ["tally"]',
        f"FROM {stage}",
        f"COPY --from={stage} {directory}/build/ /usr/local/bin/",
        f"COPY --from=1 {directory}/build/tally /usr/local/bin/tally",
        "RUN apk del gcc make musl-dev",
    ]


def judge(attempt: Attempt, starter: Attempt) -> Iterator[Verdict]:
    yield works(attempt, starter)
    tools = set(brought(starter, "apk add"))
    yield nothing_of("toolchain", attempt, [path for path in attempt.paths if path in tools])
    names = {path.rpartition("/")[2] for path in starter.paths if path.startswith("/src/")} - {"tally"}
    own = [path for path in attempt.paths if (attempt.tree.paths[path].answers or 0) >= attempt.base_layers]
    yield nothing_of("sources", attempt, [path for path in own if path.rpartition("/")[2] in names])
    total = sum(layer.size_bytes for layer in attempt.tree.layers[attempt.base_layers :])
    largest = max(
        attempt.tree.layers[attempt.base_layers :], key=lambda layer: layer.size_bytes, default=None
    )
    shown = f"{attempt.made_by(largest.index)}: {largest.size_bytes:,} B" if largest else ""
    yield held("size", total <= OWN_BYTES, shown=shown, total=f"{total:,}", most=f"{OWN_BYTES:,}")


def works(attempt: Attempt, starter: Attempt) -> Verdict:
    """Whether a container counts as one of the starter does."""
    asked = ["/etc/passwd"]
    found, wanted = ran(attempt.built, asked), ran(starter.built, asked)
    shown = f"$ docker run IMAGE /etc/passwd\n{found.output or found.failure}"
    return held("works", (found.output, found.status) == (wanted.output, wanted.status), shown=shown)


def brought(starter: Attempt, words: str) -> Iterator[str]:
    """The paths that the starter's instruction brought: no layer below has them."""
    for path, record in starter.tree.paths.items():
        layer = record.held[0].layer
        if layer >= starter.base_layers and words in starter.made_by(layer):
            yield path


def nothing_of(group: str, attempt: Attempt, found: list[str]) -> Verdict:
    if not found:
        return held(group, True)
    path = min(found, key=lambda path: (len(path), path))
    return held(group, False, shown=f"{attempt.made_by(attempt.tree.paths[path].answers or 0)}\n{path}")
