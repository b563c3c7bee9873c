"""Exercise 1.3K: cases for resolve(path, layers); what is true, the union says."""

from __future__ import annotations

from course.problems.tars import answered_by

FUNCTION = "resolve"
SPECIMENS = {
    "ochre": "ochre.py",
    "teal": "teal.py",
    "plum": "plum.py",
    "amber": "amber.py",
    "slate": "slate.py",
    "coral": "coral.py",
}
LAYERS, NAMES = 6, 30


def oracle(path, layers):
    return answered_by(path, layers)


def is_question(path, layers):
    """Whether a tar may hold these names: every entry lies in a directory of its own layer, and stands there once."""
    if not isinstance(path, str) or not isinstance(layers, list) or not 0 < len(layers) <= LAYERS:
        return False
    if not is_name(path) or path.endswith("/"):
        return False
    return all(isinstance(names, list) and is_layer(names) for names in layers)


def is_layer(names):
    if len(names) > NAMES or not all(isinstance(name, str) and is_name(name) for name in names):
        return False
    plain = [name.rstrip("/") for name in names]
    parents = {name.rpartition("/")[0] + "/" for name in plain if "/" in name}
    return len(set(plain)) == len(plain) and parents <= set(names) and ".wh..wh..opq" not in names


def is_name(name):
    parts = name.removesuffix("/").split("/")
    return len(name) <= 60 and all(part not in ("", ".", "..") for part in parts)
