"""tarfile, zipfile, gzip, bz2, lzma, shelve, sqlite, configparser, logging: whatever opens files for one."""

from __future__ import annotations

import bz2
import configparser
import dbm.dumb
import email.parser  # noqa: F401 - the chroot has no library to import from later
import encodings.cp437
import encodings.latin_1  # noqa: F401
import gzip
import io
import logging
import lzma
import mailbox
import os
import shelve
import shutil
import tarfile
import tomllib
import wave
import zipfile

from ordinary.outcome import failure


def tar_round_trip() -> object:
    with tarfile.open("/t.tar", "w") as archive:
        archive.add("/etc")
        archive.add("/link")
        archive.add("/hard1")
        archive.add("/hard2")
        archive.add("/pipe")
    with tarfile.open("/t.tar") as archive:
        told = [(m.name, m.type, oct(m.mode), m.uname, m.linkname, m.size) for m in archive]
        archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # Python 3.11.4
        archive.extractall("/out")
    return (
        sorted(told),
        sorted(os.listdir("/out/etc")),
        os.readlink("/out/link"),
        os.stat("/out/hard1").st_nlink,
    )


def tar_compressed_streams() -> object:
    out = []
    for kind in ("gz", "bz2", "xz"):
        with tarfile.open(f"/t.{kind}", f"w:{kind}") as archive:
            archive.add("/d", arcname="d")
        with tarfile.open(f"/t.{kind}") as archive:
            out.append((sorted(archive.getnames()), archive.extractfile("d/b/c").read()))
    return out


def tar_restores_owners_and_times() -> object:
    with tarfile.open("/t.tar", "w") as archive:
        archive.add("/home/ann/notes", arcname="notes")
        archive.add("/etc/motd", arcname="motd")
    with tarfile.open("/t.tar") as archive:
        archive.extraction_filter = getattr(tarfile, "fully_trusted_filter", None)  # Python 3.11.4
        archive.extractall("/out")
    return os.stat("/out/notes").st_uid, int(os.stat("/out/motd").st_mtime)


def tar_append() -> object:
    with tarfile.open("/t.tar", "w") as archive:
        archive.add("/etc/motd")
    with tarfile.open("/t.tar", "a") as archive:
        archive.add("/etc/hosts")
    return tarfile.open("/t.tar").getnames(), tarfile.is_tarfile("/t.tar"), tarfile.is_tarfile("/etc/motd")


def tar_of_nothing() -> object:
    return failure(tarfile.open, "/absent.tar"), failure(tarfile.open, "/etc/motd")


def zip_round_trip() -> object:
    os.utime("/home/ann/notes", (1.5e9, 1.5e9))
    with zipfile.ZipFile("/z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write("/home/ann/notes", "notes")
        archive.writestr("new/text", "hello")
    with zipfile.ZipFile("/z.zip") as archive:
        archive.extractall("/out")
        names = archive.namelist(), archive.testzip()
    return names, open("/out/new/text").read(), zipfile.is_zipfile("/z.zip")


def zip_path() -> object:
    with zipfile.ZipFile("/z.zip", "w") as archive:
        archive.writestr("a/b", "x")
    return [str(p) for p in zipfile.Path("/z.zip", "a/").iterdir()], zipfile.Path("/z.zip", "a/b").read_text()


def gzip_bz2_lzma() -> object:
    out = []
    for opener in (gzip.open, bz2.open, lzma.open):
        with opener("/z", "wt") as file:
            file.write("text\n" * 100)
        with opener("/z", "rt") as file:
            out.append(len(file.read()))
    return out, failure(gzip.open, "/absent.gz")


def make_and_unpack_archive() -> object:
    made = shutil.make_archive("/out", "gztar", "/d")
    shutil.unpack_archive(made, "/unpacked")
    return made, sorted(os.listdir("/unpacked"))


def zip_of_a_file_from_1970() -> object:
    with zipfile.ZipFile("/z.zip", "w") as archive:
        return archive.write("/home/ann/notes")


def make_zip_archive() -> object:
    for path, _, names in os.walk("/d"):
        for name in (".", *names):
            os.utime(os.path.join(path, name), (1.5e9, 1.5e9))
    made = shutil.make_archive("/out", "zip", "/", "d")
    shutil.unpack_archive(made, "/unpacked")
    return made, sorted(zipfile.ZipFile(made).namelist()), os.listdir("/unpacked/d/b/e")


def configparser_reads() -> object:
    with open("/c.ini", "w") as file:
        file.write("[a]\nb = 1\n")
    parser = configparser.ConfigParser()
    return parser.read(["/c.ini", "/absent"]), parser["a"]["b"]


def tomllib_reads() -> object:
    with open("/c.toml", "wb") as file:
        file.write(b"a = [1, 2]\n")
    return tomllib.load(open("/c.toml", "rb"))


def logging_to_a_file() -> object:
    handler = logging.FileHandler("/var.log", delay=False)
    logger = logging.Logger("probe")
    logger.addHandler(handler)
    logger.warning("hello")
    handler.close()
    return open("/var.log").read()


def shelve_on_dumb_dbm() -> object:
    with shelve.Shelf(dbm.dumb.open("/db", "c")) as shelf:
        shelf["a"] = [1, 2]
    with shelve.Shelf(dbm.dumb.open("/db", "r")) as shelf:
        return shelf["a"], sorted(name for name in os.listdir("/") if name.startswith("db"))


def mailbox_in_a_maildir() -> object:
    box = mailbox.Maildir("/mail")
    box.add("Subject: x\n\nhello\n")
    return len(box), sorted(os.listdir("/mail")), [message["subject"] for message in box]


def wave_file() -> object:
    with wave.open("/w.wav", "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\0\0" * 10)
    return wave.open("/w.wav").getnframes(), os.path.getsize("/w.wav")


def tar_into_memory() -> object:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w|") as archive:
        archive.add("/bin/tool")
    buffer.seek(0)
    return tarfile.open(fileobj=buffer).getmember("bin/tool").mode


def tar_of_a_lower_directory_renamed() -> object:
    shutil.move("/d", "/e")
    with tarfile.open("/t.tar", "w") as archive:
        archive.add("/e")
    return sorted(tarfile.open("/t.tar").getnames())
