from __future__ import annotations

import io
import os
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unionfs_sim import WHITEOUT, Device, Dir, Fifo, File, Hardlink, Layer, Options, Symlink, layer, mount
from unionfs_sim.tar.pack import LayerFormatError, entries, pack, read_layer, write_tar

NAMES = st.one_of(
    st.sampled_from(["a", "b", "bin", "ü", "with space", "x" * 101, "\udcff\udc80", "line\nbreak"]),
    st.text(st.characters(blacklist_characters="/\0", blacklist_categories=["Cs"]), min_size=1, max_size=8),
).filter(
    lambda name: (
        name not in (".", "..")
        and not name.startswith(".wh.")
        and len(name.encode("utf-8", "surrogateescape")) < 256
    )
)
XATTRS = st.dictionaries(
    st.sampled_from(["user.a", "security.capability", "trusted.overlay.overlay.opaque"]),
    st.binary(max_size=9),
)
OWNERS = st.integers(0, 2**32 - 2)
MODES = st.integers(0, 0o7777)
LEAVES = st.one_of(
    st.builds(File, st.binary(max_size=3000), mode=MODES, uid=OWNERS, gid=OWNERS, xattrs=XATTRS),
    st.builds(
        Symlink,
        st.text(
            st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), min_size=1, max_size=120
        ),
    ),
    st.builds(Fifo, mode=MODES),
    st.builds(Device, st.builds(os.makedev, st.integers(1, 4095), st.integers(0, 2**20 - 1))),
    st.just(WHITEOUT),
)
DIRECTORIES = st.builds(Dir, mode=MODES, uid=OWNERS, xattrs=XATTRS, opaque=st.booleans())


@st.composite
def trees(draw: st.DrawFn) -> Layer:
    """Layers as a union leaves them: no deletion inside a directory that hides everything anyway."""
    found: dict[str, object] = {}
    places = [("", False)]
    for name in draw(st.lists(NAMES, max_size=9, unique=True)):
        parent, hides = draw(st.sampled_from(places))
        path = f"{parent}/{name}"
        if len(path.encode("utf-8", "surrogateescape")) > 3000:
            continue
        if draw(st.booleans()):
            directory = draw(DIRECTORIES)
            found[path] = directory
            places.append((path, directory.opaque))
        else:
            leaf = draw(LEAVES)
            if not (hides and leaf is WHITEOUT):
                found[path] = leaf
    files = [path for path, value in found.items() if isinstance(value, File)]
    if files and draw(st.booleans()):
        found["/zz-link"] = Hardlink(draw(st.sampled_from(files)))
    return layer(found)


def packed(tree: Layer) -> bytes:
    return b"".join(pack(tree))


def names(tree: Layer) -> list[str]:
    return [entry.header.name for entry in entries(tree)]


@settings(max_examples=40)
@given(trees())
def test_a_layer_that_was_packed_and_read_is_the_same_layer(tree: Layer) -> None:
    assert read_layer(io.BytesIO(packed(tree))) == tree


@settings(max_examples=40)
@given(trees())
def test_reading_and_packing_again_gives_the_same_bytes(tree: Layer) -> None:
    tar = packed(tree)

    assert packed(read_layer(io.BytesIO(tar))) == tar


@settings(max_examples=40)
@given(trees())
def test_tarfile_reads_the_same_names_and_contents(tree: Layer) -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(tree)), errors="surrogateescape") as archive:
        seen = [(member.name, member.uid, member.mode, member.size) for member in archive]

    expected = [
        (entry.header.name.rstrip("/") or ".", entry.header.uid, entry.header.mode, entry.header.size)
        for entry in entries(tree)
    ]
    assert seen == [(name.removeprefix("./"), *rest) for name, *rest in expected]


def test_entries_are_sorted_with_parents_before_children() -> None:
    assert names(layer({"/b": "", "/a/z": "", "/a.txt": "", "/a/b/c": ""})) == [
        "a/",
        "a/b/",
        "a/b/c",
        "a/z",
        "a.txt",
        "b",
    ]


def test_the_order_of_making_does_not_change_the_bytes() -> None:
    assert packed(layer({"/a": "1", "/b": "2"})) == packed(layer({"/b": "2", "/a": "1"}))


def test_a_deletion_is_an_empty_file_beside_the_deleted_name_also_in_the_root() -> None:
    assert names(layer({"/gone": WHITEOUT, "/d/x": WHITEOUT})) == [".wh.gone", "d/", "d/.wh.x"]


