"""ldconfig and ldd: which shared libraries are found where."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

from builder.world.machine.objects import Archive, ObjectFormatError, decode
from builder.world.machine.process import Process
from builder.world.programs.cc.loader import GLIBC_DIRECTORIES, LD_CACHE, MUSL_DIRECTORIES

LD_CONF = "/etc/ld.so.conf"


def ldconfig(process: Process) -> int:
    """Write the cache of shared libraries from /etc/ld.so.conf (ldconfig(8)); -p prints it."""
    fs = process.fs
    if "-p" in process.argv:
        process.out(fs.read_bytes(LD_CACHE).decode("utf-8", "replace") if fs.exists(LD_CACHE) else "")
        return 0
    directories = [word for word in process.argv[1:] if not word.startswith("-")]
    lines = []
    for directory in dict.fromkeys([*directories, *_configured(process, LD_CONF, 0), *GLIBC_DIRECTORIES]):
        try:
            names = sorted(fs.listdir(directory))
        except OSError:
            continue
        for name in names:
            if ".so" in name:
                soname = _soname(process, f"{directory}/{name}")
                if soname is not None:
                    lines.append(f"{soname} => {directory}/{name}")
    fs.write_bytes(
        LD_CACHE, "".join(line + "\n" for line in dict.fromkeys(lines)).encode("utf-8", "surrogateescape")
    )
    return 0


def _configured(process: Process, path: str, depth: int) -> Iterator[str]:
    try:
        lines = process.fs.read_bytes(path).decode("utf-8", "replace").splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        if words[:1] == ["include"] and depth < 5:
            directory, _, pattern = words[-1].rpartition("/")
            try:
                names = sorted(process.fs.listdir(directory))
            except OSError:
                continue
            for name in names:
                if fnmatch.fnmatchcase(name, pattern):
                    yield from _configured(process, f"{directory}/{name}", depth + 1)
        elif words:
            yield words[0]


def _soname(process: Process, path: str) -> str | None:
    try:
        library = decode(process.fs.read_bytes(path))
    except (OSError, ObjectFormatError):
        return None
    return None if isinstance(library, Archive) else library.soname


def ldd(process: Process) -> int:
    """Print the shared libraries that programs need and where they are found."""
    status = 0
    paths = [word for word in process.argv[1:] if not word.startswith("-")]
    for path in paths:
        try:
            program = decode(process.fs.read_bytes(path))
        except ObjectFormatError:
            program = None
        if program is None or isinstance(program, Archive):
            process.stderr.write(b"\tnot a dynamic executable\n")
            status = 1
            continue
        if len(paths) > 1:
            process.out(f"{path}:\n")
        if not program.needed:
            process.out("\tstatically linked\n")
        is_musl = "musl" in (program.interpreter or "")
        for name in program.needed:
            found = _find(process, name, MUSL_DIRECTORIES if is_musl else GLIBC_DIRECTORIES)
            process.out(f"\t{name} => {found or 'not found'}\n")
            status = status or (0 if found else 1)
    return status


def _find(process: Process, name: str, directories: tuple[str, ...]) -> str | None:
    listed = [entry for entry in process.env.get("LD_LIBRARY_PATH", "").split(":") if entry]
    for directory in (*listed, *directories):
        if process.fs.exists(f"{directory}/{name}"):
            return f"{directory}/{name}"
    if process.fs.exists(LD_CACHE):
        for line in process.fs.read_bytes(LD_CACHE).decode("utf-8", "replace").splitlines():
            if line.partition(" => ")[0] == name:
                return line.partition(" => ")[2]
    return None
