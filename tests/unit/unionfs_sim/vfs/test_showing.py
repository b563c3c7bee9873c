"""Layers, unions, images and builds show themselves, with modes in octal."""

from __future__ import annotations

import re

import pytest

from course.laboratory import Laboratory
from unionfs_sim import WHITEOUT, Caller, Dir, Hardlink, Layer, Symlink, layer, mount
from unionfs_sim.events import CopiedUp
from unionfs_sim.layers.entries import File
from unionfs_sim.vfs.showing import MOST_ROWS

ENTRIES = {
    "/run": Dir(mode=0o1777, opaque=True),
    "/key": File("secret", mode=0o600, uid=33, gid=44),
    "/again": Hardlink("/key"),
    "/link": Symlink("<key>"),
    "/gone": WHITEOUT,
}


def rows(page: str) -> list[list[str]]:
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    return [each for each in cells if each]


def test_a_layer_tells_every_entry() -> None:
    assert rows(layer(ENTRIES)._repr_html_()) == [
        ["/again", "file", "0600", "33:44", "6"],
        ["/gone", "whiteout", "", "", ""],
        ["/key", "file", "0600", "33:44", "6"],
        ["/link", "symlink", "0777", "0:0", "&lt;key&gt;"],
        ["/run", "directory (opaque)", "1777", "0:0", ""],
    ]


def test_a_union_tells_what_is_seen_and_who_answers_whoever_asks() -> None:
    union = mount([layer({"/etc/motd": "old", "/root": Dir(mode=0o700)}), layer({"/new": "n"})], Layer())
    union.chmod("/etc/motd", 0o640)
    page = union._repr_html_()

    assert rows(page) == [
        ["/etc", "directory", "0755", "0:0", "", "upper"],
        ["/new", "file", "0644", "0:0", "1", "L1"],
        ["/root", "directory", "0700", "0:0", "", "L0"],
        ["/etc/motd", "file", "0640", "0:0", "3", "upper"],
    ]
    assert repr(union) == "<Union of 2 lowers; upper: Layer(/etc/, /etc/motd)>"
    hidden = layer({"/root": Dir(mode=0o700), "/root/key": "k"})
    nobody = mount([hidden, layer({})], caller=Caller(65534, 65534))
    assert ["/root/key", "file", "0644", "0:0", "1", "L0"] in rows(nobody._repr_html_())
    assert repr(nobody) == "<Union of 2 lowers, read-only>"


def test_showing_a_union_changes_nothing_and_is_no_event() -> None:
    union = mount([layer({"/etc/motd": "old"})], Layer())
    seen: list[object] = []
    union.events.subscribe(seen.append)

    assert union.upper is not None
    before = union.upper.copy()

    page = union._repr_html_()

    assert (seen, union.upper, page) == ([], before, union._repr_html_())
    union.chmod("/etc/motd", 0o600)
    assert seen


def test_what_is_left_out_is_said() -> None:
    large = layer({f"/{number:04}": "" for number in range(MOST_ROWS + 1)})

    assert len(rows(large._repr_html_())) == MOST_ROWS
    assert "…" in large._repr_html_()
    assert "…" not in layer(ENTRIES)._repr_html_()


def test_a_name_of_any_bytes_can_be_shown() -> None:
    assert "\\xff" in layer({"/\udcff": ""})._repr_html_()
    layer({"/\udcff": ""})._repr_html_().encode()


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (Dir(), "Dir(mode=0o755,"),
        (File("x", mode=0o4755), "mode=0o4755"),
        (CopiedUp("/a", 0o100644, 3), "CopiedUp(path='/a', mode=0o100644, size_bytes=3)"),
        (layer({"/a": "x"}).stat("/a"), "Stat(st_mode=0o100644,"),
    ],
)
def test_modes_are_octal(shown: object, told: str) -> None:
    assert told in repr(shown)


def test_an_image_and_a_build_show_themselves() -> None:
    built = Laboratory().build("FROM scratch\nCOPY a /a\nENV A=1\n", {"a": "1"}, name="one")

    assert [row[0] for row in rows(built.image._repr_html_())] == ["COPY a /a # buildkit", "ENV A=1"]
    assert rows(built.image._repr_html_())[0][1] == built.image.diff_ids[0]
    assert built._repr_svg_() == built.stage_graph()._repr_svg_()
    assert repr(built) == "Built('one', 1 layers)"
