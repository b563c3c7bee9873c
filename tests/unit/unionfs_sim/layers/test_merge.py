from __future__ import annotations

from unionfs_sim import WHITEOUT, Dir, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.trees import apply_layer


def applied(lowers: list[Layer]) -> Layer:
    """The same merge, done by the verbs of a file system."""
    result = Layer()
    for each in lowers:
        apply_layer(each, result)
    return result


def both(*lowers: Layer) -> Layer:
    one, two = merged(lowers), applied(list(lowers))
    assert one == two
    return one


def test_the_later_layer_counts() -> None:
    assert both(layer({"/a": "1", "/b": "2"}), layer({"/a": "3"})) == layer({"/a": "3", "/b": "2"})


def test_a_whiteout_takes_a_whole_directory() -> None:
    assert both(layer({"/d/a/b": "1", "/e": ""}), layer({"/d": WHITEOUT})) == layer({"/e": ""})


def test_a_whiteout_of_nothing_leaves_nothing() -> None:
    assert both(layer({"/a": WHITEOUT})) == layer({})


def test_an_opaque_directory_shows_only_its_own() -> None:
    found = both(layer({"/d/a": "1"}), layer({"/d": Dir(mode=0o700, opaque=True), "/d/b": "2"}))

    assert found == layer({"/d": Dir(mode=0o700), "/d/b": "2"})


def test_an_opaque_root_hides_everything_below() -> None:
    assert both(layer({"/a": "1"}), layer({"/b": "2"}, root=Dir(opaque=True))) == layer({"/b": "2"})


def test_a_directory_over_a_directory_replaces_attributes_and_keeps_children() -> None:
    lower = layer({"/d": Dir(xattrs={"user.old": b""}), "/d/a": "1"})
    upper = layer({"/d": Dir(mode=0o711, uid=4, xattrs={"user.new": b"1"})})

    assert both(lower, upper) == layer({"/d": Dir(mode=0o711, uid=4, xattrs={"user.new": b"1"}), "/d/a": "1"})


def test_anything_else_removes_first_what_was_there() -> None:
    assert both(layer({"/x/a": ""}), layer({"/x": "file"})) == layer({"/x": "file"})
    assert both(layer({"/x": "file"}), layer({"/x/a": ""})) == layer({"/x/a": ""})
    assert both(layer({"/x": Symlink("y"), "/y/a": ""}), layer({"/x/b": ""})) == layer(
        {"/x/b": "", "/y/a": ""}
    )


def test_replacing_one_of_two_names_leaves_the_other_alone() -> None:
    found = both(layer({"/a": "1", "/b": Hardlink("/a")}), layer({"/a": "2"}))

    assert found == layer({"/a": "2", "/b": "1"})
    assert found.lstat("/b").st_nlink == 1


def test_names_that_a_layer_links_stay_linked() -> None:
    assert both(layer({"/a": "1"}), layer({"/a": "2", "/b": Hardlink("/a")})).lstat("/b").st_nlink == 2


def test_the_layers_are_left_as_they_were() -> None:
    lower, upper = layer({"/d/a": "1"}).freeze(), layer({"/d/a": WHITEOUT, "/d/b": File("2")}).freeze()

    merged([lower, upper]).unlink("/d/b")

    assert upper == layer({"/d/a": WHITEOUT, "/d/b": "2"})
    assert lower == layer({"/d/a": "1"})
