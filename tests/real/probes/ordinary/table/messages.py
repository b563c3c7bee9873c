"""Errors as a learner sees them: class, errno, file names, message."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ordinary.outcome import failure, told


def names_are_as_they_were_given() -> object:
    os.chdir("/etc")
    return (
        failure(open, "absent"),
        failure(open, b"absent"),
        failure(open, Path("absent")),
        failure(os.stat, Path("absent")),
    )


def two_names_in_rename_and_link() -> object:
    return (
        failure(os.rename, "/absent", "/x"),
        failure(os.link, Path("/absent"), b"/x"),
        failure(os.symlink, "x", "/etc/motd"),
    )


def class_by_errno() -> object:
    out = []
    for verb, *args in (
        (open, "/absent"),
        (open, "/etc"),
        (os.listdir, "/etc/motd"),
        (os.mkdir, "/etc"),
        (os.rmdir, "/d"),
        (os.readlink, "/etc"),
    ):
        try:
            verb(*args)
        except OSError as error:
            out.append((type(error).__name__, error.errno, error.strerror, error.args))
    return out


def descriptor_errors_have_no_name() -> object:
    return (
        failure(os.fstat, 999),
        failure(os.ftruncate, 999, 0),
        failure(os.listdir, 999),
        failure(os.chmod, 999, 0),
    )


def error_of_a_verb_on_a_descriptor() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    return failure(os.listdir, fd).replace(str(fd), "N"), failure(os.chdir, fd).replace(str(fd), "N")


def traceback_cause_is_kept() -> object:
    try:
        try:
            open("/absent")
        except FileNotFoundError as error:
            raise RuntimeError("no file") from error
    except RuntimeError as error:
        return told(error), told(error.__cause__)  # type: ignore[arg-type]


def name_too_long() -> object:
    return (
        failure(os.mkdir, "/" + "n" * 256),
        failure(os.stat, "/" + "n" * 255),
        failure(os.stat, "/x" * 2048),
    )


def embedded_nul_in_everything() -> object:
    return [
        failure(verb, "a\0b")
        for verb in (os.stat, os.mkdir, os.unlink, os.listdir, open, os.chdir, os.readlink)
    ]


def shutil_errors() -> object:
    return (
        failure(shutil.copytree, "/absent", "/x"),
        failure(shutil.move, "/absent", "/x"),
        failure(shutil.copyfile, "/etc/motd", "/absent/x"),
    )


def arguments_of_the_wrong_type() -> object:
    return (
        failure(os.mkdir, 5),
        failure(os.rename, "/etc/motd", 5),
        failure(os.unlink, None),
        failure(os.symlink, 1, "/x"),
        failure(os.listdir, 1.5),
        failure(os.write, 0, "text"),
    )


def missing_arguments() -> object:
    return failure(os.open, "/etc/motd"), failure(os.chmod, "/etc/motd"), failure(os.mkdir)


def keywords_of_os() -> object:
    os.mkdir(path="/k", mode=0o700)
    os.rename(src="/etc/motd", dst="/k/m")
    os.chmod(path="/k/m", mode=0o600)
    os.symlink(src="m", dst="/k/s")
    os.utime(path="/k/m", times=(1, 2))
    return sorted(os.listdir(path="/k")), os.readlink(path="/k/s"), os.stat(path="/k/m").st_mtime
