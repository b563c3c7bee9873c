"""The server's answers, without a kernel: messages in, messages out."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any

import pytest

from unionfs_sim import Dir, File, Layer, Union, layer, mount
from unionfs_sim.fuse import wire
from unionfs_sim.fuse.request import Request
from unionfs_sim.fuse.server import Server
from unionfs_sim.fuse.wire import Op

ANN = (1000, 1000, 1)
ROOT = (0, 0, 1)


def served(**files: Any) -> tuple[Union, Server, list[Exception]]:
    union = mount([layer({"/motd": "hello", "/d": Dir(), **files})], Layer())
    bugs: list[Exception] = []
    return union, Server(union, on_bug=bugs.append, groups_of=lambda _pid: frozenset({5})), bugs


def ask(server: Server, op: int, node: int, body: bytes = b"", asker: tuple[int, int, int] = ROOT) -> Any:
    return server.answer(Request(op, node, asker, memoryview(body)))


def found(server: Server, name: str) -> int:
    """The node number of a name in the root."""
    answer = ask(server, Op.LOOKUP, wire.ROOT_ID, name.encode() + b"\0")
    return int(wire.ENTRY.unpack_from(answer)[0])


def test_an_operation_that_nobody_knows_is_enosys() -> None:
    _, server, _ = served()

    assert ask(server, 999, 1) == errno.ENOSYS


def test_a_node_that_was_forgotten_is_estale() -> None:
    _, server, _ = served()
    number = found(server, "motd")

    assert ask(server, Op.FORGET, number, wire.FORGET_IN.pack(1)) is None
    assert ask(server, Op.GETATTR, number) == errno.ESTALE


@pytest.mark.parametrize("op", [op for op in Op if op not in (Op.FORGET, Op.BATCH_FORGET, Op.INTERRUPT)])
def test_a_message_that_ends_early_is_an_errno_and_never_an_exception(op: Op) -> None:
    _, server, _ = served()

    assert isinstance(ask(server, op, wire.ROOT_ID, b"\x01"), int | bytes)


@pytest.mark.parametrize("break_it", ["lookup", "stat"])
def test_a_bug_is_eio_and_is_told(break_it: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, server, bugs = served()

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(server.tree, break_it, broken)

    assert ask(server, Op.LOOKUP, wire.ROOT_ID, b"d\0") == errno.EIO
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]


def test_a_name_that_is_nothing_may_be_remembered_as_nothing() -> None:
    _, server, _ = served()
    _, asking, _ = served()
    asking.remember_seconds = 0

    assert wire.ENTRY.unpack_from(ask(server, Op.LOOKUP, 1, b"x\0"))[0] == 0
    assert ask(asking, Op.LOOKUP, 1, b"x\0") == errno.ENOENT


def test_the_same_file_has_the_same_number_until_it_is_forgotten() -> None:
    _, server, _ = served()

    assert found(server, "motd") == found(server, "motd")
    assert found(server, "motd") != found(server, "d")


def test_a_read_is_of_the_bytes_asked_for() -> None:
    _, server, _ = served()
    number = found(server, "motd")

    assert bytes(ask(server, Op.READ, number, wire.READ_IN.pack(1, 1, 3, 0, 0, 0))) == b"ell"


def test_opening_for_writing_copies_up() -> None:
    union, server, _ = served()

    ask(server, Op.OPEN, found(server, "motd"), wire.OPEN_IN.pack(os.O_RDONLY, 0))
    assert union.upper is not None and not union.upper.exists("/motd")
    ask(server, Op.OPEN, found(server, "motd"), wire.OPEN_IN.pack(os.O_WRONLY, 0))
    assert union.upper.exists("/motd")


@pytest.mark.parametrize(
    ("mode", "valid", "left"),
    [
        (0o4755, wire.SET_UID, 0o755),
        (0o4755, 0, 0o755),  # chown(-1, -1) sets nothing, and takes setuid away
        (0o2644, wire.SET_UID, 0o2644),  # no group may execute it, and root's groups do not matter
        (0o2755, wire.SET_GID, 0o755),
        (0o4755, wire.SET_ATIME, 0o4755),
    ],
)
def test_a_change_of_owner_takes_setuid_away(mode: int, valid: int, left: int) -> None:
    union, server, _ = served(**{"/f": File("x", mode=mode)})
    body = wire.SETATTR_IN.pack(valid, *([0] * 15))

    ask(server, Op.SETATTR, found(server, "f"), body)

    assert stat.S_IMODE(union.lstat("/f").st_mode) == left


@pytest.mark.parametrize(("gid", "left"), [(5, 0o2644), (6, 0o644)])
def test_a_write_keeps_setgid_for_a_member_of_the_group_whom_fuse_does_not_name(gid: int, left: int) -> None:
    union, server, _ = served(**{"/f": File("x", mode=0o2644, gid=gid)})
    number = found(server, "f")
    ask(server, Op.OPEN, number, wire.OPEN_IN.pack(os.O_WRONLY, 0), ANN)
    body = wire.WRITE_IN.pack(1, 0, 1, wire.WRITE_KILLS_SUID, 0, 0, 0) + b"y"

    ask(server, Op.WRITE, number, body, ANN)

    assert stat.S_IMODE(union.lstat("/f").st_mode) == left
    assert union.read_bytes("/f") == b"y"


def names_of(answer: bytes, skip: int = 0) -> list[tuple[str, int]]:
    """(name, position behind it) of each entry of a listing."""
    listed, at = [], 0
    while at < len(answer):
        _, position, length, _ = wire.DIRENT.unpack_from(answer, at + skip)
        start = at + skip + wire.DIRENT.size
        listed.append((answer[start : start + length].decode(), position))
        at = start + length + -length % 8
    return listed


@pytest.mark.parametrize(("op", "skip"), [(Op.READDIR, 0), (Op.READDIRPLUS, wire.ENTRY_SIZE)])
def test_a_listing_in_pieces_has_each_name_once(op: Op, skip: int) -> None:
    _, server, _ = served(**{f"/many/{number:03}": "x" for number in range(200)})
    number, position, listed = found(server, "many"), 0, []

    while True:
        body = wire.READ_IN.pack(7, position, 1000, 0, 0, 0)
        piece = names_of(ask(server, op, number, body), skip)
        if not piece:
            break
        listed += [name for name, _ in piece]
        position = piece[-1][1]

    assert listed == [".", "..", *(f"{number:03}" for number in range(200))]


@pytest.mark.parametrize("room", [0, 4, 5, 6])
def test_an_extended_attribute_fits_or_is_erange(room: int) -> None:
    _, server, _ = served(**{"/f": File("x", xattrs={"user.k": b"value"})})
    expected: dict[int, Callable[[], Any]] = {
        0: lambda: wire.XATTR_IN.pack(5, 0),
        4: lambda: errno.ERANGE,
    }

    answer = ask(server, Op.GETXATTR, found(server, "f"), wire.XATTR_IN.pack(room, 0) + b"user.k\0")

    assert answer == expected.get(room, lambda: b"value")()


def test_trusted_attributes_are_listed_for_root_only() -> None:
    union, server, _ = served()
    union.setxattr("/motd", "trusted.t", b"")
    number = found(server, "motd")

    assert ask(server, Op.LISTXATTR, number, wire.XATTR_IN.pack(99, 0)) == b"trusted.t\0"
    assert ask(server, Op.LISTXATTR, number, wire.XATTR_IN.pack(99, 0), ANN) == b""


def test_holes_are_found_and_the_place_behind_the_end_is_enxio() -> None:
    union, server, _ = served()
    union.open("/f", os.O_WRONLY | os.O_CREAT).pwrite(b"x", 8192)
    number = found(server, "f")

    def seek(offset: int, whence: int) -> Any:
        return ask(server, Op.LSEEK, number, wire.LSEEK_IN.pack(1, offset, whence, 0))

    assert seek(0, os.SEEK_DATA) == wire.LSEEK_OUT.pack(8192)
    assert seek(8193, os.SEEK_DATA) == errno.ENXIO
