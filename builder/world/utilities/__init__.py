"""The utilities of the simulated world: names and the programs behind them, loaded when first used.

The model is busybox 1.35 as Debian builds it (for what it lacks, coreutils): options, output, exit status and
what becomes of the tree. It is left in these places, where it contradicts POSIX or loses data:

- names are visited in the order of their bytes, never in that of a directory on disk;
- ``cp a l`` onto a symlink to ``a`` is refused; busybox empties ``a``;
- ``paste`` ends every line, and ``grep -o -v`` prints nothing;
- ``tr`` knows ``[:print:]`` and ``[:graph:]``, and takes ``\\-`` as a hyphen;
- ``awk``'s ``substr`` counts from before the beginning as POSIX says, and mathematics is there;
- ``sed`` also knows ``first~step``, ``0,/re/``, ``-s``, ``-z``, and ``\\U`` and its kin in a replacement;
- ``tar x`` recognises a compressed archive by itself, and knows ``--exclude``, ``-T`` and ``-X``;
- ``xz`` compresses, and an archive that is no xz is an error;
- long options of coreutils are understood where the short ones exist.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from typing import Final, cast

from builder.world.process import Process, Program

_MODULES: Final = {
    "accounts_shown": "groups whoami",
    "archive.tar": "tar",
    "archive.zip": "unzip",
    "archive.compress": "gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat lzma unlzma lzcat",
    "awk": "awk",
    "clock": "date sleep",
    "columns": "cut expand fold paste unexpand",
    "compare": "cmp",
    "copying": "cp",
    "dd": "dd",
    "diff": "diff",
    "dump": "hexdump od xxd",
    "echo": "echo yes",
    "ends": "head tail",
    "expr": "expr",
    "files": "mkdir mkfifo mknod rm rmdir sync truncate",
    "find": "find",
    "grep": "egrep fgrep grep",
    "hashing": "base64 cksum md5sum sha1sum sha256sum sha512sum",
    "install": "install",
    "links": "link ln unlink",
    "listing": "ls",
    "moving": "mv",
    "owners": "chgrp chmod chown",
    "patch": "patch",
    "paths": "basename dirname mktemp pwd readlink realpath which",
    "printf": "printf",
    "running": "env false kill nice nohup printenv timeout true",
    "sed": "sed",
    "seq": "seq",
    "sort": "sort",
    "space": "df du",
    "split": "split",
    "stating": "stat",
    "system": "arch hostname nproc uname",
    "test": "test",
    "text": "cat nl rev strings tac tee wc",
    "touch": "touch",
    "tr": "tr",
    "uniq": "comm uniq",
    "xargs": "xargs",
}
_PLACES: Final = {name: (module, name) for module, names in _MODULES.items() for name in names.split()} | {
    "[": ("test", "test"),
    "[[": ("test", "test"),
    "id": ("accounts_shown", "id_"),
}


def _load(module: str, function: str) -> Program:
    from builder.world.utilities.options import UsageError
    from builder.world.utilities.stdio import guarded_exit

    program = cast(Program, getattr(importlib.import_module(f"{__name__}.{module}"), function))

    @functools.wraps(program)
    def guarded(process: Process) -> int:
        try:
            return program(process)
        except BrokenPipeError:
            raise
        except (UsageError, OSError) as error:
            return guarded_exit(process, error)

    return guarded


class _Utilities(Mapping[str, Program]):
    """The table; a program's module is imported when the program is looked up."""

    def __init__(self) -> None:
        self._load = functools.cache(_load)

    def __getitem__(self, name: str) -> Program:
        module, function = _PLACES[name]
        return self._load(module, function)

    def __contains__(self, name: object) -> bool:
        return name in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)


UTILITIES: Final[Mapping[str, Program]] = _Utilities()
"""The program behind each name. Every one ends a wrong command line or a failing file with a message."""
