"""``shutil`` and ``filecmp`` on whole trees."""

from __future__ import annotations

import filecmp
import os
import shutil
from pathlib import Path

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def _tree(top: str) -> list[tuple[str, str]]:
    return sorted((os.path.relpath(p, top), oct(p.lstat().st_mode)) for p in Path(top).rglob("*"))


def copy_family() -> object:
    os.chmod("/etc/motd", 0o640)
    shutil.copyfile("/etc/motd", "/c1")
    shutil.copy("/etc/motd", "/c2")
    shutil.copy2("/etc/motd", "/c3")
    return [
        (open(p).read(), oct(os.stat(p).st_mode), os.stat(p).st_mtime_ns < 2 * 10**18 // 1.5)
        for p in ("/c1", "/c2", "/c3")
    ]


def copy_into_a_directory() -> object:
    return shutil.copy("/etc/motd", "/d"), open("/d/motd").read()


def copy_errors() -> object:
    return (
        failure(shutil.copyfile, "/etc/motd", "/etc/motd"),
        failure(shutil.copy, "/absent", "/x"),
        failure(shutil.copyfile, "/etc", "/x"),
        failure(shutil.copyfile, "/pipe", "/x"),
    )


def copy_of_links() -> object:
    shutil.copy("/link", "/c1", follow_symlinks=False)
    shutil.copy("/link", "/c2")
    return os.path.islink("/c1"), os.path.islink("/c2")


def copy2_keeps_xattrs() -> object:
    shutil.copy2("/coloured", "/c")
    return os.listxattr("/c")


def copyfileobj_copies() -> object:
    with open("/big", "rb") as source, open("/new", "wb") as target:
        shutil.copyfileobj(source, target, 1000)
    return filecmp.cmp("/big", "/new", shallow=False)


def copytree_copies() -> object:
    return shutil.copytree("/d", "/copy"), _tree("/copy")


def copytree_with_links_and_ignore() -> object:
    os.symlink("c", "/d/b/s")
    shutil.copytree("/d", "/copy", symlinks=True, ignore=shutil.ignore_patterns("e"))
    return _tree("/copy"), os.readlink("/copy/b/s")


def copytree_over_a_tree() -> object:
    return (
        failure(shutil.copytree, "/d", "/merged"),
        shutil.copytree("/d", "/merged", dirs_exist_ok=True),
        _tree("/merged"),
    )


def copytree_of_a_fifo() -> object:
    os.mkfifo("/d/pipe")
    return failure(shutil.copytree, "/d", "/copy")


def rmtree_removes() -> object:
    shutil.rmtree("/d")
    shutil.rmtree("/merged")
    return os.path.exists("/d"), sorted(os.listdir("/"))


def rmtree_errors() -> object:
    return (
        failure(shutil.rmtree, "/absent"),
        failure(shutil.rmtree, "/etc/motd"),
        failure(shutil.rmtree, "/dlink"),
    )


def rmtree_ignoring_errors() -> object:
    return shutil.rmtree("/absent", ignore_errors=True), shutil.rmtree("/etc/motd", ignore_errors=True)


def rmtree_avoids_symlink_attacks() -> object:
    return shutil.rmtree.avoids_symlink_attacks


@by(ANN)
def rmtree_tells_its_handler() -> object:
    told: list[object] = []
    shutil.rmtree(
        "/d", onerror=lambda function, path, info: told.append((function.__name__, path, info[1].errno))
    )
    return sorted(map(str, told))


def move_file_and_directory() -> object:
    return shutil.move("/etc/motd", "/moved"), shutil.move("/d", "/e"), _tree("/e"), os.path.exists("/d")


def move_into_a_directory() -> object:
    return (
        shutil.move("/etc/motd", "/d"),
        failure(shutil.move, "/etc/hosts", "/d/b/c/x"),
        failure(shutil.move, "/d", "/d/b"),
    )


def move_over_a_file() -> object:
    return shutil.move("/etc/motd", "/etc/hosts"), open("/etc/hosts").read()


def which_finds_a_tool() -> object:
    return shutil.which("tool", path="/bin"), shutil.which("motd", path="/etc"), shutil.which("/bin/tool")


def copymode_and_copystat() -> object:
    shutil.copymode("/bin/tool", "/etc/motd")
    shutil.copystat("/home/ann/notes", "/etc/hosts")
    return oct(os.stat("/etc/motd").st_mode), oct(os.stat("/etc/hosts").st_mode)


def filecmp_of_files_and_trees() -> object:
    shutil.copytree("/d", "/copy")
    Path("/copy/extra").write_text("x")
    compared = filecmp.dircmp("/d", "/copy")
    return filecmp.cmp("/etc/motd", "/link"), compared.common_dirs, compared.right_only, compared.left_only
