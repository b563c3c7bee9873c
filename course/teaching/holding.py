"""What will hold a class's submissions on this machine, decided once for all of them."""

from __future__ import annotations

from builder.errors import BuildError
from course.exercise import Exercise
from course.grader.kind import Isolation


def holding(exercise: Exercise, *, is_unsafe: bool, is_in_container: bool = False) -> Isolation:
    """What will hold submissions here; a BuildError where nothing does and nobody said that this is known."""
    if exercise.kind != "function":
        return Isolation.NO_CODE
    from course.grader.sandbox import best_isolation, why_not

    best = best_isolation()
    if best is not Isolation.NONE:
        return best
    if is_in_container:
        return Isolation.CONTAINER
    if is_unsafe:
        return Isolation.NONE
    reasons = "; ".join(
        f"{each.value}: {why_not(each)}" for each in (Isolation.BUBBLEWRAP, Isolation.LANDLOCK)
    )
    raise BuildError(
        f"nothing here can hold what learners wrote ({reasons})",
        fix="install bubblewrap, or say --unsafe: their code can then read your files and end the grader",
    )
