"""The variables ``$(…)`` in a string, as Tekton finds them (its docs/variables.md, pkg/substitution).

Whatever does not begin with a name that Tekton substitutes is no variable: ``$(date)`` is the shell's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

ROOTS: Final = (
    "params",
    "inputs",
    "results",
    "workspaces",
    "context",
    "tasks",
    "finally",
    "steps",
    "step",
    "artifacts",
    "credentials",
)
"""What variables begin with."""

_VARIABLE: Final = re.compile(r"\$\((?P<body>(?P<root>[A-Za-z]+)(?=[.\[])(?P<rest>[^()$\n]*))\)")
_PART: Final = re.compile(
    r"""\.(?P<dotted>[^.\[\]'"]*)|\['(?P<single>[^']*)'\]|\["(?P<double>[^"]*)"\]|\[(?P<index>[0-9]+|\*)\]"""
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One ``$(…)``. ``names``: what follows the root; ``index``: what the last brackets hold, "" for none.

    ``dotted``: no name stands in brackets with quotes. ``alone``: the string is nothing but this variable.
    """

    text: str
    root: str
    names: tuple[str, ...]
    index: str
    dotted: bool
    alone: bool

    @property
    def is_whole(self) -> bool:
        """Whether all of an array or object is meant: ``[*]``."""
        return self.index == "*"


def variables(value: str) -> Iterator[Variable]:
    """The variables in ``value``, in order.

    >>> [v.names for v in variables("$(params.a) $(date) $(params['b.c'][*]) $(tasks.t.results.r[0])")]
    [('a',), ('b.c',), ('t', 'results', 'r')]
    """
    for match in _VARIABLE.finditer(value):
        if match["root"] not in ROOTS:
            continue
        parsed = _parts(match["rest"])
        if parsed is not None:
            names, index, dotted = parsed
            yield Variable(match[0], match["root"], names, index, dotted, match[0] == value)


def misspelt(value: str) -> Iterator[tuple[str, str]]:
    """Variables that begin with nearly the right name, each with the right one.

    >>> list(misspelt("$(param.a) $(workspace.b.path) $(date.sh)"))
    [('$(param.a)', 'params'), ('$(workspace.b.path)', 'workspaces')]
    """
    for match in _VARIABLE.finditer(value):
        right = _NEARLY.get(match["root"])
        if right:
            yield match[0], right


_NEARLY: Final = {
    "param": "params",
    "parameters": "params",
    "parameter": "params",
    "workspace": "workspaces",
    "result": "results",
    "contexts": "context",
    "task": "tasks",
}


def _parts(rest: str) -> tuple[tuple[str, ...], str, bool] | None:
    """The names and the index of ``.a['b'][0]``; None if it is spelt otherwise."""
    names: list[str] = []
    index = ""
    dotted = True
    position = 0
    while position < len(rest):
        match = _PART.match(rest, position)
        if match is None or (index and match["index"]):
            return None
        if match["index"]:
            index = match["index"]
        else:
            if index:
                return None
            name = match["dotted"] if match["dotted"] is not None else match["single"]
            if name is None:
                name = match["double"]
            dotted = dotted and match["dotted"] is not None
            names.append(name)
        position = match.end()
    return tuple(names), index, dotted
