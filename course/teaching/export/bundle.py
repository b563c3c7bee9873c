"""layerlab and one exercise as files, to be graded with where nothing is installed but Python."""

from __future__ import annotations

import importlib.metadata
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from course.exercise import MODULES, Exercise

_PACKAGES: Final = ("unionfs_sim", "builder", "course")
_ROOT: Final = Path(__file__).resolve().parents[3]


def bundle(exercise: Exercise, seed: str, platform: str, instead: str) -> dict[str, bytes]:
    """``layerlab/``, ``exercise/``, ``requirements.txt`` and ``grade.sh SUBMISSION OUT``.

    ``instead``: what OUT says if nothing was handed in that can be graded.
    """
    version = importlib.metadata.version("layerlab")
    metadata = f"Metadata-Version: 2.1\nName: layerlab\nVersion: {version}\n"
    return {
        **{f"layerlab/{name}": path.read_bytes() for name, path in _own_files()},
        f"layerlab/layerlab-{version}.dist-info/METADATA": metadata.encode(),
        **{f"exercise/{name}": path.read_bytes() for name, path in shown_files(exercise)},
        "requirements.txt": "".join(f"{each}\n" for each in _requirements()).encode(),
        "grade.sh": _script(exercise, seed, platform, instead).encode(),
    }


def shown_files(exercise: Exercise) -> Iterator[tuple[str, Path]]:
    """The files of an exercise but its reference and its mutants, by name."""
    for path in sorted(exercise.folder.rglob("*")):
        parts = path.relative_to(exercise.folder).parts
        is_answer = "mutants" in parts or path.name.startswith("reference.")
        if path.is_file() and not is_answer and "__pycache__" not in parts:
            yield "/".join(parts), path


def _own_files() -> Iterator[tuple[str, Path]]:
    for package in _PACKAGES:
        for path in sorted((_ROOT / package).rglob("*")):
            parts = path.relative_to(_ROOT).parts
            if path.is_file() and "__pycache__" not in parts and not path.is_relative_to(MODULES):
                yield "/".join(parts), path


def _requirements() -> list[str]:
    """What layerlab needs, without its extras."""
    found = importlib.metadata.requires("layerlab") or []
    return sorted(each for each in found if not re.search(r"\bextra\s*==", each))


def _script(exercise: Exercise, seed: str, platform: str, instead: str) -> str:
    check = [exercise.id, "--seed", seed, "--container", "--patience", "4"]
    return f"""#!/bin/sh
# grade.sh SUBMISSION OUT: grade what lies in the folder SUBMISSION and write what {platform} reads to OUT
mkdir -p "$(dirname "$2")"
here=$(cd "$(dirname "$0")" && pwd)
submission=$(cd "$1" && pwd)
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
printf '"%s",submission\\n' "$submission" > list.csv
PYTHONPATH="$here/layerlab${{PYTHONPATH:+:$PYTHONPATH}}"
LAYERLAB_HOME="$work/state"
export PYTHONPATH LAYERLAB_HOME
# -P: nothing is imported from where the submission lies.
layerlab() {{ python3 -P -m course learn "$@" --course "$here/exercise"; }}
layerlab grade {shlex.join(check[:1])} list.csv -o results {shlex.join(check[1:])}
test -d results && layerlab export results --to {platform} -o "$out" ||
    printf '%s\\n' {shlex.quote(instead)} > "$out"
"""
