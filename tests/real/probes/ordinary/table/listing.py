"""listdir, scandir, walk and glob on merged directories."""

from __future__ import annotations

import fnmatch
import glob
import os

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def listdir_merges_layers() -> object:
    return sorted(os.listdir("/merged")), sorted(os.listdir("/opq")), sorted(os.listdir("/d"))


def listdir_root() -> object:
    return sorted(os.listdir("/"))


def listdir_of_a_file() -> object:
    return os.listdir("/etc/motd")


def listdir_of_nothing() -> object:
    return os.listdir("/absent")


def listdir_of_bytes() -> object:
    return sorted(os.listdir(b"/merged"))


def listdir_of_a_descriptor() -> object:
    return sorted(os.listdir(os.open("/merged", os.O_RDONLY)))


def listdir_default_is_here() -> object:
    os.chdir("/merged")
    return sorted(os.listdir()), sorted(os.listdir("."))


def listdir_of_50() -> object:
    return sorted(os.listdir("/many"))


def scandir_entries() -> object:
    with os.scandir("/") as entries:
        return sorted(
            (e.name, e.path, e.is_dir(), e.is_file(), e.is_symlink()) for e in entries if e.name != "loop"
        )


def scandir_of_a_loop() -> object:
    entry = next(e for e in os.scandir("/") if e.name == "loop")
    return entry.is_symlink(), failure(entry.is_dir), entry.is_dir(follow_symlinks=False)


def scandir_without_following() -> object:
    return sorted(
        (e.name, e.is_dir(follow_symlinks=False), e.is_file(follow_symlinks=False)) for e in os.scandir("/")
    )


def scandir_relative_paths() -> object:
    os.chdir("/d")
    return sorted(e.path for e in os.scandir("b")), sorted(e.path for e in os.scandir())


def scandir_stat_is_of_the_entry() -> object:
    return sorted(
        (e.name, oct(e.stat().st_mode), e.inode() == os.lstat(e.path).st_ino) for e in os.scandir("/etc")
    )


def scandir_of_bytes() -> object:
    return sorted((e.name, e.path) for e in os.scandir(b"/merged"))


def scandir_of_a_descriptor() -> object:
    return sorted((e.name, e.path) for e in os.scandir(os.open("/merged", os.O_RDONLY)))


def scandir_of_a_file() -> object:
    return os.scandir("/etc/motd")


def scandir_entry_that_went() -> object:
    entry = next(e for e in os.scandir("/merged") if e.name == "low")
    os.unlink("/merged/low")
    return entry.is_file(), failure(entry.stat), os.path.exists(entry)


def scandir_names_are_frozen() -> object:
    entries = os.scandir("/merged")
    first = next(entries).name
    for name in os.listdir("/merged"):
        os.unlink(f"/merged/{name}")
    return len([first, *(e.name for e in entries)])


def scandir_dangling_link_stat() -> object:
    entry = next(e for e in os.scandir("/") if e.name == "dangling")
    return entry.is_file(), entry.is_symlink(), failure(entry.stat)


def scandir_repr_and_fspath() -> object:
    entry = next(iter(os.scandir("/opq")))
    return repr(entry), os.fspath(entry), open(entry).read()


def walk_top_down() -> object:
    return [(p, sorted(d), sorted(f)) for p, d, f in os.walk("/d")]


def walk_bottom_up() -> object:
    return [(p, sorted(d), sorted(f)) for p, d, f in os.walk("/d", topdown=False)]


def walk_with_links() -> object:
    os.symlink("..", "/merged/up")
    return sorted(p for p, _, _ in os.walk("/merged")), next(os.walk("/merged"))[1]


def walk_follows_links_if_asked() -> object:
    os.symlink("/d", "/merged/away")
    return sorted(p for p, _, _ in os.walk("/merged", followlinks=True))


def walk_prunes() -> object:
    found = []
    for path, directories, _ in os.walk("/d"):
        found.append(path)
        directories[:] = [name for name in directories if name != "e"]
    return found


@by(ANN)
def walk_tells_errors() -> object:
    errors: list[OSError] = []
    paths = [path for path, _, _ in os.walk("/private", onerror=errors.append)]
    return paths, [(e.errno, e.filename) for e in errors]


def fwalk_with_descriptors() -> object:
    return [
        (p, sorted(d), sorted(f), os.fstat(fd).st_ino == os.stat(p).st_ino) for p, d, f, fd in os.fwalk("/d")
    ]


def glob_star() -> object:
    return sorted(glob.glob("/etc/*")), sorted(glob.glob("/*/both"))


def glob_recursive() -> object:
    return sorted(glob.glob("/d/**", recursive=True))


def glob_with_root_dir() -> object:
    return sorted(glob.glob("*", root_dir="/merged")), sorted(glob.iglob("[0-1]?", root_dir="/many"))


def glob_hidden_and_classes() -> object:
    open("/merged/.hidden", "w").close()
    return (
        sorted(glob.glob("/merged/*")),
        glob.glob("/merged/.*"),
        fnmatch.filter(os.listdir("/merged"), "b*"),
    )


def glob_dangling_links_are_found() -> object:
    return sorted(glob.glob("/dang*")), glob.glob("/dangling/*")


def names_that_are_not_utf8() -> object:
    os.mkdir(b"/odd")
    open(b"/odd/\xff\xfe", "w").close()
    return os.listdir("/odd"), os.listdir(b"/odd"), os.path.exists("/odd/\udcff\udcfe")
