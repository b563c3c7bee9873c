"""Exercise 3.4: what images take together; a store of the project keeps the layers, and is asked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from builder.image.digest import digest_of
from builder.stores.memory import MemoryStore
from course.check import Case

BASE, LIBRARY, ONE, TWO, SAME = (300, "base"), (120, "lib"), (40, "one"), (50, "two"), (40, "same")


def cases(seed: str) -> Iterator[Case]:
    app = {"app:1": [BASE, ONE], "app:2": [BASE, TWO]}
    yield asked("shared", {"app:1": [BASE]})
    yield asked("shared", app)
    yield asked("shared", {"app:1": [BASE, ONE], "app:latest": [BASE, ONE]}, because="tag")
    yield asked("shared", {**app, "web:1": [BASE, LIBRARY, ONE]})
    yield asked("shared", {"app:1": [BASE], "web:1": [LIBRARY]})
    yield asked("twice", {"app:1": [BASE, ONE, ONE]})
    yield asked("twice", {"app:1": [BASE, ONE, ONE], "app:2": [BASE, ONE]})
    yield asked("same-size", {"app:1": [ONE, SAME]})
    yield asked("same-size", {"app:1": [BASE, ONE], "app:2": [BASE, SAME]})
    for word in ("pulled", "freed"):
        yield asked(word, {"app:1": [BASE, ONE]}, "app:1")
        yield asked(word, app, "app:2")
        yield asked(word, {"app:1": [BASE, ONE], "app:latest": [BASE, ONE]}, "app:latest", because="tag")
        yield asked(word, {"app:1": [BASE, ONE, ONE], "app:2": [BASE]}, "app:1", because="within")
        yield asked(word, {"app:1": [BASE, ONE], "app:2": [BASE, SAME]}, "app:1")
    dice = random.Random(seed)
    for _ in range(10):
        images = random_images(dice)
        yield asked("shared", images)
        yield asked(dice.choice(("pulled", "freed")), images, dice.choice(sorted(images)))


def asked(group: str, images: Mapping[str, Sequence[tuple[int, str]]], *name: str, because: str = "") -> Case:
    """A case about images whose layers are (size, what makes it another one than the rest)."""
    listed = {each: [told(size, which) for size, which in layers] for each, layers in images.items()}
    function = group if name else "stored"
    others = {each: layers for each, layers in images.items() if each not in name}
    answer = taken(images) - (taken(others) if name else 0)
    return Case(group, (listed, *name), answer, because, function="" if function == "stored" else function)


def told(size: int, which: str) -> dict[str, object]:
    return {"digest": digest_of(blob(size, which)), "size": size}


@cache
def blob(size: int, which: str) -> bytes:
    """As many bytes as are asked for, others for every ``which``."""
    return random.Random(which).randbytes(size)


def taken(images: Mapping[str, Sequence[tuple[int, str]]]) -> int:
    """What a store takes that was given all layers of all images."""
    store = MemoryStore()
    for layers in images.values():
        for size, which in layers:
            store.put([blob(size, which)])
    return store.usage().bytes


def random_images(dice: random.Random) -> dict[str, list[tuple[int, str]]]:
    known = [(dice.choice((20, 30, dice.randint(1, 400))), f"layer {number}") for number in range(6)]
    names = dice.sample(("app:1", "app:2", "web:1", "web:2", "db:1"), dice.randint(2, 4))
    return {name: [known[0], *dice.choices(known[1:], k=dice.randint(1, 4))] for name in names}
