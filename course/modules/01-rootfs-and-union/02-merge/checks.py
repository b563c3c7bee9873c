"""The cases of exercise 1.2. All answers are the union's own, which is held against the kernel."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from course.problems.stacks import fresh
from course.problems.trees import as_layer, as_tree, random_tree

DIRECTED = {
    "top-wins": [
        ({"motd": "old"}, {"motd": "new"}),
        ({"etc": {"motd": "old"}}, {"etc": {"motd": "new"}}),
        ({"motd": "long text"}, {"motd": ""}),
    ],
    "all-names": [
        ({"a": "1"}, {"b": "2"}),
        ({"etc": {"motd": "hello"}}, {"usr": {"ls": "program"}}),
        ({}, {"motd": "new"}),
        ({"motd": "old"}, {}),
        ({}, {}),
    ],
    "deep": [
        ({"etc": {"hosts": "localhost"}}, {"etc": {"motd": "new"}}),
        ({"usr": {"bin": {"ls": "program"}}}, {"usr": {"bin": {"cat": "program"}}}),
        ({"usr": {"bin": {"ls": "old"}, "lib": {"c": "1"}}}, {"usr": {"bin": {"ls": "new"}}}),
        ({"a": {"b": {"c": {"d": "deep"}}}}, {"a": {"b": {"c": {"e": "deeper"}}}}),
    ],
    "empty-directories": [
        ({"tmp": {}}, {"motd": "new"}),
        ({"motd": "old"}, {"tmp": {}}),
        ({"var": {"log": {}}}, {"var": {"log": {}}}),
        ({"etc": {"motd": "old"}}, {"etc": {}}),
    ],
    "other-types": [
        ({"run": {"lock": "1"}}, {"run": "a file now"}),
        ({"run": "a file"}, {"run": {"lock": "1"}}),
        ({"var": {"run": {"pid": "7"}}}, {"var": {"run": "gone"}}),
        ({"run": "a file"}, {"run": {}}),
    ],
}


def cases(seed: str) -> Iterator[Case]:
    for group, pairs in DIRECTED.items():
        for lower, upper in pairs:
            yield Case(group, args=(lower, upper))
    dice = random.Random(seed)
    for _ in range(50):
        yield Case("any-trees", args=(random_tree(dice, "lower"), random_tree(dice, "upper")))


def oracle(lower, upper):
    """What the simulated overlay shows of the two."""
    return as_tree(fresh([as_layer(lower), as_layer(upper)]))
