"""Exercise 2.4: an upper and its layer tar; answers come from the packer and the unpacker of the project."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator

from course.check import Call, Case, Talk, Wrong, call
from course.problems.listing import entries
from course.problems.tars import held, names, unpacked

UPPERS = {
    "plain": [
        {"/motd": "file"},
        {"/etc": "dir", "/etc/motd": "file"},
        {"/usr": "dir", "/usr/bin": "dir", "/usr/bin/ls": "file"},
        {},
    ],
    "whiteout": [
        {"/motd": "whiteout"},
        {"/etc": "dir", "/etc/motd": "whiteout"},
        {"/etc": "dir", "/etc/hosts": "file", "/etc/motd": "whiteout"},
        {"/a": "dir", "/a/b": "dir", "/a/b/c": "whiteout"},
    ],
    "opaque": [
        {"/srv": "opaque dir"},
        {"/srv": "opaque dir", "/srv/new": "file"},
        {"/a": "dir", "/a/b": "opaque dir", "/a/b/c": "dir", "/a/b/c/d": "file"},
    ],
}
LAYERS = {
    "back": [
        ["motd"],
        ["etc/", "etc/motd"],
        [".wh.motd"],
        ["etc/", "etc/.wh.motd", "etc/hosts"],
        ["etc/", "etc/.wh..profile"],
        ["srv/", "srv/.wh..wh..opq", "srv/new"],
        ["srv/", "srv/.wh..wh..opq"],
    ],
    "made-again": [
        [".wh.srv", "srv/", "srv/new"],
        ["srv/", "srv/new", ".wh.srv"],
        [".wh.motd", "motd"],
        ["etc/", "etc/.wh.app", "etc/app/"],
    ],
}
SHOWS = {"etc/.wh..profile": {"dot": {"/etc": "dir", "/etc/profile": "whiteout"}}}


def cases(seed: str) -> Iterator[Case | Talk]:
    for group, uppers in UPPERS.items():
        for upper in uppers:
            yield Case(group, args=(upper,), expected=packed(upper))
    for group, layers in LAYERS.items():
        for layer in layers:
            shows = SHOWS.get(layer[-1], {})
            yield Case(group, args=(layer,), expected=read(layer), function="to_overlay", shows=shows)
    dice = random.Random(seed)
    for _ in range(30):
        yield Talk("round-trip", round_trip(random_upper(dice)))


def packed(upper: dict[str, str]) -> list[str]:
    return sorted(names(held(upper)))


def read(layer: list[str]) -> dict[str, str]:
    return entries(unpacked((name, "") for name in layer))


def round_trip(upper: dict[str, str]):
    """Out and back again: the same upper, and on the way the tar that the packer writes."""

    def script() -> Generator[Call, object, Wrong | None]:
        layer = yield call(upper)
        if layer != packed(upper):
            return Wrong("other-tar", shown=f"it should be {packed(upper)}")
        back = yield call(layer, function="to_overlay")
        return None if back == upper else Wrong()

    return script


def random_upper(dice: random.Random) -> dict[str, str]:
    upper: dict[str, str] = {}
    grow(dice, "", 0, upper)
    return upper


def grow(dice: random.Random, above: str, depth: int, upper: dict[str, str]) -> None:
    for name in dice.sample(("a", "b", "ab", ".a", "wh"), dice.randint(1, 3)):
        kind = dice.choices(
            ("file", "whiteout", "dir", "opaque dir"), (3, 3, 3 * (depth < 2), 2 * (depth < 2))
        )[0]
        upper[f"{above}/{name}"] = kind
        if kind.endswith("dir"):
            grow(dice, f"{above}/{name}", depth + 1, upper)
