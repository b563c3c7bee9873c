"""git, as far as pipelines use it: every URL stands for one directory of this machine.

There is no history: whatever is asked for is the directory as it is, and the commit's name is made of what
lies in it.
"""

from __future__ import annotations

import hashlib
import posixpath
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from builder.errors import BuildError
from builder.events import Event
from builder.pipeline.tools.site import Site
from builder.world.machine.process import Process

_MOST_FILES: Final = 20_000
_MOST_BYTES: Final = 256 << 20
_SKIPPED: Final = frozenset(["__pycache__", "node_modules", "target", "venv"])
_WITH_VALUE: Final = frozenset(
    ["-b", "--branch", "--depth", "--origin", "-o", "-c", "--jobs", "-j", "--filter", "--upload-pack"]
)
_DONE_ALREADY: Final = frozenset(["config", "remote", "submodule", "lfs", "gc", "sparse-checkout"])


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory of the repository, as the clone has it."""

    path: str
    mode: int
    content: bytes


def entries(top: Path) -> Iterator[Entry]:
    """What a clone of ``top`` has: no hidden directories, nothing that tools have made."""
    count = size = 0
    waiting = [top]
    while waiting:
        directory = waiting.pop()
        for path in sorted(directory.iterdir()):
            if path.name == ".git":  # in a worktree it is a file
                continue
            mode = path.lstat().st_mode
            relative = path.relative_to(top).as_posix()
            count += 1
            if stat.S_ISDIR(mode):
                if not path.name.startswith(".") and path.name not in _SKIPPED:
                    waiting.append(path)
                    yield Entry(relative, stat.S_IFDIR | 0o755, b"")
            elif stat.S_ISLNK(mode):
                yield Entry(
                    relative, stat.S_IFLNK | 0o777, str(path.readlink()).encode("utf-8", "surrogateescape")
                )
            elif stat.S_ISREG(mode):
                size += path.lstat().st_size
                if count > _MOST_FILES or size > _MOST_BYTES:
                    raise BuildError(
                        f"{top} is too much for a clone in memory",
                        fix="name a smaller one: --repository DIRECTORY",
                    )
                bits = 0o755 if mode & stat.S_IXUSR else 0o644
                yield Entry(relative, stat.S_IFREG | bits, path.read_bytes())


def commit_of(found: list[Entry]) -> str:
    """A name for what was found: forty digits, the same for the same files."""
    digest = hashlib.sha1(usedforsecurity=False)
    for each in sorted(found, key=lambda entry: entry.path):
        digest.update(f"{each.path}\0{each.mode:o}\0{len(each.content)}\0".encode("utf-8", "surrogateescape"))
        digest.update(each.content)
    return digest.hexdigest()


def git(site: Site, tell: Callable[[Event], None], process: Process) -> int:  # noqa: ARG001 - a tool's signature
    """``git init``, ``clone``, ``fetch``, ``checkout`` and ``rev-parse``."""
    words = list(process.argv[1:])
    directory = process.cwd
    while words and words[0].startswith("-"):
        flag = words.pop(0)
        value = words.pop(0) if flag in ("-C", "-c") and words else ""
        if flag == "-C":
            directory = posixpath.join(directory, value)
        elif flag not in ("-c", "--no-pager"):
            raise BuildError(f"git {flag} is not simulated")
    verb = words.pop(0) if words else ""
    return _Git(site, replace(process, cwd=directory)).run(verb, words)


@dataclass(frozen=True, slots=True)
class _Git:
    site: Site
    process: Process

    def run(self, verb: str, words: list[str]) -> int:
        flags = [word for word in words if word.startswith("-")]
        plain = _plain(words)
        match verb:
            case "init":
                self._init(self._path(plain[-1] if plain else "."))
            case "clone" if plain:
                name = plain[0].rstrip("/").rpartition("/")[2].removesuffix(".git")
                where = self._path(plain[1] if len(plain) > 1 else name)
                self._init(where)
                self._check_out(where, self._fetch(where))
            case "fetch" | "pull":
                commit = self._fetch(self._top())
                if verb == "pull":
                    self._check_out(self._top(), commit)
            case "checkout" | "reset" | "switch":
                self._check_out(self._top(), self._state("FETCH_HEAD") or self._state("HEAD"))
            case "rev-parse":
                self._rev_parse(flags, plain)
            case _ if verb in _DONE_ALREADY:
                return 0
            case _:
                raise BuildError(
                    f"git {verb or '(nothing)'} is not simulated",
                    fix="init, clone, fetch, checkout and rev-parse are",
                )
        return 0

    def _path(self, written: str) -> str:
        return posixpath.normpath(posixpath.join(self.process.cwd, written))

    def _top(self) -> str:
        """The repository that the working directory lies in."""
        directory = self._path(".")
        while not self.process.fs.exists(posixpath.join(directory, ".git")):
            if directory == "/":
                raise BuildError("not a git repository (or any of the parent directories): .git")
            directory = posixpath.dirname(directory)
        return directory

    def _init(self, where: str) -> None:
        made = ""
        for name in posixpath.join(where, ".git").strip("/").split("/"):
            made += f"/{name}"
            if not self.process.fs.exists(made):
                self.process.fs.mkdir(made, 0o755)

    def _state(self, name: str) -> str:
        path = posixpath.join(self._top(), ".git", name)
        return self.process.fs.read_bytes(path).decode() if self.process.fs.exists(path) else ""

    def _fetch(self, where: str) -> str:
        commit = commit_of(list(entries(self.site.repository)))
        self.process.fs.write_bytes(posixpath.join(where, ".git", "FETCH_HEAD"), commit.encode())
        return commit

    def _check_out(self, where: str, commit: str) -> None:
        if not commit:
            raise BuildError("nothing was fetched that could be checked out")
        fs = self.process.fs
        found = sorted(entries(self.site.repository), key=lambda entry: entry.path)
        for each in found:
            self.process.machine.check()
            path = posixpath.join(where, each.path)
            if stat.S_ISDIR(each.mode):
                if not fs.exists(path):
                    fs.mkdir(path, 0o755)
            elif stat.S_ISLNK(each.mode):
                if not fs.exists(path):
                    fs.symlink(each.content, path)
            else:
                fs.write_bytes(path, each.content, stat.S_IMODE(each.mode))
        fs.write_bytes(posixpath.join(where, ".git", "HEAD"), commit.encode())

    def _rev_parse(self, flags: list[str], plain: list[str]) -> None:
        if "--show-toplevel" in flags:
            self.process.out(self._top() + "\n")
            return
        if plain not in (["HEAD"], ["FETCH_HEAD"]):
            raise BuildError(f"git rev-parse {' '.join(plain)} is not simulated", fix="git rev-parse HEAD")
        commit = self._state(plain[0])
        if not commit:
            raise BuildError(f"unknown revision: {plain[0]}")
        self.process.out((commit[:7] if any(f.startswith("--short") for f in flags) else commit) + "\n")


def _plain(words: list[str]) -> list[str]:
    """The words that are no flags and no values of flags."""
    found = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            continue
        if word in _WITH_VALUE:
            waiting[:1] = []
        elif not word.startswith("-"):
            found.append(word)
    return found
