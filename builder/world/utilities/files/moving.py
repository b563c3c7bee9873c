"""mv: other names for files."""

from __future__ import annotations

import errno
import stat

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, parse
from builder.world.utilities.files.copying import MV_USAGE, Copier, destinations, overwrites
from builder.world.utilities.files.names import removed
from builder.world.utilities.streams import Output, reason
from builder.world.utilities.walks import Follow


def mv(process: Process) -> int:
    """Give files other names."""
    long = {"force": "f", "interactive": "i", "no-clobber": "n", "verbose": "v", "target-directory": "t"}
    options = parse(process.argv[1:], "finvTt:", long | {"no-target-directory": "T"}, usage=MV_USAGE)
    choice = options.last("fin")
    with Output(process) as out:
        for source, target in destinations(process, options, MV_USAGE):
            exists = process.fs.exists(target)
            if exists and (choice == "n" or (choice == "i" and not overwrites(process, out, target))):
                continue
            if _moved(process, out, source, target) and "v" in options:
                out.print(f"'{source}' -> '{target}'")
    return out.status


def _moved(process: Process, out: Output, source: str, target: str) -> bool:
    fs = process.fs
    try:
        fs.rename(source, target)
        return True
    except OSError as error:
        if error.errno != errno.EXDEV:
            out.complain(f"can't rename '{source}': {reason(error)}")
            return False
    # A directory that lies in a lower layer cannot be renamed (EXDEV): it is copied, as busybox copies it.
    try:
        if fs.exists(target):
            if stat.S_ISDIR(fs.lstat(target).st_mode):
                fs.rmdir(target)
            else:
                fs.unlink(target)
    except OSError as error:
        out.complain(f"can't remove '{target}': {reason(error)}")
        return False
    before, out.status = out.status, 0
    copier = Copier(process, out, Options((("a", ""),), ()), Follow.NONE, preserve=True)
    copier.copy(source, target)
    if not out.status:
        removed(process, out, source, Options((("r", ""), ("f", "")), ()))
    failed, out.status = bool(out.status), out.status or before
    return not failed
