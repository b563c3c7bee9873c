"""Exercise 4.4K: cases for ignored(text, path); what is true, the project's reader of .dockerignore says."""

from __future__ import annotations

import re

from builder.context.ignore import IgnoreFile
from builder.errors import ContextError

FUNCTION = "ignored"
SPECIMENS = {name: f"{name}.py" for name in ("oak", "ash", "elm", "fir", "yew", "larch")}
SIGNS = 200


def oracle(text, path):
    return IgnoreFile.parse(text).matches(path) is not None


def is_question(*args):
    """Whether the text is a .dockerignore as exercise 4.4 has them, and the path one of a context."""
    if len(args) != 2 or not all(isinstance(each, str) and len(each) <= SIGNS for each in args):
        return False
    text, path = args
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)*", path, re.ASCII) is None or {".", ".."} & set(path.split("/")):
        return False
    if re.search(r"[\[\]\\\x00]", text):
        return False
    try:
        IgnoreFile.parse(text)
    except ContextError:
        return False
    return all("**" not in part or part.lstrip("!") == "**" for part in re.split(r"[/\s]", text))
