"""apt-get, apt, apt-cache and apt-mark over the simulated Debian repository."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Final

from builder.world.machine.process import Process
from builder.world.programs.packages.store import (
    Offer,
    UnknownPackageError,
    choose,
    download,
    make_directories,
    offered,
    read_index,
    read_text,
    remove_files,
    run_script,
    unpack,
)
from builder.world.supplies.description import scaled
from builder.world.supplies.packages.installed import (
    DPKG_LISTS,
    DPKG_STATUS,
    Installed,
    read_dpkg,
    write_dpkg,
)
from builder.world.utilities.commandline import Options, parse

LISTS: Final = "/var/lib/apt/lists"
ARCHIVES: Final = "/var/cache/apt/archives"
SOURCES: Final = "/etc/apt/sources.list.d/debian.sources"
OLD_SOURCES: Final = "/etc/apt/sources.list"
LIST_SIZE: Final = "18M"
"""What the lists of the real repositories weigh: they stay in the layer until somebody removes them."""

_LONG: Final = {
    "yes": "y", "assume-yes": "y", "no-install-recommends": "0", "quiet": "q", "fix-missing": "m",
    "allow-downgrades": "1", "reinstall": "2", "no-install-suggests": "3", "purge": "4", "auto-remove": "5",
    "only-upgrade": "6", "fix-broken": "f", "no-upgrade": "7", "download-only": "d",
    "allow-unauthenticated": "8",
    "option": "o", "target-release": "t", "autoremove": "5", "allow-releaseinfo-change": "9",
}  # fmt: skip
_USAGE: Final = "Usage: apt-get [options] command"
SUGGESTION: Final = "E: Unable to locate package"
_LOCK_REFUSED: Final = (
    "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n"
    "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n"
)


def apt_get(process: Process) -> int:
    """Do what the command line says; 100 if something is wrong, as apt-get(8) has it."""
    if "--version" in process.argv:
        process.out("apt 2.6.1 (amd64, simulated)\n")
        return 0
    options = parse(process.argv[1:], "yqmfdo:t:uV", _LONG, usage=_USAGE)
    if not options.operands:
        process.out(f"{_USAGE}\n")
        return 1
    command, *names = options.operands
    run = Apt(process, options)
    if not process.fs.caller.is_root and command not in ("list", "show", "search"):
        process.stderr.write(_LOCK_REFUSED.encode("utf-8", "surrogateescape"))
        return 100
    match command:
        case "update":
            return run.update()
        case "install":
            return run.install(names)
        case "remove" | "purge":
            return run.remove(names)
        case "autoremove":
            return run.autoremove()
        case "upgrade" | "dist-upgrade" | "full-upgrade":
            run.read_state()
            process.out("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
            return 0
        case "clean" | "autoclean":
            return run.clean()
    process.stderr.write(
        f"E: not simulated: {command} (update, install, remove, autoremove, clean)\n".encode(
            "utf-8", "surrogateescape"
        )
    )
    return 100


class Apt:
    """One run of apt: the installed packages, and what is done with them."""

    def __init__(self, process: Process, options: Options) -> None:
        self._process = process
        self._options = options
        self.installed = {one.name: one for one in read_dpkg(read_text(process.fs, DPKG_STATUS))}

    def _say(self, text: str) -> None:
        if self._options.count("q") < 2:
            self._process.out(f"{text}\n")

    def _error(self, text: str) -> int:
        self._process.stderr.write(f"E: {text}\n".encode("utf-8", "surrogateescape"))
        return 100

    def read_state(self) -> None:
        """Say what apt says while it reads its state."""
        self._say("Reading package lists...\nBuilding dependency tree...\nReading state information...")

    def _suites(self) -> list[tuple[str, str]]:
        """(base URL, suite) of every source."""
        found: list[tuple[str, str]] = []
        sources = read_text(self._process.fs, SOURCES)
        uris = re.findall(r"^URIs:\s*(.*)$", sources, re.MULTILINE)
        suites = re.findall(r"^Suites:\s*(.*)$", sources, re.MULTILINE)
        for urls, names in zip(uris, suites, strict=False):
            found += [(url.rstrip("/"), name) for url in urls.split() for name in names.split()]
        for line in read_text(self._process.fs, OLD_SOURCES).splitlines():
            words = [word for word in line.split() if not word.startswith("[")]
            if words[:1] == ["deb"] and len(words) > 2:
                found.append((words[1].rstrip("/"), words[2]))
        return found

    def update(self) -> int:
        """Fetch the package lists into /var/lib/apt/lists."""
        make_directories(self._process.fs, f"{LISTS}/partial")
        failed = False
        suites = self._suites()
        for number, (url, suite) in enumerate(suites, 1):
            content = download(self._process, f"{url}/dists/{suite}/main/binary-amd64/Packages")
            if content is None:
                failed = True
                self._say(f"Err:{number} {url} {suite} InRelease\n  Temporary failure resolving the host")
                continue
            self._say(f"Get:{number} {url} {suite} InRelease")
            name = re.sub(r"^\w+://", "", url).replace("/", "_")
            size = scaled(LIST_SIZE) // len(suites)
            path = f"{LISTS}/{name}_dists_{suite}_main_binary-amd64_Packages"
            self._process.fs.write_bytes(path, content.ljust(size, b"\0"))
        self._say("Reading package lists...")
        if failed:
            self._process.stderr.write(
                b"W: Some index files failed to download. They have been ignored, or old ones used instead.\n"
            )
        return 0

    def offers(self) -> dict[str, Offer]:
        """What the lists that have been fetched offer."""
        offers: dict[str, Offer] = {}
        try:
            names = sorted(self._process.fs.listdir(LISTS))
        except OSError:
            return offers
        for name in names:
            if name.endswith("_Packages"):
                offers.update(read_index(self._process.fs.read_bytes(f"{LISTS}/{name}")))
        return offers

    def install(self, names: list[str]) -> int:
        """Install packages and what they need."""
        self.read_state()
        offers = self.offers()
        local = [name for name in names if "/" in name]
        if local:
            return self._error(f"not simulated: installing a file ({local[0]})")
        wanted = [re.split(r"[=/]", name)[0] for name in names if not name.endswith("-")]
        try:
            chosen = choose(offers, self.installed, wanted)
        except UnknownPackageError as error:
            if error.required_by:
                return self._error(f"Unable to correct problems: {error.required_by} needs {error.name}")
            status = self._error(f"Unable to locate package {error.name}")
            notice = offered(offers, error.name, fetching="apt-get update fetches them")
            self._process.stderr.write(f"N: {notice}\n".encode("utf-8", "surrogateescape"))
            return status
        for name in names:
            plain, _, version = name.partition("=")
            if version and plain in offers and offers[plain].version != version.rstrip("*"):
                return self._error(f"Version '{version}' for '{plain}' was not found")
        for name in wanted:
            if name in self.installed:
                self._say(f"{name} is already the newest version ({self.installed[name].version}).")
        if chosen and not self._agrees(chosen):
            return 1
        self._say(f"0 upgraded, {len(chosen)} newly installed, 0 to remove and 0 not upgraded.")
        for number, offer in enumerate(chosen, 1):
            if not self._fetch(offer, number):
                return self._error(f"Failed to fetch {offer.file_name}.deb  404  Not Found")
        for offer in chosen:
            self._unpack(offer)
        for offer in chosen:
            self._say(f"Setting up {offer.name} ({offer.version}) ...")
        self.mark(wanted, is_wanted=True)
        return 0

    def _agrees(self, chosen: list[Offer]) -> bool:
        listed = " ".join(sorted(offer.name for offer in chosen))
        self._say(f"The following NEW packages will be installed:\n  {listed}")
        if "y" in self._options or "q" in self._options:
            return True
        answer = self._process.stdin.read(1)
        if answer.lower() == b"y":
            return True
        self._say("Do you want to continue? [Y/n] Abort.")
        return False

    def _fetch(self, offer: Offer, number: int) -> bool:
        for url in dict.fromkeys(url for url, _ in self._suites()):
            archive = download(self._process, f"{url}/pool/main/{offer.file_name}.deb")
            if archive is not None:
                self._say(f"Get:{number} {url} {offer.name} amd64 {offer.version}")
                make_directories(self._process.fs, ARCHIVES)
                self._process.fs.write_bytes(_archive_path(offer), archive)
                return True
        return False

    def _unpack(self, offer: Offer) -> None:
        fs = self._process.fs
        self._say(f"Unpacking {offer.name} ({offer.version}) ...")
        files, script = unpack(self._process, fs.read_bytes(_archive_path(offer)))
        self.installed[offer.name] = Installed(offer.name, offer.version, offer.size, offer.needs)
        make_directories(fs, DPKG_LISTS)
        fs.write_bytes(f"{DPKG_LISTS}/{offer.name}.list", "\n".join(files).encode("utf-8", "surrogateescape"))
        self.write()
        run_script(self._process, script)

    def mark(self, names: Iterable[str], *, is_wanted: bool) -> None:
        """Note who asked for these packages."""
        for name in names:
            one = self.installed.get(name)
            if one is not None:
                self.installed[name] = Installed(
                    one.name, one.version, one.size, one.needs, is_wanted=is_wanted
                )
        self.write()

    def write(self) -> None:
        """Write dpkg's status."""
        make_directories(self._process.fs, os.path.dirname(DPKG_STATUS))
        self._process.fs.write_bytes(DPKG_STATUS, write_dpkg(self.installed.values()))

    def remove(self, names: list[str]) -> int:
        """Remove packages and what needs them."""
        self.read_state()
        unknown = [name for name in names if name not in self.installed and name not in self.offers()]
        if unknown:
            return self._error(f"Unable to locate package {unknown[0]}")
        gone = {name for name in names if name in self.installed}
        grown = True
        while grown:
            more = {one.name for one in self.installed.values() if gone.intersection(one.needs)} - gone
            grown = bool(more)
            gone |= more
        self._take(gone)
        return self.autoremove() if "5" in self._options else 0

    def autoremove(self) -> int:
        """Remove what nobody asked for and nothing needs."""
        needed: set[str] = set()
        waiting = [one.name for one in self.installed.values() if one.is_wanted]
        while waiting:
            name = waiting.pop()
            if name in self.installed and name not in needed:
                needed.add(name)
                waiting.extend(self.installed[name].needs)
        self._take(set(self.installed) - needed)
        return 0

    def _take(self, gone: set[str]) -> None:
        self._say(f"0 upgraded, 0 newly installed, {len(gone)} to remove and 0 not upgraded.")
        for name in sorted(gone):
            self._say(f"Removing {name} ({self.installed[name].version}) ...")
            remove_package(self._process, name)
            del self.installed[name]
        self.write()

    def clean(self) -> int:
        """Remove the archives that install kept."""
        try:
            names = self._process.fs.listdir(ARCHIVES)
        except OSError:
            return 0
        for name in names:
            if name.endswith(".deb"):
                self._process.fs.unlink(f"{ARCHIVES}/{name}")
        return 0


def remove_package(process: Process, name: str) -> None:
    """Take the files of an installed package away, and the list of them."""
    path = f"{DPKG_LISTS}/{name}.list"
    remove_files(process.fs, [*read_text(process.fs, path).splitlines(), path])


def _archive_path(offer: Offer) -> str:
    version = offer.version.replace(":", "%3a")
    return f"{ARCHIVES}/{offer.name}_{version}_amd64.deb"
