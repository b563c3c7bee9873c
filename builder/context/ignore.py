""".dockerignore: which files of a directory are no part of the build context.

The rules are moby's (patternmatcher ``patternmatcher.go`` and ``ignorefile.go``), not those of .gitignore:

- ``#`` is a comment in column 0 only; blanks around a pattern do not count; the path is cleaned, and one
  leading ``/`` dropped.
- A pattern matches a path, or any directory above it; the last rule that matches decides.
- ``*`` and ``?`` stop at ``/``, ``**`` does not, even in the middle of a name. ``[^a]`` negates, ``[!a]``
  means ``!`` or ``a``. Case counts.

>>> rules = IgnoreFile.parse(b"*.log\\n!keep.log\\n")
>>> rules.matches("a.log"), rules.matches("keep.log"), rules.matches("logs/a.log")
(Rule(line=1, pattern='*.log'), None, None)
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Final

from builder.context.wildcard import WildcardError, check_wildcard, translate
from builder.errors import ContextError
from unionfs_sim.nodes.record import Record, field

_BOM: Final = b"\xef\xbb\xbf"
_GO_SPACE: Final = "\t\n\v\f\r \x85\xa0"
MAX_BYTES: Final = 1024 * 1024
MAX_RULES: Final = 10_000
_REMEMBERED: Final = 65_536
_PATH_MAX: Final = 4096


class Rule(Record):
    """One line that says something. ``pattern``: as written; ``exception``: it began with ``!``."""

    line: int
    pattern: str
    exception: bool = field(default=False, repr=False)

    def __str__(self) -> str:
        return f"line {self.line}: {self.pattern}"


class _Matcher(Record):
    """A rule that is ready to be asked. ``exact``: the only path that it names, if it names one."""

    rule: Rule
    cleaned: str
    exact: bool
    matches: Callable[[str], object]


class IgnoreFile:
    """The rules of one file. Paths are relative to the context, with ``/``: ``src/main.c``."""

    def __init__(self, matchers: tuple[_Matcher, ...], name: str) -> None:
        self.name = name
        self._matchers = matchers
        self._exact: dict[str, int] = {}
        for at, matcher in enumerate(matchers):
            if matcher.exact:
                self._exact[matcher.cleaned] = self._exact.get(matcher.cleaned, 0) | 1 << at
        self._patterns = [(1 << at, each.matches) for at, each in enumerate(matchers) if not each.exact]
        self._exceptions = tuple(each for each in matchers if each.rule.exception)
        self._directories: dict[str, int] = {"": 0}

    @classmethod
    def parse(cls, source: bytes | str, name: str = ".dockerignore") -> IgnoreFile:
        """The rules in ``source``; ContextError names the line that is no pattern."""
        if isinstance(source, str):
            source = source.encode("utf-8", "surrogateescape")
        if len(source) > MAX_BYTES:
            raise ContextError(f"more than {MAX_BYTES} bytes", where=name, fix="write fewer, wider patterns")
        matchers: list[_Matcher] = []
        for number, line in enumerate(source.removeprefix(_BOM).split(b"\n"), 1):
            if line.startswith(b"#"):
                continue
            where = f"{name}:{number}"
            if b"\0" in line:
                raise ContextError("a NUL byte", where=where, fix="is this a text file?")
            # File names are bytes: a pattern that is not UTF-8 can match a name that is not.
            written = line.decode("utf-8", "surrogateescape").strip(_GO_SPACE)
            if written:
                matchers.append(_matcher(Rule(number, written, written.startswith("!")), where))
            if len(matchers) > MAX_RULES:
                raise ContextError(
                    f"more than {MAX_RULES} patterns", where=where, fix="write fewer, wider ones"
                )
        return cls(tuple(matchers), name)

    @classmethod
    def of(cls, patterns: Iterable[str], name: str = "--exclude") -> IgnoreFile:
        """The rules of COPY --exclude: no comments, and a leading ``/`` means itself."""
        matchers = []
        for number, pattern in enumerate(patterns, 1):
            written = pattern.strip(_GO_SPACE)
            if written:
                rule = Rule(number, written, written.startswith("!"))
                matchers.append(_compiled(rule, _clean(written), name))
        return cls(tuple(matchers), name)

    @property
    def has_exceptions(self) -> bool:
        """Whether any rule begins with ``!``."""
        return bool(self._exceptions)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in the order of the file."""
        return tuple(each.rule for each in self._matchers)

    def match(self, path: str) -> Rule | None:
        """The last rule that matches ``path`` or a directory above it, be it an exception; else None."""
        bits = self._bits(path.strip("/"))
        return self._matchers[bits.bit_length() - 1].rule if bits else None

    def matches(self, path: str) -> Rule | None:
        """The rule that keeps ``path`` out of the context; None if it is in."""
        rule = self.match(path)
        return None if rule is None or rule.exception else rule

    def excludes_all_below(self, directory: str) -> bool:
        """Whether nothing below ``directory`` can be in the context, so that nobody need look there."""
        if self.matches(directory) is None:
            return False
        above = directory.strip("/") + "/"
        # What stands before the first wildcard must lead into the directory, or come from above it.
        beginnings = (_plain_beginning(each.cleaned) for each in self._exceptions)
        return not any(each.startswith(above) or above.startswith(each) for each in beginnings)

    def _bits(self, path: str) -> int:
        """One bit for each rule that matches ``path`` or a directory above it."""
        if path in ("", "."):
            return 0  # the context itself cannot be excluded
        parent = path.rpartition("/")[0]
        bits = self._directories.get(parent)
        if bits is None:
            bits = self._remember(parent)
        return self._own(path, bits)

    def _own(self, path: str, bits: int) -> int:
        bits |= self._exact.get(path, 0)
        for bit, matches in self._patterns:
            if not bits & bit and matches(path):
                bits |= bit
        return bits

    def _remember(self, directory: str) -> int:
        """The bits of ``directory``, after those of every directory above it, from the top down."""
        bits, at = 0, 0
        while at >= 0:
            at = directory.find("/", at + 1)
            above = directory if at < 0 else directory[:at]
            known = self._directories.get(above)
            bits = self._own(above, bits) if known is None else known
            if len(self._directories) < _REMEMBERED and at < _PATH_MAX:
                self._directories[above] = bits
        return bits


