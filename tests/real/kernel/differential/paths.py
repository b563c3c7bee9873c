"""Random paths that collide, and odd spellings of them."""

from __future__ import annotations

import random
from typing import Final

from .shadow import Shadow
from .stacks import NAMES

ALL: Final = "dfls"


class Paths:
    """Draws paths, steered by what the tree seems to hold."""

    def __init__(self, rng: random.Random, shadow: Shadow) -> None:
        self._rng = rng
        self._shadow = shadow
        self._recent: list[str] = ["/"]

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _existing(self, kinds: str = ALL, *, surely: float = 0.88) -> str:
        rng = self._rng
        if self._chance(0.15):
            path = rng.choice(self._recent)
        elif self._chance(surely):
            path = self._shadow.pick(rng, kinds)
        else:
            path = self._shadow.fresh(rng, NAMES)
        return self._spell(path)

    def _fresh(self) -> str:
        rng = self._rng
        path = self._shadow.fresh(rng, NAMES[:7] if self._chance(0.8) else NAMES)
        return self._spell(path if self._chance(0.9) else self._shadow.pick(rng, ALL))

    def _spell(self, path: str) -> str:
        """The path, now and then in an odd spelling."""
        rng = self._rng
        self._recent = [*self._recent[-4:], path]
        if self._chance(0.86):
            return path
        parent, _, name = path.rpartition("/")
        match rng.randrange(12):
            case 0:
                return path + "/"
            case 1:
                return path + "/."
            case 2:
                return f"{parent}//{name}"
            case 3:
                return f"{parent}/./{name}"
            case 4:
                return f"{parent}/{rng.choice(NAMES[:6])}/../{name}"
            case 5:
                return path + "/.."
            case 6:
                return "/.." + path
            case 7:
                names = (".", "..", *NAMES[:5])
                return "/".join(rng.choice(names) for _ in range(rng.randint(1, 3)))
            case 8:
                return self._shadow.pick(rng, "l") + "/" + rng.choice(NAMES[:6])
            case 9:
                return path + "/" + rng.choice(NAMES[:6])
            case 10:
                return f"{parent}/{'M' * 256}"
        return rng.choice(
            (
                "",
                "/",
                "." + path,
                "/" + "y/" * 2048,
                path + "/" * 4100,
                "//" + path,
                self._shadow.pick(rng, "l"),
            )
        )
