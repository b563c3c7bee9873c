"""cut, paste, fold, expand and unexpand: columns of lines."""

from __future__ import annotations

from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.regex import Pattern, compiled
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import Output, inputs, lines, octets, open_input, text_lines

_CUT_USAGE: Final = "[OPTIONS] [FILE]..."


def _ranges(text: str) -> list[tuple[int, int | None]]:
    """The parts that a LIST such as ``1,3-5,7-`` chooses; counted from 1, None: to the end."""
    found: list[tuple[int, int | None]] = []
    for part in text.removesuffix(",").split(","):
        low, dash, high = part.partition("-")
        if not part or part == "-":
            raise UsageError(f"invalid range {part}" if part else "missing list of fields")
        start = max(1, number(low)) if low else 1
        found.append((start, (number(high) if high else None) if dash else start))
    return found


def _chosen(count: int, ranges: list[tuple[int, int | None]], options: Options) -> list[int]:
    """Which of ``count`` parts are printed, from 0: in the order of the line, or with -D in the list's."""
    picked: list[int] = []
    for low, high in ranges:
        picked.extend(range(low - 1, min(high or count, count)))
    if "!" in options:
        return [at for at in range(count) if at not in set(picked)]
    return picked if "D" in options else sorted(set(picked))


def _cut_fields(
    line: bytes, split: bytes | Pattern, joiner: bytes, ranges: list[tuple[int, int | None]], options: Options
) -> bytes | None:
    if isinstance(split, bytes):
        parts = line.split(split)
    else:
        parts = []
        while match := split.search(line):
            if not match.end():
                break
            parts.append(line[: match.start()])
            line = line[match.end() :]
        parts.append(line)
    if len(parts) == 1 and ("s" in options or isinstance(split, bytes)):
        return None if "s" in options else line
    if "!" in options:
        return joiner.join(parts[at] for at in _chosen(len(parts), ranges, options))
    if "D" in options:
        return joiner.join(joiner.join(parts[low - 1 : high]) for low, high in ranges)
    return _joined(parts, joiner, ranges)


def _joined(parts: list[bytes], joiner: bytes, ranges: list[tuple[int, int | None]]) -> bytes:
    """The chosen fields; as in busybox, a range beyond the end of the line still adds its delimiter."""
    printed, passed = b"", 0
    for at, (low, high) in enumerate(sorted(ranges, key=lambda chosen: chosen[0])):
        end = len(parts) if high is None else high
        if passed < len(parts) and end <= passed:
            continue
        chosen = parts[max(low - 1, passed) : end]
        passed = max(passed, min(end, len(parts)))
        printed += (joiner if at else b"") + joiner.join(chosen)
    return printed


def cut(process: Process) -> int:
    """Print the chosen bytes or fields of each line."""
    long = {"bytes": "b", "characters": "c", "delimiter": "d", "fields": "f", "only-delimited": "s"}
    long |= {"output-delimiter": "O", "complement": "!"}
    options = parse(process.argv[1:], "b:c:d:O:Df:F:sn", long, usage=_CUT_USAGE)
    kind = options.last("bcfF")
    if not kind:
        raise UsageError("expected a list of bytes, characters, or fields")
    if kind in "bc" and "d" in options:
        raise UsageError("a delimiter may be specified only when operating on fields")
    if kind in "bc" and "s" in options:
        raise UsageError("suppressing non-delimited lines makes sense only when operating on fields")
    ranges = _ranges(options.value(kind))
    split: bytes | Pattern = octets(options.value("d", "\t"))[:1] or b"\0"
    joiner = octets(options.value("O")) if "O" in options else split if isinstance(split, bytes) else b" "
    if kind == "F":
        split = compiled(
            octets(options.value("d", "[[:space:]]+")), extended=True, check=process.machine.check
        )
        joiner = octets(options.value("O", " "))
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in text_lines(process, stream):
                if kind in "bc":
                    out.write(bytes(line[at] for at in _chosen(len(line), ranges, options)) + b"\n")
                    continue
                printed = _cut_fields(line, split, joiner, ranges, options)
                if printed is not None:
                    out.write(printed + b"\n")
    return out.status


def _delimiters(text: str) -> list[bytes]:
    raw, found, at = octets(text), [], 0
    while at < len(raw):
        if raw[at : at + 1] == b"\\" and at + 1 < len(raw):
            letter = raw[at + 1 : at + 2]
            found.append({b"n": b"\n", b"t": b"\t", b"0": b"", b"\\": b"\\"}.get(letter, letter))
            at += 2
        else:
            found.append(raw[at : at + 1])
            at += 1
    return found


