"""dpkg and dpkg-query: what is installed, and which files belong to it."""

from __future__ import annotations

from builder.world.machine.process import Process
from builder.world.programs.packages.store import read_text
from builder.world.supplies.packages.installed import DPKG_LISTS, DPKG_STATUS, read_dpkg


def dpkg(process: Process) -> int:
    """Answer -l, -L, -s, -S and --print-architecture; installing a file is not simulated."""
    words = list(process.argv[1:])
    option, names = (words[0], words[1:]) if words else ("", [])
    match option:
        case "--print-architecture":
            process.out("amd64\n")
            return 0
        case "--version":
            process.out("Debian 'dpkg' package management program version 1.21.22 (amd64, simulated).\n")
            return 0
        case "-l" | "--list":
            return _list(process, names)
        case "-L" | "--listfiles":
            return _files(process, names)
        case "-s" | "--status":
            return _status(process, names)
        case "-S" | "--search":
            return _search(process, names)
    process.stderr.write(
        f"dpkg: error: not simulated: {option or 'no action'} (-l, -L, -s, -S)\n".encode(
            "utf-8", "surrogateescape"
        )
    )
    return 2


def dpkg_query(process: Process) -> int:
    """As dpkg for -l, -L, -s, -S; -W lists names and versions."""
    words = [word for word in process.argv[1:] if not word.startswith(("-f", "--showformat"))]
    if words and words[0] in ("-W", "--show"):
        for one in read_dpkg(read_text(process.fs, DPKG_STATUS)):
            if not words[1:] or one.name in words[1:]:
                process.out(f"{one.name}\t{one.version}\n")
        return 0
    return dpkg(process)


def _list(process: Process, names: list[str]) -> int:
    found = [one for one in read_dpkg(read_text(process.fs, DPKG_STATUS)) if not names or one.name in names]
    if not found:
        process.stderr.write(
            f"dpkg-query: no packages found matching {' '.join(names)}\n".encode("utf-8", "surrogateescape")
        )
        return 1
    process.out("Desired=Unknown/Install/Remove/Purge/Hold\n||/ Name            Version\n")
    process.out("".join(f"ii  {one.name:<15} {one.version}\n" for one in found))
    return 0


def _files(process: Process, names: list[str]) -> int:
    status = 0
    for name in names:
        path = f"{DPKG_LISTS}/{name}.list"
        if not process.fs.exists(path):
            process.stderr.write(
                f"dpkg-query: package '{name}' is not installed\n".encode("utf-8", "surrogateescape")
            )
            status = 1
        else:
            process.out(read_text(process.fs, path).rstrip("\n") + "\n")
    return status


def _status(process: Process, names: list[str]) -> int:
    known = {one.name: one for one in read_dpkg(read_text(process.fs, DPKG_STATUS))}
    status = 0
    for name in names:
        one = known.get(name)
        if one is None:
            process.stderr.write(
                f"dpkg-query: package '{name}' is not installed and no information is available\n".encode(
                    "utf-8", "surrogateescape"
                )
            )
            status = 1
        else:
            process.out(f"Package: {name}\nStatus: install ok installed\nVersion: {one.version}\n")
    return status


def _search(process: Process, names: list[str]) -> int:
    status = 1
    for one in read_dpkg(read_text(process.fs, DPKG_STATUS)):
        for path in read_text(process.fs, f"{DPKG_LISTS}/{one.name}.list").splitlines():
            if any(name in path for name in names):
                process.out(f"{one.name}: {path}\n")
                status = 0
    return status
