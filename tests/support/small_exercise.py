"""An exercise of any kind in a temporary folder, as small as one can be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from course.exercise import Exercise
from course.grader.grade import Result, grade_bytes
from course.grader.kind import Conditions
from course.grader.sandbox import best_isolation

TEXT = """title = "{word}"
hints = ["{word} one", "{word} two?", "{word} three"]
question = "{word}: {{classes}}"
[statements]
up = "{word} up"
down = "{word} down"
[reasons]
spelt = "{word} spelt"
"""
GROUP = '[groups.{name}]\ntitle = "{word} {name}"\nmisconception = "{word} not {name}"\n'


def made(
    folder: Path,
    kind: str,
    checks: str,
    groups: str,
    *,
    files: Mapping[str, str] = {},
    mutants: str = "",
    keys: str = "",
) -> Exercise:
    """The exercise 0.1 of ``kind`` in ``folder``. ``groups``: the lines of [groups]; ``files``: the rest."""
    folder.mkdir(exist_ok=True)
    head = f'id = "0.1"\nslug = "small"\nkind = "{kind}"\nmodule = "0"\ngenerator = 1\n{keys}\n'
    write(folder, {"exercise.toml": f"{head}[groups]\n{groups}\n[mutants]\n{mutants}\n", "checks.py": checks})
    names = [line.split("=")[0].strip() for line in groups.splitlines() if "=" in line]
    for language, word in (("en", "word"), ("zh", "文字")):
        sentences = "".join(GROUP.format(name=name, word=word) for name in names)
        write(folder, {f"text.{language}.toml": TEXT.format(word=word) + sentences})
        write(folder, {f"README.{language}.md": f"{word} " * 100})
    write(folder, files)
    return Exercise.read(folder)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by relative path."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def graded(exercise: Exercise, submission: str, *, seed: str = "s") -> Result:
    """The result of a text that is handed in."""
    return grade_bytes(exercise, submission.encode(), seed=seed, conditions=Conditions(best_isolation(), 4.0))


def passed(result: Result) -> dict[str, bool]:
    """Group → whether it passed."""
    return {group.name: group.passed for group in result.groups}
