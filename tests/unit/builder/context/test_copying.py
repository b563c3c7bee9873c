"""COPY as BuildKit does it: what is selected, where it lands, whose it is."""

from __future__ import annotations

import stat

import pytest

from builder.context.copying import Destination, Draft, Given, copy, place
from builder.context.edit import make
from builder.context.modes import parse_mode
from builder.context.selection import Source, select
from builder.errors import BuildError, ContextError
from unionfs_sim.layers.layer import Dir, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.nodes.content import Content


def copied(
    source: Layer,
    *patterns: str,
    to: str,
    root: Layer | None = None,
    exclude: tuple[str, ...] = (),
    parents: bool = False,
    **options: object,
) -> Layer:
    """``root`` after COPY of ``patterns`` to ``to``."""
    image = Layer() if root is None else root
    destination = Destination(path=to, **options)  # type: ignore[arg-type]
    found = select(Source(source, "the build context"), patterns, exclude=exclude, parents=parents)
    draft = Draft(image, destination)
    copy(source, found, draft, destination)
    make(image, draft.edits)
    return image


TREE = {
    "/a.txt": "a",
    "/b.txt": "b",
    "/dir": Dir(mode=0o750),
    "/dir/c": File("c", mode=0o640, uid=7, gid=8),
    "/dir/sub/d": "d",
}


def test_a_file_is_copied_under_the_name_of_the_destination():
    assert copied(layer(TREE), "a.txt", to="/x") == layer({"/x": "a"})


def test_a_file_is_copied_into_a_directory_that_ends_with_a_slash():
    assert copied(layer(TREE), "a.txt", to="/x/") == layer({"/x/a.txt": "a"})


def test_a_file_is_copied_into_a_directory_that_exists():
    assert copied(layer(TREE), "a.txt", to="/x", root=layer({"/x": Dir()})) == layer({"/x/a.txt": "a"})


def test_a_directory_stands_for_its_contents_and_the_destination_keeps_its_own_mode():
    image = copied(layer(TREE), "dir", to="/x")

    assert image == layer({"/x/c": File("c", mode=0o640, uid=7, gid=8), "/x/sub/d": "d"})
    assert stat.S_IMODE(image.lstat("/x").st_mode) == 0o755


def test_a_directory_below_the_destination_takes_the_mode_of_the_source():
    root = layer({"/x/sub": Dir(mode=0o700, uid=5)})

    image = copied(layer(TREE), "dir", to="/x", root=root)

    assert stat.S_IMODE(image.lstat("/x/sub").st_mode) == 0o755
    assert image.lstat("/x/sub").st_uid == 0


def test_missing_parents_are_made_with_the_owner_of_the_copy():
    image = copied(layer(TREE), "a.txt", to="/x/y/z", owner=(3, 4))

    assert image == layer(
        {
            "/x": Dir(uid=3, gid=4),
            "/x/y": Dir(uid=3, gid=4),
            "/x/y/z": File("a", uid=3, gid=4),
        }
    )


def test_wildcards_match_one_component_and_may_match_nothing():
    assert copied(layer(TREE), "*.txt", to="/x/") == layer({"/x/a.txt": "a", "/x/b.txt": "b"})
    assert copied(layer(TREE), "*.none", to="/x/") == Layer()


def test_a_plain_name_that_is_not_there_is_an_error():
    with pytest.raises(ContextError, match=r"z\.txt: no such file in the build context"):
        copied(layer(TREE), "z.txt", to="/x")


def test_a_path_that_leaves_the_context_is_refused():
    with pytest.raises(ContextError, match="leaves the build context"):
        copied(layer(TREE), "../etc/passwd", to="/x")


def test_the_last_symlink_of_a_source_is_followed_and_those_inside_a_directory_are_copied():
    source = layer({"/real/f": "f", "/real/l": Symlink("f"), "/link": Symlink("real")})

    assert copied(source, "link", to="/x") == layer({"/x/f": "f", "/x/l": Symlink("f")})


