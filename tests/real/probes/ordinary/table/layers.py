"""What only a union has: whiteouts, opaque directories, copy-up, seen from Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ordinary.outcome import failure


def top_layer_wins() -> object:
    return Path("/merged/both").read_text(), Path("/merged/low").read_text(), Path("/merged/top").read_text()


def removed_directory_made_anew_is_empty() -> object:
    shutil.rmtree("/d")
    os.mkdir("/d")
    return os.listdir("/d"), failure(open, "/d/b/c")


def file_in_place_of_a_directory() -> object:
    shutil.rmtree("/merged")
    Path("/merged").write_text("file")
    return os.path.isfile("/merged"), failure(os.listdir, "/merged")


def directory_in_place_of_a_file() -> object:
    os.unlink("/etc/motd")
    os.mkdir("/etc/motd")
    Path("/etc/motd/x").write_text("x")
    return os.listdir("/etc/motd"), Path("/etc/motd/x").read_text()


def copy_up_keeps_everything() -> object:
    before = os.stat("/home/ann/notes")
    open("/home/ann/notes", "r+").close()
    after = os.stat("/home/ann/notes")
    return [
        getattr(before, name) == getattr(after, name)
        for name in ("st_mode", "st_uid", "st_mtime_ns", "st_ino", "st_size", "st_dev")
    ]


def copy_up_keeps_xattrs() -> object:
    with open("/coloured", "a") as file:
        file.write("y")
    return os.getxattr("/coloured", "user.color")


def failed_rename_changes_nothing() -> object:
    failure(os.rename, "/d", "/e")
    return sorted(os.listdir("/")), sorted(os.listdir("/d"))


def moving_over_the_layers() -> object:
    shutil.move("/merged", "/both")
    return sorted(os.listdir("/both")), Path("/both/both").read_text(), os.path.exists("/merged")


def wh_names_are_ordinary_here() -> object:
    Path("/d/.wh.b").touch()
    return sorted(os.listdir("/d"))


def same_name_removed_and_made_many_times() -> object:
    for number in range(5):
        os.unlink("/etc/hosts")
        Path("/etc/hosts").write_text(str(number))
    return Path("/etc/hosts").read_text(), os.listdir("/etc").count("hosts")


def device_numbers_of_the_union() -> object:
    return (
        len({os.stat(path).st_dev for path in ("/", "/etc", "/etc/motd", "/merged/top", "/d/b/c")}),
        os.path.ismount("/"),
        os.path.ismount("/d"),
    )
