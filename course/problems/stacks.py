"""Small stacks of layers and runs of operations on them, from dice."""

from __future__ import annotations

import random
import stat
from collections.abc import Sequence
from typing import Final

from course.problems.listing import visible
from course.problems.operations import run
from unionfs_sim import Dir, Layer, Union, layer, mount

NAMES: Final = ("app", "bin", "conf", "data", "doc", "lib")
LEAVES: Final = ("a.txt", "b.txt", "log", "run.sh", "main.c", "note")


def random_lowers(dice: random.Random, count: int = 2) -> list[Layer]:
    """``count`` layers, base first, without marks; their directories overlap."""
    tops = dice.sample(NAMES, 3)
    return [_random_layer(dice, tops) for _ in range(count)]


def _random_layer(dice: random.Random, tops: Sequence[str]) -> Layer:
    tree: dict[str, str | Dir] = {}
    for top in dice.sample(list(tops), 2):
        for leaf in dice.sample(LEAVES, dice.randint(1, 3)):
            tree[f"/{top}/{leaf}"] = f"{leaf}\n"
        if dice.random() < 0.5:
            tree[f"/{top}/sub/{dice.choice(LEAVES)}"] = "deep\n"
    return layer(tree).freeze()


def fresh(lowers: Sequence[Layer]) -> Union:
    """The layers with an empty upper on top."""
    return mount(list(lowers), Layer())


def random_operations(dice: random.Random, lowers: Sequence[Layer], count: int) -> list[str]:
    """``count`` lines that work one after another on a fresh union of ``lowers``.

    Among them a deletion of a lower file, a file that is made and deleted again, and, where there is room,
    a directory that is deleted and made again.
    """
    union = fresh(lowers)
    lines: list[str] = []
    waiting: list[str] = []
    while len(lines) < count:
        line = waiting.pop(0) if waiting and dice.random() < 0.6 else _operation(dice, union)
        try:
            run(union, line)
        except OSError:
            continue
        lines.append(line)
        if line.startswith("rm -r ") and dice.random() < 0.8:
            waiting.append("mkdir " + line.removeprefix("rm -r "))
        elif line.startswith("echo") and dice.random() < 0.3:
            waiting.append("rm " + line.rpartition(" ")[2])
    return lines


def _operation(dice: random.Random, union: Union) -> str:
    paths = visible(union)
    files = [path for path in paths if not _is_dir(union, path)]
    dirs = [path for path in paths if _is_dir(union, path)]
    if not files or not dirs:
        return f"mkdir /{dice.choice(NAMES)}"
    new = f"{dice.choice(dirs)}/{dice.choice(('new', 'tmp', *LEAVES))}"
    choices = {
        f"rm {dice.choice(files)}": 5,
        f"rm -r {dice.choice(dirs)}": 2,
        f"echo hello > {new}": 3,
        f"echo more >> {dice.choice(files)}": 2,
        f"chmod 600 {dice.choice(files)}": 2,
        f"mkdir {dice.choice(dirs)}/{dice.choice(NAMES)}": 1,
        f"mv {dice.choice(files)} {new}": 2,
    }
    return dice.choices(list(choices), list(choices.values()))[0]


def _is_dir(union: Union, path: str) -> bool:
    return stat.S_ISDIR(union.lstat(path).st_mode)
