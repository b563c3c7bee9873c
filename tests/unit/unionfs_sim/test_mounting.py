"""The union, as a specification: what is seen, and what lies in the upper afterwards."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

import pytest

from unionfs_sim import (
    WHITEOUT,
    Caller,
    Dir,
    File,
    Hardlink,
    Layer,
    Options,
    RedirectDir,
    Symlink,
    Union,
    layer,
    mount,
)
from unionfs_sim.events import CopiedUp, Event, LookedUp, OpaqueMade, WhiteoutMade
from unionfs_sim.nodes.inode import Volume

ORIGIN, IMPURE = "trusted.overlay.origin", "trusted.overlay.impure"


def names(union: Union, path: str = "/") -> list[str]:
    return sorted(union.listdir(path))


def upper_names(union: Union) -> list[str]:
    assert union.upper is not None
    return [f"{path}{' (whiteout)' * inode.is_whiteout}" for path, inode in union.upper.inodes()][1:]


def refusal(call: Callable[[], object]) -> int | None:
    with pytest.raises(OSError) as caught:
        call()
    return caught.value.errno


def test_removing_a_lower_file_leaves_it_in_the_lower_and_hides_it_from_merged() -> None:
    lower = layer({"/etc/motd": "hello"}).freeze()
    union = mount([lower], Layer())

    union.unlink("/etc/motd")

    assert upper_names(union) == ["/etc", "/etc/motd (whiteout)"]
    assert lower.read_bytes("/etc/motd") == b"hello"
    assert refusal(lambda: union.lstat("/etc/motd")) == errno.ENOENT


def test_names_of_all_layers_merge_and_the_top_directory_gives_the_attributes() -> None:
    union = mount([layer({"/d": Dir(0o700), "/d/a": "1"}), layer({"/d": Dir(0o711), "/d/b": "2"})], Layer())

    assert names(union, "/d") == ["a", "b"]
    assert union.stat("/d").st_mode & 0o777 == 0o711
    assert union.stat("/d").st_nlink == 1


@pytest.mark.parametrize("between", ["a file", WHITEOUT, Symlink("x")])
def test_what_is_no_directory_cuts_the_merge(between: object) -> None:
    bottom, top = layer({"/d/a": ""}), layer({"/d/b": ""})
    union = mount([bottom, layer({"/d": between}), top], Layer())  # type: ignore[dict-item]

    assert names(union, "/d") == ["b"]


def test_an_opaque_directory_hides_what_lies_below_it() -> None:
    union = mount([layer({"/d/a": ""}), layer({"/d": Dir(opaque=True), "/d/b": ""})], Layer())

    assert names(union, "/d") == ["b"]


def test_an_opaque_root_of_a_lower_hides_nothing() -> None:
    union = mount([layer({"/a": ""}), layer({"/b": ""}, root=Dir(opaque=True))], Layer())

    assert names(union) == ["a", "b"]


def test_a_directory_made_over_a_whiteout_is_opaque() -> None:
    union = mount([layer({"/d/old": ""})], Layer())
    union.unlink("/d/old")
    union.rmdir("/d")
    union.mkdir("/d")

    assert names(union, "/d") == []
    assert union.upper is not None
    assert union.upper.getxattr("/d", "trusted.overlay.opaque") == b"y"


def test_names_of_the_upper_alone_leave_no_whiteout() -> None:
    union = mount([Layer()], Layer())
    union.write_bytes("/f", b"")
    union.unlink("/f")

    assert upper_names(union) == []


@pytest.mark.parametrize(
    "verb",
    [
        lambda fs: fs.open("/p/f", os.O_WRONLY),
        lambda fs: fs.open("/p/f", os.O_RDONLY | os.O_TRUNC),
        lambda fs: fs.chmod("/p/f", 0o644),
        lambda fs: fs.chown("/p/f", -1, -1),
        lambda fs: fs.utime("/p/f", (1, 1)),
        lambda fs: fs.setxattr("/p/f", "user.k", b""),
        lambda fs: fs.truncate("/p/f", 4),
    ],
)
def test_what_copies_a_file_up(verb: Callable[[Union], object]) -> None:
    union = mount([layer({"/p/f": "data"})], Layer())

    verb(union)

    assert upper_names(union) == ["/p", "/p/f"]


@pytest.mark.parametrize(
    "verb",
    [
        lambda fs: fs.open("/p/f").read(),
        lambda fs: fs.access("/p/f", os.W_OK),
        lambda fs: fs.readlink("/p/l"),
        lambda fs: fs.removexattr("/p/f", "user.k"),
        lambda fs: fs.acting_as(Caller(1, 1)).chmod("/p/f", 0),
        lambda fs: fs.mkdir("/p"),
    ],
)
def test_what_does_not_copy_up(verb: Callable[[Union], object]) -> None:
    union = mount([layer({"/p/f": "data", "/p/l": Symlink("f")})], Layer())

    try:
        verb(union)
    except OSError:
        pass

    assert upper_names(union) == []


def test_a_copy_up_keeps_owner_mode_time_and_number() -> None:
    union = mount([layer({"/d/f": File("x", 0o640, 7, 8, 99, {"user.k": b"v"})})], Layer())
    before = union.stat("/d/f")
    union.open("/d/f", os.O_WRONLY).close()

    assert union.stat("/d/f")[:9] == before[:9]
    assert union.getxattr("/d/f", "user.k") == b"v"


def test_anybody_who_may_write_a_file_may_copy_it_up_into_roots_upper() -> None:
    union = mount([layer({"/f": File("x", 0o666)})], Layer())

    union.acting_as(Caller(1, 1)).write_bytes("/f", b"y")

    assert union.stat("/f").st_uid == 0
    assert union.read_bytes("/f") == b"y"


def test_a_file_opened_for_reading_shows_what_is_written_after_its_copy_up() -> None:
    union = mount([layer({"/f": "old"})], Layer())
    file = union.open("/f")
    union.write_bytes("/f", b"newer")

    assert (file.read(), file.stat().st_size) == (b"newer", 5)


def test_without_an_index_a_copy_up_breaks_a_hard_link() -> None:
    union = mount([layer({"/f": "x", "/h": Hardlink("/f")})], Layer())
    union.write_bytes("/f", b"y")

    assert (union.read_bytes("/h"), union.stat("/f").st_nlink, union.stat("/h").st_nlink) == (b"x", 1, 2)


def test_with_an_index_a_hard_link_stays_one() -> None:
    union = mount([layer({"/f": "x", "/h": Hardlink("/f")})], Layer(), options=Options(index=True))
    before = union.stat("/f").st_ino
    union.write_bytes("/f", b"y")

    assert union.read_bytes("/h") == b"y"
    assert union.stat("/f").st_nlink == union.stat("/h").st_nlink == 2
    assert union.stat("/h").st_ino == union.stat("/f").st_ino == before


def test_a_lower_directory_cannot_be_renamed_without_redirects() -> None:
    union = mount([layer({"/d/f": ""})], Layer())

    assert refusal(lambda: union.rename("/d", "/D")) == errno.EXDEV
    assert upper_names(union) == []


def test_a_redirect_says_where_a_renamed_directory_came_from() -> None:
    union = mount([layer({"/p/q/f": "x"})], Layer(), options=Options(redirect_dir=RedirectDir.ON))
    union.rename("/p", "/P")
    union.rename("/P/q", "/q")

    assert union.read_bytes("/q/f") == b"x"
    assert union.upper is not None
    assert union.upper.getxattr("/P", "trusted.overlay.redirect") == b"p"
    assert union.upper.getxattr("/q", "trusted.overlay.redirect") == b"/p/q"
    again = mount(union.lowers, union.unmount(), options=Options(redirect_dir=RedirectDir.ON))
    assert again.read_bytes("/q/f") == b"x"
    assert names(again) == ["P", "q"]


def test_a_metacopy_has_attributes_until_its_bytes_are_written() -> None:
    union = mount([layer({"/f": "data"})], Layer(), options=Options(metacopy=True))
    union.chmod("/f", 0o600)
    assert union.upper is not None
    assert "trusted.overlay.metacopy" in union.upper.xattrs("/f")
    assert (union.upper.stat("/f").st_blocks, union.read_bytes("/f")) == (0, b"data")

    union.open("/f", os.O_WRONLY).close()

    assert "trusted.overlay.metacopy" not in union.upper.xattrs("/f")
    assert union.upper.read_bytes("/f") == b"data"


def test_bytes_can_lie_in_a_data_only_layer() -> None:
    marks = {"trusted.overlay.metacopy": b"", "trusted.overlay.redirect": b"/blob"}
    union = mount(
        [layer({"/f": File(bytes(4), xattrs=marks)})], Layer(), data_lowers=[layer({"/blob": "BLOB"})]
    )

    assert (names(union), union.read_bytes("/f")) == (["f"], b"BLOB")


def test_without_an_upper_nothing_can_be_written() -> None:
    union = mount([layer({"/f": "", "/d": Dir()}), Layer()])

    assert refusal(lambda: union.write_bytes("/f", b"")) == errno.EROFS
    assert refusal(lambda: union.unlink("/absent")) == errno.EROFS
    assert refusal(lambda: union.mkdir("/d")) == errno.EEXIST


def test_the_unions_own_attributes_are_hidden_and_what_looks_like_them_is_escaped() -> None:
    union = mount([layer({"/d/f": ""})], Layer())
    union.chmod("/d", 0o700)
    union.setxattr("/d", "trusted.overlay.opaque", b"y")

    assert union.listxattr("/d") == ["trusted.overlay.opaque"]
    assert union.upper is not None
    assert "trusted.overlay.overlay.opaque" in union.upper.listxattr("/d")
    assert names(union, "/d") == ["f"]


def test_a_union_can_be_the_lower_of_another() -> None:
    inner = mount([layer({"/d/a": "1", "/d/b": "2"})], Layer())
    inner.unlink("/d/b")
    outer = mount([inner], Layer())
    outer.write_bytes("/d/a", b"3")
    outer.unlink("/d/a")

    assert (names(outer, "/d"), names(inner, "/d")) == ([], ["a"])


def test_layers_on_one_file_system_show_one_device_and_on_several_several() -> None:
    one, two = Volume(1), Volume(2)
    same = mount([layer({"/f": ""}, volume=one)], Layer(volume=one))
    apart = mount([layer({"/f": ""}, volume=two)], Layer(volume=one))

    assert same.stat("/f").st_dev == same.stat("/").st_dev
    assert apart.stat("/f").st_dev != apart.stat("/").st_dev


def test_who_changes_a_layer_behind_the_unions_back_sees_it_there() -> None:
    lower = layer({"/a": ""})
    union = mount([lower], Layer())
    assert names(union) == ["a"]

    lower.write_bytes("/b", b"late")

    assert union.read_bytes("/b") == b"late"


def test_row_48_events_tell_what_happened_while_somebody_listens() -> None:
    union = mount([layer({"/d/f": "data"})], Layer())
    seen: list[Event] = []
    stop = union.events.subscribe(seen.append)
    union.chmod("/d/f", 0o600)
    union.unlink("/d/f")
    union.rmdir("/d")
    union.mkdir("/d")
    stop()
    union.mkdir("/unheard")

    kinds = [type(event) for event in seen if not isinstance(event, LookedUp)]
    assert kinds == [CopiedUp, CopiedUp, WhiteoutMade, WhiteoutMade, OpaqueMade]
    assert [event.path for event in seen if isinstance(event, CopiedUp)] == ["/d", "/d/f"]
    assert sum(event.size_bytes for event in seen if isinstance(event, CopiedUp)) == 4


def test_a_lookup_in_many_layers_is_remembered() -> None:
    union = mount([layer({f"/d/{number}": ""}) for number in range(50)], Layer())
    seen: list[Event] = []
    union.events.subscribe(seen.append)
    union.stat("/d/0")
    first = len(seen)
    union.stat("/d/0")

    assert len(seen) == first > 0


def test_an_unmounted_upper_can_be_mounted_again() -> None:
    lower = layer({"/a": "1", "/b": "2"})
    union = mount([lower], Layer())
    union.unlink("/a")
    union.write_bytes("/b", b"3")

    again = mount([lower], union.unmount())

    assert (names(again), again.read_bytes("/b")) == (["b"], b"3")


def test_a_layer_that_was_an_upper_can_be_a_lower() -> None:
    union = mount([layer({"/d/a": "1", "/d/b": "2"})], Layer())
    union.unlink("/d/a")
    upper = union.unmount()
    assert upper is not None

    stacked = mount([*union.lowers, upper], Layer())

    assert names(stacked, "/d") == ["b"]


def test_a_mapping_of_a_lower_file_stays_old_when_the_file_is_copied_up() -> None:
    union = mount([layer({"/f": "old"})], Layer())
    file = union.open("/f")
    before = file.map()
    union.write_bytes("/f", b"new")
    after = union.open("/f").map()
    union.open("/f", os.O_WRONLY).pwrite(b"N", 0)

    assert (bytes(before), file.read(), bytes(after)) == (b"old", b"New", b"New")


def test_row_34_a_running_program_cannot_be_written() -> None:
    union = mount([layer({"/bin/tool": File("x", 0o755)})], Layer())
    with union.executing("/bin/tool"):
        assert refusal(lambda: union.open("/bin/tool", os.O_WRONLY)) == errno.ETXTBSY
        assert refusal(lambda: union.truncate("/bin/tool", 0)) == errno.ETXTBSY

    union.write_bytes("/bin/tool", b"y")


def test_names_that_are_not_there_take_no_room_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unionfs_sim.overlay.state.MAX_ABSENT", 100)
    union = mount([layer({"/d/f": ""}), layer({"/d/g": ""})], Layer())
    for number in range(1000):
        assert not union.exists(f"/d/absent{number}")

    assert len(union.root.children["d"].children) <= 101
    assert union.exists("/d/f")
