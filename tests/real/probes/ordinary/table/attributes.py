"""stat, chmod, chown, utime, access, extended attributes."""

from __future__ import annotations

import os
import shutil
import stat
import time

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def _told(path: str) -> tuple[object, ...]:
    told = os.lstat(path)
    return stat.filemode(told.st_mode), told.st_nlink, told.st_uid, told.st_gid, told.st_size


def stat_of_everything() -> object:
    return [
        _told(f"/{name}")
        for name in sorted(os.listdir("/"))
        if name not in ("d", "merged", "opq", "etc", "home", "text")
    ]


def stat_of_merged_directories() -> object:
    return [oct(os.stat(path).st_mode) for path in ("/d", "/merged", "/opq", "/")]


def stat_follows_and_lstat_does_not() -> object:
    return os.stat("/link").st_size, os.lstat("/link").st_size, failure(os.stat, "/dangling")


def stat_times_of_a_lower_file() -> object:
    told = os.stat("/etc/motd")
    return told.st_mtime_ns, told.st_mtime, told[stat.ST_MTIME], time.gmtime(told.st_mtime).tm_year


def stat_result_has_its_fields() -> object:
    told = os.stat("/big")
    return len(told), told.st_blksize, told.st_blocks, told.st_rdev, told[:1] == (told.st_mode,)


def stat_of_a_descriptor() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    return os.stat(fd).st_ino == os.stat("/etc/motd").st_ino


def stat_inode_is_stable_over_copy_up() -> object:
    before = os.stat("/etc/motd")
    os.chmod("/etc/motd", 0o600)
    after = os.stat("/etc/motd")
    return (
        before.st_ino == after.st_ino,
        before.st_dev == after.st_dev,
        after.st_mtime_ns == before.st_mtime_ns,
    )


def stat_with_dir_fd() -> object:
    fd = os.open("/etc", os.O_RDONLY)
    return (
        os.stat("motd", dir_fd=fd).st_size,
        os.stat("/etc/motd", dir_fd=fd).st_size,
        failure(os.stat, "x", dir_fd=fd),
    )


def stat_dir_fd_of_a_file() -> object:
    return os.stat("x", dir_fd=os.open("/etc/motd", os.O_RDONLY))


def stat_path_that_is_a_number_of_nothing() -> object:
    return os.stat(9999)


def stat_type_error() -> object:
    return failure(os.stat, 1.5), failure(os.stat, None), failure(os.stat, [])


def chmod_changes_mode() -> object:
    os.chmod("/etc/motd", 0o4751)
    os.chmod(os.open("/etc", os.O_RDONLY), 0o1700)
    return _told("/etc/motd"), oct(os.stat("/etc").st_mode)


def chmod_of_a_link_changes_its_target() -> object:
    os.chmod("/link", 0o611)
    return oct(os.lstat("/link").st_mode), oct(os.stat("/etc/motd").st_mode)


def chmod_without_following() -> object:
    return failure(os.chmod, "/link", 0o600, follow_symlinks=False)


def chmod_of_nothing() -> object:
    return os.chmod("/absent", 0)


def fchmod_of_an_unlinked_file() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    os.unlink("/etc/motd")
    os.fchmod(fd, 0o600)
    return oct(os.fstat(fd).st_mode)


@by(ANN)
def chmod_of_anothers_file() -> object:
    return os.chmod("/etc/motd", 0o777)


@by(ANN)
def chmod_drops_setgid_of_a_foreign_group() -> object:
    os.chmod("/home/ann/notes", 0o2755)
    return oct(os.stat("/home/ann/notes").st_mode)


def chown_and_lchown() -> object:
    os.chown("/etc/motd", 1, 2)
    os.lchown("/link", 3, 4)
    os.fchown(os.open("/etc/hosts", os.O_RDONLY), -1, 7)
    return _told("/etc/motd"), _told("/link"), _told("/etc/hosts")


def chown_takes_setuid_away() -> object:
    os.chown("/suid", 0, 0)
    return oct(os.stat("/suid").st_mode)


@by(ANN)
def chown_is_for_root() -> object:
    return failure(os.chown, "/home/ann/notes", 1001, -1), failure(os.chown, "/home/ann/notes", -1, 1000)


def shutil_chown_by_name() -> object:
    shutil.chown("/etc/motd", "ann", "bob")
    return _told("/etc/motd"), failure(shutil.chown, "/etc/motd", "nobody-here")


def utime_in_nanoseconds() -> object:
    os.utime("/etc/motd", ns=(1, 2_000_000_003))
    told = os.stat("/etc/motd")
    return told.st_atime_ns, told.st_mtime_ns, told.st_mtime


def utime_in_seconds() -> object:
    os.utime("/etc/motd", (1.5, 2.25))
    return os.stat("/etc/motd").st_atime_ns, os.stat("/etc/motd").st_mtime_ns


def utime_negative() -> object:
    os.utime("/etc/motd", (-1.5, -2))
    return os.stat("/etc/motd").st_mtime_ns, os.stat("/etc/motd").st_atime


