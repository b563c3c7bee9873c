"""unzip: the files of a ZIP archive (APPNOTE.TXT, as zipfile reads it)."""

from __future__ import annotations

import io
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final

from builder.world.machine.process import Process
from builder.world.matching.pattern import matches
from builder.world.utilities.archive.extract import safe_name
from builder.world.utilities.commandline import Options, UsageError, parse
from builder.world.utilities.files.names import make_directories
from builder.world.utilities.streams import CHUNK, Output, contents, octets, open_input, reason
from builder.world.utilities.walks import joined

_USAGE: Final = "[-lnojpq] FILE[.zip] [FILE]... [-x FILE]... [-d DIR]"
_UNIX: Final = 3
_METHODS: Final = {zipfile.ZIP_STORED: "Stored", zipfile.ZIP_DEFLATED: "Defl:N"}


def _opened(process: Process, name: str) -> tuple[str, zipfile.ZipFile]:
    for candidate in (name, name + ".zip", name + ".ZIP"):
        try:
            stream = open_input(process, candidate)
        except OSError:
            continue
        try:
            return candidate, zipfile.ZipFile(io.BytesIO(contents(process, stream)))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            process.out(f"Archive:  {candidate}\n")
            raise UsageError("short read") from error
    raise UsageError(f"can't open {name}[.zip]")


class Unzipper:
    """One run of unzip."""

    def __init__(
        self, process: Process, out: Output, options: Options, archive: zipfile.ZipFile, patterns: list[str]
    ) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.archive = archive
        self.patterns = patterns
        self.warned = False
        self.everything = options.last("no")
        self.directory = options.value("d")

    def _warn(self, prefix: str) -> None:
        if not self.warned:
            self.out.complain(f"removing leading '{prefix}' from member names", status=self.out.status)
            self.warned = True

    def entries(self) -> Iterator[zipfile.ZipInfo]:
        """The entries that the command line asks for."""
        for entry in self.archive.infolist():
            name = entry.filename
            if self.patterns and not any(matches(pattern, name) for pattern in self.patterns):
                continue
            if not any(matches(pattern, name) for pattern in self.options.values("x")):
                yield entry

    def extract(self, entry: zipfile.ZipInfo) -> None:
        """Extract one entry."""
        name = safe_name(entry.filename, self._warn)
        if "j" in self.options:
            name = name.rstrip("/").rpartition("/")[2] if not entry.is_dir() else ""
        if not name:
            return
        path = joined(self.directory, name) if self.directory else name
        fs = self.process.fs
        if entry.is_dir():
            path = path.rstrip("/")
            if not fs.exists(path):
                self._say(f"   creating: {name}")
                for _ in make_directories(fs, path):
                    pass
                fs.chmod(path, self._mode(entry, 0o755) | 0o700)
            return
        if not self._may_write(path, name):
            return
        self._say(f"  inflating: {name}")
        parent = path.rpartition("/")[0]
        if parent:
            for _ in make_directories(fs, parent):
                pass
        self._write(entry, path)

    def _write(self, entry: zipfile.ZipInfo, path: str) -> None:
        fs = self.process.fs
        kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
        if stat.S_ISLNK(kind):
            fs.symlink(self.archive.read(entry).decode("utf-8", "surrogateescape"), path)
            return
        sink = fs.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode(entry, 0o666))
        for piece in self._pieces(entry):
            sink.write(piece)
        sink.close()

    def _pieces(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self.archive.open(entry) as stream:
                while piece := stream.read(CHUNK):
                    yield piece
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise UsageError(f"{entry.filename}: {error}") from error

    def _mode(self, entry: zipfile.ZipInfo, default: int) -> int:
        mode = stat.S_IMODE(entry.external_attr >> 16) if entry.create_system == _UNIX else 0
        return mode or default

    def _may_write(self, path: str, name: str) -> bool:
        if not self.process.fs.exists(path) or self.everything == "o":
            return True
        if self.everything == "n":
            return False
        while True:
            self.out.write(octets(f"replace {name}? [y]es, [n]o, [A]ll, [N]one, [r]ename: "))
            self.out.flush()
            answer = self._line()
            if answer is None:
                raise UsageError("can't read standard input")
            if answer in ("A", "N"):
                self.everything = "o" if answer == "A" else "n"
            if answer in ("y", "n", "A", "N"):
                return answer in ("y", "A")

    def _line(self) -> str | None:
        read = b""
        while (byte := self.process.stdin.read(1)) not in (b"", b"\n"):
            read += byte
        return read.decode("utf-8", "replace") if read or byte else None

    def _say(self, text: str) -> None:
        if "q" not in self.options:
            self.out.print(text)

    def list(self) -> None:
        """Print a table of the entries."""
        verbose = "v" in self.options
        if verbose:
            self.out.print(" Length   Method    Size  Cmpr    Date    Time   CRC-32   Name")
            self.out.print("--------  ------  ------- ---- ---------- ----- --------  ----")
        else:
            self.out.print("  Length      Date    Time    Name")
            self.out.print("---------  ---------- -----   ----")
        total = packed = count = 0
        for entry in self.entries():
            year, month, day, hour, minute, _ = entry.date_time
            time = f"{month:02d}-{day:02d}-{year:04d} {hour:02d}:{minute:02d}"
            total, packed, count = total + entry.file_size, packed + entry.compress_size, count + 1
            if verbose:
                ratio = _ratio(entry.file_size, entry.compress_size)
                method = _METHODS.get(entry.compress_type, "?")
                self.out.print(
                    f"{entry.file_size:8d}  {method:6s} {entry.compress_size:8d} {ratio:3d}%"
                    f" {time} {entry.CRC:08x}  {entry.filename}"
                )
            else:
                self.out.print(f"{entry.file_size:9d}  {time}   {entry.filename}")
        if verbose:
            self.out.print("--------          ------- ----                            ----")
            self.out.print(
                f"{total:8d}{packed:17d} {_ratio(total, packed):3d}%                            {count} files"
            )
        else:
            self.out.print(" --------                     -------")
            self.out.print(f"{total:9d}                     {count} files")


def _ratio(size: int, packed: int) -> int:
    return (size - packed) * 100 // size if size else 0


def unzip(process: Process) -> int:
    """Extract or list a ZIP archive."""
    words, excluded = _split(list(process.argv[1:]))
    options = parse(words, "d:lnotpqjvx:", usage=_USAGE)
    options = Options((*options.given, *(("x", name) for name in excluded)), options.operands)
    if not options.operands:
        raise UsageError("", _USAGE)
    name, archive = _opened(process, options.operands[0])
    with Output(process) as out:
        unzipper = Unzipper(process, out, options, archive, list(options.operands[1:]))
        into = options.value("d")
        if into and not process.fs.exists(into):
            try:
                process.fs.mkdir(into)
            except OSError as error:
                raise UsageError(f"can't change directory to '{into}': {reason(error)}") from error
        if not any(letter in options for letter in "qpt"):
            out.print(f"Archive:  {name}")
        if "l" in options or "v" in options:
            unzipper.list()
            return 0
        for entry in unzipper.entries():
            if "p" in options or "t" in options:
                for piece in unzipper._pieces(entry):
                    if "p" in options:
                        out.write(piece)
                continue
            unzipper.extract(entry)
    return out.status


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The command line without what follows -x, which takes every word up to the next option."""
    if "-x" not in words:
        return words, []
    at = words.index("-x")
    end = next((place for place in range(at + 1, len(words)) if words[place].startswith("-")), len(words))
    return [*words[:at], *words[end:]], words[at + 1 : end]
