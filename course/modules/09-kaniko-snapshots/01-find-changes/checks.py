"""Exercise 9.1: what a scan of the root finds between two trees; the project's scanning snapshotter answers."""

from __future__ import annotations

import random
from collections.abc import Iterator

from course.check import Case
from course.problems.scans import become, found

OLD, NEW = 1700000000, 1700000060


def file(content: str = "one\n", **other: object) -> dict:
    entry = {"kind": "file", "mode": 0o644, "owner": 0, "mtime": OLD, "content": content, "capability": ""}
    return {**entry, **other}


def directory(**other: object) -> dict:
    return {"kind": "dir", "mode": 0o755, "owner": 0, "mtime": OLD, **other}


def link(target: str, **other: object) -> dict:
    return {"kind": "link", "owner": 0, "mtime": OLD, "target": target, **other}


def in_srv(**names: dict) -> dict:
    """A tree with ``/srv`` and these entries in it."""
    return {"/srv": directory(), **{f"/srv/{name}": entry for name, entry in names.items()}}


ONE = {"/a": file()}
DEEP = {"/d": directory(), "/d/e": directory(), "/d/e/f": file(), "/d/g": file()}
DIRECTED = {
    "nothing": [(ONE, ONE), ({}, {}), (DEEP, DEEP)],
    "contents": [
        (ONE, {"/a": file("one two\n", mtime=NEW)}),
        (ONE, {"/a": file("two\n")}),
        (ONE, {"/a": file("one two\n")}),
        ({}, ONE),
        (ONE, {**ONE, "/b": file()}),
    ],
    "attributes": [
        (ONE, {"/a": file(mode=0o755)}),
        (ONE, {"/a": file(owner=1000)}),
        (ONE, {"/a": file(mtime=NEW)}),
        (ONE, {"/a": file(capability="net_raw")}),
        ({"/d": directory()}, {"/d": directory(mode=0o700)}),
    ],
    "deleted": [
        (ONE, {}),
        ({**ONE, "/b": file()}, ONE),
        ({"/d": directory(), "/d/x": file()}, {}),
        (DEEP, {"/d": directory(), "/d/g": file()}),
    ],
    "links": [
        ({"/l": link("/run/one")}, {"/l": link("/run/two")}),
        ({"/l": link("/run/one")}, {"/l": link("/run/one", mtime=NEW)}),
        ({**ONE, "/l": link("/a")}, {"/a": file("two\n"), "/l": link("/a")}),
        ({**ONE, "/l": link("/a")}, {"/l": link("/a")}),
        ({"/l": link("/run/one")}, {}),
    ],
    "kinds": [
        (ONE, {"/a": directory()}),
        ({"/a": directory()}, ONE),
        ({"/a": directory(), "/a/x": file()}, ONE),
        ({"/a": link("/run/one")}, ONE),
    ],
    "parents": [
        (in_srv(a=file()), in_srv(a=file("two\n"))),
        (in_srv(a=file(), b=file()), in_srv(a=file())),
        (DEEP, {**DEEP, "/d/e/f": file(mode=0o600)}),
        (DEEP, {path: entry for path, entry in DEEP.items() if path != "/d/e/f"}),
    ],
}
BECAUSE = {
    ("contents", 1): "same-size",
    ("contents", 2): "time-kept",
    ("links", 2): "followed",
    ("links", 3): "followed",
}


def cases(seed: str) -> Iterator[Case]:
    for group, rows in DIRECTED.items():
        for number, (before, after) in enumerate(rows):
            yield Case(group, (before, after), because=BECAUSE.get((group, number), ""))
    dice = random.Random(seed)
    for _ in range(20):
        before = random_tree(dice)
        yield Case("any-change", (before, changed(dice, before)))


def oracle(before, after):
    return found(before, become(after))


def random_tree(dice: random.Random) -> dict:
    tree: dict[str, dict] = {}
    for top in dice.sample(("/a", "/b", "/d", "/e"), dice.randint(1, 3)):
        if top in ("/a", "/b"):
            tree[top] = file(dice.choice(("one\n", "two\n")))
            continue
        tree[top] = directory()
        for name in dice.sample(("x", "y", "ab", "sub"), dice.randint(0, 3)):
            tree[f"{top}/{name}"] = directory() if name == "sub" else file()
            if name == "sub":
                tree[f"{top}/sub/z"] = file()
    return tree


def changed(dice: random.Random, before: dict) -> dict:
    after = dict(before)
    for _ in range(dice.randint(1, 3)):
        path = dice.choice(sorted(after) or ["/n"])
        entry = after.get(path, file())
        is_file = entry["kind"] == "file"
        match dice.choice(("delete", "edit", "mode", "touch", "new")):
            case "delete":
                after = {
                    other: each for other, each in after.items() if not f"{other}/".startswith(f"{path}/")
                }
            case "edit" if is_file:
                after[path] = {
                    **entry,
                    "content": dice.choice(("two\n", "six\n", "longer\n")),
                    "mtime": dice.choice((OLD, NEW)),
                }
            case "mode":
                after[path] = {**entry, "mode": 0o700}
            case "touch":
                after[path] = {**entry, "mtime": NEW}
            case _:
                after[f"{path}/n" if entry["kind"] == "dir" else "/n"] = file("new\n", mtime=NEW)
                after.setdefault(path, file())
    return after
