"""No circle of imports: between modules, and between the rooms of one package.

An import counts whether it happens at run time, for types alone, or late in a function: whoever reads one
module of a circle must read them all.
"""

from __future__ import annotations

import posixpath

import pytest
from imports import circles, imports, modules


def around(names: frozenset[str]) -> str:
    """The innermost package that holds all of ``names``."""
    return posixpath.commonpath([name.replace(".", "/") for name in names]).replace("/", ".")


def rooms(package: str) -> dict[str, set[str]]:
    """What each direct child of ``package`` imports of the others, whatever lies deeper in them."""
    depth = package.count(".") + 1

    def child(module: str) -> str | None:
        inside = module.startswith(package + ".")
        return ".".join(module.split(".")[: depth + 1]) if inside else None

    graph: dict[str, set[str]] = {}
    for module, imported in imports().items():
        room = child(module)
        if room is not None:
            others = {child(each) for each in imported} - {None, room}
            graph.setdefault(room, set()).update(each for each in others if each is not None)
    return graph


def test_modules_import_each_other_in_no_circle() -> None:
    found = {around(circle): sorted(circle) for circle in circles(imports())}

    assert found == {}


def test_rooms_import_each_other_in_no_circle() -> None:
    packages = [name for name, path in modules().items() if path.name == "__init__.py"]
    found = {package: [sorted(circle) for circle in circles(rooms(package))] for package in packages}

    assert {place: names for place, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": "b", "b": "c", "c": ""}, []),
        ({"a": "b", "b": "ac", "c": "d", "d": "c"}, [{"a", "b"}, {"c", "d"}]),
        ({"a": "bc", "b": "d", "c": "d", "d": "a"}, [{"a", "b", "c", "d"}]),
    ],
)
def test_circles_are_found(graph: dict[str, str], expected: list[set[str]]) -> None:
    assert sorted(map(sorted, circles(graph))) == sorted(map(sorted, expected))
