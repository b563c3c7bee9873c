"""Sorts the lines into what is out and what is in again."""

import re


def ignored(text, path):
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    out = [line for line in lines if not line.startswith("!")]
    again = [line[1:].strip() for line in lines if line.startswith("!")]
    return any(says(line, path) for line in out) and not any(says(line, path) for line in again)


def says(pattern, path):
    regex = re.escape(pattern.strip("/"))
    for sign, meaning in ((r"\*\*/", "(.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        regex = regex.replace(sign, meaning)
    return re.fullmatch(f"{regex}(/.*)?", path) is not None
