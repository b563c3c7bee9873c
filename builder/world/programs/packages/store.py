"""What both package managers do: read an index, choose, fetch, unpack, run scripts, remove."""

from __future__ import annotations

import difflib
import io
import json
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from builder.world.machine.process import Process
from builder.world.programs.web.download import NoAnswerError, fetch
from unionfs_sim.vfs.posix import Posix

SCRIPT = ".post-install"


@dataclass(frozen=True, slots=True)
class Offer:
    """A package as an index offers it; ``size``: installed, in bytes of the real thing."""

    name: str
    version: str
    size: int
    about: str
    needs: tuple[str, ...]
    provides: tuple[str, ...]

    @property
    def file_name(self) -> str:
        """The name of its archive, without the ending."""
        return f"{self.name}-{self.version}"


def read_index(content: bytes) -> dict[str, Offer]:
    """The packages that an index offers; lines that are no package are passed over."""
    offers: dict[str, Offer] = {}
    for line in content.rstrip(b"\0").splitlines():
        try:
            found: Any = json.loads(line)
            offer = Offer(
                str(found["name"]),
                str(found["version"]),
                int(found["size"]),
                str(found["about"]),
                tuple(map(str, found["needs"])),
                tuple(map(str, found["provides"])),
            )
        except (ValueError, KeyError, TypeError):
            continue
        offers[offer.name] = offer
    return offers


class UnknownPackageError(Exception):
    """A name that no index offers; ``required_by`` is a package, or "" if the user asked for it."""

    def __init__(self, name: str, required_by: str) -> None:
        super().__init__(name)
        self.name = name
        self.required_by = required_by


def offered(offers: Mapping[str, Offer], name: str, *, fetching: str) -> str:
    """What to say to who asked for a package that is not offered: what there is, and how to get at it.

    ``fetching``: the command that fetches an index, where none is here.
    """
    if not offers:
        return f"no list of packages is in this image: {fetching}"
    like = difflib.get_close_matches(name, offers, n=3)
    like = like or sorted(each for each in offers if name in each or each in name)[:3]
    nearest = f"; like it: {', '.join(like)}" if like else ""
    return f"the simulated repositories hold {len(offers)} packages{nearest}"


def choose(offers: Mapping[str, Offer], have: Iterable[str], wanted: Iterable[str]) -> list[Offer]:
    """What must be installed for ``wanted``, needed packages first; UnknownPackageError if one is missing."""
    provided = {name: offer.name for offer in offers.values() for name in offer.provides}
    chosen: dict[str, Offer] = {}
    visited = set(have)

    def add(name: str, required_by: str) -> None:
        real = provided.get(name, name)
        if real in visited:
            return
        offer = offers.get(real)
        if offer is None:
            raise UnknownPackageError(name, required_by)
        visited.add(real)
        for need in sorted(offer.needs):
            add(need, real)
        chosen[real] = offer

    for name in wanted:
        add(name, "")
    return list(chosen.values())


def download(process: Process, url: str) -> bytes | None:
    """The bytes at ``url``; None if nobody answers or there is nothing."""
    try:
        page = fetch(process, url)
    except NoAnswerError:
        return None
    return page.body if page.status == 200 else None


def unpack(process: Process, archive: bytes) -> tuple[list[str], str]:
    """The absolute paths of what the archive put into the tree, and its script ("" if none)."""
    fs, files, script = process.fs, [], ""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for member in tar:
            path = "/" + member.name
            if member.name == SCRIPT:
                held = tar.extractfile(member)
                script = held.read().decode() if held is not None else ""
                continue
            if member.isdir():
                make_directories(fs, path)
                continue
            make_directories(fs, os.path.dirname(path))
            if member.issym():
                if os.path.basename(path) in fs.listdir(os.path.dirname(path)):
                    fs.remove(path)
                fs.symlink(member.linkname, path)
            else:
                held = tar.extractfile(member)
                _replace(fs, path, held.read() if held is not None else b"", member.mode)
            files.append(path)
    return files, script


def _replace(fs: Posix, path: str, content: bytes, mode: int) -> None:
    if os.path.basename(path) in fs.listdir(os.path.dirname(path)):
        fs.remove(path)
    fs.write_bytes(path, content, mode)
    fs.chmod(path, mode)


def make_directories(fs: Posix, path: str) -> None:
    """Make ``path`` and what leads to it."""
    parts = [part for part in path.split("/") if part]
    for depth in range(1, len(parts) + 1):
        directory = "/" + "/".join(parts[:depth])
        if not fs.exists(directory):
            fs.mkdir(directory, 0o755)


def remove_files(fs: Posix, paths: Iterable[str]) -> None:
    """Take files away, and directories that are empty then."""
    directories = set()
    for path in paths:
        try:
            fs.unlink(path)
        except FileNotFoundError:
            continue
        directories.add(os.path.dirname(path))
    for directory in sorted(directories, key=len, reverse=True):
        current = directory
        while current not in ("/", "") and fs.exists(current) and not fs.listdir(current):
            fs.rmdir(current)
            current = os.path.dirname(current)


def run_script(process: Process, script: str) -> int:
    """Run a package's script by the image's shell; its status (0 without a script)."""
    return process.spawn(["/bin/sh", "-c", script]) if script else 0


def mebibytes(sizes: Iterable[int]) -> int:
    """The sum in MiB, rounded up as apk rounds."""
    return -(-sum(sizes) // (1024 * 1024))


def read_text(fs: Posix, path: str) -> str:
    """The text of a file, or "" if there is none."""
    return fs.read_bytes(path).decode("utf-8", "surrogateescape") if fs.exists(path) else ""
