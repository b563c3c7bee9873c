"""Every case is a Dockerfile and what is read from it; running this file as a script rewrites the results.

tests/real/dockerfile reads the same files with BuildKit's own parser.
"""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path

import pytest

from builder.dockerfile.lint.policy import policy
from builder.dockerfile.syntax.form import Instruction
from builder.dockerfile.syntax.parser import parse
from builder.errors import DockerfileError

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/Dockerfile"))
COMMON = frozenset(field.name for field in dataclasses.fields(Instruction))


def shown(value: object) -> str:
    """A value in one line: only what differs from the default."""
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return f"({', '.join(map(shown, value))})"
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return repr(value)
    fields = [
        (field.name, getattr(value, field.name))
        for field in dataclasses.fields(value)
        if field.name not in COMMON and getattr(value, field.name) != field.default
    ]
    inside = " ".join(f"{name}={shown(each)}" for name, each in fields)
    name = value.name if isinstance(value, Instruction) else type(value).__name__
    return f"{name}({inside})"


def read(case: str) -> str:
    """What the parser says to the case."""
    try:
        dockerfile = parse((HERE / case / "Dockerfile").read_bytes())
        policy(dockerfile)
    except DockerfileError as error:
        return f"{error}\n"
    directives = [f"{each.span.lines}: # {each.name}={each.value!r}\n" for each in dockerfile.directives]
    return "".join(
        [*directives, *(f"{each.span.lines}: {shown(each)}\n" for each in dockerfile.instructions)]
    )


@pytest.mark.parametrize("case", CASES)
def test_a_dockerfile_is_read_as_its_golden_result_says(case: str) -> None:
    assert read(case) == (HERE / case / "result").read_text(encoding="utf-8")


if __name__ == "__main__":
    for each in CASES:
        (HERE / each / "result").write_text(read(each), encoding="utf-8")
