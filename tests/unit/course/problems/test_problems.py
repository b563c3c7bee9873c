"""Generators of exercises: what they say of a layer is what the machine makes of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as some

from course.exercise import Course
from course.problems.kernel import replayed
from course.problems.listing import entries, visible
from course.problems.operations import NotAnOperationError, replay, run
from course.problems.stacks import fresh, random_lowers, random_operations
from course.problems.tars import held, mounted, names, unpacked
from course.problems.trees import as_layer, as_tree, random_tree
from unionfs_sim import Layer, layer, mount
from unionfs_sim.layers.merge import merged

SEEDS = some.integers(0, 2**32)
random_layer = Course().find("1.3").checks.random_layer


@given(SEEDS)
def test_a_layer_made_of_names_is_the_one_that_a_tar_of_these_names_gives(seed: int) -> None:
    listed = random_layer(random.Random(seed))

    assert entries(mounted(listed)) == entries(unpacked((name, "") for name in listed))


@given(SEEDS)
def test_a_layer_and_the_names_in_its_tar_tell_the_same(seed: int) -> None:
    upper = entries(unpacked((name, "") for name in random_layer(random.Random(seed))))

    assert entries(unpacked((name, "") for name in names(held(upper)))) == upper


@given(SEEDS)
def test_a_tree_comes_back_from_a_layer(seed: int) -> None:
    tree = random_tree(random.Random(seed), "text")

    assert as_tree(fresh([as_layer(tree)])) == tree
    assert as_tree(merged([as_layer(tree)])) == tree


@given(SEEDS)
def test_operations_work_one_after_another_and_are_the_same_for_the_same_dice(seed: int) -> None:
    lowers = random_lowers(random.Random(seed))

    lines = random_operations(random.Random(seed), lowers, 6)

    replay(fresh(lowers), lines)
    assert lines == random_operations(random.Random(seed), lowers, 6)


@pytest.mark.parametrize(
    "line",
    ["", "ls /", "rm", "rm -rf /etc", "rm etc", "rm /../etc", "chmod 9 /etc", "echo a | /etc", "mkdir '"],
)
def test_other_lines_are_no_operations(line: str) -> None:
    with pytest.raises(NotAnOperationError):
        run(mount([layer({"/etc/motd": "hello"})], Layer()), line)


@pytest.mark.kernel
@pytest.mark.parametrize("seed", range(8))
def test_the_kernel_leaves_the_same_upper_and_shows_the_same_paths(seed: int) -> None:
    dice = random.Random(seed)
    lowers = random_lowers(dice)
    lines = random_operations(dice, lowers, 8)
    union = fresh(lowers)
    replay(union, lines)
    assert union.upper is not None

    seen = replayed(lowers, lines)

    assert seen.upper == entries(union.upper)
    assert seen.visible == visible(union)
