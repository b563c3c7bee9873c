from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from builder.image.analysis import Kind, analyse
from builder.image.difference import Change, Difference, differences
from unionfs_sim import WHITEOUT, Dir, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged

PATHS = st.sampled_from(["/a", "/b", "/d", "/d/a", "/d/b", "/e/d", "/e/d/a"])
ENTRIES = st.one_of(st.binary(max_size=9).map(File), st.just(WHITEOUT), st.builds(Dir, opaque=st.booleans()))


@st.composite
def small_layers(draw: st.DrawFn) -> Layer:
    found: dict[str, object] = {}
    for path in sorted(draw(st.sets(PATHS, max_size=5))):
        parents = {path[:at] for at in range(1, len(path)) if path[at] == "/"}
        if all(isinstance(found.get(parent, Dir()), Dir) for parent in parents):
            found[path] = draw(ENTRIES)
    return layer(found)


@settings(max_examples=60)
@given(st.lists(small_layers(), max_size=4))
def test_what_is_visible_is_what_the_merged_tree_holds(layers: list[Layer]) -> None:
    found = analyse(layers)
    tree = merged(layers)

    assert [record.path for record in found.visible] == sorted(
        (path for path, _ in tree.inodes() if path != "/"), key=lambda path: path.split("/")
    )
    seen = sum(inode.content.size for _, inode in tree.inodes())
    assert found.size_bytes - found.wasted_bytes == seen


def test_a_replaced_file_is_hidden_by_the_layer_that_replaces_it() -> None:
    found = analyse([layer({"/a": "12345"}), layer({"/a": "123"})])

    record = found.paths["/a"]
    assert [(each.layer, each.size_bytes, each.hidden) for each in record.held] == [
        (0, 5, True),
        (1, 3, False),
    ]
    assert (record.answers, record.hidden_bytes, found.wasted_bytes) == (1, 5, 5)


def test_a_deleted_file_is_shipped_and_seen_by_nobody() -> None:
    found = analyse([layer({"/a": "12345"}), layer({"/a": WHITEOUT})])

    assert found.paths["/a"].answers is None
    assert found.paths["/a"].held[1].kind is Kind.WHITEOUT
    assert (found.size_bytes, found.wasted_bytes, found.layers[1].whiteouts) == (5, 5, 1)


def test_a_file_with_two_names_counts_once_and_is_wasted_when_both_are_hidden() -> None:
    base = layer({"/a": "12345", "/b": Hardlink("/a")})

    assert analyse([base]).size_bytes == 5
    assert analyse([base, layer({"/a": WHITEOUT})]).wasted_bytes == 0
    assert analyse([base, layer({"/a": WHITEOUT, "/b": WHITEOUT})]).wasted_bytes == 5


def test_an_opaque_directory_hides_everything_below_it() -> None:
    found = analyse([layer({"/d/x": "1", "/d/y/z": "22"}), layer({"/d": Dir(opaque=True), "/d/new": "4444"})])

    assert [record.path for record in found.visible] == ["/d", "/d/new"]
    assert (found.wasted_bytes, found.layers[1].opaque) == (3, 1)


def test_no_layers_are_an_empty_tree() -> None:
    assert (analyse([]).size_bytes, dict(analyse([]).paths)) == (0, {})


def test_differences_name_the_path_and_what_changed() -> None:
    one = layer(
        {"/a": "1", "/gone": "22", "/m": File("", mode=0o600), "/s": Symlink("x"), "/t": "", "/same": "s"}
    )
    two = layer(
        {"/a": "2", "/new": "333", "/m": File("", uid=5), "/s": Symlink("y"), "/t": Dir(), "/same": "s"}
    )

    assert differences(one, two) == [
        Difference("/a", Change.CHANGED, 1, 1, ("content",)),
        Difference("/gone", Change.REMOVED, 2, 0),
        Difference("/m", Change.CHANGED, 0, 0, ("mode 0600 → 0644", "owner 0:0 → 5:0")),
        Difference("/new", Change.ADDED, 0, 3),
        Difference("/s", Change.CHANGED, 0, 0, ("target x → y",)),
        Difference("/t", Change.CHANGED, 0, 0, ("type - → d",)),
    ]
