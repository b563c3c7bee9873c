"""The two ways to see a stack of layers agree: the union's lookups, and the merge of whole trees."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from unionfs_sim import WHITEOUT, Dir, Fifo, File, Layer, Symlink, layer, mount
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack, read_layer
from unionfs_sim.trees import apply_layer, copy_tree

NAMES = ["a", "b", "c"]
PATHS = (
    [f"/{x}" for x in NAMES] + [f"/{x}/{y}" for x in NAMES for y in NAMES] + ["/a/b/c", "/b/a/a", "/b/a/b"]
)
LEAVES = st.one_of(
    st.builds(File, st.binary(max_size=4), mode=st.sampled_from([0o644, 0o755]), uid=st.sampled_from([0, 7])),
    st.just(WHITEOUT),
    st.just(Symlink("a")),
    st.just(Fifo()),
)
DIRECTORIES = st.builds(
    Dir,
    mode=st.sampled_from([0o755, 0o700]),
    xattrs=st.sampled_from([{}, {"user.x": b"1"}]),
    opaque=st.booleans(),
)


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """One layer as a union leaves it: no deletions inside directories that hide everything anyway."""
    found: dict[str, object] = {}
    for path in sorted(draw(st.sets(st.sampled_from(PATHS), max_size=8))):
        parents = [path[:at] for at in range(1, len(path)) if path[at] == "/"]
        above = [found.get(parent, Dir()) for parent in parents]
        if not all(isinstance(each, Dir) for each in above):
            continue
        value = draw(st.one_of(LEAVES, DIRECTORIES))
        if value is WHITEOUT and any(isinstance(each, Dir) and each.opaque for each in above):
            continue
        found[path] = value
    return layer(found)


def shown(lowers: list[Layer]) -> Layer:
    result = Layer()
    copy_tree(mount(lowers=lowers, upper=Layer()), result)
    return result


def without_stray_deletions(lowers: list[Layer]) -> list[Layer]:
    """The stack as an importer leaves it: what deletes nothing is no entry (overlayfs lists such names)."""
    below: list[Layer] = []
    for each in lowers:
        below.append(read_layer(io.BytesIO(b"".join(pack(each))), below=merged(below)))
    return below


@settings(max_examples=120)
@given(st.lists(layers(), min_size=1, max_size=4))
def test_a_union_shows_what_the_merge_of_its_layers_holds(lowers: list[Layer]) -> None:
    lowers = without_stray_deletions(lowers)

    assert shown(lowers) == merged(lowers)


@settings(max_examples=60)
@given(st.lists(layers(), min_size=1, max_size=4))
def test_applying_layers_one_by_one_gives_their_merge(lowers: list[Layer]) -> None:
    applied = Layer()
    for each in lowers:
        apply_layer(each, applied)

    assert applied == merged(lowers)


@settings(max_examples=60)
@given(st.lists(layers(), min_size=1, max_size=4))
def test_a_stack_shows_the_same_after_a_journey_as_tars(lowers: list[Layer]) -> None:
    assert merged(without_stray_deletions(lowers)) == merged(lowers)


@settings(max_examples=60)
@given(layers(), layers())
def test_merging_layers_in_any_grouping_is_the_same_but_for_what_they_delete_below(
    one: Layer, two: Layer
) -> None:
    assert merged([merged([one]), two]) == merged([one, two])
