"""What a new archive is made of."""

from __future__ import annotations

import stat

from builder.world.machine.descriptor import Stream
from builder.world.machine.process import Process
from builder.world.matching.pattern import matches
from builder.world.utilities.archive.extract import safe_name
from builder.world.utilities.archive.tarformat import BLOCK, Member, header
from builder.world.utilities.commandline import Options, UsageError
from builder.world.utilities.streams import Output, chunks, contents, octets, open_input, reason, words
from builder.world.utilities.walks import joined
from unionfs_sim.accounts import name_of_group, name_of_user


def exclusions(process: Process, options: Options) -> list[str]:
    """The patterns of --exclude and of the files of -X."""
    found = options.values("2")
    for name in options.values("X"):
        found.extend(words(line) for line in contents(process, open_input(process, name)).splitlines())
    return found


def directory_of(process: Process, options: Options) -> str:
    """Where the options -C lead. Raises UsageError."""
    directory = process.cwd
    for text in options.values("C"):
        directory = text if text.startswith("/") else joined(directory, text)
    if "C" in options:
        try:
            process.fs.acting_as(process.fs.caller, cwd=directory)
        except OSError as error:
            raise UsageError(f"can't change directory to '{options.value('C')}': {reason(error)}") from error
    return directory


class Creator:
    """Writes the members of a new archive."""

    def __init__(
        self, process: Process, out: Output, options: Options, sink: Stream, archive: tuple[int, int] | None
    ) -> None:
        self.process = process
        self.fs = process.fs.acting_as(process.fs.caller, cwd=directory_of(process, options))
        self.out = out
        self.options = options
        self.sink = sink
        self.archive = archive
        self.excluded = exclusions(process, options)
        self.links: dict[tuple[int, int], str] = {}
        self.warned = False
        self.count = 0

    def warn_once(self, prefix: str) -> None:
        """Say, the first time, what is removed from names."""
        if not self.warned:
            self.out.complain(f"removing leading '{prefix}' from member names", status=self.out.status)
            self.warned = True

    def add(self, path: str) -> None:
        """Add what is at ``path``, and all below it."""
        try:
            status = self.fs.stat(path) if "h" in self.options else self.fs.lstat(path)
        except OSError as error:
            self.out.failed(path, error)
            return
        if (status.st_dev, status.st_ino) == self.archive:
            self.out.complain(f"{path}: file is the archive; skipping", status=self.out.status)
            return
        name = safe_name(path, self.warn_once)
        if any(
            matches(pattern, path) or matches(pattern, path.rpartition("/")[2]) for pattern in self.excluded
        ):
            return
        if stat.S_ISSOCK(status.st_mode):
            self.out.complain(f"{path}: socket ignored", status=self.out.status)
            return
        directory = stat.S_ISDIR(status.st_mode)
        if name and not self._write(path, name + ("/" if directory and not name.endswith("/") else "")):
            return
        if directory and "3" not in self.options:
            try:
                names = sorted(self.fs.listdir(path))
            except OSError as error:
                self.out.failed(path, error)
                return
            for child in names:
                self.add(joined(path, child))

    def _write(self, path: str, name: str) -> bool:
        status = self.fs.stat(path) if "h" in self.options else self.fs.lstat(path)
        identity = (status.st_dev, status.st_ino)
        kind, link = stat.S_IFMT(status.st_mode), ""
        if kind != stat.S_IFDIR and status.st_nlink > 1 and identity in self.links:
            kind, link = 0, self.links[identity]
        elif kind == stat.S_IFLNK:
            link = self.fs.readlink(path)
        reader: Stream | None = None
        if kind == stat.S_IFREG:
            try:
                reader = self.fs.open(path)
            except OSError as error:
                self.out.failed(path, error)
                return False
        if kind not in (0, stat.S_IFDIR) and status.st_nlink > 1:
            self.links[identity] = name
        member = Member(
            name,
            kind,
            stat.S_IMODE(status.st_mode),
            status.st_uid,
            status.st_gid,
            status.st_size,
            max(0, status.st_mtime_ns // 1_000_000_000),
            link,
            name_of_user(self.process.fs, status.st_uid) or "",
            name_of_group(self.process.fs, status.st_gid) or "",
            status.st_rdev,
        )
        if "v" in self.options:
            self._say(name)
        self.sink.write(header(member))
        self.count += 1
        if reader is not None:
            self._copy(reader, status.st_size)
        return True

    def _say(self, name: str) -> None:
        if self.options.value("f", "-") == "-":
            self.process.stderr.write(octets(name) + b"\n")
        else:
            self.out.print(name)

    def _copy(self, reader: Stream, size: int) -> None:
        left = size
        for piece in chunks(reader):
            self.sink.write(piece[:left])
            left -= min(left, len(piece))
        reader.close()
        self.sink.write(bytes(left + -size % BLOCK))
