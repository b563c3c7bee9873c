"""umask, working directory, environment; threads and generators; locks and maps."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import threading
from concurrent.futures import ThreadPoolExecutor

from ordinary.outcome import failure


def umask_is_returned() -> object:
    return oct(os.umask(0o077)), oct(os.umask(0o022))


def threads_share_the_tree() -> object:
    def write(number: int) -> None:
        with open(f"/tmp/t{number}", "w") as file:
            file.write(str(number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [open(f"/tmp/t{number}").read() for number in range(4)]


def pool_reads_many() -> object:
    with ThreadPoolExecutor(4) as pool:
        return sum(int(text) for text in pool.map(lambda n: open(f"/many/{n:02}").read(), range(50)))


def generators_keep_their_files() -> object:
    def lines() -> object:
        with open("/home/ann/notes") as file:
            yield from file

    iterator = lines()
    first = next(iterator)
    os.unlink("/home/ann/notes")
    return first, list(iterator)


def context_managers_stack() -> object:
    with contextlib.ExitStack() as stack:
        files = [stack.enter_context(open(f"/many/{number:02}")) for number in range(20)]
        text = "".join(file.read() for file in files)
    return text, all(file.closed for file in files)


def redirect_stdout_into_a_file() -> object:
    with open("/out", "w") as file, contextlib.redirect_stdout(file):
        print("hello")  # noqa: T201
    return open("/out").read()


def chdir_context() -> object:
    with contextlib.chdir("/d"):
        inside = os.getcwd(), os.path.exists("b")
    return inside, os.getcwd()


def flock_a_file() -> object:
    with open("/etc/motd") as file, open("/etc/motd") as other:
        fcntl.flock(file, fcntl.LOCK_EX)
        blocked = failure(fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(file, fcntl.LOCK_UN)
        return blocked, failure(fcntl.flock, other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lockf_a_file() -> object:
    with open("/etc/motd", "r+") as file:
        return (
            fcntl.lockf(file, fcntl.LOCK_EX),
            fcntl.lockf(file, fcntl.LOCK_UN),
            os.lockf(file.fileno(), os.F_TEST, 0),
        )


def fcntl_flags() -> object:
    fd = os.open("/etc/motd", os.O_RDWR | os.O_APPEND)
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    return flags & os.O_ACCMODE == os.O_RDWR, bool(flags & os.O_APPEND), fcntl.fcntl(fd, fcntl.F_GETFD)


def mmap_reads() -> object:
    with open("/big", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        return len(mapped), mapped[250:260], mapped.find(b"\x10\x11")


def mmap_writes_back() -> object:
    with open("/etc/motd", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:1] = b"J"
        mapped.flush()
    return open("/etc/motd").read()


def memfd_is_a_file() -> object:
    fd = os.memfd_create("m")
    os.write(fd, b"abc")
    return os.pread(fd, 9, 0), os.fstat(fd).st_size


def pipe_between_threads() -> object:
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    os.close(writing)
    return os.read(reading, 9), os.read(reading, 9)
