"""apk: update, upgrade, add, del, info, search, fix and cache clean, as Alpine's apk-tools 2 words them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Final

from builder.world.machine.process import Process
from builder.world.programs.packages.store import (
    Offer,
    UnknownPackageError,
    choose,
    download,
    make_directories,
    mebibytes,
    offered,
    read_index,
    read_text,
    remove_files,
    run_script,
    unpack,
)
from builder.world.supplies.description import scaled
from builder.world.supplies.packages.installed import APK_DATABASE, APK_WORLD, Installed, read_apk, write_apk
from builder.world.utilities.commandline import Options, parse

REPOSITORIES: Final = "/etc/apk/repositories"
CACHE: Final = "/var/cache/apk"
INDEX_SIZE: Final = "2.2M"
"""What the index of the real repositories weighs: it stays in the layer unless --no-cache is given."""

_LONG: Final = {
    "no-cache": "0", "virtual": "t", "update-cache": "U", "update": "U", "quiet": "q", "upgrade": "u",
    "available": "a", "no-progress": "1", "repository": "X", "purge": "2", "allow-untrusted": "3",
    "no-interactive": "4", "rdepends": "5", "installed": "e", "verbose": "v", "latest": "l", "root": "6:",
    "description": "d", "contents": "L", "clean-protected": "7",
}  # fmt: skip
_USAGE: Final = "apk-tools 2.14.0 (simulated)\n\nUsage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]"


def apk(process: Process) -> int:
    """Do what the command line says; 1 if something could not be had."""
    if process.argv[1:] and process.argv[1] in ("--version", "-V"):
        process.out("apk-tools 2.14.0, compiled for x86_64 (simulated).\n")
        return 0
    options = parse(process.argv[1:], "t:UquX:avdLWefls", _LONG, usage=_USAGE)
    if not options.operands:
        process.stderr.write(f"{_USAGE}\n".encode("utf-8", "surrogateescape"))
        return 1
    command, *names = options.operands
    run = _Apk(process, options)
    match command:
        case "update":
            return run.update()
        case "upgrade" | "fix":
            return run.upgrade()
        case "add":
            return run.add(names)
        case "del":
            return run.delete(names)
        case "info":
            return run.info(names)
        case "search":
            return run.search(names)
        case "cache":
            for name in run.cached():
                process.fs.unlink(f"{CACHE}/{name}")
            return 0
    process.stderr.write(
        f"apk: not simulated: '{command}' (update, upgrade, add, del, info, search)\n".encode(
            "utf-8", "surrogateescape"
        )
    )
    return 2


class _Apk:
    def __init__(self, process: Process, options: Options) -> None:
        self._process = process
        self._options = options
        self._installed = {one.name: one for one in read_apk(read_text(process.fs, APK_DATABASE))}
        self._world = read_text(process.fs, APK_WORLD).split()

    # ---- indexes

    def _urls(self) -> list[str]:
        listed = [
            line.split()[-1]
            for line in read_text(self._process.fs, REPOSITORIES).splitlines()
            if line.split()
        ]
        return [url for url in [*listed, *self._options.values("X")] if not url.startswith("#")]

    def _cache_path(self, url: str) -> str:
        digest = hashlib.sha1(url.encode("utf-8", "surrogateescape"), usedforsecurity=False)
        return f"{CACHE}/APKINDEX.{digest.hexdigest()[:8]}.tar.gz"

    def cached(self) -> list[str]:
        """The names of the indexes that lie in the cache."""
        try:
            return sorted(self._process.fs.listdir(CACHE))
        except OSError:
            return []

    def _fetch(self, url: str) -> bytes | None:
        self._say(f"fetch {url}/x86_64/APKINDEX.tar.gz")
        content = download(self._process, f"{url}/x86_64/APKINDEX")
        if content is None:
            self._warn(f"WARNING: fetching {url}: temporary error (try again later)")
            return None
        return content.ljust(scaled(INDEX_SIZE), b"\0")

    def _offers(self) -> dict[str, Offer]:
        """What the repositories offer: fetched for --no-cache and -U, else as the cache has it."""
        offers: dict[str, Offer] = {}
        has_cache = any(name.startswith("APKINDEX") for name in self.cached())
        for url in self._urls():
            if "0" in self._options or "U" in self._options:
                content = self._fetch(url)
            else:
                path = self._cache_path(url)
                content = self._process.fs.read_bytes(path) if self._process.fs.exists(path) else None
                if content is None and not has_cache:
                    self._warn(f"WARNING: opening from cache {url}: No such file or directory")
            if content is not None:
                offers.update(read_index(content))
                if "U" in self._options and "0" not in self._options:
                    self._keep(url, content)
        return offers

    def _keep(self, url: str, content: bytes) -> None:
        make_directories(self._process.fs, CACHE)
        self._process.fs.write_bytes(self._cache_path(url), content)

    def update(self) -> int:
        """Fetch the indexes into the cache."""
        status, offers = 0, {}
        for url in self._urls():
            content = self._fetch(url)
            if content is None:
                status = 1
                continue
            if "0" not in self._options:
                self._keep(url, content)
            offers.update(read_index(content))
            self._say(f"v3.19.0 [{url}]")
        self._say(f"{'OK' if not status else '1 errors'}: {len(offers)} distinct packages available")
        return status

    # ---- changes

    def upgrade(self) -> int:
        """Install newer versions; the simulated repository has none."""
        if "U" in self._options and "0" not in self._options:
            self._offers()
        self._summary()
        return 0

    def add(self, names: list[str]) -> int:
        """Install packages and what they need; with -t, under the name of a virtual package."""
        offers = self._offers()
        # A virtual package that depends on others is offered as one more package.
        virtual = self._options.value("t")
        wanted = [_plain(name) for name in names]
        for name, plain in zip(names, wanted, strict=True):
            offer = offers.get(plain)
            version = name.removeprefix(plain + "=") if name.startswith(plain + "=") else ""
            if offer is not None and version and not offer.version.startswith(version.lstrip("~")):
                self._warn(
                    f"ERROR: unable to select packages:\n  {offer.file_name}:\n    breaks: world[{name}]"
                )
                return 1
        try:
            chosen = choose(offers, self._installed, wanted)
        except UnknownPackageError as error:
            by = f"{error.required_by}" if error.required_by else f"world[{virtual or error.name}]"
            self._warn(
                f"ERROR: unable to select packages:\n  {error.name} (no such package):\n    required by: {by}"
            )
            fetching = "apk update fetches one, apk add --no-cache does without"
            self._warn(f"apk: {offered(offers, error.name, fetching=fetching)}")
            return 1
        total = len(chosen) + bool(virtual)
        for number, offer in enumerate(chosen, 1):
            self._say(f"({number}/{total}) Installing {offer.name} ({offer.version})")
            if not self._install(offer):
                self._warn(f"ERROR: {offer.file_name}: temporary error (try again later)")
                return 1
        if virtual:
            version = "20240101.000000"
            self._say(f"({total}/{total}) Installing {virtual} ({version})")
            self._installed[virtual] = Installed(virtual, version, needs=tuple(wanted))
        added = [virtual] if virtual else names
        self._world.extend(name for name in map(_plain, added) if name not in self._world)
        self._write()
        self._summary()
        return 0

    def _install(self, offer: Offer) -> bool:
        for url in self._urls():
            archive = download(self._process, f"{url}/x86_64/{offer.file_name}.apk")
            if archive is not None:
                files, script = unpack(self._process, archive)
                self._installed[offer.name] = Installed(
                    offer.name, offer.version, offer.size, offer.needs, offer.provides, tuple(files)
                )
                run_script(self._process, script)
                return True
        return False

    def delete(self, names: list[str]) -> int:
        """Remove packages, and those that nothing needs any more."""
        unknown = [name for name in names if name not in self._installed]
        self._world = [name for name in self._world if name not in names]
        needed = self._needed()
        gone = [one for one in self._installed.values() if one.name not in needed]
        gone.reverse()
        for number, package in enumerate(gone, 1):
            self._say(f"({number}/{len(gone)}) Purging {package.name} ({package.version})")
            remove_files(self._process.fs, package.files)
            del self._installed[package.name]
        self._write()
        self._summary()
        return 1 if unknown and not gone else 0

    def _needed(self) -> set[str]:
        provided = {name: one.name for one in self._installed.values() for name in one.provides}
        needed: set[str] = set()
        waiting = list(self._world)
        while waiting:
            name = waiting.pop()
            real = provided.get(name, name)
            if real in self._installed and real not in needed:
                needed.add(real)
                waiting.extend(self._installed[real].needs)
        return needed

    def _write(self) -> None:
        fs = self._process.fs
        make_directories(fs, APK_DATABASE.rpartition("/")[0])
        make_directories(fs, APK_WORLD.rpartition("/")[0])
        fs.write_bytes(APK_DATABASE, write_apk(replace(one) for one in self._installed.values()))
        fs.write_bytes(
            APK_WORLD, "".join(f"{name}\n" for name in sorted(self._world)).encode("utf-8", "surrogateescape")
        )

    # ---- questions

    def info(self, names: list[str]) -> int:
        """List installed packages, or tell about some."""
        if not names:
            self._process.out("".join(f"{name}\n" for name in sorted(self._installed)))
            return 0
        status = 0
        for name in names:
            package = self._installed.get(name)
            if package is None:
                status = 1
            elif "e" in self._options:
                self._process.out(f"{name}\n")
            elif "L" in self._options:
                listed = "".join(f"{path.lstrip('/')}\n" for path in package.files)
                self._process.out(f"{name}-{package.version} contains:\n{listed}\n")
            else:
                size = f"{mebibytes([package.size])} MiB"
                self._process.out(f"{name}-{package.version} installed size:\n{size}\n\n")
        return status

    def search(self, names: list[str]) -> int:
        """List packages whose name holds one of ``names``."""
        for offer in sorted(self._offers().values(), key=lambda offer: offer.name):
            if not names or any(name.strip("*") in offer.name for name in names):
                about = f" - {offer.about}" if "v" in self._options or "d" in self._options else ""
                self._process.out(f"{offer.file_name}{about}\n")
        return 0

    def _summary(self) -> None:
        total = mebibytes(one.size for one in self._installed.values())
        self._say(f"OK: {total} MiB in {len(self._installed)} packages")

    def _say(self, text: str) -> None:
        if "q" not in self._options:
            self._process.out(f"{text}\n")

    def _warn(self, text: str) -> None:
        self._process.stderr.write(f"{text}\n".encode("utf-8", "surrogateescape"))


def _plain(name: str) -> str:
    """A package's name without a version that is asked for (``curl=8.5``, ``curl>8``, ``curl@edge``)."""
    for sign in "<>=~@":
        name = name.partition(sign)[0]
    return name