def paste(process: Process) -> int:
    """Print the files side by side, or with -s each as one line."""
    options = parse(
        process.argv[1:], "sd:", {"serial": "s", "delimiters": "d"}, usage="[-d LIST] [-s] [FILE]..."
    )
    delimiters = _delimiters(options.value("d", "\t"))
    if not delimiters:
        raise UsageError("-d '' is not supported")
    names = options.operands or ("-",)
    streams = [open_input(process, name) for name in names]
    readers = [text_lines(process, stream) for stream in streams]
    shared = text_lines(process, process.stdin)
    readers = [shared if name == "-" else reader for name, reader in zip(names, readers, strict=True)]
    with Output(process) as out:
        if "s" in options:
            for reader in readers:
                joined = b"".join(
                    (delimiters[(at - 1) % len(delimiters)] if at else b"") + line
                    for at, line in enumerate(reader)
                )
                out.write(joined + b"\n")
            return 0
        while True:
            row = [next(reader, None) for reader in readers]
            if all(part is None for part in row):
                return 0
            for at, part in enumerate(row):
                out.write((part or b"") + (delimiters[at % len(delimiters)] if at + 1 < len(row) else b"\n"))


def _advance(column: int, byte: int, *, count_bytes: bool) -> int:
    if count_bytes:
        return column + 1
    if byte == 8:
        return max(0, column - 1)
    if byte == 13:
        return 0
    return column + 8 - column % 8 if byte == 9 else column + 1


def _folded(line: bytes, width: int, *, count_bytes: bool, at_spaces: bool) -> bytes:
    done: list[bytes] = []
    current = bytearray()
    column = 0
    for byte in line:
        if byte == 10:
            break
        after = _advance(column, byte, count_bytes=count_bytes)
        while after > width and current:
            cut_at = max(current.rfind(b" "), current.rfind(b"\t")) + 1 if at_spaces else 0
            cut_at = cut_at or len(current)
            done.append(bytes(current[:cut_at]) + b"\n")
            del current[:cut_at]
            column = 0
            for kept in current:
                column = _advance(column, kept, count_bytes=count_bytes)
            after = _advance(column, byte, count_bytes=count_bytes)
        current.append(byte)
        column = after
    return b"".join(done) + bytes(current) + (b"\n" if line.endswith(b"\n") else b"")


def fold(process: Process) -> int:
    """Print the files with long lines broken."""
    words = [f"-w{word[1:]}" if word[:1] == "-" and word[1:].isdigit() else word for word in process.argv[1:]]
    options = parse(
        words, "bsw:", {"bytes": "b", "spaces": "s", "width": "w"}, usage="[-bs] [-w WIDTH] [FILE]..."
    )
    width = number(options.value("w", "80"))
    if not 1 <= width <= 10000:
        raise UsageError(f"number {options.value('w')} is not in 1..10000 range")
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in lines(process, stream):
                out.write(_folded(line, width, count_bytes="b" in options, at_spaces="s" in options))
    return out.status


def expand(process: Process) -> int:
    """Print the files with tabs turned into spaces."""
    options = parse(process.argv[1:], "it:", {"initial": "i", "tabs": "t"}, usage="[-i] [-t N] [FILE]...")
    width = number(options.value("t", "8"))
    process.machine.account_memory(width)
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in lines(process, stream):
                head = line[: len(line) - len(line.lstrip(b" \t"))] if "i" in options else line
                out.write(head.expandtabs(width) + line[len(head) :])
    return out.status


def _unexpanded(line: bytes, width: int, *, all_blanks: bool) -> bytes:
    made = bytearray()
    column, blanks = 0, 0
    for at, byte in enumerate(line):
        if byte in b" \t":
            start = column - blanks
            column += width - column % width if byte == 9 else 1
            blanks = column - start
            continue
        _fill(made, column - blanks, column, width)
        blanks = 0
        if not all_blanks:
            return bytes(made) + line[at:]
        made.append(byte)
        column += 1
    _fill(made, column - blanks, column, width)
    return bytes(made)


def _fill(made: bytearray, start: int, column: int, width: int) -> None:
    while (stop := start + width - start % width) <= column:
        made += b"\t"
        start = stop
    made += b" " * (column - start)


def unexpand(process: Process) -> int:
    """Print the files with leading (with -a: all) blanks turned into tabs."""
    options = parse(
        process.argv[1:], "aft:", {"all": "a", "first-only": "f", "tabs": "t"}, usage="[-fa][-t N] [FILE]..."
    )
    width = number(options.value("t", "8"))
    process.machine.account_memory(width)
    everywhere = ("a" in options or "t" in options) and "f" not in options
    with Output(process) as out:
        for _, stream in inputs(process, options.operands, out):
            for line in lines(process, stream):
                out.write(_unexpanded(line, width, all_blanks=everywhere))
    return out.status
