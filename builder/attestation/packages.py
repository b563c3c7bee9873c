"""What is installed in an image, from the databases that the package managers themselves keep in it.

apk ``lib/apk/db/installed``, dpkg ``status`` and ``status.d``, rpm ``rpmdb.sqlite``, Python's core metadata
(``*.dist-info/METADATA``, PEP 566) and npm's ``package.json``. A broken entry is passed over.
"""

from __future__ import annotations

import json
import posixpath
import re
import sqlite3
import stat
import struct
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote

from unionfs_sim.filesystem import Filesystem

_MAX_FILE_BYTES: Final = 64 << 20
_MAX_PACKAGES: Final = 200_000
_RPM_DATABASES: Final = ("/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite")
_RPM_STRINGS: Final = {1000: "name", 1001: "version", 1002: "release", 1022: "arch"}
_RPM_STRING_TYPES: Final = (6, 8, 9)


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """One package. ``purl``: its package URL, which no two share; ``source``: the file that lists it.

    ``distribution``: who made it, for the packages of a distribution (``ID`` of os-release(5)).
    """

    kind: str
    name: str
    version: str
    architecture: str = ""
    source: str = ""
    distribution: str = ""

    @property
    def purl(self) -> str:
        """The package URL (purl-spec)."""
        kind = {"python": "pypi"}.get(self.kind, self.kind)
        name = "/".join(quote(part, safe="") for part in self.name.split("/"))
        suffix = f"?arch={quote(self.architecture)}" if self.architecture else ""
        namespace = f"{quote(self.distribution)}/" if self.distribution else ""
        return f"pkg:{kind}/{namespace}{name}@{quote(self.version, safe='')}{suffix}"


def packages(tree: Filesystem) -> list[Package]:
    """Everything that is installed in a merged tree, sorted, each once."""
    found: dict[str, Package] = {}
    for package in _all(tree):
        if package.name and package.version:
            found.setdefault(package.purl, package)
            if len(found) >= _MAX_PACKAGES:
                break
    return sorted(found.values())


def _all(tree: Filesystem) -> Iterator[Package]:
    system = _read(tree, "/etc/os-release") or _read(tree, "/usr/lib/os-release") or b""
    named = re.search(rb"""^ID=["']?([a-z0-9._-]+)""", system, re.MULTILINE)
    distribution = named[1].decode() if named else ""
    for package in (*_apk(tree), *_dpkg(tree), *_rpm(tree)):
        yield replace(package, distribution=distribution)
    yield from _by_walking(tree)


def _read(tree: Filesystem, path: str) -> bytes | None:
    try:
        status = tree.lstat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_FILE_BYTES:
            return None
        with closing(tree.open(path)) as stream:
            return stream.read(_MAX_FILE_BYTES)
    except OSError:
        return None


def _list(tree: Filesystem, path: str) -> list[str]:
    try:
        return sorted(str(name) for name in tree.listdir(path))
    except OSError:
        return []


def _paragraphs(raw: bytes, colon: str) -> Iterator[dict[str, str]]:
    """Blocks of ``Name: value`` lines; a line that begins with a blank goes on with the one before."""
    block: dict[str, str] = {}
    for line in raw.decode("utf-8", "replace").splitlines():
        if not line.strip():
            if block:
                yield block
            block = {}
        elif line[0] not in " \t":
            name, found, value = line.partition(colon)
            if found:
                block.setdefault(name, value.strip())
    if block:
        yield block


def _apk(tree: Filesystem) -> Iterator[Package]:
    for source in ("/lib/apk/db/installed", "/usr/lib/apk/db/installed"):
        for block in _paragraphs(_read(tree, source) or b"", ":"):
            yield Package("apk", block.get("P", ""), block.get("V", ""), block.get("A", ""), source)


def _dpkg(tree: Filesystem) -> Iterator[Package]:
    apart = "/var/lib/dpkg/status.d"  # Images without a package manager have a file a package there.
    sources = ["/var/lib/dpkg/status", *(f"{apart}/{name}" for name in _list(tree, apart))]
    for source in sources:
        for block in _paragraphs(_read(tree, source) or b"", ":"):
            if block.get("Status", "install ok installed").endswith(" installed"):
                architecture = block.get("Architecture", "")
                yield Package("deb", block.get("Package", ""), block.get("Version", ""), architecture, source)


def _rpm(tree: Filesystem) -> Iterator[Package]:
    for source in _RPM_DATABASES:
        raw = _read(tree, source)
        if raw is None:
            continue
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(raw)
            copy.flush()
            connection = sqlite3.connect(f"file:{copy.name}?mode=ro&immutable=1", uri=True)
            try:
                headers = [row[0] for row in connection.execute("SELECT blob FROM Packages")]
            except sqlite3.Error:
                headers = []
            finally:
                connection.close()
        for header in headers:
            tags = _rpm_tags(header) if isinstance(header, bytes) else {}
            if tags.get("name") == "gpg-pubkey":
                continue
            version = f"{tags.get('version', '')}-{tags.get('release', '')}".strip("-")
            yield Package("rpm", tags.get("name", ""), version, tags.get("arch", ""), source)


def _rpm_tags(header: bytes) -> dict[str, str]:
    """The strings in a header: an index of tag, type, offset and count, then the data (``format.md``)."""
    found: dict[str, str] = {}
    try:
        entries, size = struct.unpack_from(">II", header)
        data = header[8 + 16 * entries :][:size]
        for number in range(min(entries, 4096)):
            tag, kind, offset, _ = struct.unpack_from(">IIII", header, 8 + 16 * number)
            if tag in _RPM_STRINGS and kind in _RPM_STRING_TYPES and offset < len(data):
                found[_RPM_STRINGS[tag]] = data[offset:].partition(b"\0")[0].decode("utf-8", "replace")
    except struct.error:
        return {}
    return found


def _by_walking(tree: Filesystem) -> Iterator[Package]:
    """Python's and npm's packages, which may lie anywhere."""
    waiting = ["/"]
    while waiting:
        directory = waiting.pop()
        inside_modules = posixpath.basename(posixpath.dirname(directory)) == "node_modules" or (
            posixpath.basename(posixpath.dirname(posixpath.dirname(directory))) == "node_modules"
        )
        for name in _list(tree, directory):
            path = posixpath.join(directory, name)
            try:
                mode = tree.lstat(path).st_mode
            except OSError:
                continue
            if stat.S_ISDIR(mode):
                waiting.append(path)
                if name.endswith(".dist-info"):
                    yield from _python(tree, f"{path}/METADATA")
                elif name.endswith(".egg-info"):
                    yield from _python(tree, f"{path}/PKG-INFO")
            elif name == "package.json" and inside_modules:
                yield from _npm(tree, path)
            elif name.endswith(".egg-info"):
                yield from _python(tree, path)


def _python(tree: Filesystem, source: str) -> Iterator[Package]:
    head = (_read(tree, source) or b"").replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    for block in _paragraphs(head, ":"):
        yield Package("python", block.get("Name", ""), block.get("Version", ""), "", source)


def _npm(tree: Filesystem, source: str) -> Iterator[Package]:
    try:
        document = json.loads(_read(tree, source) or b"")
    except (ValueError, RecursionError):
        return
    if isinstance(document, dict):
        name, version = document.get("name"), document.get("version")
        if isinstance(name, str) and isinstance(version, str):
            yield Package("npm", name, version, "", source)
