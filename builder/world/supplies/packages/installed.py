"""Which packages are installed: the databases of apk and dpkg, in their own formats.

Alpine's ``/lib/apk/db/installed`` (P: V: I: D: p: and F:/R: for files); Debian's
``/var/lib/dpkg/status`` and one ``info/NAME.list`` for each package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

APK_DATABASE: Final = "/lib/apk/db/installed"
APK_WORLD: Final = "/etc/apk/world"
DPKG_STATUS: Final = "/var/lib/dpkg/status"
DPKG_LISTS: Final = "/var/lib/dpkg/info"


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed package; ``files``: absolute paths of files and links, not of directories."""

    name: str
    version: str
    size: int = 0
    needs: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    files: tuple[str, ...] = field(default=(), repr=False)
    is_wanted: bool = False


def write_apk(packages: Iterable[Installed]) -> bytes:
    """The text of apk's database."""
    lines: list[str] = []
    for package in packages:
        lines += [f"P:{package.name}", f"V:{package.version}", f"I:{package.size}"]
        if package.needs:
            lines.append(f"D:{' '.join(package.needs)}")
        if package.provides:
            lines.append(f"p:{' '.join(package.provides)}")
        for path in package.files:
            directory, _, name = path.lstrip("/").rpartition("/")
            lines += [f"F:{directory}", f"R:{name}"]
        lines.append("")
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogateescape")


def read_apk(text: str) -> list[Installed]:
    """The packages in apk's database; what is not understood is passed over."""
    found: list[Installed] = []
    for block in text.split("\n\n"):
        values: dict[str, str] = {}
        files: list[str] = []
        directory = ""
        for line in block.splitlines():
            key, _, value = line.partition(":")
            if key == "F":
                directory = value
            elif key == "R":
                files.append(f"/{directory}/{value}".replace("//", "/"))
            else:
                values[key] = value
        if "P" in values:
            found.append(
                Installed(
                    values["P"],
                    values.get("V", ""),
                    _size(values.get("I", "")),
                    tuple(values.get("D", "").split()),
                    tuple(values.get("p", "").split()),
                    tuple(files),
                )
            )
    return found


def write_dpkg(packages: Iterable[Installed]) -> bytes:
    """The text of dpkg's status file."""
    blocks = []
    for package in packages:
        lines = [f"Package: {package.name}", "Status: install ok installed"]
        lines += [f"Installed-Size: {package.size // 1024}", f"Version: {package.version}"]
        if package.needs:
            lines.append(f"Depends: {', '.join(package.needs)}")
        if not package.is_wanted:
            lines.append("Auto-Installed: 1")
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks).encode("utf-8", "surrogateescape")


def read_dpkg(text: str) -> list[Installed]:
    """The packages in dpkg's status file, without their files."""
    found: list[Installed] = []
    for block in text.split("\n\n"):
        values = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "Package" in values:
            found.append(
                Installed(
                    values["Package"],
                    values.get("Version", ""),
                    _size(values.get("Installed-Size", "")) * 1024,
                    tuple(values.get("Depends", "").replace(",", " ").split()),
                    is_wanted="Auto-Installed" not in values,
                )
            )
    return found


def _size(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 16 else 0
