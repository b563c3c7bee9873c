"""gzip, bzip2, xz and lzma with their reverses: files made smaller and back."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.utilities.archive.codec import CodecError, Compressed, Decompressed, peeked
from builder.world.utilities.commandline import Options, parse
from builder.world.utilities.streams import chunks, open_input, reason


@dataclass(frozen=True, slots=True)
class Format:
    """A format: the suffix of its files, and what busybox calls its flaws."""

    name: str
    suffix: str
    default_level: int


_FORMATS: Final = {
    "gzip": Format("gzip", ".gz", 6),
    "bzip2": Format("bzip2", ".bz2", 9),
    "xz": Format("xz", ".xz", 6),
    "lzma": Format("lzma", ".lzma", 6),
}
_GUNZIP_ALSO: Final = {".tgz": ".tar"}


class _Run:
    """One run over some files."""

    def __init__(
        self, process: Process, options: Options, format_: Format, *, unpack: bool, to_stdout: bool
    ) -> None:
        self.process = process
        self.options = options
        self.format = format_
        self.unpack = unpack or "d" in options or "t" in options
        self.to_stdout = to_stdout or "c" in options or "t" in options
        levels = [int(letter) for letter, _ in options.given if letter.isdigit()]
        self.level = levels[-1] if levels else format_.default_level
        self.status = 0

    def complain(self, text: str) -> None:
        self.process.complain(text)
        self.status = 1

    def target(self, name: str) -> str | None:
        """The name of the file to make; None after a complaint."""
        if not self.unpack:
            return name + self.format.suffix
        if name.endswith(self.format.suffix):
            return name[: -len(self.format.suffix)]
        for suffix, instead in _GUNZIP_ALSO.items():
            if self.format.name == "gzip" and name.endswith(suffix):
                return name[: -len(suffix)] + instead
        self.complain(f"{name}: unknown suffix - ignored")
        return None

    def file(self, name: str) -> None:
        """Handle one operand."""
        fs = self.process.fs
        try:
            source = open_input(self.process, name)
        except IsADirectoryError as error:
            self.complain(
                f"can't remove file '{name}': {reason(error)}"
                if not self.unpack
                else f"{name}: {reason(error)}"
            )
            return
        except OSError as error:
            self.complain(f"{name}: {reason(error)}")
            return
        if name == "-" or self.to_stdout:
            self.copy(source, self.process.stdout if "t" not in self.options else None)
            return
        target = self.target(name)
        if target is None:
            return
        if "f" in self.options and fs.exists(target):
            fs.unlink(target)
        try:
            sink = fs.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        except OSError as error:
            self.complain(f"can't open '{target}': {reason(error)}")
            return
        done = self.copy(source, sink)
        sink.close()
        if not done:
            fs.unlink(target)
            return
        before = fs.stat(name)
        fs.chmod(target, stat.S_IMODE(before.st_mode))
        if "k" not in self.options:
            fs.unlink(name)

    def copy(self, source: Stream, sink: Stream | None) -> bool:
        """Pack or unpack a stream; False after a complaint."""
        if not self.unpack:
            assert sink is not None, "-t unpacks"
            packed = Compressed(sink, self.format.name, self.level)
            for piece in chunks(source):
                packed.write(piece)
            packed.close()
            return True
        kind, rewound = peeked(source)
        if kind is None:
            self.complain(self._no_magic(rewound))
            return False
        if kind != self.format.name and not (self.format.name == "gzip" and self.process.name == "zcat"):
            self.complain("invalid magic")
            return False
        try:
            for piece in chunks(Decompressed(rewound, kind)):
                if sink is not None:
                    sink.write(piece)
        except CodecError as error:
            self.complain(str(error))
            return False
        return True

    def _no_magic(self, stream: Stream) -> str:
        head = stream.read(2)
        if self.process.name == "zcat":
            return "no gzip/bzip2/xz magic" if len(head) == 2 else "short read"
        return "invalid magic"


def _program(format_name: str, *, unpack: bool = False, to_stdout: bool = False) -> Callable[[Process], int]:
    format_ = _FORMATS[format_name]
    letters = "cfkt" if unpack else "cfkdt123456789"

    def program(process: Process) -> int:
        long = {
            "stdout": "c",
            "force": "f",
            "keep": "k",
            "decompress": "d",
            "test": "t",
            "best": "9",
            "fast": "1",
        }
        long |= {"quiet": "q", "verbose": "v", "no-name": "n"}
        options = parse(process.argv[1:], letters + "dvqnT:", long, usage=f"[-{letters}] [FILE]...")
        run = _Run(process, options, format_, unpack=unpack, to_stdout=to_stdout)
        for name in options.operands or ("-",):
            run.file(name)
        return run.status

    program.__doc__ = f"{'Unpack' if unpack else 'Pack'} files ({format_name})."
    return program


gzip = _program("gzip")
gunzip = _program("gzip", unpack=True)
zcat = _program("gzip", unpack=True, to_stdout=True)
bzip2 = _program("bzip2")
bunzip2 = _program("bzip2", unpack=True)
bzcat = _program("bzip2", unpack=True, to_stdout=True)
xz = _program("xz")
unxz = _program("xz", unpack=True)
xzcat = _program("xz", unpack=True, to_stdout=True)
lzma = _program("lzma")
unlzma = _program("lzma", unpack=True)
lzcat = _program("lzma", unpack=True, to_stdout=True)
