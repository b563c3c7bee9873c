"""ls: what is in directories."""

from __future__ import annotations

import functools
import os
import stat
from dataclasses import dataclass
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, number, parse
from builder.world.utilities.dates import NANOSECONDS, formatted
from builder.world.utilities.filenames import compare_versions
from builder.world.utilities.sizes import human
from builder.world.utilities.streams import Output, octets
from builder.world.utilities.walks import joined
from unionfs_sim.accounts import groups, users
from unionfs_sim.filesystem import Stat
from unionfs_sim.nodes.kinds import major_of, minor_of

_USAGE: Final = "[-1AaCxdLHRFplinshrSXvctu] [-w WIDTH] [FILE]..."
_LONG: Final = {
    "all": "a",
    "almost-all": "A",
    "directory": "d",
    "recursive": "R",
    "human-readable": "h",
    "full-time": "~",
    "group-directories-first": "!",
    "color": "=::",
    "reverse": "r",
    "inode": "i",
    "size": "s",
}
_HALF_A_YEAR: Final = 365 * 24 * 3600 // 2
_A_QUARTER_OF_AN_HOUR: Final = 15 * 60


@dataclass(frozen=True, slots=True)
class Entry:
    """A name to list, with its attributes and, for a symlink, its target."""

    name: str
    path: str
    status: Stat
    target: str = ""


