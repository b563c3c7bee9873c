"""diff: what differs between files and between trees, in the unified format."""

from __future__ import annotations

import difflib
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.filenames import base_name
from builder.world.utilities.streams import Output, contents, octets, open_input, reason
from builder.world.utilities.walks import joined

_USAGE: Final = "[-abBdiNqrTstw] [-L LABEL] [-S FILE] [-U LINES] FILE1 FILE2"
_TABLE_LIMIT: Final = 4_000_000
"""Cells of the table of longest common subsequences; larger files are compared by difflib instead."""

Change = tuple[int, int, int, int]


def changes(old: Sequence[bytes], new: Sequence[bytes]) -> list[Change]:
    """The runs that differ: ``(old start, old end, new start, new end)``; as few lines as possible.

    >>> changes([b"a", b"b"], [b"a", b"c"])
    [(1, 2, 1, 2)]
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    a, b = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(a) * len(b) > _TABLE_LIMIT:
        codes = difflib.SequenceMatcher(None, list(a), list(b), autojunk=False).get_opcodes()
        return [(head + i, head + j, head + k, head + m) for tag, i, j, k, m in codes if tag != "equal"]
    return [(head + i, head + j, head + k, head + m) for i, j, k, m in _by_table(a, b)]


def _by_table(a: Sequence[bytes], b: Sequence[bytes]) -> list[Change]:
    longest = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        row, below = longest[i], longest[i + 1]
        for j in range(len(b) - 1, -1, -1):
            row[j] = below[j + 1] + 1 if a[i] == b[j] else max(below[j], row[j + 1])
    found: list[Change] = []
    i = j = 0
    while i < len(a) or j < len(b):
        start_i, start_j = i, j
        while (i < len(a) or j < len(b)) and not (i < len(a) and j < len(b) and a[i] == b[j]):
            if j >= len(b) or (i < len(a) and longest[i + 1][j] >= longest[i][j + 1]):
                i += 1
            else:
                j += 1
        if (start_i, start_j) != (i, j):
            found.append((start_i, i, start_j, j))
        while i < len(a) and j < len(b) and a[i] == b[j]:
            i, j = i + 1, j + 1
    return found


@dataclass(frozen=True, slots=True)
class _Side:
    label: str
    lines: list[bytes]


class Comparison:
    """One run of diff."""

    def __init__(self, process: Process, out: Output, options: Options) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.context = number(options.value("U")) if "U" in options else 3
        self.labels = options.values("L")
        self.status = 0

    def content(self, name: str) -> bytes | None:
        """The content of a file (empty if -N allows that it is missing); None after a complaint."""
        try:
            return contents(self.process, open_input(self.process, name))
        except FileNotFoundError as error:
            if "N" in self.options:
                return b""
            self._failed(name, error)
        except OSError as error:
            self._failed(name, error)
        return None

    def _failed(self, name: str, error: OSError) -> None:
        self.out.complain(f"can't stat '{name}': {reason(error)}")
        self.status = 2

    def files(self, first: str, second: str, *, absent: str = "") -> None:
        """Print how two files differ; ``absent`` is the name of the one that is not there, of a tree."""
        old, new = self.content(first), self.content(second)
        if old is None or new is None:
            return
        if old == new or self._key(old) == self._key(new):
            if "s" in self.options:
                self.out.print(f"Files {first} and {second} are identical")
            return
        self.status = max(self.status, 1)
        if "q" in self.options or ("a" not in self.options and (b"\0" in old or b"\0" in new)):
            self.out.print(f"Files {first} and {second} differ")
            return
        names = ["/dev/null" if path == absent else path for path in (first, second)]
        labels = [*self.labels, *(names[len(self.labels) :])]
        self.unified(_Side(labels[0], _lines(old)), _Side(labels[1], _lines(new)))

    def _key(self, content: bytes) -> list[bytes]:
        return [self._compared(line) for line in _lines(content)]

    def _compared(self, line: bytes) -> bytes:
        if "i" in self.options:
            line = line.lower()
        if "w" in self.options:
            return re.sub(rb"\s+", b"", line)
        if "b" in self.options:
            return re.sub(rb"\s+", b" ", line.rstrip())
        return line

    def unified(self, old: _Side, new: _Side) -> None:
        """Print the differences with context."""
        found = changes(
            [self._compared(line) for line in old.lines], [self._compared(line) for line in new.lines]
        )
        if "B" in self.options:
            changed = [line for i, j, k, m in found for line in (*old.lines[i:j], *new.lines[k:m])]
            found = found if any(line.strip(b"\n") for line in changed) else []
        if not found:
            return
        self.out.write(octets(f"--- {old.label}\n+++ {new.label}\n"))
        group: list[Change] = []
        for change in found:
            if group and change[0] - group[-1][1] > 2 * self.context:
                self._hunk(old.lines, new.lines, group)
                group = []
            group.append(change)
        self._hunk(old.lines, new.lines, group)

    def _hunk(self, old: list[bytes], new: list[bytes], group: list[Change]) -> None:
        before = min(self.context, group[0][0])
        start_old, start_new = group[0][0] - before, group[0][2] - before
        end_old = min(len(old), group[-1][1] + self.context)
        end_new = min(len(new), group[-1][3] + self.context)
        spans = f"-{_span(start_old, end_old)} +{_span(start_new, end_new)}"
        self.out.print(f"@@ {spans} @@")
        at = start_old
        for first, last, new_first, new_last in group:
            self._print(b" ", old[at:first])
            self._print(b"-", old[first:last])
            self._print(b"+", new[new_first:new_last])
            at = last
        self._print(b" ", old[at:end_old])

    def _print(self, sign: bytes, lines: list[bytes]) -> None:
        if "T" in self.options and sign:
            sign += b"\t"
        for line in lines:
            shown = line.expandtabs() if "t" in self.options else line
            self.out.write(sign + shown)
            if not line.endswith(b"\n"):
                self.out.write(b"\n\\ No newline at end of file\n")

    def directories(self, first: str, second: str) -> None:
        """Print how two directories differ."""
        fs = self.process.fs
        if fs.exists(first) and fs.exists(second) and fs.stat(first)[1:3] == fs.stat(second)[1:3]:
            return
        sides = [set(fs.listdir(path)) if fs.exists(path) else set() for path in (first, second)]
        for name in sorted(sides[0] | sides[1]):
            if name < self.options.value("S"):
                continue
            paths = joined(first, name), joined(second, name)
            here = [name in side for side in sides]
            if not all(here) and "N" not in self.options:
                self.out.print(f"Only in {(first, second)[here[1]]}: {name}")
                self.status = max(self.status, 1)
                continue
            kinds = [_is_directory(self.process, path) for path in paths]
            if any(kinds):
                if kinds[0] != kinds[1] and all(here):
                    words = ["directory" if kind else "regular file" for kind in kinds]
                    self.out.print(f"File {paths[0]} is a {words[0]} while file {paths[1]} is a {words[1]}")
                    self.status = max(self.status, 1)
                elif "r" in self.options:
                    self.directories(*paths)
                elif all(here):
                    self.out.print(f"Common subdirectories: {paths[0]} and {paths[1]}")
                continue
            self.files(*paths, absent="" if all(here) else paths[here[0]])


def _lines(content: bytes) -> list[bytes]:
    return (
        content.splitlines(keepends=True)
        if b"\r" not in content
        else re.findall(rb"[^\n]*\n|[^\n]+", content)
    )


def _span(start: int, end: int) -> str:
    if end - start == 1:
        return f"{end}"
    return f"{start + 1 if end > start else start},{end - start}"


def _is_directory(process: Process, path: str) -> bool:
    try:
        return path != "-" and stat.S_ISDIR(process.fs.stat(path).st_mode)
    except OSError:
        return False


def diff(process: Process) -> int:
    """0 if there is no difference, 1 if there is, 2 after an error."""
    long = {"unified": "u", "recursive": "r", "brief": "q", "new-file": "N", "text": "a", "label": "L"}
    long |= {
        "ignore-case": "i",
        "ignore-all-space": "w",
        "ignore-space-change": "b",
        "ignore-blank-lines": "B",
    }
    options = parse(process.argv[1:], "abdiL:NqrsS:tTU:wupB", long, usage=_USAGE)
    if len(options.operands) != 2:
        raise UsageError("", _USAGE)
    first, second = options.operands
    with Output(process) as out:
        comparison = Comparison(process, out, options)
        kinds = _is_directory(process, first), _is_directory(process, second)
        if all(kinds):
            comparison.directories(first, second)
        else:
            if kinds[0]:
                first = joined(first, base_name(second))
            elif kinds[1]:
                second = joined(second, base_name(first))
            if any(kinds) and not process.fs.exists(first if kinds[0] else second):
                raise UsageError(f"can't stat '{first if kinds[0] else second}': No such file or directory")
            comparison.files(first, second)
    return comparison.status
