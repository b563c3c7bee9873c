"""Looks for the first line that says something about the file."""

import re


def ignored(text, path):
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return next((not line.startswith("!") for line in lines if says(line.lstrip("! "), path)), False)


def says(pattern, path):
    regex = re.escape(pattern.strip("/"))
    for sign, meaning in ((r"\*\*/", "(.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        regex = regex.replace(sign, meaning)
    return re.fullmatch(f"{regex}(/.*)?", path) is not None
