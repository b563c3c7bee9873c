"""What the explorer knows: computed here, told by the page."""

from __future__ import annotations

import json
import re

import pytest

from builder.events import BuildBegan, CacheHit, CacheMissed, LayerMade, StageBegan, StagePlanned, StepDone
from builder.image.analysis import analyse
from builder.image.config import ImageConfig
from builder.image.image import Image
from course.figures import explorer
from unionfs_sim import WHITEOUT, Dir, File, Layer, Symlink, layer

BASE = {"/etc/motd": "hello", "/app/old": "12345678", "/lib": Symlink("usr/lib"), "/keep": "k"}
CHANGED = {"/etc/motd": "new", "/app": Dir(opaque=True), "/app/new": "n"}
GONE = {"/keep": WHITEOUT}


def stack() -> list[Layer]:
    return [layer(BASE), layer(CHANGED), layer(GONE)]


def test_hidden_bytes_name_the_layer_that_hides_them() -> None:
    data = explorer.data("web", Image(), analyse(stack()))

    assert data["wasted"] == [["/app/old", 0, 8, 1], ["/etc/motd", 0, 5, 1], ["/keep", 0, 1, 2]]
    assert [each["wasted"] for each in data["layers"]] == [14, 0, 0]


def test_a_path_lists_what_every_layer_says_of_it() -> None:
    paths = dict(explorer.data("web", Image(), analyse(stack()))["paths"])

    assert paths["/etc/motd"] == [[0, "file", 5], [1, "file", 3]]
    assert paths["/app"] == [[0, "directory", 0], [1, "opaque", 0]]
    assert paths["/keep"] == [[0, "file", 1], [2, "whiteout", 0]]
    assert paths["/lib"] == [[0, "symlink", 0, "0777", "0:0", "usr/lib"]]


def test_modes_and_owners_are_told_where_they_are_not_the_usual_ones() -> None:
    held = layer({"/run": Dir(mode=0o1777), "/key": File("k", mode=0o600, uid=33, gid=44), "/motd": "m"})

    paths = dict(explorer.data("web", Image(), analyse([held]))["paths"])

    assert paths["/run"] == [[0, "directory", 0, "1777"]]
    assert paths["/key"] == [[0, "file", 1, "0600", "33:44"]]
    assert paths["/motd"] == [[0, "file", 1]]


def test_the_configuration_is_told_without_what_is_not_set() -> None:
    config = ImageConfig(env={"A": "b c"}, cmd=("run", "it"), user="33", exposed_ports=("80/tcp",))

    told = dict(explorer.configuration(Image(config=config)))

    assert told == {
        "cmd": ['["run", "it"]'],
        "user": ["33"],
        "env": ["A=b c"],
        "ports": ["80/tcp"],
        "platform": ["linux/amd64"],
    }


def test_the_efficiency_is_the_part_of_the_bytes_that_is_seen() -> None:
    facts = dict(explorer.data("web", Image(), analyse(stack()))["facts"])

    assert facts["efficiency"] == "22.2 %"
    assert "efficiency" not in dict(explorer.data("web", Image(), analyse([]))["facts"])


def test_both_languages_are_in_the_page() -> None:
    sentences = explorer.data("web", Image(), analyse(stack()))["sentences"]

    assert sentences["en"].keys() == sentences["zh"].keys()


def test_every_sentence_that_the_page_asks_for_exists() -> None:
    asked = set(re.findall(r'say\("([^"]+)"', explorer.TEMPLATE.read_text(encoding="utf-8")))
    known = explorer.data("web", Image(), analyse([]))["sentences"]["en"].keys()

    prefixes = {"h.", "fact.", "what.", "th.", "fate.", "count.", "config."}
    assert {each for each in asked if each not in known} <= prefixes


def test_a_step_of_the_target_knows_how_many_layers_there_are_after_it() -> None:
    planned = (
        StagePlanned(0, "build", "alpine", (), ("RUN make",)),
        StagePlanned(1, "", "alpine", (0,), ("COPY --from=build /x /x", "CMD x")),
    )
    events = [
        BuildBegan("simulated", "web", planned),
        StageBegan(0, "alpine", ("base",)),
        CacheMissed(0, 1, "never done before"),
        LayerMade(0, 1, "made", 5),
        StepDone(0, 1, 0.5, changed_files=True),
        StageBegan(1, "alpine", ("base",)),
        CacheHit(1, 1, "copied"),
        StepDone(1, 1, 0.0, changed_files=True),
        CacheHit(1, 2, None),
    ]

    steps = explorer.steps(events, ["base", "copied"])

    assert [(step["text"], step["cached"], step["layers"]) for step in steps] == [
        ("RUN make", False, None),
        ("COPY --from=build /x /x", True, 2),
        ("CMD x", True, 2),
    ]


@pytest.mark.parametrize("title", ["</script><script>alert(1)</script>", "a & b", "\udcff\x00"])
def test_a_name_cannot_bring_markup_into_the_page(title: str) -> None:
    page = explorer.page(title, Image(), [layer({f"/{title.replace('/', '')}".replace("\0", ""): "x"})])

    assert page.count("<script") == 2
    assert "alert(1)</script>" not in page
    embedded = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert embedded is not None
    assert json.loads(embedded[1])["layers"][0]["entries"] == 1


def test_the_page_needs_no_network() -> None:
    page = explorer.page("web", Image(), stack())

    assert not re.search(r"(src|href)=|@import|url\((?!#)", page)
    assert "default-src 'none'" in page
    assert page == explorer.page("web", Image(), stack())


def test_an_image_without_layers_is_a_page_too() -> None:
    assert '"paths":[]' in explorer.page("empty", Image(), [])
