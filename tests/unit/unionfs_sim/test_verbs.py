"""The verbs of ``os``: what they refuse, in which order, for whom. On a raw layer and on a union alike."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable

import pytest

from unionfs_sim import Caller, Dir, Fifo, File, Layer, Symlink, layer, mount
from unionfs_sim.nodes.caller import TickingClock
from unionfs_sim.vfs.posix import Posix

ALICE = Caller(1000, 1000, frozenset({50}))
BOB = Caller(1001, 1001)
ENTRIES: dict[str, File | Dir | Symlink | Fifo | str] = {
    "/alice": Dir(0o755, 1000, 1000),
    "/alice/f": File("data", 0o640, 1000, 1000),
    "/alice/s": File("s", 0o6755, 1000, 1000),
    "/alice/d": Dir(0o700, 1000, 1000),
    "/alice/d/x": "x",
    "/shared": Dir(0o1777),
    "/shared/bob": File("", 0o666, 1001, 1001),
    "/team": Dir(0o2775, 0, 50),
    "/closed": Dir(0o700),
    "/closed/in": "",
    "/link": Symlink("alice/f"),
    "/loop": Symlink("loop"),
    "/dangling": Symlink("/alice/new"),
    "/dir": Symlink("alice/"),
    "/fifo": Fifo(0o666),
}


@pytest.fixture(params=["layer", "union"])
def fs(request: pytest.FixtureRequest) -> Posix:
    clock = TickingClock(1_000, 1)
    if request.param == "layer":
        return layer(ENTRIES, clock=clock)
    return mount([layer(ENTRIES).freeze()], Layer(), clock=clock)


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(OSError) as caught:
        call()
    return errno.errorcode[caught.value.errno or 0]


# -- paths


def test_a_path_is_resolved_component_by_component(fs: Posix) -> None:
    assert fs.stat("//alice/./d/../f").st_size == fs.stat("/dir/f").st_size == fs.stat("link").st_size == 4


def test_dot_dot_of_the_root_is_the_root(fs: Posix) -> None:
    assert fs.stat("/../../alice").st_ino == fs.stat("/alice").st_ino


def test_slashes_behind_a_symlink_follow_it(fs: Posix) -> None:
    assert stat.S_ISLNK(fs.lstat("/dir").st_mode)
    assert stat.S_ISDIR(fs.lstat("/dir/").st_mode)
    assert refusal(lambda: fs.lstat("/link/")) == "ENOTDIR"


def test_forty_links_are_followed_and_no_more() -> None:
    made = layer({"/f": "x", **{f"/l{number}": Symlink(f"l{number + 1}") for number in range(41)}})
    made.symlink("f", "/l41")

    assert made.exists("/l2")
    assert refusal(lambda: made.stat("/l1")) == "ELOOP"
    assert refusal(lambda: layer({"/loop": Symlink("loop")}).stat("/loop")) == "ELOOP"


def test_names_have_255_bytes_and_paths_4095(fs: Posix) -> None:
    fs.mkdir("/" + "é" * 127)

    assert refusal(lambda: fs.mkdir("/" + "é" * 128)) == "ENAMETOOLONG"
    assert refusal(lambda: fs.stat("/" + "n" * 256)) == "ENAMETOOLONG"
    assert refusal(lambda: fs.stat("/alice/" + "./" * 2045)) == "ENAMETOOLONG"
    assert fs.exists("/alice/" + "./" * 2044)


def test_an_empty_path_and_a_nul_are_refused_as_os_does(fs: Posix) -> None:
    assert refusal(lambda: fs.stat("")) == "ENOENT"
    with pytest.raises(ValueError, match="null byte"):
        fs.mkdir("/a\0b")


def test_every_directory_on_the_way_needs_search_permission(fs: Posix) -> None:
    assert refusal(lambda: fs.acting_as(ALICE).stat("/closed/in")) == "EACCES"
    assert fs.stat("/closed/in").st_size == 0


def test_a_permission_that_is_taken_away_holds_at_once(fs: Posix) -> None:
    alice = fs.acting_as(ALICE)
    assert alice.read_bytes("/alice/d/x") == b"x"

    fs.chmod("/alice/d", 0o600)

    assert refusal(lambda: alice.stat("/alice/d/x")) == "EACCES"


def test_a_renamed_directory_is_not_found_by_its_old_name(fs: Posix) -> None:
    fs.mkdir("/new")
    fs.write_bytes("/new/f", b"1")
    fs.rename("/new", "/moved")

    assert refusal(lambda: fs.stat("/new/f")) == "ENOENT"
    assert fs.read_bytes("/moved/f") == b"1"


def test_a_view_can_start_elsewhere_and_be_kept_below_a_root(fs: Posix) -> None:
    assert fs.acting_as(ALICE, cwd="/alice/d").read_bytes("x") == b"x"
    jailed = fs.acting_as(ALICE, root="/alice")
    assert sorted(jailed.listdir("/")) == ["d", "f", "s"]
    assert jailed.read_bytes("/../f") == b"data"


def test_the_file_that_failed_is_named(fs: Posix) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        fs.rename("/nope", "/other")

    assert (caught.value.filename, caught.value.filename2) == ("/nope", "/other")


# -- permissions


def test_the_owner_the_group_and_others_are_told_apart(fs: Posix) -> None:
    assert fs.acting_as(ALICE).access("/alice/f", os.R_OK | os.W_OK)
    assert not fs.acting_as(BOB).access("/alice/f", os.R_OK)
    grouped = fs.acting_as(Caller(7, 7, frozenset({1000})))
    assert (grouped.access("/alice/f", os.R_OK), grouped.access("/alice/f", os.W_OK)) == (True, False)


def test_root_may_everything_but_execute_what_nobody_may(fs: Posix) -> None:
    assert fs.access("/alice/f", os.R_OK | os.W_OK)
    assert not fs.access("/alice/f", os.X_OK)
    assert fs.access("/alice/s", os.X_OK)


def test_in_a_sticky_directory_only_owners_remove(fs: Posix) -> None:
    assert refusal(lambda: fs.acting_as(ALICE).unlink("/shared/bob")) == "EPERM"
    fs.acting_as(BOB).unlink("/shared/bob")


def test_a_setgid_directory_hands_down_its_group(fs: Posix) -> None:
    alice = fs.acting_as(ALICE)
    alice.write_bytes("/team/f", b"")
    alice.mkdir("/team/d")

    assert (fs.stat("/team/f").st_gid, fs.stat("/team/d").st_gid) == (50, 50)
    assert fs.stat("/team/d").st_mode & stat.S_ISGID


def test_the_umask_takes_bits_away(fs: Posix) -> None:
    fs.acting_as(Caller(0, 0, umask=0o077)).mkdir("/private", 0o777)

    assert stat.S_IMODE(fs.stat("/private").st_mode) == 0o700


def test_writing_takes_setuid_away_unless_root_writes(fs: Posix) -> None:
    fs.open("/alice/s", os.O_WRONLY).write(b"r")
    assert stat.S_IMODE(fs.stat("/alice/s").st_mode) == 0o6755

    fs.acting_as(ALICE).open("/alice/s", os.O_WRONLY).write(b"a")
    assert stat.S_IMODE(fs.stat("/alice/s").st_mode) == 0o755


def test_chown_takes_setuid_away_even_from_root(fs: Posix) -> None:
    fs.chown("/alice/s", -1, -1)

    assert stat.S_IMODE(fs.stat("/alice/s").st_mode) == 0o755


def test_only_the_owner_changes_mode_and_times_and_only_root_the_owner(fs: Posix) -> None:
    bob = fs.acting_as(BOB)
    assert refusal(lambda: bob.chmod("/alice/f", 0o777)) == "EPERM"
    assert refusal(lambda: bob.utime("/alice/f", (1, 1))) == "EPERM"
    assert refusal(lambda: fs.acting_as(ALICE).chown("/alice/f", 1001, -1)) == "EPERM"
    fs.acting_as(ALICE).chown("/alice/f", -1, 50)
    assert fs.stat("/alice/f").st_gid == 50


def test_a_group_one_is_not_in_cannot_be_made_setgid(fs: Posix) -> None:
    fs.chown("/alice/f", -1, 7)
    fs.acting_as(ALICE).chmod("/alice/f", 0o2755)

    assert stat.S_IMODE(fs.stat("/alice/f").st_mode) == 0o755


def test_a_hard_link_to_anothers_file_is_refused(fs: Posix) -> None:
    assert refusal(lambda: fs.acting_as(ALICE).link("/closed", "/alice/c")) == "EPERM"
    assert refusal(lambda: fs.acting_as(BOB).link("/alice/f", "/shared/f")) == "EPERM"


def test_devices_need_root_but_fifos_do_not(fs: Posix) -> None:
    alice = fs.acting_as(ALICE)
    alice.mknod("/alice/p", stat.S_IFIFO | 0o600)
    assert refusal(lambda: alice.mknod("/alice/n", stat.S_IFCHR | 0o600, os.makedev(1, 3))) == "EPERM"


# -- open


def test_open_refuses_in_the_kernels_order(fs: Posix) -> None:
    assert refusal(lambda: fs.open("/alice", os.O_WRONLY)) == "EISDIR"
    assert refusal(lambda: fs.open("/alice/f", os.O_DIRECTORY)) == "ENOTDIR"
    assert refusal(lambda: fs.open("/link", os.O_NOFOLLOW)) == "ELOOP"
    assert refusal(lambda: fs.open("/link", os.O_CREAT | os.O_EXCL)) == "EEXIST"
    assert refusal(lambda: fs.open("/new/", os.O_CREAT)) == "EISDIR"
    assert refusal(lambda: fs.open("/alice", os.O_CREAT | os.O_DIRECTORY)) == "EINVAL"
    assert refusal(lambda: fs.open("/loop", os.O_CREAT)) == "ELOOP"
    assert refusal(lambda: fs.open("/fifo", os.O_WRONLY | os.O_NONBLOCK)) == "ENXIO"


def test_creating_through_a_dangling_symlink_makes_its_target(fs: Posix) -> None:
    fs.write_bytes("/dangling", b"made")

    assert fs.read_bytes("/alice/new") == b"made"


def test_appending_writes_at_the_end_wherever_the_position_is(fs: Posix) -> None:
    file = fs.open("/alice/f", os.O_RDWR | os.O_APPEND)
    file.seek(0)
    file.write(b"!")

    assert fs.read_bytes("/alice/f") == b"data!"


def test_truncating_opens_empty_and_moves_the_time(fs: Posix) -> None:
    before = fs.stat("/alice/f").st_mtime_ns
    fs.open("/alice/f", os.O_WRONLY | os.O_TRUNC).close()

    assert fs.stat("/alice/f").st_size == 0
    assert fs.stat("/alice/f").st_mtime_ns > before


def test_an_open_file_survives_its_name_and_follows_a_rename(fs: Posix) -> None:
    file = fs.open("/alice/f", os.O_RDWR)
    fs.rename("/alice/f", "/alice/g")
    file.write(b"DATA")
    assert fs.read_bytes("/alice/g") == b"DATA"

    fs.unlink("/alice/g")
    assert (file.pread(10, 0), file.stat().st_nlink) == (b"DATA", 0)


def test_a_path_descriptor_can_only_be_asked(fs: Posix) -> None:
    file = fs.open("/alice/f", os.O_PATH)

    assert file.stat().st_size == 4
    assert refusal(lambda: file.read(1)) == "EBADF"
    assert refusal(lambda: fs.chmod(file, 0o600)) == "EBADF"  # type: ignore[arg-type]


def test_reading_and_writing_need_the_mode_and_an_open_file(fs: Posix) -> None:
    file = fs.open("/alice/f", os.O_RDONLY)
    assert refusal(lambda: file.write(b"x")) == "EBADF"
    file.close()
    file.close()
    assert refusal(lambda: file.read()) == "EBADF"


def test_an_unnamed_file_can_be_given_a_name_once(fs: Posix) -> None:
    file = fs.open("/alice", os.O_TMPFILE | os.O_RDWR, 0o600)
    file.write(b"unnamed")
    fs.link(file, "/alice/named")  # type: ignore[arg-type]

    assert fs.read_bytes("/alice/named") == b"unnamed"


def test_holes_are_found_by_seek(fs: Posix) -> None:
    file = fs.open("/alice/h", os.O_RDWR | os.O_CREAT)
    file.pwrite(b"x", 3 * 4096)

    assert file.seek(0, os.SEEK_DATA) == 3 * 4096
    assert file.seek(0, os.SEEK_HOLE) == 0
    assert fs.stat("/alice/h").st_blocks == 8


# -- names


def test_names_that_are_no_names_are_refused(fs: Posix) -> None:
    assert refusal(lambda: fs.unlink("/alice/.")) == "EISDIR"
    assert refusal(lambda: fs.rmdir("/alice/.")) == "EINVAL"
    assert refusal(lambda: fs.rmdir("/alice/..")) == "ENOTEMPTY"
    assert refusal(lambda: fs.rmdir("/")) == "EBUSY"
    assert refusal(lambda: fs.mkdir("/")) == "EEXIST"
    assert refusal(lambda: fs.rename("/alice/.", "/x")) == "EBUSY"


def test_a_directory_cannot_be_moved_into_itself(fs: Posix) -> None:
    fs.mkdir("/new")
    fs.mkdir("/new/in")

    assert refusal(lambda: fs.rename("/new", "/new/in/new")) == "EINVAL"
    assert refusal(lambda: fs.rename("/new/in", "/new")) == "ENOTEMPTY"


def test_files_and_directories_do_not_replace_each_other(fs: Posix) -> None:
    fs.mkdir("/new")

    assert refusal(lambda: fs.rename("/new", "/alice/f")) == "ENOTDIR"
    assert refusal(lambda: fs.rename("/alice/f", "/new")) == "EISDIR"
    assert refusal(lambda: fs.unlink("/new")) == "EISDIR"
    assert refusal(lambda: fs.rmdir("/alice/f")) == "ENOTDIR"
    assert refusal(lambda: fs.rmdir("/alice/d")) == "ENOTEMPTY"


def test_nothing_can_be_made_in_a_directory_that_is_gone(fs: Posix) -> None:
    fs.mkdir("/gone")
    inside = fs.acting_as(Caller(), cwd="/gone")
    fs.rmdir("/gone")

    assert refusal(lambda: inside.mkdir("d")) == "ENOENT"


def test_renameat2_knows_its_flags(fs: Posix) -> None:
    assert refusal(lambda: fs.renameat2("/alice/f", "/alice/s", 1)) == "EEXIST"
    fs.renameat2("/alice/f", "/alice/s", 2)
    assert (fs.read_bytes("/alice/s"), fs.read_bytes("/alice/f")) == (b"data", b"s")
    assert refusal(lambda: fs.renameat2("/alice/f", "/alice/s", 3)) == "EINVAL"


def test_renaming_a_file_onto_its_other_name_does_nothing(fs: Posix) -> None:
    fs.link("/alice/f", "/alice/g")
    fs.rename("/alice/f", "/alice/g")

    assert fs.exists("/alice/f")


# -- extended attributes


def test_extended_attributes_have_namespaces(fs: Posix) -> None:
    alice = fs.acting_as(ALICE)
    alice.setxattr("/alice/f", "user.k", b"v")
    fs.setxattr("/alice/f", "trusted.k", b"t")

    assert fs.xattrs("/alice/f") == {"user.k": b"v", "trusted.k": b"t"}
    assert alice.xattrs("/alice/f") == {"user.k": b"v"}
    assert refusal(lambda: alice.setxattr("/alice/f", "trusted.k", b"")) == "EPERM"
    assert refusal(lambda: alice.setxattr("/alice/f", "other.k", b"")) in ("ENOTSUP", "EOPNOTSUPP")
    assert refusal(lambda: fs.setxattr("/link", "user.k", b"", follow_symlinks=False)) == "EPERM"


def test_extended_attributes_are_created_or_replaced(fs: Posix) -> None:
    fs.setxattr("/alice/f", "user.k", b"1", os.XATTR_CREATE)

    assert refusal(lambda: fs.setxattr("/alice/f", "user.k", b"2", os.XATTR_CREATE)) == "EEXIST"
    assert refusal(lambda: fs.setxattr("/alice/f", "user.x", b"2", os.XATTR_REPLACE)) == "ENODATA"
    assert refusal(lambda: fs.removexattr("/alice/f", "user.x")) == "ENODATA"
    assert refusal(lambda: fs.setxattr("/alice/f", "user.k", bytes(65537))) == "E2BIG"
    assert refusal(lambda: fs.getxattr("/alice/f", "user." + "n" * 256)) == "ERANGE"


# -- times


def test_reading_moves_the_access_time_once_after_a_change() -> None:
    fs = layer({"/f": "x"}, clock=TickingClock(5_000, 1))
    fs.write_bytes("/f", b"y")
    fs.read_bytes("/f")
    first = fs.stat("/f").st_atime_ns
    fs.read_bytes("/f")

    assert fs.stat("/f").st_atime_ns == first > 5_000


def test_a_new_name_moves_the_time_of_its_directory(fs: Posix) -> None:
    before = fs.stat("/alice").st_mtime_ns
    fs.mkdir("/alice/new")

    assert fs.stat("/alice").st_mtime_ns > before


def test_walk_leaves_out_what_the_caller_cannot_read(fs: Posix) -> None:
    seen = {path for path, _, _ in fs.acting_as(BOB).walk("/")}

    assert "/alice" in seen
    assert "/closed" not in seen