def _matcher(rule: Rule, where: str) -> _Matcher:
    path = rule.pattern.removeprefix("!").strip(_GO_SPACE)
    if path:
        path = _clean(path)
        path = path[1:] if len(path) > 1 and path.startswith("/") else path
    # moby cleans a second time, with the ! in front as part of the first name.
    return _compiled(rule, _clean(f"!{path}" if rule.exception else path), where)


def _compiled(rule: Rule, cleaned: str, where: str) -> _Matcher:
    if rule.exception:
        cleaned = cleaned.removeprefix("!")
        if not cleaned:
            raise ContextError("! without a pattern", where=where, fix="write !name, or remove the line")
    try:
        check_wildcard(cleaned)
        regex = translate(cleaned)
    except WildcardError as error:
        raise ContextError(f"{rule.pattern!r:.200}: {error}", where=where, fix=error.fix) from None
    if regex is None:
        return _Matcher(rule, cleaned, exact=True, matches=cleaned.__eq__)
    return _Matcher(rule, cleaned, exact=False, matches=re.compile(regex).match)


def _clean(path: str) -> str:
    """Go's ``filepath.Clean``; Python's normpath keeps a double slash at the start."""
    cleaned = posixpath.normpath(path)
    return cleaned[1:] if cleaned.startswith("//") else cleaned


def _plain_beginning(pattern: str) -> str:
    found = re.match(r"[^*?\[\\]*", pattern)
    return pattern if found is None or found.end() == len(pattern) else found.group()