class Listing:
    """One run of ls: the options, and the names of users and groups."""

    def __init__(self, process: Process, out: Output, options: Options) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.long = any(letter in options for letter in "ln~")
        self.numeric = "n" in options
        self.users = {user.uid: user.name for user in reversed(users(process.fs))}
        self.groups = {group.gid: group.name for group in reversed(groups(process.fs))}
        self.now = process.fs.clock() // NANOSECONDS

    def entry(self, name: str, path: str, *, operand: bool) -> Entry | None:
        """The entry, or None after a complaint."""
        fs = self.process.fs
        as_named = self.long or "d" in self.options or "F" in self.options
        follow = "L" in self.options or (operand and ("H" in self.options or not as_named))
        try:
            status = fs.stat(path) if follow else fs.lstat(path)
            target = fs.readlink(path) if self.long and stat.S_ISLNK(status.st_mode) else ""
        except OSError as error:
            self.out.failed(path, error)
            return None
        return Entry(name, path, status, target)

    def ordered(self, entries: list[Entry]) -> list[Entry]:
        """The entries in the order asked for; ties by name."""
        entries = sorted(entries, key=lambda entry: octets(entry.name))
        by = self.options.last("tSXv")
        time = 9 if "c" in self.options else 7 if "u" in self.options else 8
        if by == "t":
            entries.sort(key=lambda entry: entry.status[time], reverse=True)
        elif by == "S":
            entries.sort(key=lambda entry: entry.status.st_size, reverse=True)
        elif by == "X":
            entries.sort(key=lambda entry: octets(_extension(entry.name)))
        elif by == "v":
            entries.sort(
                key=functools.cmp_to_key(lambda a, b: compare_versions(octets(a.name), octets(b.name)))
            )
        if "r" in self.options:
            entries.reverse()
        if "!" in self.options:
            entries.sort(key=lambda entry: not stat.S_ISDIR(entry.status.st_mode))
        return entries

    def shown(self, entry: Entry) -> str:
        """The name with what -F and -p append."""
        mode = entry.status.st_mode
        if stat.S_ISDIR(mode):
            return entry.name + ("/" if "F" in self.options or "p" in self.options else "")
        if "F" not in self.options:
            return entry.name
        mark = (
            "@" if stat.S_ISLNK(mode) else "|" if stat.S_ISFIFO(mode) else "=" if stat.S_ISSOCK(mode) else ""
        )
        return entry.name + (mark or ("*" if stat.S_ISREG(mode) and mode & 0o111 else ""))

    def line(self, entry: Entry) -> str:
        """One line of output."""
        status = entry.status
        parts = []
        if "i" in self.options:
            parts.append(f"{status.st_ino:7d} ")
        if "s" in self.options:
            blocks = human(status.st_blocks * 512) if "h" in self.options else str(-(-status.st_blocks // 2))
            parts.append(f"{blocks:>6s} ")
        if self.long:
            parts.append(self._attributes(status))
        name = self.shown(entry)
        return "".join(parts) + (f"{entry.name} -> {entry.target}" if entry.target else name)

    def _attributes(self, status: Stat) -> str:
        user = str(status.st_uid) if self.numeric else self.users.get(status.st_uid, str(status.st_uid))
        group = str(status.st_gid) if self.numeric else self.groups.get(status.st_gid, str(status.st_gid))
        if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            size = f"{major_of(status.st_rdev):4d}, {minor_of(status.st_rdev):3d}"
        elif "h" in self.options:
            size = f"{human(status.st_size):>7s}"
        else:
            size = f"{status.st_size:9d}"
        owner = f"{user:<8} {group:<8}"
        return f"{stat.filemode(status.st_mode)} {status.st_nlink:4d} {owner} {size} {self._time(status)} "

    def _time(self, status: Stat) -> str:
        stamp = status[9 if "c" in self.options else 7 if "u" in self.options else 8]
        seconds, rest = divmod(stamp, NANOSECONDS)
        if "~" in self.options:
            return formatted(seconds, rest, "%Y-%m-%d %H:%M:%S %z")
        age = self.now - seconds
        recent = -_A_QUARTER_OF_AN_HOUR < age < _HALF_A_YEAR
        return formatted(seconds, 0, "%b %e %H:%M" if recent else "%b %e  %Y")

    def show(self, entries: list[Entry]) -> None:
        """Print the entries, one in a line or (-C, -x) in as many columns as fit."""
        lines = [self.line(entry) for entry in entries]
        if not lines or self.long or self.options.last("1Cx", "1") == "1":
            for line in lines:
                self.out.print(line)
            return
        width = max(len(octets(line)) for line in lines) + 2
        columns = max(1, number(self.options.value("w", "80")) // width)
        rows = -(-len(lines) // columns)
        for row in range(rows):
            across = self.options.last("Cx") == "x"
            picked = lines[row * columns : (row + 1) * columns] if across else lines[row::rows]
            self.out.print("".join(line.ljust(width) for line in picked[:-1]) + picked[-1])

    def directory(self, path: str, name: str, *, title: bool, first: bool) -> None:
        """List a directory, and with -R what is below it."""
        try:
            names = self.process.fs.listdir(path)
        except OSError as error:
            self.out.complain(f"can't open '{path}': {os.strerror(error.errno or 0)}")
            return
        if title:
            self.out.print(("" if first else "\n") + f"{name}:")
        if "a" in self.options:
            names = [".", "..", *names]
        elif "A" not in self.options:
            names = [name for name in names if not name.startswith(".")]
        found = [self.entry(name, joined(path, name), operand=False) for name in names]
        entries = self.ordered([entry for entry in found if entry is not None])
        if self.long or "s" in self.options:
            total = sum(entry.status.st_blocks for entry in entries)
            self.out.print(f"total {human(total * 512) if 'h' in self.options else -(-total // 2)}")
        self.show(entries)
        if "R" in self.options:
            for entry in entries:
                if stat.S_ISDIR(entry.status.st_mode) and entry.name not in (".", ".."):
                    self.directory(entry.path, joined(name, entry.name), title=True, first=False)


def _extension(name: str) -> str:
    return name[name.rfind(".") :] if "." in name else ""


def ls(process: Process) -> int:
    """List files. Nothing here is a terminal, so there is one name in a line."""
    options = parse(process.argv[1:], "1AaCxdLHRFplinshrSXvctuw:", _LONG, usage=_USAGE)
    number(options.value("w", "80"))
    names = options.operands or (".",)
    with Output(process) as out:
        listing = Listing(process, out, options)
        found = [listing.entry(name, name, operand=True) for name in names]
        entries = [entry for entry in found if entry is not None]
        plain = [entry for entry in entries if "d" in options or not stat.S_ISDIR(entry.status.st_mode)]
        directories = [
            entry for entry in entries if "d" not in options and stat.S_ISDIR(entry.status.st_mode)
        ]
        listing.show(listing.ordered(plain))
        title = len(names) > 1 or "R" in options
        for at, entry in enumerate(listing.ordered(directories)):
            listing.directory(entry.path, entry.name, title=title, first=at == 0 and not plain)
    return out.status
