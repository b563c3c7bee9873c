"""Exercise 5.1: one stage made two; what is not wanted is what the starter's image has beside its page."""

from __future__ import annotations

from collections.abc import Iterator

from course.check import Verdict, held
from course.grader.attempt import Attempt
from course.problems.containers import ran

OWN_BYTES = 2000
SOURCES = "/src/"


def judge(attempt: Attempt, starter: Attempt) -> Iterator[Verdict]:
    tools = made_by(starter, "apk add")
    yield nothing_of("toolchain", attempt, tools & attempt.paths)
    yield nothing_of("sources", attempt, of_the_workshop(attempt, starter))
    yield own_bytes(attempt)
    yield same_page(attempt, starter)


def made_by(starter: Attempt, words: str) -> set[str]:
    """The paths that the starter's instruction brought: no layer below has them."""
    first = {path: record.held[0].layer for path, record in starter.tree.paths.items()}
    return {
        path
        for path, layer in first.items()
        if layer >= starter.base_layers and words in starter.made_by(layer)
    }


def of_the_workshop(attempt: Attempt, starter: Attempt) -> set[str]:
    """Files of the attempt's own layers that are called like what the starter compiles, wherever they lie."""
    names = {path.rpartition("/")[2] for path in starter.paths if path.startswith(SOURCES)}
    names -= {"index.html", "src", "pages", "public"}
    return {
        path
        for path, record in attempt.tree.paths.items()
        if record.answers is not None
        and record.answers >= attempt.base_layers
        and (path.rpartition("/")[2] in names or path.endswith((".c", ".o")))
    }


def nothing_of(group: str, attempt: Attempt, found: set[str]) -> Verdict:
    if not found:
        return held(group, True)
    path = min(found, key=lambda path: (len(path), path))
    layer = attempt.tree.paths[path].answers or 0
    return held(group, False, shown=f"{attempt.made_by(layer)}\n{path}")


def own_bytes(attempt: Attempt) -> Verdict:
    """Whether the layers above the base are small; else which of them is the largest."""
    own = attempt.tree.layers[attempt.base_layers :]
    total = sum(layer.size_bytes for layer in own)
    if total <= OWN_BYTES:
        return held("size", True)
    largest = max(own, key=lambda layer: layer.size_bytes)
    because = "hidden" if largest.hidden_bytes > OWN_BYTES else ""
    shown = f"{attempt.made_by(largest.index)}: {largest.size_bytes:,} B"
    return held("size", False, because, shown, total=f"{total:,}", most=f"{OWN_BYTES:,}")


def same_page(attempt: Attempt, starter: Attempt) -> Verdict:
    """Whether a container serves what it served before, from the same base."""
    count = starter.base_layers
    if attempt.built.image.layers[:count] != starter.built.image.layers[:count]:
        return held("page", False, "base", attempt.text.strip().rpartition("FROM ")[2].splitlines()[0])
    served, before = (ran(each.built).get("/", 80) for each in (attempt, starter))
    if served is None:
        return held("page", False, "nobody-serves")
    because = "default-page" if b"Welcome to nginx" in served[1] else ""
    return held("page", served == before, because, served[1].decode(errors="replace")[:200])
