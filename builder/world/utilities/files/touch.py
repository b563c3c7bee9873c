"""touch: times of files."""

from __future__ import annotations

import os
from typing import Final

from builder.world.machine.process import Process
from builder.world.utilities.commandline import Options, UsageError, at_least, parse
from builder.world.utilities.dates import NANOSECONDS, DateError, parsed
from builder.world.utilities.streams import Output, reason

_USAGE: Final = "[-cham] [-d DATE] [-t DATE] [-r FILE] FILE..."


def _times(process: Process, options: Options) -> tuple[int, int] | None:
    """The times to set, in nanoseconds; None: now."""
    if "r" in options:
        try:
            status = process.fs.stat(options.value("r"))
        except OSError as error:
            raise UsageError(f"can't stat '{options.value('r')}': {reason(error)}") from error
        return status.st_atime_ns, status.st_mtime_ns
    text = options.value(options.last("dt", "d"))
    if not text:
        return None
    try:
        chosen = parsed(text, process.fs.clock() // NANOSECONDS) * NANOSECONDS
    except DateError as error:
        raise UsageError(f"invalid date '{text}'") from error
    return chosen, chosen


def touch(process: Process) -> int:
    """Set the times of files, making those that are missing."""
    long = {"no-create": "c", "date": "d", "reference": "r", "no-dereference": "h"}
    options = parse(process.argv[1:], "cd:t:r:famh", long, usage=_USAGE)
    at_least(options, 1, _USAGE)
    times = _times(process, options)
    fs = process.fs
    with Output(process) as out:
        for path in options.operands:
            chosen = times or (fs.clock(), fs.clock())
            try:
                status = fs.lstat(path) if "h" in options else fs.stat(path)
            except FileNotFoundError:
                if "c" in options:
                    continue
                status = None
            except OSError as error:
                out.failed(path, error)
                continue
            try:
                if status is None:
                    stream = fs.open(path, os.O_RDWR | os.O_CREAT)
                    status = stream.stat()
                    stream.close()
                    if times is None:
                        continue
                if times is None and "a" not in options and "m" not in options:
                    fs.utime(path, follow_symlinks="h" not in options)
                    continue
                access = status.st_atime_ns if "m" in options and "a" not in options else chosen[0]
                change = status.st_mtime_ns if "a" in options and "m" not in options else chosen[1]
                fs.utime(path, ns=(access, change), follow_symlinks="h" not in options)
            except OSError as error:
                out.failed(path, error)
    return out.status
