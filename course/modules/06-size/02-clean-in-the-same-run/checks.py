"""Exercise 6.2: the same image to look at, and no byte in its layers that nobody can see."""

from __future__ import annotations

from collections.abc import Iterator

from course.check import Verdict, held
from course.grader.attempt import Attempt

LISTS = "/var/lib/apt/lists/"
ARCHIVE = "/tmp/tally.tar.gz"


def judge(attempt: Attempt, starter: Attempt) -> Iterator[Verdict]:
    yield shipped("lists", attempt, LISTS)
    yield shipped("archive", attempt, ARCHIVE)
    yield dead_bytes(attempt)
    yield same_view(attempt, starter)
    yield same_config(attempt, starter)


def shipped(group: str, attempt: Attempt, start: str) -> Verdict:
    """Whether a layer has something called ``start…`` with bytes in it."""
    found = [
        (each.size_bytes, path, each.layer)
        for path, record in attempt.tree.paths.items()
        if path.startswith(start)
        for each in record.held
        if each.size_bytes and each.layer >= attempt.base_layers
    ]
    if not found:
        return held(group, True)
    size, path, layer = max(found)
    return held(group, False, shown=f"{attempt.made_by(layer)}\n{path}: {size} B")


def dead_bytes(attempt: Attempt) -> Verdict:
    """Whether the layers above the base hold bytes that nobody can see."""
    hidden = [
        (each.size_bytes, path, each.layer)
        for path, record in attempt.tree.paths.items()
        for each in record.held
        if each.hidden and each.size_bytes and each.layer >= attempt.base_layers
    ]
    total = sum(size for size, _, _ in hidden)
    if not total:
        return held("dead-bytes", True)
    size, path, layer = max(hidden)
    shown = f"{attempt.made_by(layer)}\n{path}: {size} B"
    return held("dead-bytes", False, "", shown, total=total)


def same_view(attempt: Attempt, starter: Attempt) -> Verdict:
    """Whether a container sees what it saw before."""
    lost = sorted(starter.paths - attempt.paths)
    if lost:
        return held("view", False, "lost", lost[0])
    more = sorted(attempt.paths - starter.paths)
    if more:
        return held("view", False, "more", more[0])
    changed = sorted(path for path in starter.paths if attempt.content(path) != starter.content(path))
    return held("view", not changed, "changed", changed[0] if changed else "")


def same_config(attempt: Attempt, starter: Attempt) -> Verdict:
    """Whether a container is started as before, from the same base."""
    same_base = attempt.built.image.layers[:1] == starter.built.image.layers[:1]
    if not same_base:
        return held("view", False, "base", attempt.line_of("FROM"))
    same = attempt.built.image.config.cmd == starter.built.image.config.cmd
    return held("view", same, "command", attempt.line_of("CMD"))
