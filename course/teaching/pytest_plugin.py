"""``pytest --layerlab ID FILE``: the groups of an exercise as tests of a file that pytest never imports.

Loaded by every pytest where layerlab is installed, so nothing is imported until it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from course.teaching.door import Door

_TARGET = Path(__file__)
"""What pytest is told to collect in the place of the learner's file, whose folder may have a conftest.py."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the door."""
    group = parser.getgroup("layerlab", "grade a file as an exercise of layerlab")
    group.addoption(
        "--layerlab", nargs=2, metavar=("ID", "FILE"), help="show the groups of ID as tests of FILE"
    )
    group.addoption("--layerlab-seed", default="practice", metavar="SEED", help="chooses the random cases")
    group.addoption("--layerlab-course", metavar="DIR", help="a folder of exercises")
    group.addoption(
        "--layerlab-unsafe", action="store_true", help="grade even where nothing holds a submission"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the groups, and nothing else, if they are asked for."""
    if config.getoption("--layerlab"):
        config.args = [str(_TARGET)]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The groups in the place of this very file."""
    if file_path == _TARGET and parent.config.getoption("--layerlab"):
        return Groups.from_parent(parent, path=file_path, nodeid="layerlab")
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Keep pytest from looking for tests in this file too."""
    if module_path == _TARGET and parent.config.getoption("--layerlab"):
        return Nothing.from_parent(parent, path=module_path)
    return None


class Nothing(pytest.File):
    """A file without tests."""

    def collect(self) -> Iterator[pytest.Item]:
        """None."""
        return iter(())


class Groups(pytest.File):
    """The groups of an exercise."""

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each group; the file is graded before the first."""
        from builder.errors import BuildError
        from course.teaching.door import Door

        exercise_id, file = self.config.getoption("--layerlab")
        try:
            door = Door.graded(
                exercise_id,
                Path(file),
                seed=self.config.getoption("--layerlab-seed"),
                course=self.config.getoption("--layerlab-course"),
                unsafe=self.config.getoption("--layerlab-unsafe"),
            )
        except BuildError as error:
            raise self.CollectError(str(error)) from None
        for name in door.groups:
            yield Group.from_parent(self, name=name, door=door)


class Group(pytest.Item):
    """A group: it passes with all its points."""

    def __init__(self, *, door: Door, **rest: Any) -> None:
        super().__init__(**rest)
        self.door = door

    def runtest(self) -> None:
        """Show what the grader found."""
        self.door.passes(self.name, lambda name, value: self.user_properties.append((name, value)))

    def reportinfo(self) -> tuple[Path, None, str]:
        """What is printed above a failure."""
        return self.path, None, f"{self.config.getoption('--layerlab')[0]}: {self.name}"
