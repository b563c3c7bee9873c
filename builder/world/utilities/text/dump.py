"""od, hexdump and xxd: bytes as numbers and characters."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, number, parse
from builder.world.utilities.streams import Output, contents, inputs, octets

_OD: Final = "[-abcdfhilovxs] [-t TYPE] [-A RADIX] [-N SIZE] [-j SKIP] [-S MINSTR] [-w WIDTH] [FILE]..."
_HEXDUMP: Final = "[-bcdoxCv] [-e FMT] [-f FMT_FILE] [-n LEN] [-s OFS] [FILE]..."
_XXD: Final = "[-pri] [-g N] [-c N] [-n LEN] [-s OFS] [-o OFS] [FILE]"
_SIZES: Final = {"": 1, "b": 512, "k": 1024, "K": 1024, "m": 1 << 20, "M": 1 << 20}
# fmt: off
_NAMES: Final = (
    "nul", "soh", "stx", "etx", "eot", "enq", "ack", "bel", "bs", "ht", "nl", "vt", "ff", "cr", "so", "si",
    "dle", "dc1", "dc2", "dc3", "dc4", "nak", "syn", "etb", "can", "em", "sub", "esc", "fs", "gs", "rs", "us",
    "sp",
)
_OLD: Final = {
    "a": "a", "b": "o1", "c": "c", "d": "u2", "f": "f4", "h": "x2",
    "i": "d2", "l": "d4", "o": "o2", "x": "x2", "s": "d2",
}
_DIGITS: Final = {
    ("o", 1): 3, ("o", 2): 6, ("o", 4): 11, ("o", 8): 22,
    ("x", 1): 2, ("x", 2): 4, ("x", 4): 8, ("x", 8): 16,
    ("u", 1): 3, ("u", 2): 5, ("u", 4): 10, ("u", 8): 20,
    ("d", 1): 4, ("d", 2): 6, ("d", 4): 11, ("d", 8): 20,
}
# fmt: on
_ESCAPES: Final = {0: r"\0", 7: r"\a", 8: r"\b", 9: r"\t", 10: r"\n", 11: r"\v", 12: r"\f", 13: r"\r"}


def _character(byte: int) -> str:
    return _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"{byte:03o}")


def _named(byte: int) -> str:
    byte &= 127
    return _NAMES[byte] if byte < len(_NAMES) else "del" if byte == 127 else chr(byte)


class Format:
    """One type of od: how many bytes a number takes, and how it is shown."""

    def __init__(self, text: str) -> None:
        match = re.fullmatch(r"([acdfoux])(\d*|[CSIL])", text)
        self.kind = match[1] if match else ""
        size = match[2] if match else "?"
        named = {"C": 1, "S": 2, "I": 4, "L": 8, "": 8 if self.kind == "f" else 4}
        self.size = (
            1 if self.kind in "ac" else named[size] if size in named else int(size) if size.isdigit() else 0
        )
        if (self.kind not in ("a", "c", "f") and (self.kind, self.size) not in _DIGITS) or (
            self.kind == "f" and self.size not in (4, 8)
        ):
            raise UsageError(f"invalid type string '{text}'")

    def cell(self, piece: bytes) -> str:
        """One number or character, with the blanks before it."""
        if self.kind == "c":
            return f" {_character(piece[0]):>3s}"
        if self.kind == "a":
            return f" {_named(piece[0]):>3s}"
        piece = piece.ljust(self.size, b"\0")
        if self.kind == "f":
            real = struct.unpack("<f" if self.size == 4 else "<d", piece)[0]
            return f" {real:>15.8g}" if self.size == 4 else f" {real:>24.17g}"
        value = int.from_bytes(piece, "little", signed=self.kind == "d")
        width = _DIGITS[self.kind, self.size]
        if self.kind in "ox":
            return f" {value:0{width}{self.kind}}"
        return f" {value:{width}d}"

    def line(self, block: bytes) -> str:
        """All cells of a block."""
        return "".join(self.cell(block[at : at + self.size]) for at in range(0, len(block), self.size))


def _gathered(process: Process, options: Options, out: Output) -> bytes:
    return b"".join(contents(process, stream) for _, stream in inputs(process, options.operands, out))


def _blocks(content: bytes, width: int, *, squeeze: bool) -> Iterator[tuple[int, bytes | None]]:
    """The lines of a dump, each with its offset; None where lines like the one before are left out."""
    previous: bytes | None = None
    starred = False
    for at in range(0, len(content), width):
        block = content[at : at + width]
        if squeeze and block == previous and len(block) == width:
            if not starred:
                yield at, None
            starred = True
            continue
        previous, starred = block, False
        yield at, block


def od(process: Process) -> int:
    """Dump files, as octal numbers by default."""
    options = parse(
        process.argv[1:], "abcdfhilovxst:A:N:j:S:w::", {"address-radix": "A", "format": "t"}, usage=_OD
    )
    formats = [Format(_OLD.get(letter, part)) for letter, part in _types(options)] or [Format("o2")]
    radix = options.value("A", "o")
    if radix not in ("o", "d", "x", "n"):
        raise UsageError(f"bad output address radix '{radix}' (must be [doxn])")
    width = number(options.value("w") or "32") if "w" in options else 16
    skip = number(options.value("j", "0"), _SIZES)
    with Output(process) as out:
        content = _gathered(process, options, out)[skip:]
        if out.status and not content:
            return out.status
        if "N" in options:
            content = content[: number(options.value("N"), _SIZES)]

        def address(at: int) -> str:
            at += skip
            return {"o": f"{at:07o}", "d": f"{at:07d}", "x": f"{at:06x}", "n": ""}[radix]

        for at, block in _blocks(content, width, squeeze="v" not in options):
            if block is None:
                out.print("*")
                continue
            for index, form in enumerate(formats):
                out.print((address(at) if index == 0 else " " * len(address(at))) + form.line(block))
        if radix != "n":
            out.print(address(len(content)))
    return out.status


def _types(options: Options) -> Iterator[tuple[str, str]]:
    for letter, value in options.given:
        if letter == "t":
            for part in re.findall(r"[acdfoux](?:\d+|[CSIL])?|.+", value):
                yield "t", part
        elif letter in _OLD:
            yield letter, ""


_HEX_FORMATS: Final[dict[str, tuple[int, str, int]]] = {
    "": (2, "{:04x}", 5),
    "b": (1, "{:03o}", 4),
    "c": (1, "", 4),
    "d": (2, "{:05d}", 8),
    "o": (2, "{:06o}", 8),
    "x": (2, "{:04x}", 8),
}


def _hex_line(letter: str, block: bytes) -> str:
    if letter == "C":
        cells = [f"{byte:02x}" for byte in block]
        left = " ".join(cells[:8]).ljust(23)
        right = " ".join(cells[8:]).ljust(23)
        shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in block)
        return f"  {left}  {right}  |{shown}|"
    size, spec, width = _HEX_FORMATS[letter]
    cells = []
    for at in range(0, len(block), size):
        if letter == "c":
            cells.append(f"{_character(block[at]):>{width}s}")
        else:
            value = int.from_bytes(block[at : at + size].ljust(size, b"\0"), "little")
            cells.append(spec.format(value).rjust(width))
    return "".join(cells).ljust(width * (16 // size))


def hexdump(process: Process) -> int:
    """Dump files, as hexadecimal numbers by default."""
    options = parse(process.argv[1:], "bcdoxCve:f:n:s:", usage=_HEXDUMP)
    if "f" in options:
        raise UsageError("-f is not simulated", _HEXDUMP)
    skip = number(options.value("s", "0"), _SIZES)
    with Output(process) as out:
        content = _gathered(process, options, out)
        content = content[: skip + number(options.value("n"), _SIZES)] if "n" in options else content
        if "e" in options:
            out.write(octets(_by_units(content[skip:], options.values("e"))))
            return out.status
        letter = options.last("bcdoxC")
        places = 8 if letter == "C" else 7
        for at, block in _blocks(content[skip:], 16, squeeze="v" not in options):
            out.print("*" if block is None else f"{at + skip:0{places}x}" + _hex_line(letter, block))
        if content[skip:]:
            out.print(f"{len(content):0{places}x}")
    return out.status


def _by_units(content: bytes, formats: Sequence[str]) -> str:
    """Hexdump -e for the formats in daily use: ``N/SIZE "%02x…"`` and plain text."""
    units: list[tuple[int, int, str]] = []
    for text in formats:
        for count, size, literal in re.findall(r'(?:(\d+)?/?(\d+)?\s*)"((?:[^"\\]|\\.)*)"', text):
            piece = literal.replace(r"\n", "\n").replace(r"\t", "\t").replace(r"\\", "\\")
            units.append((int(count or 1), int(size or (4 if "%" in literal else 0)), piece))
    if not any(size for _, size, literal in units if "%" in literal):
        raise UsageError("bad format {" + " ".join(formats) + "}")
    made, at = [], 0
    while at < len(content):
        for count, size, literal in units:
            if "%" not in literal:
                made.append(literal)
                continue
            for _ in range(count):
                piece = content[at : at + size]
                at += size
                if piece:
                    made.append(_filled(literal, piece))
                else:
                    made.append(re.sub(r"%(\d*)[a-z_]+", lambda match: " " * int(match[1] or "0"), literal))
    return "".join(made)


def _filled(literal: str, piece: bytes) -> str:
    def fill(match: re.Match[str]) -> str:
        kind = match[2]
        if kind in ("c", "_p"):
            return chr(piece[0]) if 32 <= piece[0] < 127 else "."
        if kind not in ("x", "X", "o", "d", "u", "i"):
            raise UsageError(f"bad conversion character %{kind}")
        return f"%{match[1]}{kind}" % int.from_bytes(piece, "little", signed=kind in "di")

    return re.sub(r"%(0?\d*)(_?[a-zA-Z])", fill, literal)


def xxd(process: Process) -> int:
    """Dump a file in hexadecimal, or with -r make it from such a dump."""
    options = parse(process.argv[1:], "l:s:apirg:c:n:o:", usage=_XXD)
    width = number(options.value("c", "30" if "p" in options else "12" if "i" in options else "16"))
    group = number(options.value("g", "2"))
    skip = number(options.value("s", "0"))
    with Output(process) as out:
        content = _gathered(process, Options(options.given, options.operands[:1]), out)
        if out.status:
            return out.status
        if "r" in options:
            out.write(_undumped(content, plain="p" in options))
            return 0
        content = content[skip:]
        limit = options.value(options.last("ln") or "l")
        content = content[: number(limit)] if limit else content
        if "i" in options:
            _as_c(out, options.operands[0] if options.operands else "", content, width)
            return 0
        for at in range(0, len(content), width):
            block = content[at : at + width]
            if "p" in options:
                out.print(block.hex())
                continue
            size = group or width
            cells = " ".join(block[i : i + size].hex() for i in range(0, len(block), size))
            room = width * 2 + -(-width // size) - 1
            shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in block)
            out.print(f"{at + skip + number(options.value('o', '0')):08x}: {cells:<{room}}  {shown}")
    return 0


def _as_c(out: Output, name: str, content: bytes, width: int) -> None:
    identifier = re.sub(r"\W", "_", name)
    if name:
        out.print(f"unsigned char {identifier}[] = {{")
    rows = [content[at : at + width] for at in range(0, len(content), width)]
    for row in rows:
        out.print("  " + ", ".join(f"0x{byte:02x}" for byte in row) + ",")
    if name:
        out.print("};")
        out.print(f"unsigned int {identifier}_len = {len(content)};")


def _undumped(content: bytes, *, plain: bool) -> bytes:
    made = bytearray()
    for line in content.split(b"\n"):
        text = line if plain else line.partition(b":")[2].lstrip().partition(b"  ")[0]
        digits = re.sub(rb"[^0-9a-fA-F]", b"", text)
        made += bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
    return bytes(made)
