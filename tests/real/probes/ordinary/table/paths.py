"""``os.path`` and ``pathlib``."""

from __future__ import annotations

import os
import pathlib
import pickle
from os import path as joined
from os.path import exists, getsize
from pathlib import Path, PurePosixPath

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def os_path_questions() -> object:
    names = ("/etc", "/etc/motd", "/link", "/dangling", "/dlink", "/pipe", "/absent", "/loop", "/d/a", "")
    ask = (os.path.exists, os.path.lexists, os.path.isfile, os.path.isdir, os.path.islink, os.path.ismount)
    return [[question(name) for question in ask] for name in names]


def os_path_numbers() -> object:
    return (
        os.path.getsize("/big"),
        os.path.getmtime("/etc/motd"),
        failure(os.path.getsize, "/absent"),
        failure(os.path.getatime, "/d/a"),
    )


def os_path_imported_names() -> object:
    return exists("/etc/motd"), getsize("/etc/motd"), joined.isdir("/d"), exists("/d/a")


def os_path_same() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    return (
        os.path.samefile("/link", "/etc/motd"),
        os.path.sameopenfile(fd, os.dup(fd)),
        failure(os.path.samefile, "/absent", "/etc"),
    )


def os_path_of_odd_arguments() -> object:
    return (
        os.path.exists("a\0b"),
        os.path.exists(9999),
        os.path.isfile(b"/etc/motd"),
        failure(os.path.exists, None),
    )


def abspath_and_relpath() -> object:
    os.chdir("/d/b")
    return (
        os.path.abspath("c"),
        os.path.relpath("/etc/motd"),
        os.path.abspath(b"../x"),
        os.path.realpath("e/../c"),
    )


def chdir_and_getcwd() -> object:
    os.chdir("/dlink/b")
    there = os.getcwd(), os.getcwdb()
    os.chdir("..")
    return there, os.getcwd(), failure(os.chdir, "/etc/motd"), failure(os.chdir, "/absent")


def fchdir_works() -> object:
    os.fchdir(os.open("/d/b", os.O_RDONLY))
    return os.getcwd(), os.listdir("e"), failure(os.fchdir, os.open("/etc/motd", os.O_RDONLY))


def getcwd_after_rename() -> object:
    os.mkdir("/n")
    os.chdir("/n")
    os.rename("/n", "/m")
    return os.getcwd()


def path_questions() -> object:
    names = ("/etc", "/etc/motd", "/link", "/dangling", "/dlink", "/pipe", "/dev/null", "/absent", "/d/a")
    ask = (
        "exists",
        "is_file",
        "is_dir",
        "is_symlink",
        "is_mount",
        "is_fifo",
        "is_socket",
        "is_block_device",
        "is_char_device",
    )
    return [[getattr(Path(name), question)() for question in ask] for name in names]


def path_read_and_write() -> object:
    path = Path("/new")
    return (
        path.write_text("Grüße\n", encoding="utf-8"),
        path.read_bytes(),
        path.write_bytes(b"ab"),
        path.read_text(),
    )


def path_open_and_errors() -> object:
    return (
        failure(Path("/absent").read_text),
        failure(Path("/etc").read_bytes),
        failure(Path("/etc/motd").write_text, 5),
        Path("/etc/motd").open().read(),
    )


def path_iterdir_and_glob() -> object:
    return (
        sorted(map(str, Path("/merged").iterdir())),
        sorted(map(str, Path("/").glob("*/both"))),
        sorted(map(str, Path("/d").rglob("*"))),
        sorted(map(str, Path("/d").glob("**"))),
    )


def path_iterdir_of_nothing() -> object:
    return failure(lambda: list(Path("/absent").iterdir())), failure(
        lambda: list(Path("/etc/motd").iterdir())
    )


def path_mkdir() -> object:
    Path("/x/y").mkdir(parents=True)
    Path("/x").mkdir(exist_ok=True)
    return (
        failure(Path("/x").mkdir),
        failure(Path("/p/q").mkdir),
        failure(Path("/etc/motd").mkdir, exist_ok=True),
    )


def path_touch() -> object:
    Path("/new").touch(0o640)
    Path("/etc/motd").touch()
    return (
        oct(Path("/new").stat().st_mode),
        failure(Path("/new").touch, exist_ok=False),
        Path("/etc/motd").stat().st_mtime > 1.3e9,
    )


def path_unlink_and_rmdir() -> object:
    Path("/etc/motd").unlink()
    Path("/etc/motd").unlink(missing_ok=True)
    return failure(Path("/etc/motd").unlink), failure(Path("/etc").rmdir), failure(Path("/etc").unlink)


def path_rename_and_replace() -> object:
    moved = Path("/etc/motd").rename("/etc/other")
    return (
        moved,
        moved.replace("/etc/hosts"),
        failure(Path("/d").rename, "/e"),
        Path("/etc/hosts").read_text(),
    )


def path_links() -> object:
    Path("/s").symlink_to("etc")
    Path("/h").hardlink_to("/etc/motd")
    return (
        Path("/s").readlink(),
        Path("/s/motd").resolve(),
        Path("/h").samefile("/etc/motd"),
        Path("/s").lstat().st_size,
    )


def path_resolve() -> object:
    os.chdir("/dlink")
    return (
        Path("b/../b/c").resolve(),
        Path("x/../y").resolve(),
        Path("b").absolute(),
        failure(Path("x").resolve, strict=True),
        Path.cwd(),
    )


def path_resolve_loop() -> object:
    return failure(Path("/loop").resolve, strict=True), failure(Path("/loop").stat)


def path_chmod_and_owner() -> object:
    Path("/etc/motd").chmod(0o600)
    return (
        oct(Path("/etc/motd").stat().st_mode),
        Path("/etc/motd").owner(),
        Path("/home/ann").group(),
        failure(Path("/absent").owner),
    )


def path_stat_arguments() -> object:
    return Path("/link").stat(follow_symlinks=False).st_size, failure(
        Path("/link").chmod, 0o600, follow_symlinks=False
    )


def path_class_and_repr() -> object:
    return (
        repr(Path("/a")),
        type(Path("/a")).__name__,
        Path("/a") == PurePosixPath("/a"),
        isinstance(Path("/a"), pathlib.PosixPath),
    )


def path_expanduser_and_home() -> object:
    return str(Path("~ann/x").expanduser()), failure(Path("~nobody-here").expanduser)


def path_relative_work() -> object:
    os.chdir("/d")
    Path("n").mkdir()
    Path("n/f").write_text("x")
    return (
        [str(path) for path in sorted(Path().rglob("f"))],
        Path("n/f").exists(),
        Path("../etc/motd").read_text(),
    )


def path_hash_and_order() -> object:
    return len({Path("/a"), Path("/a")}), sorted([Path("/b"), Path("/a")]), Path("/a") / "b" == Path("/a/b")


def path_pickled() -> object:
    return pickle.loads(pickle.dumps(Path("/etc/motd"))).read_text()


@by(ANN)
def path_questions_without_permission() -> object:
    return (
        failure(Path("/private/x").exists),
        failure(Path("/private/x").is_file),
        os.path.exists("/private/x"),
        sorted(map(str, Path("/private").rglob("*"))),
    )
