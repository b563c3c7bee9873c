"""The lines of a makefile: continued ones joined, comments taken off, cut at a sign."""

from __future__ import annotations

from collections.abc import Iterator


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; continued ones are joined (a recipe keeps its newlines)."""
    lines = text.replace("\r\n", "\n").split("\n")
    index = 0
    while index < len(lines):
        number, line = index + 1, lines[index]
        is_recipe = line.startswith("\t")
        while _continues(line) and index + 1 < len(lines):
            index += 1
            following = lines[index]
            if is_recipe:
                line += "\n" + following.removeprefix("\t")
            else:
                line = line[:-1].rstrip() + " " + following.lstrip()
        index += 1
        yield number, line


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def without_comment(line: str) -> str:
    """``line`` up to a ``#`` that no backslash protects."""
    index = line.find("#")
    while index > 0 and line[index - 1] == "\\":
        line = line[: index - 1] + line[index:]
        index = line.find("#", index)
    return line if index < 0 else line[:index]


def split_outside(text: str, sign: str) -> tuple[str, str, str]:
    """``text`` cut at the first ``sign`` outside of variable references."""
    depth = 0
    for index, found in enumerate(text):
        if found in "({":
            depth += 1
        elif found in ")}":
            depth = max(0, depth - 1)
        elif found == sign and depth == 0:
            return text[:index], sign, text[index + 1 :]
    return text, "", ""
