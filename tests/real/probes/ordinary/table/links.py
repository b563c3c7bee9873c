"""Symbolic links, hard links, fifos and devices."""

from __future__ import annotations

import os
import stat

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def symlink_and_readlink() -> object:
    os.symlink("../etc/motd", "/d/s")
    return os.readlink("/d/s"), open("/d/s").read(), os.readlink(b"/d/s"), os.lstat("/d/s").st_size


def symlink_over_a_name() -> object:
    return os.symlink("x", "/etc/motd")


def symlink_of_nothing() -> object:
    return failure(os.symlink, "", "/empty"), failure(os.symlink, "x", "/absent/s")


def symlink_with_dir_fd() -> object:
    os.symlink("motd", "s", dir_fd=os.open("/etc", os.O_RDONLY))
    return os.readlink("/etc/s"), os.readlink("s", dir_fd=os.open("/etc", os.O_RDONLY))


def readlink_of_a_file() -> object:
    return os.readlink("/etc/motd")


def readlink_of_nothing() -> object:
    return os.readlink("/absent")


def link_shares_the_inode() -> object:
    os.link("/etc/motd", "/etc/two")
    one, two = os.stat("/etc/motd"), os.stat("/etc/two")
    return one.st_nlink, one.st_ino == two.st_ino, os.path.samefile("/etc/motd", "/etc/two")


def link_over_a_name() -> object:
    return os.link("/etc/motd", "/etc/hosts")


def link_of_a_directory() -> object:
    return os.link("/etc", "/etc2")


def link_of_nothing() -> object:
    return os.link("/absent", "/new")


def link_of_a_symlink() -> object:
    os.link("/link", "/link2")
    return stat.S_ISLNK(os.lstat("/link2").st_mode)


def link_of_a_symlink_without_following() -> object:
    os.link("/link", "/link2", follow_symlinks=False)
    return stat.S_ISLNK(os.lstat("/link2").st_mode)


def link_with_dir_fds() -> object:
    etc, d = os.open("/etc", os.O_RDONLY), os.open("/d", os.O_RDONLY)
    os.link("motd", "m", src_dir_fd=etc, dst_dir_fd=d)
    return open("/d/m").read(), os.stat("/d/m").st_nlink


def hard_link_of_a_lower_breaks_on_write() -> object:
    with open("/hard1", "w") as file:
        file.write("new")
    return (
        open("/hard1").read(),
        open("/hard2").read(),
        os.stat("/hard1").st_nlink,
        os.stat("/hard2").st_nlink,
    )


@by(ANN)
def link_of_anothers_file() -> object:
    return failure(os.link, "/secret", "/tmp/mine"), failure(os.link, "/world", "/tmp/world")


def mkfifo_and_mknod() -> object:
    os.mkfifo("/f", 0o640)
    os.mknod("/plain", 0o600)
    os.mknod("/zero", 0o020666, os.makedev(1, 5))
    return [stat.filemode(os.stat(p).st_mode) for p in ("/f", "/plain", "/zero")], os.major(
        os.stat("/zero").st_rdev
    )


def mknod_of_a_whiteout() -> object:
    return os.mknod("/w", 0o020000, 0)


def mknod_of_a_directory() -> object:
    return os.mknod("/dir", 0o040755)


@by(ANN)
def mknod_of_a_device_by_ann() -> object:
    return os.mknod("/open/zero", 0o020666, os.makedev(1, 5))


def mkfifo_over_a_name() -> object:
    return os.mkfifo("/etc/motd")


def forty_links_are_one_too_many() -> object:
    previous = "/etc/motd"
    for number in range(42):
        os.symlink(previous, f"/tmp/s{number}")
        previous = f"/tmp/s{number}"
    return open("/tmp/s39").read(), failure(open, "/tmp/s40")


def link_through_a_linked_directory() -> object:
    return open("/dlink/b/c").read(), os.path.realpath("/dlink/b/../b/c"), os.listdir("/dlink/")


def absolute_links_stay_in_the_root() -> object:
    return open("/abs").read(), os.path.realpath("/abs"), os.path.realpath("/dangling")


def realpath_strict() -> object:
    return (
        failure(os.path.realpath, "/loop", strict=True),
        os.path.realpath("/loop"),
        failure(os.path.realpath, "/absent", strict=True),
    )