def utime_now() -> object:
    os.utime("/etc/motd")
    return abs(os.stat("/etc/motd").st_mtime - time.time()) < 5


def utime_of_a_link() -> object:
    os.utime("/link", ns=(5, 6), follow_symlinks=False)
    return os.lstat("/link").st_mtime_ns, os.stat("/link").st_mtime_ns


def utime_both_arguments() -> object:
    return os.utime("/etc/motd", (1, 2), ns=(1, 2))


def utime_bad_tuples() -> object:
    return (
        failure(os.utime, "/etc/motd", (1,)),
        failure(os.utime, "/etc/motd", 5),
        failure(os.utime, "/etc/motd", ns=(1.5, 2)),
    )


@by(ANN)
def utime_of_anothers_file() -> object:
    return (
        failure(os.utime, "/etc/motd", (1, 2)),
        failure(os.utime, "/world", (1, 2)),
        failure(os.utime, "/world"),
    )


def writing_moves_mtime_and_directory_mtime() -> object:
    os.utime("/d", ns=(1, 1))
    before = os.stat("/etc/motd").st_mtime_ns
    with open("/etc/motd", "a") as file:
        file.write("x")
    open("/d/new", "w").close()
    return os.stat("/etc/motd").st_mtime_ns > before, os.stat("/d").st_mtime_ns > 1


def access_of_root() -> object:
    return [
        os.access(p, m)
        for p in ("/etc/motd", "/bin/tool", "/private", "/absent")
        for m in (os.F_OK, os.R_OK, os.W_OK, os.X_OK)
    ]


@by(ANN)
def access_of_ann() -> object:
    return [
        os.access(p, m)
        for p in ("/etc/motd", "/bin/tool", "/private", "/secret", "/world")
        for m in (os.F_OK, os.R_OK, os.W_OK, os.X_OK)
    ]


@by(ANN)
def access_below_a_closed_directory() -> object:
    return os.access("/private/x", os.F_OK), os.path.exists("/private/x"), failure(os.stat, "/private/x")


def access_with_effective_ids_and_links() -> object:
    return (
        os.access("/etc/motd", os.R_OK, effective_ids=True),
        os.access("/dangling", os.F_OK, follow_symlinks=False),
        os.access("/dangling", os.F_OK),
    )


def xattr_of_a_lower_file() -> object:
    return os.getxattr("/coloured", "user.color"), os.listxattr("/coloured")


def xattr_set_and_remove() -> object:
    os.setxattr("/etc/motd", "user.a", b"1")
    os.setxattr("/etc/motd", b"user.b", b"2")
    os.removexattr("/etc/motd", "user.a")
    return os.listxattr("/etc/motd"), os.getxattr("/etc/motd", "user.b")


def xattr_absent() -> object:
    return failure(os.getxattr, "/etc/motd", "user.x"), failure(os.removexattr, "/etc/motd", "user.x")


def xattr_create_and_replace() -> object:
    return (
        failure(os.setxattr, "/coloured", "user.color", b"", os.XATTR_CREATE),
        failure(os.setxattr, "/coloured", "user.new", b"", os.XATTR_REPLACE),
    )


def xattr_of_a_link() -> object:
    return failure(os.setxattr, "/link", "user.a", b"1", follow_symlinks=False), os.listxattr(
        "/link", follow_symlinks=False
    )


def xattr_namespace_unknown() -> object:
    return failure(os.setxattr, "/etc/motd", "nonsense", b""), failure(
        os.setxattr, "/etc/motd", "foo.bar", b""
    )


def xattr_trusted() -> object:
    os.setxattr("/etc/motd", "trusted.a", b"1")
    return os.listxattr("/etc/motd"), os.getxattr("/etc/motd", "trusted.a")


@by(ANN)
def xattr_trusted_is_hidden_from_others() -> object:
    return failure(os.setxattr, "/home/ann/notes", "trusted.a", b"1"), failure(
        os.getxattr, "/home/ann/notes", "trusted.a"
    )


def xattr_of_a_descriptor() -> object:
    fd = os.open("/coloured", os.O_RDONLY)
    return os.getxattr(fd, "user.color"), os.listxattr(fd)


def xattr_overlay_names_are_escaped() -> object:
    os.setxattr("/etc/motd", "trusted.overlay.opaque", b"y")
    return os.listxattr("/etc/motd")


def statvfs_limits() -> object:
    told = os.statvfs("/")
    return told.f_namemax, told.f_bsize, told.f_flag & os.ST_RDONLY, failure(os.statvfs, "/absent")


def pathconf_limits() -> object:
    return (
        os.pathconf("/", "PC_NAME_MAX"),
        os.pathconf("/", "PC_PATH_MAX"),
        failure(os.pathconf, "/", "PC_NONSENSE"),
    )


def disk_usage_tells_three_numbers() -> object:
    told = shutil.disk_usage("/")
    return told.total >= told.used + told.free >= 0, len(told)
