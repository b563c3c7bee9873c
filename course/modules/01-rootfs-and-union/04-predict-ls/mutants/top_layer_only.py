"""Believes that the last layer is the image."""

from course.problems.listing import visible
from course.problems.stacks import fresh


def answer(question, right):
    top = question.given["lowers"][-1:]
    if question.group == "names":
        return visible(fresh(top))
    return (
        len([path for path in visible(fresh(top)) if path.count("/") == 2])
        if question.group == "hidden"
        else right
    )
