"""Exercise 7.3K: pairs of steps for cache_key(step); which share a layer, the builder says."""

from __future__ import annotations

from course.problems.steps import is_step, share_a_layer

FUNCTION = "cache_key"
SPECIMENS = {name: f"{name}.py" for name in ("fern", "moss", "reed", "sage", "hazel", "birch", "cedar")}


def alike(args, others):
    return share_a_layer(args[0], others[0])


def is_question(*args):
    return len(args) == 1 and is_step(args[0])