def test_a_circle_of_symlinks_in_the_context_is_one_clear_error():
    with pytest.raises(ContextError, match="circle of symlinks"):
        copied(layer({"/a": Symlink("b"), "/b": Symlink("a")}), "a", to="/x")


def test_symlinks_in_the_destination_are_followed_inside_the_root():
    root = layer({"/data": Dir(), "/out": Symlink("/../../data")})

    assert copied(layer(TREE), "a.txt", to="/out/", root=root) == layer(
        {"/data/a.txt": "a", "/out": Symlink("/../../data")}
    )


def test_link_does_not_follow_symlinks_of_the_destination_but_replaces_them():
    root = layer({"/data": Dir(), "/out": Symlink("/data")})

    image = copied(layer(TREE), "a.txt", to="/out/", root=root, follows_symlinks=False)

    assert image == layer({"/data": Dir(), "/out/a.txt": "a"})


def test_a_file_replaces_a_file_and_is_not_written_through_its_hard_links():
    root = layer({"/x": "old", "/y": Hardlink("/x")})

    assert copied(layer(TREE), "a.txt", to="/x", root=root) == layer({"/x": "a", "/y": "old"})


def test_neither_a_file_nor_a_directory_replaces_the_other():
    with pytest.raises(BuildError, match="a directory is there"):
        copied(layer(TREE), "dir", to="/x", root=layer({"/x/c": Dir()}))
    with pytest.raises(BuildError, match="a file is there"):
        copied(layer(TREE), "dir", to="/x", root=layer({"/x/sub": "file"}))


def test_chmod_changes_files_and_directories_and_no_symlink():
    source = layer({"/d/s/f": "f", "/d/l": Symlink("f")})

    image = copied(source, "d", to="/x", change=parse_mode("u=rwX,go="))

    assert image == layer(
        {"/x": Dir(), "/x/s": Dir(mode=0o700), "/x/s/f": File("f", mode=0o600), "/x/l": Symlink("f")}
    )


def test_hard_links_of_one_source_stay_hard_links():
    source = layer({"/d/f": "f", "/d/g": Hardlink("/d/f")})

    assert copied(source, "d", to="/x") == layer({"/x/f": "f", "/x/g": Hardlink("/x/f")})


def test_exclude_leaves_out_what_it_matches_below_the_source():
    assert copied(layer(TREE), "dir", to="/x", exclude=("sub",)) == layer(
        {"/x/c": File("c", mode=0o640, uid=7, gid=8)}
    )
    assert copied(layer(TREE), "*.txt", to="/x/", exclude=("b*",)) == layer({"/x/a.txt": "a"})


def test_parents_keeps_the_directories_from_the_pivot_on():
    source = layer({"/p/q/r/f": "f"})

    assert copied(source, "p/q/r/f", to="/x/", parents=True) == layer({"/x/p/q/r/f": "f"})
    assert copied(source, "p/./q/r/f", to="/x/", parents=True) == layer({"/x/q/r/f": "f"})
    assert copied(source, "p/*/r", to="/x/", parents=True) == layer({"/x/p/q/r/f": "f"})


def test_two_sources_of_one_copy_meet_in_a_directory_that_the_first_one_made():
    source = layer({"/one/f": "1", "/two/f": "2", "/two/g": "g"})

    assert copied(source, "one", "two", to="/x/") == layer({"/x/f": "2", "/x/g": "g"})


def test_a_given_file_lands_like_a_copied_one():
    root = Layer()
    to = Destination(path="/etc/", owner=(1, 2))
    draft = Draft(root, to)

    place([Given("motd", Content.of(b"hi\n"))], draft, to)
    make(root, draft.edits)

    assert root == layer({"/etc": Dir(uid=1, gid=2), "/etc/motd": File("hi\n", uid=1, gid=2)})


def test_nothing_is_changed_until_the_edits_are_made():
    root = layer({"/x": "old"}).freeze()
    to = Destination(path="/x")
    draft = Draft(root, to)

    copy(layer(TREE), select(Source(layer(TREE), "the build context"), ["a.txt"]), draft, to)

    assert root == layer({"/x": "old"})
    assert len(draft.edits) == 1
