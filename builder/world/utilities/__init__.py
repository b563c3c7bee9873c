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

from builder.world.machine.process import Process, Program

_MODULES: Final = {
    "archive.compress": "gzip gunzip zcat bzip2 bunzip2 bzcat xz unxz xzcat lzma unlzma lzcat",
    "archive.tar": "tar",
    "archive.zip": "unzip",
    "awk.awk": "awk",
    "files.copying": "cp",
    "files.dd": "dd",
    "files.install": "install",
    "files.links": "link ln unlink",
    "files.listing": "ls",
    "files.moving": "mv",
    "files.names": "mkdir mkfifo mknod rm rmdir sync truncate",
    "files.owners": "chgrp chmod chown",
    "files.paths": "basename dirname mktemp pwd readlink realpath which",
    "files.space": "df du",
    "files.stating": "stat",
    "files.touch": "touch",
    "find.find": "find",
    "sed.sed": "sed",
    "system.clock": "date sleep",
    "system.identity": "groups whoami",
    "system.kernel": "free ip mount tty",
    "system.running": "env false kill nice nohup printenv timeout true",
    "system.uname": "arch hostname nproc uname",
    "system.xargs": "xargs",
    "text.columns": "cut expand fold paste unexpand",
    "text.compare": "cmp",
    "text.diff": "diff",
    "text.dump": "hexdump od xxd",
    "text.ends": "head tail",
    "text.grep": "egrep fgrep grep",
    "text.hashing": "base64 cksum md5sum sha1sum sha256sum sha512sum",
    "text.patch": "patch",
    "text.sort": "sort",
    "text.split": "split",
    "text.tr": "tr",
    "text.uniq": "comm uniq",
    "text.whole": "cat nl rev strings tac tee wc",
    "words.echo": "echo yes",
    "words.expr": "expr",
    "words.printf": "printf",
    "words.seq": "seq",
    "words.test": "test",
}
_PLACES: Final = {name: (module, name) for module, names in _MODULES.items() for name in names.split()} | {
    "[": ("words.test", "test"),
    "[[": ("words.test", "test"),
    "id": ("system.identity", "id_"),
}


def _load(module: str, function: str) -> Program:
    from builder.world.utilities.commandline import UsageError
    from builder.world.utilities.streams import guarded_exit

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
