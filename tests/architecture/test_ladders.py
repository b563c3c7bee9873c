"""No class is a ladder: its bases lie in at most two files beside its own.

A class cut into bases so that each file is short can only be read by reading all of them; functions on a
state, bound in the class body, need one.
"""

from __future__ import annotations

import ast
from functools import cache

from imports import modules, named, parsed

MOST_FILES = 2


@cache
def classes() -> dict[str, tuple[str, ...]]:
    """For each class, by its full name, the full names of its bases as far as they are ours."""
    written: dict[str, list[str]] = {}
    means: dict[str, dict[str, str]] = {}
    for module in modules():
        names = means[module] = {}
        for node in ast.walk(parsed(module)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias, full in zip(node.names, named(module, node), strict=True):
                    names[alias.asname or alias.name] = full
        for node in parsed(module).body:
            if isinstance(node, ast.ClassDef):
                names[node.name] = f"{module}.{node.name}"
                written[f"{module}.{node.name}"] = [_dotted(base) for base in node.bases]

    def resolved(module: str, name: str) -> str | None:
        head, _, rest = name.partition(".")
        full = means[module].get(head, "") + (f".{rest}" if rest else "")
        seen = set()
        while full not in written and full not in seen:
            seen.add(full)
            place, _, last = full.rpartition(".")
            full = means.get(place, {}).get(last, full)
        return full if full in written else None

    return {
        name: tuple(b for base in bases if (b := resolved(name.rpartition(".")[0], base)) is not None)
        for name, bases in written.items()
    }


def _dotted(node: ast.expr) -> str:
    """The name of a base, without its type arguments."""
    return ast.unparse(node.value if isinstance(node, ast.Subscript) else node)


def files_above(name: str) -> set[str]:
    """The modules other than its own in which the bases of a class lie, and theirs."""
    found: set[str] = set()
    waiting = [*classes()[name]]
    while waiting:
        base = waiting.pop()
        found.add(base.rpartition(".")[0])
        waiting += classes()[base]
    return found - {name.rpartition(".")[0]}


def ladders() -> dict[str, list[str]]:
    """The classes that are ladders, and the files that their bases lie in."""
    above = {name: sorted(files_above(name)) for name in classes()}
    return {name: files for name, files in above.items() if len(files) > MOST_FILES}


def test_no_class_is_a_ladder() -> None:
    assert ladders() == {}


def test_bases_are_found_in_other_files() -> None:
    assert files_above("builder.world.shell.execution.interpreter.Interpreter") == {
        "builder.world.shell.state"
    }
