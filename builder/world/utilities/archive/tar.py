"""tar: archives made, listed and extracted, with busybox's rules for hostile ones."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.matching.pattern import matches
from builder.world.utilities.archive.codec import CodecError, Compressed, Decompressed, peeked
from builder.world.utilities.archive.create import Creator, directory_of, exclusions
from builder.world.utilities.archive.extract import Extractor
from builder.world.utilities.archive.tarformat import BLOCK, Member, MemberReader, TarError
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.dates import formatted
from builder.world.utilities.streams import Output, contents, create, open_input, reason, words

_USAGE: Final = "c|x|t [-ZzJjahmvokO] [-f TARFILE] [-C DIR] [FILE]..."
_LONG: Final = {
    "create": "c",
    "extract": "x",
    "get": "x",
    "list": "t",
    "file": "f",
    "directory": "C",
    "verbose": "v",
    "gzip": "z",
    "gunzip": "z",
    "bzip2": "j",
    "xz": "J",
    "lzma": "Y",
    "auto-compress": "a",
    "dereference": "h",
    "to-stdout": "O",
    "touch": "m",
    "no-same-owner": "o",
    "same-owner": "u",
    "keep-old-files": "k",
    "same-permissions": "p",
    "preserve-permissions": "p",
    "no-same-permissions": "w",
    "overwrite": "W",
    "strip-components": "1:",
    "exclude": "2:",
    "no-recursion": "3",
    "numeric-owner": "4",
    "files-from": "T",
    "exclude-from": "X",
}
_SUFFIXES: Final = {
    ".gz": "gzip",
    ".tgz": "gzip",
    ".bz2": "bzip2",
    ".tbz": "bzip2",
    ".xz": "xz",
    ".txz": "xz",
    ".lzma": "lzma",
}
_LETTERS: Final = {"z": "gzip", "j": "bzip2", "J": "xz", "Y": "lzma"}


def _compression(options: Options) -> str | None:
    letter = options.last("zjJY")
    if letter:
        return _LETTERS[letter]
    if "a" in options:
        return next((kind for suffix, kind in _SUFFIXES.items() if options.value("f").endswith(suffix)), None)
    return None


def _operands(process: Process, options: Options) -> list[str]:
    names = list(options.operands)
    for name in options.values("T"):
        names.extend(
            words(line) for line in contents(process, open_input(process, name)).splitlines() if line
        )
    return names


def _create(process: Process, options: Options) -> int:
    names = _operands(process, options)
    if not names and "T" not in options:
        raise UsageError("empty archive")
    with Output(process) as out:
        name = options.value("f", "-")
        archive = None
        target: Stream = process.stdout
        if name != "-":
            try:
                target = create(process, name)
                status = process.fs.stat(name)
                archive = (status.st_dev, status.st_ino)
            except OSError as error:
                raise UsageError(f"can't open '{name}': {reason(error)}") from error
        kind = _compression(options)
        sink: Stream = Compressed(target, kind) if kind else target
        creator = Creator(process, out, options, sink, archive)
        for path in names:
            creator.add(path)
        sink.write(bytes(2 * BLOCK))
        if sink is not target:
            sink.close()
        if name != "-":
            target.close()
        if out.status:
            out.complain("error exit delayed from previous errors")
    return out.status


def _opened(process: Process, options: Options) -> Stream:
    name = options.value("f", "-")
    try:
        source = open_input(process, name)
    except OSError as error:
        raise UsageError(f"can't open '{name}': {reason(error)}") from error
    kind, rewound = peeked(source)
    asked = _compression(options) if "a" not in options else None
    if asked is not None and kind != asked:
        if rewound.read(1):
            process.complain("invalid magic")
        raise UsageError("short read")
    return Decompressed(rewound, kind) if kind else rewound


def _wanted(name: str, operands: list[str], seen: set[str]) -> bool:
    if not operands:
        return True
    for operand in operands:
        plain = operand.rstrip("/")
        if name.rstrip("/") == plain or name.startswith(plain + "/"):
            seen.add(operand)
            return True
    return False


def _members(process: Process, options: Options, reader: MemberReader, seen: set[str]) -> Iterator[Member]:
    operands = _operands(process, options)
    excluded = exclusions(process, options)
    for member in reader:
        base = member.name.rstrip("/").rpartition("/")[2]
        if any(matches(p, member.name.rstrip("/")) or matches(p, base) for p in excluded):
            continue
        if _wanted(member.name, operands, seen):
            yield member


def _read(process: Process, options: Options) -> int:
    seen: set[str] = set()
    with Output(process) as out:
        try:
            reader = MemberReader(_opened(process, options))
            extractor = Extractor(process, out, options, directory_of(process, options), reader)
            for member in _members(process, options, reader, seen):
                if "t" in options:
                    extractor.prepare(member)
                    out.print(_listed(member) if "v" in options else member.name)
                else:
                    extractor.extract(member)
            extractor.finish()
        except (TarError, CodecError) as error:
            out.complain(str(error))
            return 1
        for operand in _operands(process, options):
            if operand not in seen:
                out.complain(f"{operand}: not found in archive")
                return 1
    return out.status


def _listed(member: Member) -> str:
    mode = stat.filemode((member.kind or stat.S_IFREG) | member.mode)
    owner = f"{member.user or member.uid}/{member.group or member.gid}"
    size = f"{member.size if member.kind == stat.S_IFREG else 0:9d}"
    time = formatted(member.mtime, 0, "%Y-%m-%d %H:%M:%S")
    arrow = f" -> {member.link}" if member.link else ""
    return f"{mode} {owner} {size} {time} {member.name}{arrow}"


def tar(process: Process) -> int:
    """Make, list or extract an archive."""
    arguments = list(process.argv[1:])
    if arguments and not arguments[0].startswith("-") and re.fullmatch("[A-Za-z0-9]+", arguments[0]):
        arguments = _old_style(arguments)
    options = parse(arguments, "txcC:f:OopvkzjJYamhZT:X:", _LONG, usage=_USAGE)
    actions = [letter for letter in "cxt" if letter in options]
    if len(actions) != 1:
        raise UsageError("", _USAGE)
    if "Z" in options:
        raise UsageError("-Z (compress) is not simulated", _USAGE)
    number(options.value("1", "0"))
    return _create(process, options) if actions == ["c"] else _read(process, options)


def _old_style(arguments: list[str]) -> list[str]:
    """``tar xfC a.tar dir``: the arguments of the first word's letters follow it, in their order."""
    made, rest = [], arguments[1:]
    for letter in arguments[0]:
        made.append(f"-{letter}")
        if letter in "fCTX":
            if not rest:
                raise UsageError(f"option requires an argument -- '{letter}'", _USAGE)
            made.append(rest.pop(0))
    return [*made, *rest]
