"""pytest: a test file that grades once in a sandbox, and shows each group as a test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from course.exercise import Exercise
from course.teaching.export import Wishes, only
from course.teaching.results import Graded

_HEAD: Final = '''\
"""Exercise {id}: what was handed in is graded once, in a sandbox, and never imported here.

    pytest test_layerlab.py                          # {file} beside this file
    LAYERLAB_SUBMISSION=other/{file} pytest test_layerlab.py
"""

import os
from pathlib import Path

import pytest

from course.teaching.door import Door

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def layerlab() -> Door:
    file = Path(os.environ.get("LAYERLAB_SUBMISSION", HERE / {file!r}))
    return Door.graded({id!r}, file, seed={seed!r}, course={course})
'''
_TEST: Final = """

def test_{name}(layerlab: Door, record_property) -> None:
    layerlab.passes({group!r}, record_property)
"""


class _Pytest:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        from course.exercise import MODULES

        is_ours = exercise.folder.is_relative_to(MODULES)
        course = "None" if is_ours else repr(str(exercise.folder.absolute()))
        head = _HEAD.format(id=exercise.id, file=exercise.file, seed=wishes.seed, course=course)
        tests = (_TEST.format(name=re.sub(r"\W", "_", name), group=name) for name in exercise.groups)
        return {"test_layerlab.py": (head + "".join(tests)).encode()}

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        raise only("pytest", "a package")


platform: Final = _Pytest()