def test_an_opaque_directory_holds_a_marker() -> None:
    assert names(layer({"/d": Dir(opaque=True), "/d/x": ""})) == ["d/", "d/.wh..wh..opq", "d/x"]


def test_a_second_name_is_a_hard_link_after_its_target() -> None:
    tree = layer({"/z": "data", "/a": Hardlink("/z")})

    assert [(entry.header.name, entry.header.link) for entry in entries(tree)] == [("a", ""), ("z", "a")]


def test_names_in_the_way_of_deletions_are_refused() -> None:
    with pytest.raises(LayerFormatError, match=r"d/\.wh\.x"):
        packed(layer({"/d/.wh.x": ""}))


def test_sockets_are_left_out() -> None:
    tree = layer({"/a": ""})
    tree.mknod("/socket", 0o140644)

    assert names(tree) == ["a"]


def test_the_unions_private_attributes_stay_home_and_escaped_ones_travel_unescaped() -> None:
    tree = layer(
        {"/f": File("", xattrs={"trusted.overlay.origin": b"1", "trusted.overlay.overlay.opaque": b"y"})}
    )

    (entry,) = entries(tree)

    assert entry.header.xattrs == {"trusted.overlay.opaque": b"y"}


@pytest.mark.parametrize("attribute", ["redirect", "metacopy"])
def test_what_only_a_kernel_understands_is_refused(attribute: str) -> None:
    tree = layer({"/f": File("", xattrs={f"trusted.overlay.{attribute}": b""})})

    with pytest.raises(LayerFormatError, match="'f'"):
        packed(tree)


def test_times_are_clamped_or_kept() -> None:
    tree = layer({"/f": File("", mtime_ns=5_000_000_001)})

    clamped = read_layer(io.BytesIO(b"".join(pack(tree, latest_ns=0))))
    kept = read_layer(io.BytesIO(packed(tree)))

    assert (clamped.lstat("/f").st_mtime_ns, kept.lstat("/f").st_mtime_ns) == (0, 5_000_000_001)


def test_extended_headers_appear_only_where_they_are_needed() -> None:
    plain = packed(layer({"/f": "x", "/d/e": Symlink("f")}))
    long = packed(layer({"/" + "n" * 101: "x"}))

    assert (b"PaxHeader" in plain, b"PaxHeader" in long) == (False, True)


def test_owners_are_numbers_and_no_names() -> None:
    with tarfile.open(fileobj=io.BytesIO(packed(layer({"/f": File("", uid=1000, gid=5)})))) as archive:
        (member,) = archive.getmembers()

    assert (member.uid, member.gid, member.uname, member.gname) == (1000, 5, "", "")


def test_the_root_is_an_entry_only_where_it_changed() -> None:
    assert names(layer({"/a": ""})) == ["a"]
    assert names(layer({"/a": ""}, root=Dir(mode=0o700))) == ["./", "a"]


def test_the_root_is_compared_with_what_lies_below() -> None:
    below = layer({}, root=Dir(mode=0o555))
    tree = layer({"/a": ""}, root=Dir(mode=0o555))

    assert [entry.header.name for entry in entries(tree, below=below)] == ["a"]


def test_a_file_that_shrinks_while_it_is_read_is_an_error_and_no_shifted_tar() -> None:
    (entry,) = entries(layer({"/f": "four"}))
    lying = entry._replace(header=entry.header._replace(size=9))

    with pytest.raises(LayerFormatError, match="changed its size"):
        b"".join(write_tar([lying]))


def test_a_change_that_the_index_shows_by_other_names_too_is_refused() -> None:
    union = mount([layer({"/a": "x", "/b": Hardlink("/a")})], Layer(), options=Options(index=True))
    union.chmod("/a", 0o600)
    assert union.upper is not None

    with pytest.raises(LayerFormatError, match=r"index=on") as refusal:
        b"".join(pack(union.upper))
    assert refusal.value.entry == "a"

    union.unlink("/b")
    assert read_layer(io.BytesIO(b"".join(pack(union.upper)))).lstat("/a").st_mode & 0o777 == 0o600


def test_a_change_by_all_names_of_an_indexed_file_travels() -> None:
    union = mount([layer({"/a": "x", "/b": Hardlink("/a")})], Layer(), options=Options(index=True))
    union.chmod("/a", 0o600)
    union.chmod("/b", 0o640)
    assert union.upper is not None

    read = read_layer(io.BytesIO(b"".join(pack(union.upper))))

    assert read.lstat("/a").st_ino == read.lstat("/b").st_ino
