from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob, rfc3339
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from course.cli import run
from unionfs_sim import WHITEOUT, Layer, layer
from unionfs_sim.tar.pack import pack

BASE = layer({"/etc/motd": "hello", "/big": "x" * 5000})
TOP = layer({"/etc/motd": "changed!", "/big": WHITEOUT})


def build(store: LayoutStore, name: str, *layers: Layer) -> str:
    image = Image(ImageConfig(cmd=("sh",)), created=rfc3339(0))
    for number, each in enumerate(layers):
        stored = store.put(pack(each, latest_ns=0))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(rfc3339(0), f"RUN step {number}"))
    image = image.append(None, History(rfc3339(0), 'CMD ["sh"]'))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    store.tag(Reference.parse(name), Descriptor(manifest.media_type, stored.digest, stored.size))
    return image.id


@pytest.fixture
def lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line on a store with two images; (status, stdout, stderr)."""

    class Lab:
        state = tmp_path / "state"

        def __call__(self, *words: str) -> tuple[int, str, str]:
            status = run(["--state", str(self.state), *words])
            said = capsys.readouterr()
            return status, said.out, said.err

    found = Lab()
    with LayoutStore(str(found.state)) as store:
        found.id = build(store, "web:2", BASE, TOP)
        build(store, "web:1", BASE)
    return found


def test_images_are_listed_by_name(lab: Any) -> None:
    status, out, _ = lab("images")

    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["REPOSITORY", "TAG", "IMAGE", "ID", "LAYERS", "SIZE", "CREATED"]
    assert [line.split()[:2] for line in lines[1:]] == [["web", "1"], ["web", "2"]]
    assert json.loads(lab("images", "--json")[1])[1]["id"] == lab.id
    assert lab("images", "-q", "--no-trunc")[1].splitlines()[1] == lab.id


def test_history_says_which_instruction_made_which_layer_the_last_first(lab: Any) -> None:
    _, out, _ = lab("history", "--json", "web:2")

    steps = json.loads(out)
    assert [step["created_by"] for step in steps] == ['CMD ["sh"]', "RUN step 1", "RUN step 0"]
    assert [step["diff_id"] is None for step in steps] == [True, False, False]
    assert "RUN step 1" in lab("history", "web:2")[1]


def test_inspect_prints_the_config_and_the_raw_documents(lab: Any) -> None:
    (described,) = json.loads(lab("inspect", "web:2")[1])

    assert (described["Id"], described["RepoTags"], described["Config"]["Cmd"]) == (lab.id, ["web:2"], ["sh"])
    assert json.loads(lab("inspect", "--raw", "config", "web:2")[1])["config"] == {"Cmd": ["sh"]}
    assert json.loads(lab("inspect", "--raw", "manifest", "web:2")[1])["schemaVersion"] == 2


def test_an_image_can_be_named_by_the_beginning_of_its_id(lab: Any) -> None:
    (described,) = json.loads(lab("inspect", lab.id[7:19])[1])

    assert described["Id"] == lab.id


def test_tag_gives_another_name_and_rmi_takes_it_away(lab: Any) -> None:
    assert lab("tag", "web:2", "other/name")[0] == 0
    assert "other/name" in lab("images")[1]

    status, out, _ = lab("rmi", "other/name")

    assert (status, out) == (0, "Untagged: other/name:latest\n")
    assert "other/name" not in lab("images")[1]


def test_rmi_removes_the_blobs_that_nobody_needs(lab: Any) -> None:
    blobs = lab.state / "blobs/sha256"
    before = len(list(blobs.iterdir()))

    assert "removed 3 blobs" in lab("rmi", "web:2")[2]  # its own layer, config and manifest

    assert len(list(blobs.iterdir())) == before - 3
    lab("rmi", "web:1")
    assert list(blobs.iterdir()) == []


def test_an_id_with_several_names_is_removed_only_by_force(lab: Any) -> None:
    lab("tag", "web:2", "again")

    assert lab("rmi", lab.id)[0] == 1
    assert lab("rmi", "--force", lab.id)[0] == 0
    assert [image["name"] for image in json.loads(lab("images", "--json")[1])] == ["web:1"]


def test_save_and_load_carry_images_to_another_store(lab: Any, tmp_path: Path) -> None:
    assert lab("save", "-o", str(tmp_path / "a.tar"), "web:1", "web:2")[0] == 0
    before = lab("images")[1]
    lab("rmi", "web:1", "web:2")

    status, out, _ = lab("load", "-i", str(tmp_path / "a.tar"))

    assert (status, out) == (0, "Loaded image: web:1\nLoaded image: web:2\n")
    assert lab("images")[1] == before
    assert lab("image", "validate", "web:2")[1] == "web:2: valid\n"


def test_image_tree_lists_files_by_layer_and_what_is_wasted(lab: Any) -> None:
    status, out, _ = lab("image", "tree", "web:2")

    assert status == 0
    assert "  + /big  (5 kB, hidden by layer 1)" in out.splitlines()
    assert "  - /big" in out.splitlines()
    assert "  ~ /etc/motd  (8 B)" in out.splitlines()
    found = json.loads(lab("image", "tree", "--json", "web:2")[1])
    assert (found["size_bytes"], found["wasted_bytes"]) == (5013, 5005)
    assert [each["hidden_bytes"] for each in found["layers"]] == [5005, 0]


def test_image_diff_says_how_the_files_differ(lab: Any) -> None:
    status, out, err = lab("image", "diff", "web:1", "web:2")

    assert (status, out) == (0, "- /big\n~ /etc/motd  (content)\n")
    assert "1 layers are shared" in err
    assert json.loads(lab("image", "diff", "--json", "web:1", "web:1")[1]) == {
        "shared_layers": 1,
        "differences": [],
    }


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["inspect", "wbe:2"], 1, "did you mean web:2?"),
        (["history", "Bad Name"], 1, "not an image reference"),
        (["rmi", "none"], 1, "no such image"),
        (["load", "-i", "/nonexistent.tar"], 1, "No such file"),
        (["load", "--platform", "a/b/c/d", "-i", "/"], 1, "not a platform"),
        (["image", "tree", "--layer", "9", "web:2"], 2, "layers 0 to 1"),
        (["tag", "web:2", "x@sha256:" + "0" * 64], 2, "digest"),
        (["images", "--frobnicate"], 2, "No such option"),
        (["save"], 2, "Missing argument"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(lab: Any, words: list[str], status: int, said: str) -> None:
    found, out, err = lab(*words)

    assert (found, out) == (status, "")
    assert said in err
    assert "Traceback" not in err


def test_a_store_that_is_damaged_is_one_message(lab: Any) -> None:
    for blob in (lab.state / "blobs/sha256").iterdir():
        blob.write_bytes(blob.read_bytes()[:-1] + b"?")

    status, _, err = lab("image", "tree", "web:2")

    assert status == 1
    assert "damaged" in err


def test_prune_forgets_the_cache_when_asked(lab: Any) -> None:
    with LayoutStore(str(lab.state)) as store:
        blob = store.put([b"cached"])
        store.remember("key", {"digest": blob.digest})

    assert lab("image", "prune")[1] == "removed 0 blobs, 0 B\n"
    assert lab("image", "prune", "--cache")[1] == "removed 1 blobs, 6 B\n"
