"""Steps of a build as values, and whether the builder finds one in its cache after it built another.

A step has ``parent`` (an image), ``instruction`` (RUN or COPY), ``arguments``, ``variables`` (build arguments
in scope) and ``files`` (what COPY reads: ``path``, ``mode``, ``mtime`` in seconds, ``content``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from course.check import fits
from course.laboratory import Laboratory
from unionfs_sim import File, Layer, layer

PARENTS: Final = ("alpine", "busybox")
FILES, TEXT = 5, 200
"""The most files of a step, and the most characters of a text, that somebody else's step may have."""

_ARGUMENTS: Final = {"COPY": re.compile(r"src/ /[a-z]{1,20}/"), "RUN": re.compile(r"echo [a-z ]{1,40}")}
_FORM: Final[Mapping[str, object]] = {"path": str, "mode": int, "mtime": int, "content": str}


def share_a_layer(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether the builder takes the layer of ``one`` for ``other``, once it built the first."""
    return _found(json.dumps(one, sort_keys=True), json.dumps(other, sort_keys=True))


@cache
def _found(one: str, other: str) -> bool:
    laboratory = Laboratory()
    built = [laboratory.build(_dockerfile(step), _context(step)) for step in map(json.loads, (one, other))]
    return built[1].cached()[-1]


def _dockerfile(step: Mapping[str, Any]) -> str:
    """A step as the last line of a Dockerfile, with what it stands on and what it may see."""
    arguments = (f'ARG {name}="{value}"' for name, value in step["variables"].items())
    return "\n".join([f"FROM {step['parent']}", *arguments, f"{step['instruction']} {step['arguments']}\n"])


def _context(step: Mapping[str, Any]) -> Layer:
    return layer(
        {
            f"/{file['path']}": File(file["content"], mode=file["mode"], mtime_ns=file["mtime"] * 10**9)
            for file in step["files"]
        }
    )


def is_step(step: object) -> bool:
    """Whether a value that somebody else wrote is a step that the builder may be asked about."""
    if not isinstance(step, dict):
        return False
    if step.keys() != {"parent", "instruction", "arguments", "variables", "files"}:
        return False
    instruction, arguments, files = step["instruction"], step["arguments"], step["files"]
    if step["parent"] not in PARENTS or instruction not in _ARGUMENTS or not isinstance(arguments, str):
        return False
    if not _ARGUMENTS[instruction].fullmatch(arguments) or not _are_variables(step["variables"]):
        return False
    if not isinstance(files, list) or len(files) > FILES or bool(files) != (instruction == "COPY"):
        return False
    return all(_is_file(file) for file in files) and len({file["path"] for file in files}) == len(files)


def _are_variables(variables: object) -> bool:
    return fits(variables, dict[str, str]) and all(
        re.fullmatch(r"[A-Z]{1,8}", name) and re.fullmatch(r"[A-Za-z0-9.=]{0,20}", value)
        for name, value in variables.items()  # type: ignore[attr-defined]  # a dict: fits() says so
    )


def _is_file(file: object) -> bool:
    if not isinstance(file, dict) or file.keys() != _FORM.keys():
        return False
    if not all(fits(file[key], form) for key, form in _FORM.items()):
        return False
    return (
        re.fullmatch(r"src/[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", file["path"]) is not None
        and 0 <= file["mode"] <= 0o777
        and 0 <= file["mtime"] < 1 << 31
        and len(file["content"]) <= TEXT
    )
