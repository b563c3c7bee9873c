"""install: copies with the attributes asked for.

Debian's busybox has none; coreutils is the model.
"""

from __future__ import annotations

import stat
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, at_least, parse
from builder.world.utilities.filenames import base_name
from builder.world.utilities.files.copying import Copier
from builder.world.utilities.files.names import make_directories, mode_operand
from builder.world.utilities.streams import Output, reason
from builder.world.utilities.walks import Follow, joined
from unionfs_sim.accounts import group_named, user_named

_USAGE: Final = "[-cdDsp] [-o USER] [-g GRP] [-m MODE] [-t DIR] [SOURCE]... DEST"
_LONG: Final = {
    "directory": "d",
    "preserve-timestamps": "p",
    "strip": "s",
    "group": "g",
    "mode": "m",
    "owner": "o",
    "target-directory": "t",
    "no-target-directory": "T",
    "verbose": "v",
}


class _Installer:
    def __init__(self, process: Process, out: Output, options: Options) -> None:
        self.process = process
        self.out = out
        self.options = options
        self.mode = mode_operand(options.value("m", "0755"), 0, 0)
        self.uid = self._number(user_named(process.fs, options.value("o")), "o", "invalid user")
        self.gid = self._number(group_named(process.fs, options.value("g")), "g", "invalid group")

    def _number(self, found: int | None, letter: str, wrong: str) -> int:
        if letter not in self.options:
            return -1
        if found is None:
            raise UsageError(f"{wrong} '{self.options.value(letter)}'")
        return found

    def finish(self, path: str) -> None:
        """Give the path its owner and mode."""
        if self.uid >= 0 or self.gid >= 0:
            self.process.fs.chown(path, self.uid, self.gid)
        self.process.fs.chmod(path, self.mode)

    def directory(self, path: str) -> None:
        """Make a directory and what leads to it."""
        try:
            for made in make_directories(self.process.fs, path):
                if "v" in self.options:
                    self.out.print(f"install: creating directory '{made}'")
            self.finish(path)
        except OSError as error:
            where = error.filename if isinstance(error.filename, str) else path
            self.out.complain(f"cannot create directory '{where}': {reason(error)}")

    def file(self, source: str, target: str) -> None:
        """Copy a file; what was there is replaced, not written into."""
        fs = self.process.fs
        try:
            status = fs.stat(source)
        except OSError as error:
            self.out.complain(f"cannot stat '{source}': {reason(error)}")
            return
        if stat.S_ISDIR(status.st_mode):
            self.out.complain(f"omitting directory '{source}'")
            return
        if fs.exists(target) and fs.lstat(target)[1:3] == status[1:3]:
            self.out.complain(f"'{source}' and '{target}' are the same file")
            return
        try:
            fs.unlink(target)
        except OSError:
            pass  # nothing there, or the copy will say what is wrong
        before, self.out.status = self.out.status, 0
        Copier(self.process, self.out, Options((), ()), Follow.ALL, preserve=False).copy(source, target)
        failed, self.out.status = self.out.status, self.out.status or before
        if failed:
            return
        self.finish(target)
        if "p" in self.options:
            fs.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
        if "v" in self.options:
            self.out.print(f"'{source}' -> '{target}'")


def _is_directory(process: Process, path: str) -> bool:
    try:
        return stat.S_ISDIR(process.fs.stat(path).st_mode)
    except OSError:
        return False


def install(process: Process) -> int:
    """Copy files to where they belong, with mode and owner; or with -d make directories."""
    options = parse(process.argv[1:], "cvb:Ddpsg:m:o:t:T", _LONG, usage=_USAGE)
    at_least(options, 1, _USAGE)
    operands = list(options.operands)
    with Output(process) as out:
        installer = _Installer(process, out, options)
        if "d" in options:
            for path in operands:
                installer.directory(path)
            return out.status
        into = options.value("t") or None
        if into is None:
            if len(operands) < 2:
                raise UsageError(f"missing destination file operand after '{operands[0]}'")
            last = operands.pop()
            if len(operands) > 1 or (_is_directory(process, last) and "T" not in options):
                into = last
        if "D" in options:
            leading = into if into is not None and "t" in options else (into or last).rpartition("/")[0]
            for _ in make_directories(process.fs, leading) if leading else ():
                pass
        if into is not None and not _is_directory(process, into):
            raise UsageError(f"target '{into}': {_why(process, into)}")
        for source in operands:
            installer.file(source, joined(into, base_name(source)) if into is not None else last)
    return out.status


def _why(process: Process, path: str) -> str:
    return "Not a directory" if process.fs.exists(path) else "No such file or directory"
