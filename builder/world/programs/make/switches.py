"""The words of a make command line (GNU make manual, "Summary of Options")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

LETTERS: Final[Mapping[str, str]] = {
    "k": "keeps_going", "n": "is_dry", "s": "is_silent", "i": "ignores_errors", "B": "remakes_all",
    "t": "touches",     "q": "asks",
}  # fmt: skip
_LONG: Final[Mapping[str, str]] = {
    "--keep-going": "k", "--dry-run": "n", "--just-print": "n", "--silent": "s", "--quiet": "s",
    "--ignore-errors": "i", "--always-make": "B", "--touch": "t", "--question": "q",
}  # fmt: skip


class UsageError(Exception):
    """A command line that make does not understand."""


@dataclass(slots=True)
class Request:
    """What the words of a command line ask for; ``letters``: the flags, as in MAKEFLAGS."""

    files: list[str] = field(default_factory=list)
    goals: list[str] = field(default_factory=list)
    directories: list[str] = field(default_factory=list)
    values: list[tuple[str, str, str]] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    letters: str = ""
    prints_directory: bool | None = None
    wants_version: bool = False
    knows_rules: bool = True


def inherited(env: Mapping[str, str]) -> list[str]:
    """The words that a make above this one hands down in MAKEFLAGS."""
    flags, _, values = env.get("MAKEFLAGS", "").partition(" -- ")
    words = [f"-{word}" if not word.startswith("-") else word for word in flags.split()]
    return [*words, *(value.replace("\\ ", " ") for value in _split_values(values))]


def _split_values(text: str) -> Iterator[str]:
    held = ""
    for word in text.split(" "):
        if word.endswith("\\"):
            held += word + " "
        elif held or word:
            yield held + word
            held = ""


def _without_jobs(words: list[str]) -> list[str]:
    """``words`` without the number that may stand behind -j: recipes run one after another here."""
    kept: list[str] = []
    for word in words:
        if kept and kept[-1] in ("-j", "--jobs", "-l") and word.replace(".", "").isdigit():
            continue
        kept.append(word)
    return kept


def read_words(words: list[str]) -> Request:
    """What ``words`` (without argv[0]) ask for; UsageError for an option that make does not have."""
    request = Request()
    remaining = iter(_without_jobs(words))
    for word in remaining:
        if word in ("--version", "-v"):
            request.wants_version = True
        elif word in _LONG:
            request.letters += _LONG[word]
        elif word.startswith(("--directory=", "--file=", "--makefile=", "--include-dir=", "--jobs")):
            name, _, value = word.partition("=")
            places = {"--directory": request.directories, "--include-dir": request.includes}
            if name != "--jobs":
                places.get(name, request.files).append(value)
        elif word in ("--print-directory", "--no-print-directory"):
            request.prints_directory = word == "--print-directory"
        elif word == "--no-builtin-rules":
            request.knows_rules = False
        elif word == "--":
            continue
        elif word.startswith("--"):
            raise UsageError(f"unrecognized option '{word}'")
        elif word.startswith("-") and len(word) > 1:
            _letters(request, word[1:], remaining)
        elif "=" in word and not word.startswith("="):
            name, _, value = word.partition("=")
            sign = next((end for end in ("::", ":", "?", "+") if name.endswith(end)), "")
            request.values.append((name.removesuffix(sign), sign + "=", value))
        else:
            request.goals.append(word)
    return request


def _letters(request: Request, letters: str, remaining: Iterator[str]) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in "fCIoW":
            value = letters or next(remaining, "")
            letters = ""
            if not value:
                raise UsageError(f"option requires an argument -- '{letter}'")
            if letter in "fCI":
                {"f": request.files, "C": request.directories, "I": request.includes}[letter].append(value)
        elif letter in "jlO":
            # Recipes run one after another here; how many may run at once changes nothing.
            letters = letters.lstrip("0123456789") if letter != "O" else ""
        elif letter in LETTERS:
            request.letters += letter
        elif letter == "w":
            request.prints_directory = True
        elif letter == "r":
            request.knows_rules = False
        elif letter not in "edbmRS":
            raise UsageError(f"invalid option -- '{letter}'")
