"""``tempfile``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ordinary.outcome import failure
from ordinary.probe import ANN, by


def gettempdir_is_tmp() -> object:
    tempfile.tempdir = None
    return tempfile.gettempdir()


def mkstemp_and_mkdtemp() -> object:
    fd, name = tempfile.mkstemp(suffix=".x", prefix="p", dir="/tmp")
    folder = tempfile.mkdtemp(dir="/tmp")
    os.write(fd, b"abc")
    return oct(os.fstat(fd).st_mode), name.endswith(".x"), oct(os.stat(folder).st_mode), os.path.getsize(name)


def temporary_file_has_no_name() -> object:
    with tempfile.TemporaryFile(dir="/tmp") as file:
        file.write(b"abc")
        file.seek(0)
        return file.read(), sorted(os.listdir("/tmp"))


def named_temporary_file_goes() -> object:
    with tempfile.NamedTemporaryFile("w", dir="/tmp") as file:
        file.write("abc")
        file.flush()
        size = os.path.getsize(file.name)
    return size, os.path.exists(file.name)


def named_temporary_file_stays() -> object:
    with tempfile.NamedTemporaryFile(dir="/tmp", delete=False) as file:
        pass
    return os.path.exists(file.name)


def temporary_directory_goes() -> object:
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name, "a/b").mkdir(parents=True)
        os.chmod(Path(name, "a"), 0)
    return os.path.exists(name)


def spooled_file_rolls_over() -> object:
    with tempfile.SpooledTemporaryFile(max_size=4, dir="/tmp") as file:
        file.write(b"abc")
        file.write(b"def")
        file.seek(0)
        return file.read()


@by(ANN)
def ann_makes_a_temporary_file() -> object:
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        told = os.stat(file.name)
        return told.st_uid, oct(told.st_mode), failure(tempfile.mkdtemp, dir="/etc")[:20]
