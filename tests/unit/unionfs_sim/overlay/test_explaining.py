"""What ``explain`` says is what the union does, under every option: who answers, and what is not there."""

from __future__ import annotations

import random

import pytest

from unionfs_sim import (
    WHITEOUT,
    Dir,
    Hardlink,
    Layer,
    Options,
    RedirectDir,
    Symlink,
    Union,
    Xino,
    layer,
    mount,
)
from unionfs_sim.layers.entries import Entry
from unionfs_sim.nodes.inode import Inode
from unionfs_sim.overlay.explain import Says
from unionfs_sim.overlay.state import State, UnionNode

NAMES = ("a", "b", "c")
PLACES = [f"/{one}" for one in NAMES] + [f"/{one}/{two}" for one in NAMES for two in NAMES]
PLACES += [f"{place}/{name}" for place in PLACES[3:] for name in NAMES]
MODES = {
    "default": Options(),
    "redirects": Options(redirect_dir=RedirectDir.ON),
    "metacopy": Options(metacopy=True),
    "index": Options(index=True),
    "all": Options(redirect_dir=RedirectDir.ON, metacopy=True, index=True, xino=Xino.ON),
    "nofollow": Options(redirect_dir=RedirectDir.NOFOLLOW),
    "userxattr": Options(userxattr=True),
}


def random_layer(chance: random.Random) -> Layer:
    """A layer of directories, files, links, deletions and opaque directories."""
    entries: dict[str, Entry] = {}
    kinds: list[Entry] = [Dir(), Dir(), Dir(opaque=True), "text", "text", WHITEOUT, Symlink("a")]
    for place in PLACES:
        above = place.rpartition("/")[0]
        if above and not isinstance(entries.get(above), Dir):
            continue
        if chance.random() < 0.5:
            entries[place] = chance.choice(kinds)
    files = [place for place, entry in entries.items() if entry == "text"]
    for place in PLACES[:3]:
        if files and place not in entries:
            entries[place] = Hardlink(chance.choice(files))
    return layer(entries)


def change(union: Union, chance: random.Random) -> None:
    """Something that leaves marks in the upper."""
    one, two = chance.choice(PLACES), chance.choice(PLACES)
    try:
        match chance.randrange(7):
            case 0 | 1:
                union.rename(one, two)
            case 2:
                union.chmod(one, 0o700)
            case 3:
                union.remove(one)
            case 4:
                union.mkdir(one)
            case 5:
                union.link(one, two)
            case _:
                union.renameat2(one, two, 2)
    except OSError:
        pass


def layer_that_answers(union: Union, path: str) -> int | None:
    """The layer (0 is the base) that the union's own search finds on top, or None."""
    assert isinstance(union.tree, State)
    node: UnionNode | Inode = union.tree.root
    try:
        for name in path.split("/")[1:]:
            if not isinstance(node, UnionNode) or not node.is_dir:
                return None
            found = union.tree.lookup(node, name)
            if found is None:
                return None
            node = found
    except OSError:
        return None
    if isinstance(node, Inode) or node.upper is not None:
        return len(union.lowers)
    return len(union.lowers) - node.lowers[0].layer


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(8))
def test_explain_names_the_layer_that_the_search_finds(mode, seed):
    chance = random.Random(f"{mode}{seed}")
    options = MODES[mode]
    for _ in range(12):
        lowers, upper = [random_layer(chance) for _ in range(chance.randint(1, 3))], Layer()
        for _ in range(2):
            before = MODES["all"] if mode == "nofollow" and not upper.root.children else options
            union = mount(lowers, upper, options=before)
            for _ in range(8):
                change(union, chance)
            union.unmount()
            if chance.random() < 0.3 and not before.index:
                lowers, upper = [*lowers, upper], Layer()
        union = mount(lowers, upper, options=options)
        for path in PLACES:
            explanation = union.explain(path)
            assert explanation.answered_by == layer_that_answers(union, path), (path, str(explanation))
            assert str(explanation).startswith(path)


def test_a_renamed_directory_is_told_by_the_path_that_the_lower_layers_are_asked_for():
    union = mount([layer({"/d/f": "x"})], Layer(), options=Options(redirect_dir=RedirectDir.ON))
    union.rename("/d", "/e")

    explanation = union.explain("/e/f", ["base"])

    assert explanation.is_visible
    assert [(each.name, each.says, each.place) for each in explanation.answers] == [
        ("upper", Says.NOTHING, ""),
        ("base", Says.ANSWERS, "/d/f"),
    ]
    assert "asked for /d/f" in str(explanation)


def test_the_bytes_of_a_metacopy_are_told_to_lie_below():
    union = mount([layer({"/f": "x"})], Layer(), options=Options(metacopy=True))
    union.chmod("/f", 0o600)

    explanation = union.explain("/f", ["base"])

    assert [each.says for each in explanation.answers] == [Says.ANSWERS, Says.DATA]
    assert explanation.rule == "upper answers with the attributes, base has the bytes (metacopy)"


def test_the_index_answers_for_another_name_of_a_file_that_was_copied_up():
    union = mount([layer({"/f": "x", "/h": Hardlink("/f")})], Layer(), options=Options(index=True))
    union.chmod("/f", 0o600)

    explanation = union.explain("/h", ["base"])

    assert explanation.answered_by == 1
    assert "the index knows it" in explanation.rule


def test_a_redirect_that_is_not_followed_is_told_as_the_error_that_it_is():
    upper = Layer()
    before = mount([layer({"/d/f": "x"})], upper, options=Options(redirect_dir=RedirectDir.ON))
    before.rename("/d", "/e")
    before.unmount()
    union = mount([layer({"/d/f": "x"}), layer({"/z": ""})], upper, options=MODES["nofollow"])

    explanation = union.explain("/e/f")

    assert not explanation.is_visible
    assert "EPERM" in explanation.rule
