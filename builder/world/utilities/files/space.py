"""du and df: how much room files take."""

from __future__ import annotations

import stat
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, number, parse
from builder.world.utilities.sizes import human
from builder.world.utilities.streams import Output, reason
from builder.world.utilities.walks import Follow, joined, look

_DU: Final = "[-aHLdclsxhmk] [FILE]..."
_ROOM: Final = 1 << 40
_DF: Final = "[-PkmhTai] [-B SIZE] [-t TYPE] [FILESYSTEM]..."


class _Usage:
    def __init__(self, process: Process, out: Output, options: Options) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.seen: set[tuple[int, int]] = set()
        self.deepest = 0 if "s" in options else number(options.value("d")) if "d" in options else None

    def measure(self, path: str, depth: int = 0) -> int:
        """The size of what is at ``path``, in bytes; prints what is to be printed of it."""
        follow = (
            Follow.ALL if "L" in self.options else Follow.OPERANDS if "H" in self.options else Follow.NONE
        )
        through = follow is Follow.ALL or (follow is Follow.OPERANDS and depth == 0)
        try:
            status = look(self.process.fs, path, follow_symlinks=through)
        except OSError as error:
            self.out.failed(path, error)
            return 0
        identity = (status.st_dev, status.st_ino)
        if identity in self.seen and "l" not in self.options:
            return 0
        if status.st_nlink > 1:
            self.seen.add(identity)
        size = status.st_size if "b" in self.options else status.st_blocks * 512
        if stat.S_ISDIR(status.st_mode):
            try:
                names = sorted(self.process.fs.listdir(path))
            except OSError as error:
                self.out.complain(f"can't open '{path}': {reason(error)}")
                names = []
            size += sum(self.measure(joined(path, name), depth + 1) for name in names)
            shown = True
        else:
            shown = "a" in self.options or depth == 0
        if shown and (self.deepest is None or depth <= self.deepest):
            self.show(size, path)
        return size

    def show(self, size: int, path: str) -> None:
        """Print one line."""
        if "h" in self.options:
            text = human(size)
        elif "b" in self.options:
            text = str(size)
        else:
            text = str(-(-size // (1 << 20 if "m" in self.options else 1024)))
        self.out.print(f"{text}\t{path}")


def du(process: Process) -> int:
    """Print how much room files and directories take."""
    options = parse(
        process.argv[1:], "aHkLsxd:lchmb", {"max-depth": "d", "summarize": "s", "all": "a"}, usage=_DU
    )
    with Output(process) as out:
        usage = _Usage(process, out, options)
        total = sum(usage.measure(path) for path in options.operands or (".",))
        if "c" in options:
            usage.show(total, "total")
    return out.status


def df(process: Process) -> int:
    """Print how full the file system is: the simulated one is as big as it needs to be."""
    options = parse(process.argv[1:], "kmhTaiPB:t:", usage=_DF)
    for path in options.operands:
        process.fs.stat(path)
    used = sum(
        process.fs.lstat(joined(top, name)).st_blocks * 512
        for top, directories, files in process.fs.walk("/")
        for name in (*directories, *files)
    )
    unit = 1 << 20 if "m" in options else 1024
    cells = [human(size) if "h" in options else str(size // unit) for size in (_ROOM, used, _ROOM - used)]
    title = "Size" if "h" in options else "1M-blocks" if "m" in options else "1K-blocks"
    columns = ["overlay             ", *(["overlay   "] if "T" in options else [])]
    heads = ["Filesystem          ", *(["Type      "] if "T" in options else [])]
    process.out(" ".join(heads) + f" {title:>9s}      Used Available Use% Mounted on\n")
    percent = -(-used * 100 // _ROOM)
    process.out(" ".join(columns) + "".join(f" {cell:>9s}" for cell in cells) + f" {percent:3d}% /\n")
    return 0
