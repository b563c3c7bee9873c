"""grep, egrep and fgrep: lines that match."""

from __future__ import annotations

import collections
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.matching.regex import Pattern, RegexError, compiled
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import Output, contents, octets, open_input, reason, text_lines, words
from builder.world.utilities.walks import Follow, walk

_USAGE: Final = "[-HhnlLoqvsrRiwFEz] [-m N] [-A|B|C N] { PATTERN | -e PATTERN... | -f FILE... } [FILE]..."
_LONG: Final = {
    "with-filename": "H",
    "no-filename": "h",
    "line-number": "n",
    "files-with-matches": "l",
    "files-without-match": "L",
    "only-matching": "o",
    "quiet": "q",
    "silent": "q",
    "invert-match": "v",
    "no-messages": "s",
    "recursive": "r",
    "ignore-case": "i",
    "word-regexp": "w",
    "line-regexp": "x",
    "fixed-strings": "F",
    "extended-regexp": "E",
    "basic-regexp": "G",
    "count": "c",
    "null-data": "z",
    "max-count": "m",
    "after-context": "A",
    "before-context": "B",
    "context": "C",
    "regexp": "e",
    "file": "f",
}
_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a line must contain: any of the patterns, as a word with -w, as the whole line with -x."""

    patterns: tuple[Pattern, ...]
    word: bool
    whole: bool

    def find(self, line: bytes, start: int = 0) -> Span | None:
        """Where the leftmost (then longest) match at or after ``start`` is, or None."""
        best: Span | None = None
        for pattern in self.patterns:
            span = self._find(pattern, line, start)
            if span is not None and (best is None or (span[0], -span[1]) < (best[0], -best[1])):
                best = span
        return best

    def matches(self, line: bytes) -> bool:
        """Whether the line matches at all."""
        if not self.word and not self.whole:
            return any(pattern.matches(line) for pattern in self.patterns)
        return self.find(line) is not None

    def _find(self, pattern: Pattern, line: bytes, start: int) -> Span | None:
        if self.whole:
            full = pattern.fullmatch(line)
            return full.span() if full is not None and start == 0 else None
        while start <= len(line):
            match = pattern.search(line, start)
            if match is None:
                return None
            begin, end = match.span()
            if not self.word or _is_word(line, begin, end):
                return begin, end
            start = begin + 1
        return None


def _is_word(line: bytes, begin: int, end: int) -> bool:
    before = begin > 0 and line[begin - 1] in _WORD
    after = end < len(line) and line[end] in _WORD
    return not before and not after


def _matcher(process: Process, options: Options, texts: list[str]) -> Matcher:
    extended = options.last(
        "EFG", "E" if process.name == "egrep" else "F" if process.name == "fgrep" else "G"
    )
    patterns: list[Pattern] = []
    for text in texts:
        for part in octets(text).split(b"\n"):
            try:
                source = re.sub(rb"([\\.*\[\]^$])", rb"\\\1", part) if extended == "F" else part
                patterns.append(
                    compiled(
                        source,
                        extended=extended == "E",
                        ignore_case="i" in options,
                        check=process.machine.check,
                    )
                )
            except RegexError as error:
                raise UsageError(f"bad regex '{text}'", status=2) from error
    return Matcher(tuple(patterns), "w" in options, "x" in options)


class _Search:
    """One run: options, what is printed before a line, and whether anything matched."""

    def __init__(
        self, process: Process, out: Output, options: Options, matcher: Matcher, *, names: bool
    ) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.matcher = matcher
        self.names = names
        self.end = b"\0" if "z" in options else b"\n"
        self.limit = number(options.value("m"), status=2) if "m" in options else None
        around = options.value("C", "0")
        self.after = number(options.value("A", around), status=2)
        self.before = number(options.value("B", around), status=2)
        self.matched = False
        self.listed = False
        self.separated = False

    def prefix(self, name: str, count: int, sign: str) -> bytes:
        shown = f"{name}{sign}" if self.names else ""
        return octets(shown + (f"{count}{sign}" if "n" in self.options else ""))

    def file(self, name: str, stream: Stream) -> bool:
        """Search one file; True if nothing more needs to be searched (-q)."""
        found = self._lines("(standard input)" if name == "-" else name, stream)
        title = "(standard input)" if name == "-" else name
        self.matched = self.matched or found > 0
        if "q" in self.options:
            return self.matched
        if "l" in self.options or "L" in self.options:
            if ("l" in self.options) == (found > 0):
                self.out.print(title)
                self.listed = True
        elif "c" in self.options:
            self.out.write(octets(f"{title}:" if self.names else "") + b"%d\n" % found)
        return False

    def _lines(self, name: str, stream: Stream) -> int:
        found, tail, last = 0, 0, 0
        context: collections.deque[tuple[int, bytes]] = collections.deque(maxlen=self.before)
        silent = any(letter in self.options for letter in "qlLc")
        if self.limit == 0:
            return 0
        for count, line in enumerate(text_lines(self.out.process, stream, self.end), start=1):
            if self.matcher.matches(line) == ("v" in self.options):
                if tail > 0 and not silent:
                    self.out.write(self.prefix(name, count, "-") + line + self.end)
                    last = count
                else:
                    context.append((count, line))
                tail -= 1
                if tail <= 0 and found and self.limit is not None and found >= self.limit:
                    break
                continue
            if self.limit is not None and found >= self.limit:
                break
            found += 1
            if silent:
                if "c" not in self.options:
                    break
            else:
                first = context[0][0] if context else count
                self._separate(last, first)
                for earlier, text in context:
                    self.out.write(self.prefix(name, earlier, "-") + text + self.end)
                self._print(name, count, line)
                last = count
            context.clear()
            tail = self.after
            if self.limit is not None and found >= self.limit and not tail:
                break
        return found

    def _separate(self, last: int, first: int) -> None:
        if (self.before or self.after) and (self.separated and (last == 0 or first > last + 1)):
            self.out.write(b"--" + self.end)
        self.separated = True

    def _print(self, name: str, count: int, line: bytes) -> None:
        prefix = self.prefix(name, count, ":")
        if "o" not in self.options:
            self.out.write(prefix + line + self.end)
            return
        if "v" in self.options:
            return
        at = 0
        while at <= len(line) and (span := self.matcher.find(line, at)) is not None:
            if span[1] > span[0]:
                self.out.write(prefix + line[span[0] : span[1]] + self.end)
            at = max(span[1], span[0] + 1)


def _files(
    process: Process, options: Options, names: list[str], fail: Callable[[str, OSError], None]
) -> Iterator[str]:
    """The files to search: the operands, or what is below them."""
    if "r" not in options and "R" not in options:
        yield from names
        return
    follow = Follow.ALL if "R" in options else Follow.OPERANDS
    for name in names:
        if name == "-":
            yield name
            continue
        for found in walk(process.fs, name, follow):
            if found.error is not None:
                fail(found.path, found.error)
            elif found.status is not None and stat.S_ISREG(found.status.st_mode):
                yield found.path


def _is_directory(process: Process, path: str) -> bool:
    try:
        return stat.S_ISDIR(process.fs.stat(path).st_mode)
    except OSError:
        return False


def grep(process: Process) -> int:
    """Print the lines that match; 0 if any did, 1 if none did, 2 after an error."""
    options = parse(process.argv[1:], "HhnlLoqvsrRiwxFEGczm:A:B:C:e:f:", _LONG, usage=_USAGE, status=2)
    operands = list(options.operands)
    texts = options.values("e")
    for name in options.values("f"):
        try:
            lines = words(contents(process, open_input(process, name)))
        except OSError as error:
            raise UsageError(f"{name}: {reason(error)}", status=2) from error
        texts.extend(lines.removesuffix("\n").split("\n") if lines else [])
    if "e" not in options and "f" not in options:
        if not operands:
            raise UsageError("", _USAGE, status=2)
        texts = [operands.pop(0)]
    recursive = "r" in options or "R" in options
    names = operands or (["."] if recursive else ["-"])
    below = recursive and any(_is_directory(process, name) for name in names)
    choice = options.last("Hh", "H" if len(names) > 1 or below else "h")
    errors = False

    with Output(process) as out:

        def fail(path: str, error: OSError) -> None:
            nonlocal errors
            errors = True
            if "s" not in options:
                out.failed(path, error)

        search = _Search(process, out, options, _matcher(process, options, texts), names=choice == "H")
        for path in _files(process, options, names, fail):
            try:
                stream = open_input(process, path)
            except IsADirectoryError:
                continue  # busybox reads nothing from it, and says nothing
            except OSError as error:
                fail(path, error)
                continue
            shown = path.removeprefix("./") if recursive and not operands else path
            if search.file(shown, stream):
                return 0
    if errors:
        return 2
    return 0 if (search.listed if "L" in options else search.matched) else 1


egrep = fgrep = grep
