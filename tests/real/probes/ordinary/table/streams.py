"""``open`` and ``io``: modes, text, buffers, newlines, errors."""

from __future__ import annotations

import csv
import encodings.ascii
import encodings.latin_1  # noqa: F401 - the chroot has no library to import from later
import fileinput
import io
import json
import linecache
import os
import pickle

from ordinary.outcome import failure


def open_modes() -> object:
    out = []
    for mode in ("r", "rb", "r+", "rb+", "w", "wb", "w+", "wb+", "a", "ab", "a+", "ab+"):
        with open("/etc/motd", mode) as file:
            out.append(
                (
                    type(file).__name__,
                    file.mode,
                    file.readable(),
                    file.writable(),
                    file.seekable(),
                    file.tell(),
                )
            )
    return out


def open_exclusive_mode() -> object:
    with open("/new", "x") as file:
        file.write("x")
    return failure(open, "/new", "x"), failure(open, "/new", "xb"), open("/new").read()


def open_bad_modes() -> object:
    return [
        failure(open, "/etc/motd", mode) for mode in ("", "rw", "z", "rr", "r+w", "rbt", "U", "+", "bb", "xa")
    ]


def open_bad_arguments() -> object:
    return (
        failure(open, "/etc/motd", "rb", encoding="utf-8"),
        failure(open, "/etc/motd", "rb", errors="strict"),
        failure(open, "/etc/motd", "rb", newline=""),
        failure(open, "/etc/motd", buffering=0),
        failure(open, "/etc/motd", encoding="no-such"),
        failure(open, "/etc/motd", newline="x"),
        failure(open, "/etc/motd", closefd=False),
        failure(open, None),
        failure(open, 1.5),
    )


def open_a_directory() -> object:
    return failure(open, "/etc"), failure(open, "/etc", "w"), failure(open, b"/etc")


def open_paths_of_many_kinds() -> object:
    class Fspath:
        def __fspath__(self) -> str:
            return "/etc/motd"

    return open(Fspath()).read(), open(b"/etc/motd").name, open(Fspath()).name, failure(open, "/absent\udcff")


def text_newlines() -> object:
    read = lambda **named: open("/text/utf8", encoding="utf-8", **named).read()  # noqa: E731
    return [read(newline=newline) for newline in (None, "", "\n", "\r", "\r\n")]


def text_lines_and_tell() -> object:
    with open("/home/ann/notes") as file:
        return file.readline(), file.tell(), next(file), failure(file.tell), file.readlines(), file.newlines


def text_errors() -> object:
    read = lambda errors: open("/text/latin", encoding="utf-8", errors=errors).read()  # noqa: E731
    return read("replace"), read("ignore"), read("surrogateescape"), failure(read, "strict")


def text_write_newline() -> object:
    with open("/new", "w", newline="\r\n") as file:
        file.write("a\nb\n")
    return open("/new", "rb").read()


def text_encoding_attributes() -> object:
    with open("/etc/motd", encoding="latin-1") as file:
        return file.encoding, file.errors, file.line_buffering, file.name, file.closed, file.write_through


def text_seek_and_truncate() -> object:
    with open("/home/ann/notes", "r+") as file:
        file.seek(4)
        file.truncate()
    return open("/home/ann/notes").read()


def buffered_peek_and_readinto() -> object:
    with open("/home/ann/notes", "rb") as file:
        buffer = bytearray(3)
        return file.peek(3)[:3], file.readinto(buffer), buffer, file.read1(2), file.tell()


def unbuffered_file() -> object:
    with open("/etc/motd", "rb", buffering=0) as file:
        return type(file).__name__, file.read(2), file.readall(), file.mode, file.name


def random_access_both_ways() -> object:
    with open("/home/ann/notes", "r+b") as file:
        file.read(4)
        file.write(b"TWO")
        file.seek(0)
        return file.read(), file.seek(-3, os.SEEK_END), file.read()


def writing_to_a_reader() -> object:
    return (
        failure(open("/etc/motd").write, "x"),
        failure(open("/etc/motd", "rb").write, b"x"),
        failure(open("/new", "w").read),
    )


def unbuffered_wrong_direction() -> object:
    return failure(open("/etc/motd", "rb", 0).write, b"x"), failure(open("/new", "wb", 0).read, 1)


def closed_file() -> object:
    file = open("/etc/motd")
    file.close()
    file.close()
    return failure(file.read), failure(file.fileno), file.closed, failure(lambda: file.__enter__())


def fileio_directly() -> object:
    with io.FileIO("/etc/motd", "r+") as file:
        return file.read(), file.mode, file.closefd, isinstance(file, io.RawIOBase)


