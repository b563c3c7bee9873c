"""patch: unified differences, applied to files.

As in busybox, the lines of a hunk must be there exactly, though they may have moved; there is no fuzz.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.files.names import make_directories
from builder.world.utilities.replacing import replace_file
from builder.world.utilities.streams import (
    CANNOT_OPEN,
    Output,
    contents,
    octets,
    open_input,
    reason,
    words,
)

_USAGE: Final = "[-RNE] [-p N] [-i DIFF] [ORIGFILE [PATCHFILE]]"
_HUNK: Final = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


@dataclass(slots=True)
class Hunk:
    """One run of changes: its lines with their signs, and where the old ones are expected (from 1)."""

    start: int
    lines: list[bytes] = field(default_factory=list)

    def old(self) -> list[bytes]:
        """The lines that must be there."""
        return [line[1:] for line in self.lines if line[:1] in (b" ", b"-")]

    def new(self) -> list[bytes]:
        """The lines that take their place."""
        return [line[1:] for line in self.lines if line[:1] in (b" ", b"+")]


@dataclass(slots=True)
class FilePatch:
    """What changes in one file."""

    old_name: str
    new_name: str
    hunks: list[Hunk] = field(default_factory=list)


def _name(line: bytes) -> str:
    return words(line[4:].split(b"\t")[0].rstrip(b"\r\n"))


def read_patches(text: bytes, *, reverse: bool) -> Iterator[FilePatch]:
    """The patches in a text; whatever else is in it is passed over. Raises UsageError."""
    rows = text.splitlines(keepends=True)
    at = 0
    while at < len(rows):
        if not (rows[at].startswith(b"--- ") and at + 1 < len(rows) and rows[at + 1].startswith(b"+++ ")):
            at += 1
            continue
        names = [_name(rows[at]), _name(rows[at + 1])]
        patch = FilePatch(*(reversed(names) if reverse else names))
        at += 2
        while at < len(rows) and (match := _HUNK.match(rows[at])):
            hunk, at = _read_hunk(rows, at + 1, match, reverse=reverse)
            patch.hunks.append(hunk)
        yield patch


def _read_hunk(rows: list[bytes], at: int, match: re.Match[bytes], *, reverse: bool) -> tuple[Hunk, int]:
    counts = [int(match[2] or b"1"), int(match[4] or b"1")]
    hunk = Hunk(int(match[3] if reverse else match[1]))
    while at < len(rows) and (counts[0] > 0 or counts[1] > 0 or rows[at].startswith(b"\\")):
        row = rows[at]
        sign = row[:1] if row.strip(b"\n") else b" "
        if sign == b"\\":
            # "No newline at end of file" is about the line before.
            hunk.lines[-1] = hunk.lines[-1].rstrip(b"\n")
        elif sign in (b" ", b"-", b"+"):
            counts[0] -= sign != b"+"
            counts[1] -= sign != b"-"
            flipped = {b"-": b"+", b"+": b"-"}.get(sign, sign) if reverse else sign
            hunk.lines.append(flipped + (row[1:] if row.strip(b"\n") else row))
        else:
            raise UsageError(f"malformed patch at line {at + 1}")
        at += 1
    if counts[0] > 0 or counts[1] > 0:
        raise UsageError("the patch ends in the middle of a hunk")
    return hunk, at


def place(lines: list[bytes], hunk: Hunk, first: int, shift: int) -> int | None:
    """Where the hunk's old lines are, nearest to where they are expected, but not before ``first``."""
    old = hunk.old()
    if not old:
        return min(max(first, hunk.start + shift), len(lines))
    expected = hunk.start - 1 + shift
    candidates = range(first, len(lines) - len(old) + 1)
    for at in sorted(candidates, key=lambda candidate: abs(candidate - expected)):
        if lines[at : at + len(old)] == old:
            return at
    return None


class Patcher:
    """One run of patch."""

    def __init__(self, process: Process, out: Output, options: Options) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.strip = number(options.value("p")) if "p" in options else None
        self.dry = "!" in options

    def _stripped(self, name: str) -> str:
        if self.strip is None:
            return name.rpartition("/")[2]
        for _ in range(self.strip):
            _, slash, rest = name.partition("/")
            if not slash:
                break
            name = rest.lstrip("/")
        return name

    def apply(self, patch: FilePatch, given: str | None) -> None:
        """Apply the changes to one file."""
        fresh = patch.old_name == "/dev/null"
        name = given or self._stripped(patch.new_name if patch.new_name != "/dev/null" else patch.old_name)
        if fresh and given is None:
            self._create(patch, name)
            return
        self.out.print(f"patching file {name}")
        try:
            before = contents(self.process, open_input(self.process, name))
        except OSError as error:
            raise UsageError(f"can't open '{name}': {reason(error)}") from error
        changed = self._changed(before.splitlines(keepends=True), patch)
        if changed is None or self.dry:
            return
        if not changed and ("E" in self.options):
            self.process.fs.unlink(name)
            return
        replace_file(self.process.fs, name, changed, self.process.fs.stat(name))

    def _create(self, patch: FilePatch, name: str) -> None:
        self.out.print(f"creating {name}")
        if self.dry:
            return
        parent = name.rpartition("/")[0]
        try:
            for _ in make_directories(self.process.fs, parent) if parent else ():
                pass
            sink = self.process.fs.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except OSError as error:
            raise UsageError(f"can't open '{name}': {reason(error)}") from error
        sink.write(b"".join(line for hunk in patch.hunks for line in hunk.new()))
        sink.close()

    def _changed(self, lines: list[bytes], patch: FilePatch) -> list[bytes] | None:
        """The file's lines with all hunks applied; None after a complaint."""
        made: list[bytes] = []
        done = shift = 0
        for count, hunk in enumerate(patch.hunks, start=1):
            at = place(lines, hunk, done, shift)
            if at is None:
                self.out.flush()
                self.process.stderr.write(octets(f"Hunk {count} FAILED {hunk.start}/{hunk.start}.\n"))
                self.process.stderr.write(b"".join(hunk.lines))
                self.out.status = 1
                return None
            made += lines[done:at] + hunk.new()
            shift = at - (hunk.start - 1) if hunk.old() else shift
            done = at + len(hunk.old())
        return made + lines[done:]


def patch(process: Process) -> int:
    """Apply unified differences."""
    long = {
        "strip": "p",
        "reverse": "R",
        "input": "i",
        "forward": "N",
        "remove-empty-files": "E",
        "dry-run": "!",
    }
    options = parse(process.argv[1:], "p:i:RNEsuf", long, usage=_USAGE)
    if len(options.operands) > 2:
        raise UsageError("", _USAGE)
    given = options.operands[0] if options.operands else None
    name = options.operands[1] if len(options.operands) > 1 else options.value("i", "-")
    try:
        text = contents(process, open_input(process, name))
    except OSError as error:
        raise UsageError(f"{CANNOT_OPEN.format(name)}: {reason(error)}") from error
    with Output(process) as out:
        patcher = Patcher(process, out, options)
        for changes in read_patches(text, reverse="R" in options):
            patcher.apply(changes, given)
    return out.status
