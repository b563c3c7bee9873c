"""A lower directory that was renamed keeps its files over the next mount, however it was renamed."""

from __future__ import annotations

from itertools import product

import pytest

from unionfs_sim import Dir, Layer, Options, RedirectDir, layer, mount

ON = Options(redirect_dir=RedirectDir.ON)
PLACES = ("/d", "/e", "/p/d", "/p/e", "/q/f")


@pytest.mark.parametrize("way", [way for length in (1, 2, 3) for way in product(PLACES, repeat=length)])
def test_a_directory_renamed_along_any_way_is_full_after_the_next_mount(way):
    lower, upper = layer({"/start/a": "1", "/start/s/b": "2", "/p": Dir(), "/q": Dir()}), Layer()
    union = mount([lower], upper, options=ON)
    here = "/start"
    for place in way:
        union.rename(here, place)
        here = place
    union.unmount()

    again = mount([lower], upper, options=ON)

    assert sorted(again.listdir(here)) == ["a", "s"]
    assert again.read_bytes(f"{here}/s/b") == b"2"
    assert not again.exists("/start")