def fileio_repr_and_errors() -> object:
    return (
        failure(io.FileIO, "/absent"),
        failure(io.FileIO, "/etc"),
        failure(io.FileIO, "/etc/motd", "z"),
        failure(io.FileIO, -1),
    )


def file_repr() -> object:
    with open("/etc/motd") as text, open("/etc/motd", "rb") as binary, open("/etc/motd", "rb", 0) as raw:
        return repr(text), repr(binary), repr(raw).replace(str(raw.fileno()), "N")


def opener_is_asked() -> object:
    asked = []

    def opener(path: str, flags: int) -> int:
        asked.append((path, flags & os.O_ACCMODE))
        return os.open("/etc/hosts", flags)

    with open("/etc/motd", opener=opener) as file:
        return file.read(), asked, file.name


def opener_that_fails() -> object:
    return failure(open, "/etc/motd", opener=lambda *_: -1), failure(open, "/x", opener=lambda *_: None)


def open_a_descriptor() -> object:
    fd = os.open("/etc/motd", os.O_RDONLY)
    with open(fd, closefd=False) as file:
        first = file.read(2)
    return first, os.read(fd, 9), file.name == fd


def open_a_descriptor_of_a_directory() -> object:
    fd = os.open("/etc", os.O_RDONLY)
    return failure(open, fd).replace(str(fd), "N"), os.fstat(fd).st_size >= 0


def append_mode_positions() -> object:
    with open("/etc/motd", "a+") as file:
        place = file.tell()
        file.write("x")
        file.seek(0)
        return place, file.read()


def two_writers_of_one_file() -> object:
    with open("/etc/motd", "r+b", 0) as one, open("/etc/motd", "ab", 0) as two:
        two.write(b"!")
        one.write(b"J")
        return one.read(), two.tell()


def line_buffering_is_seen_at_once() -> object:
    with open("/new", "w", buffering=1) as file:
        file.write("line\n")
        return open("/new").read()


def nothing_is_seen_before_the_flush() -> object:
    with open("/new", "w") as file:
        file.write("text")
        before = os.stat("/new").st_size
        file.flush()
        return before, os.stat("/new").st_size


def big_file_in_pieces() -> object:
    with open("/big", "rb") as file:
        return [len(piece) for piece in iter(lambda: file.read(4096), b"")], os.path.getsize("/big")


def binary_iteration() -> object:
    with open("/home/ann/notes", "rb") as file:
        return list(file), file.read()


def writelines_and_print() -> object:
    with open("/new", "w") as file:
        file.writelines(["a\n", "b\n"])
        print("c", 1, sep="-", file=file)
    return open("/new").readlines()


def json_pickle_and_csv() -> object:
    with open("/new.json", "w") as file:
        json.dump({"a": [1, 2]}, file)
    with open("/new.pickle", "wb") as file:
        pickle.dump((1, "x"), file)
    with open("/new.csv", "w", newline="") as file:
        csv.writer(file).writerow(["a", "b,c"])
    return (
        json.load(open("/new.json")),
        pickle.load(open("/new.pickle", "rb")),
        open("/new.csv", newline="").read(),
    )


def fileinput_over_two_files() -> object:
    with fileinput.input(["/etc/motd", "/home/ann/notes"]) as lines:
        return [(line, lines.filename(), lines.filelineno()) for line in lines]


def fileinput_in_place() -> object:
    with fileinput.input("/home/ann/notes", inplace=True) as lines:
        for line in lines:
            print(line.upper(), end="")  # noqa: T201
    return open("/home/ann/notes").read(), sorted(os.listdir("/home/ann"))


def linecache_reads() -> object:
    linecache.clearcache()
    return linecache.getline("/home/ann/notes", 2), linecache.getline("/absent", 1)


def text_wrapper_over_bytes() -> object:
    return io.TextIOWrapper(open("/etc/motd", "rb"), encoding="ascii").read(), io.open_code(
        "/etc/motd"
    ).read()


def reconfigure_and_detach() -> object:
    with open("/new", "w+") as file:
        file.reconfigure(newline="\r\n")
        file.write("a\n")
        file.seek(0)
        return file.read(), file.newlines, file.buffer.raw.mode


def detached_buffer() -> object:
    file = open("/etc/motd")
    buffer = file.detach()
    return buffer.read(), failure(file.read)


def reading_a_fifo_without_writers() -> object:
    fd = os.open("/pipe", os.O_RDONLY | os.O_NONBLOCK)
    with open(fd, "rb", 0) as file:
        return file.seekable(), file.read(1), failure(os.lseek, fd, 0, 0)
