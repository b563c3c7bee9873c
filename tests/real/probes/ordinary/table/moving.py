"""mkdir, rmdir, unlink, rename."""

from __future__ import annotations

import os

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def mkdir_and_its_errors() -> object:
    os.mkdir("/new")
    return failure(os.mkdir, "/new"), failure(os.mkdir, "/absent/x"), failure(os.mkdir, "/etc/motd/x")


def mkdir_mode_and_umask() -> object:
    os.umask(0o022)
    os.mkdir("/new", 0o3777)
    return oct(os.stat("/new").st_mode)


def mkdir_inherits_setgid() -> object:
    os.mkdir("/shared/d")
    open("/shared/f", "w").close()
    return oct(os.stat("/shared/d").st_mode), os.stat("/shared/d").st_gid, os.stat("/shared/f").st_gid


def mkdir_with_dir_fd() -> object:
    fd = os.open("/etc", os.O_RDONLY)
    os.mkdir("sub", dir_fd=fd)
    os.rmdir("sub", dir_fd=fd)
    return failure(os.rmdir, "sub", dir_fd=fd)


def mkdir_trailing_slash_and_dots() -> object:
    os.mkdir("/new/")
    return failure(os.mkdir, "/new/."), failure(os.mkdir, "/new/.."), os.path.isdir("/new")


def mkdir_over_whiteout_is_empty() -> object:
    os.mkdir("/gone")
    return os.listdir("/gone")


def makedirs_and_exist_ok() -> object:
    os.makedirs("/x/y/z")
    os.makedirs("/x/y/z", exist_ok=True)
    return (
        failure(os.makedirs, "/x/y/z"),
        failure(os.makedirs, "/etc/motd/x"),
        failure(os.makedirs, "/etc/motd", exist_ok=True),
    )


def removedirs_goes_upwards() -> object:
    os.makedirs("/x/y/z")
    os.removedirs("/x/y/z")
    return os.path.exists("/x")


def renames_makes_and_prunes() -> object:
    os.makedirs("/x/y")
    open("/x/y/f", "w").close()
    os.renames("/x/y/f", "/p/q/g")
    return os.path.exists("/x"), os.listdir("/p/q")


def rmdir_of_a_full_directory() -> object:
    return (
        failure(os.rmdir, "/d"),
        failure(os.rmdir, "/etc/motd"),
        failure(os.rmdir, "/absent"),
        failure(os.rmdir, "/"),
    )


def rmdir_after_whiteouts() -> object:
    for name in os.listdir("/merged"):
        os.unlink(f"/merged/{name}")
    os.rmdir("/merged")
    return os.path.exists("/merged")


def rmdir_of_the_current_directory() -> object:
    os.mkdir("/here")
    os.chdir("/here")
    return (
        failure(os.rmdir, "."),
        os.rmdir("/here"),
        failure(os.listdir, "."),
        failure(open, "x", "w"),
        failure(os.getcwd),
    )


def unlink_errors() -> object:
    return (
        failure(os.unlink, "/etc"),
        failure(os.remove, "/absent"),
        failure(os.unlink, "/etc/motd/"),
        failure(os.unlink, ""),
    )


def unlink_hides_a_lower_file() -> object:
    os.unlink("/etc/motd")
    return os.path.exists("/etc/motd"), sorted(os.listdir("/etc")), failure(open, "/etc/motd")


def unlink_of_a_link_keeps_the_target() -> object:
    os.unlink("/link")
    return os.path.exists("/etc/motd")


def rename_file_over_file() -> object:
    os.rename("/etc/motd", "/etc/hosts")
    return open("/etc/hosts").read(), sorted(os.listdir("/etc"))


def rename_lower_directory_is_exdev() -> object:
    return os.rename("/d", "/e")


def rename_merged_directory_is_exdev() -> object:
    return os.rename("/merged", "/e")


def rename_new_directory() -> object:
    os.makedirs("/n/m")
    os.rename("/n", "/etc/n")
    return os.listdir("/etc/n")


def rename_directory_over_things() -> object:
    os.mkdir("/n")
    return (
        failure(os.rename, "/n", "/d"),
        failure(os.rename, "/n", "/etc/motd"),
        failure(os.rename, "/etc/motd", "/n"),
    )


def rename_into_itself() -> object:
    os.makedirs("/n/m")
    return failure(os.rename, "/n", "/n/m/k"), failure(os.rename, "/n/m", "/n")


def rename_same_name_and_hard_links() -> object:
    os.link("/etc/motd", "/etc/two")
    os.rename("/etc/motd", "/etc/two")
    os.rename("/etc/motd", "/etc/motd")
    return sorted(os.listdir("/etc"))


def rename_of_nothing() -> object:
    return (
        failure(os.rename, "/absent", "/x"),
        failure(os.rename, "/etc/motd", "/absent/x"),
        failure(os.replace, "/absent", "/x"),
    )


def rename_dots() -> object:
    return failure(os.rename, "/etc/.", "/x"), failure(os.rename, "/etc/motd", "/etc/..")


def rename_with_dir_fds() -> object:
    etc, d = os.open("/etc", os.O_RDONLY), os.open("/d", os.O_RDONLY)
    os.rename("motd", "m", src_dir_fd=etc, dst_dir_fd=d)
    return open("/d/m").read(), os.path.exists("/etc/motd")


def replace_over_whiteout() -> object:
    os.replace("/etc/motd", "/d/a")
    return open("/d/a").read()


@by(ANN)
def rename_in_a_sticky_directory() -> object:
    return (
        failure(os.rename, "/tmp/bobs", "/tmp/x"),
        failure(os.rename, "/tmp/anns", "/tmp/bobs"),
        failure(os.rename, "/tmp/anns", "/tmp/x"),
    )


def rename_trailing_slash_of_a_file() -> object:
    return failure(os.rename, "/etc/motd/", "/x"), failure(os.rename, "/etc/motd", "/x/")
