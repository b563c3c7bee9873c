"""What others than root may do."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from ordinary.outcome import failure
from ordinary.probe import ANN, BOB, by


@by(ANN)
def ann_reads_and_writes_her_own() -> object:
    with open("/home/ann/notes", "a") as file:
        file.write("four\n")
    told = os.stat("/home/ann/notes")
    return open("/home/ann/notes").read(), told.st_uid, told.st_gid, oct(told.st_mode)


@by(ANN)
def ann_may_not_write_roots_file() -> object:
    return failure(open, "/etc/motd", "w"), open("/etc/motd").read()


@by(ANN)
def ann_may_not_read_a_secret() -> object:
    return (
        failure(open, "/secret"),
        failure(os.listdir, "/private"),
        failure(os.chdir, "/private"),
        failure(open, "/private/x"),
    )


@by(ANN)
def ann_may_not_create_in_roots_directory() -> object:
    return [
        failure(verb, *args)
        for verb, *args in (
            (open, "/etc/n", "w"),
            (os.mkdir, "/etc/n"),
            (os.symlink, "x", "/etc/n"),
            (os.unlink, "/etc/motd"),
            (os.rmdir, "/d"),
            (os.rename, "/etc/motd", "/tmp/m"),
        )
    ]


@by(ANN)
def ann_writes_a_file_open_to_all() -> object:
    with open("/world", "w") as file:
        file.write("ann was here")
    told = os.stat("/world")
    return told.st_uid, oct(told.st_mode), told.st_size


@by(ANN)
def ann_owns_what_she_makes() -> object:
    open("/open/f", "w").close()
    os.mkdir("/open/d")
    return [(os.stat(p).st_uid, os.stat(p).st_gid, oct(os.stat(p).st_mode)) for p in ("/open/f", "/open/d")]


@by(ANN)
def ann_in_the_sticky_directory() -> object:
    return failure(os.unlink, "/tmp/bobs"), failure(os.unlink, "/tmp/anns"), failure(open, "/tmp/bobs", "a")


@by(BOB)
def bob_uses_his_supplementary_group() -> object:
    open("/shared/bobs", "w").close()
    told = os.stat("/shared/bobs")
    return told.st_uid, told.st_gid


@by(BOB)
def bob_gives_a_file_to_his_group() -> object:
    open("/open/f", "w").close()
    os.chown("/open/f", -1, 5)
    return os.stat("/open/f").st_gid, failure(os.chown, "/open/f", -1, 1000)


@by(ANN)
def ann_closes_her_own_file() -> object:
    os.chmod("/home/ann/notes", 0)
    return (
        failure(open, "/home/ann/notes"),
        failure(open, "/home/ann/notes", "w"),
        os.access("/home/ann/notes", os.R_OK),
    )


@by(ANN)
def ann_removes_write_from_her_directory() -> object:
    os.chmod("/home/ann", 0o555)
    return failure(open, "/home/ann/new", "w"), failure(os.unlink, "/home/ann/notes")


@by(ANN)
def a_directory_without_search_lists_names_only() -> object:
    os.mkdir("/open/d")
    open("/open/d/f", "w").close()
    os.chmod("/open/d", 0o600)
    return os.listdir("/open/d"), failure(os.stat, "/open/d/f"), [e.is_file() for e in os.scandir("/open/d")]


@by(ANN)
def a_write_takes_setuid_away() -> object:
    open("/open/f", "w").close()
    os.chmod("/open/f", 0o4777)
    with open("/open/f", "a") as file:
        file.write("x")
    return stat.filemode(os.stat("/open/f").st_mode)


@by(ANN)
def rmtree_stops_at_what_is_not_hers() -> object:
    return failure(shutil.rmtree, "/d"), sorted(os.listdir("/d"))


@by(ANN)
def copytree_of_what_she_may_read() -> object:
    shutil.copytree("/d", "/open/copy")
    return sorted(p.relative_to("/open").as_posix() for p in Path("/open").rglob("*")), os.stat(
        "/open/copy/b/c"
    ).st_uid


@by(ANN)
def identity_of_ann() -> object:
    return os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.getresuid(), os.getresgid()


@by(BOB)
def identity_of_bob() -> object:
    return os.getuid(), os.getgid(), os.getgroups(), Path("/tmp/bobs").owner(), Path("/tmp/bobs").group()


@by(ANN)
def home_of_ann() -> object:
    return os.path.expanduser("~bob/x"), os.path.expanduser("~nobody-here"), str(Path("~bob").expanduser())


def root_may_do_all_but_execute() -> object:
    os.chmod("/secret", 0)
    return open("/secret").read(), os.access("/secret", os.X_OK), os.access("/secret", os.W_OK)
