"""The project's own imports, read from its source: at run time, for types alone, and late ones alike."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("unionfs_sim", "builder", "course")
NOT_OURS = "course/modules"
"""Learners' files and answers: they are data, loaded by the grader."""


@cache
def modules() -> Mapping[str, Path]:
    """Every module and where it is."""
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if relative.as_posix().startswith(NOT_OURS):
                continue
            parts = relative.with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def parsed(module: str) -> ast.Module:
    """The tree of a module."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def named(module: str, node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The dotted names that an import statement of ``module`` may mean, a module or a name in one."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        is_package = modules()[module].name == "__init__.py"
        around = module.split(".")[: None if is_package and node.level == 1 else is_package - node.level]
        base = ".".join([*around, *([base] if base else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)


def as_module(name: str) -> str | None:
    """The module of ours that a dotted name lies in."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name or None


@cache
def imports() -> Mapping[str, frozenset[str]]:
    """For each module the modules that it imports."""
    found = {}
    for module in modules():
        statements = (n for n in ast.walk(parsed(module)) if isinstance(n, ast.Import | ast.ImportFrom))
        meant = {as_module(name) for statement in statements for name in named(module, statement)}
        found[module] = frozenset(name for name in meant if name is not None and name != module)
    return found


def circles(graph: Mapping[str, Iterable[str]]) -> list[frozenset[str]]:
    """The strongly connected components of more than one node (Tarjan's algorithm)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    found: list[frozenset[str]] = []

    def visit(node: str) -> None:
        number[node] = lowest[node] = len(number)
        path.append(node)
        for following in graph[node]:
            if following not in number:
                visit(following)
                lowest[node] = min(lowest[node], lowest[following])
            elif following in path:
                lowest[node] = min(lowest[node], number[following])
        if lowest[node] == number[node]:
            at = path.index(node)
            component = frozenset(path[at:])
            del path[at:]
            if len(component) > 1:
                found.append(component)

    for node in graph:
        if node not in number:
            visit(node)
    return found
