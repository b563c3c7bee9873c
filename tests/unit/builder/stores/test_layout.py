from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from builder.errors import BuildError, StoreError
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore

WEB = Reference.parse("web:1.0")


def opened(path: Path) -> LayoutStore:
    return LayoutStore(str(path))


def index_names(path: Path) -> list[str]:
    entries = json.loads((path / "index.json").read_bytes())["manifests"]
    return [entry["annotations"]["org.opencontainers.image.ref.name"] for entry in entries]


def test_the_directory_is_an_oci_layout_from_the_first_moment(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()

    assert json.loads((tmp_path / "s/oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((tmp_path / "s/index.json").read_bytes())["manifests"] == []
    assert (tmp_path / "s/blobs/sha256").is_dir()


def test_a_directory_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(StoreError, match="not empty"):
        opened(tmp_path)

    assert os.listdir(tmp_path) == ["thesis.txt"]


def test_what_a_learner_has_done_before_the_first_build_is_nothing_foreign(tmp_path: Path) -> None:
    (tmp_path / "learn.json").write_text("{}")

    opened(tmp_path).close()

    assert (tmp_path / "oci-layout").exists()
    assert (tmp_path / "learn.json").read_text() == "{}"


def test_a_file_in_place_of_the_directory_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("")

    with pytest.raises(StoreError):
        opened(tmp_path / "s")


def test_index_json_lists_what_is_tagged(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        blob = store.put([b"{}"])
        store.tag(WEB, blob)
        store.tag(Reference.parse("localhost:5000/a/b:2"), blob)
        assert index_names(tmp_path / "s") == ["web:1.0", "localhost:5000/a/b:2"]

        store.untag(WEB)

    assert index_names(tmp_path / "s") == ["localhost:5000/a/b:2"]


def test_names_survive_the_loss_of_the_database(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        blob = store.put([b"{}"])
        store.tag(WEB, blob)
    os.unlink(tmp_path / "s/layerlab.sqlite")

    with opened(tmp_path / "s") as store:
        assert store.resolve(WEB).digest == blob.digest


def test_a_database_that_is_none_is_a_store_error(tmp_path: Path) -> None:
    opened(tmp_path / "s").close()
    (tmp_path / "s/layerlab.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(StoreError, match="index"):
        opened(tmp_path / "s")


def test_reading_a_damaged_blob_to_its_end_is_a_store_error(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        blob = store.put([b"hello" * 50_000])
        with open(store.path_of(blob.digest), "r+b") as file:
            file.seek(100_000)
            file.write(b"X")

        with pytest.raises(StoreError, match="damaged"), store.open(blob.digest) as stream:
            while stream.read(8192):
                pass

        store.put([b"hello" * 50_000])
        with store.open(blob.digest) as stream:
            assert len(stream.read()) == 250_000


def test_collecting_removes_what_neither_a_name_nor_a_record_leads_to(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store:
        named, remembered, garbage = (
            store.put([b"named"]),
            store.put([b"remembered"]),
            store.put([b"garbage"]),
        )
        store.tag(WEB, named)
        store.remember("step", {"layer": {"digest": remembered.digest}})

        removed = store.collect()

        assert (removed.blobs, removed.size_bytes) == (1, 7)
        assert [bool(store.find(each.digest)) for each in (named, remembered, garbage)] == [True, True, False]

        store.forget_cache()
        assert store.collect().blobs == 1


@pytest.mark.parametrize(("name", "damage"), [("layerlab.sqlite", b"junk" * 999), ("index.json", b"{")])
def test_a_store_that_cannot_be_opened_leaves_nothing_open(tmp_path: Path, name: str, damage: bytes) -> None:
    opened(tmp_path / "s").close()
    os.remove(tmp_path / "s/layerlab.sqlite")
    (tmp_path / "s" / name).write_bytes(damage)
    before = os.listdir("/dev/fd")

    with pytest.raises(BuildError) as raised:
        opened(tmp_path / "s")

    assert os.listdir("/dev/fd") == before
    del raised


def test_nothing_is_collected_while_another_uses_the_store(tmp_path: Path) -> None:
    with opened(tmp_path / "s") as store, opened(tmp_path / "s") as other:
        blob = other.put([b"in the middle of a build"])

        assert store.collect().skipped
        assert other.find(blob.digest) is not None


def test_no_room_leaves_nothing_half_written(tmp_path: Path) -> None:
    script = (
        "import resource, sys\n"
        "from builder.stores.layout import LayoutStore\n"
        "from builder.errors import BuildError, StoreError\n"
        "store = LayoutStore(sys.argv[1])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "try:\n"
        "    store.put(b'x' * 50_000 for _ in range(4))\n"
        "except StoreError as error:\n"
        "    print(error)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "s"], capture_output=True, text=True, check=True
    )

    assert "File too large" in done.stdout
    assert "make room" in done.stdout
    assert os.listdir(tmp_path / "s/blobs/sha256") == os.listdir(tmp_path / "s/scratch") == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 100_000


WRITER = """
import itertools, sys
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
store = LayoutStore(sys.argv[1])
print("ready", flush=True)
for number in itertools.count(int(sys.argv[2])):
    blob = store.put([b"%d" % number, bytes(30_000)])
    store.tag(Reference.parse(f"image:{number % 7}"), blob)
    store.remember(f"key{number % 5}", {"digest": blob.digest})
"""


def test_a_writer_that_is_killed_at_any_moment_leaves_a_store_that_works(tmp_path: Path) -> None:
    for round_number in range(6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, tmp_path / "s", str(round_number * 1000)], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        with writer.stdout:
            writer.stdout.readline()
            time.sleep(0.01 + 0.023 * round_number)
            writer.send_signal(signal.SIGKILL)
        writer.wait()

        with opened(tmp_path / "s") as store:
            for descriptor in store.tags().values():
                with store.open(descriptor.digest) as stream:
                    assert len(stream.read()) == descriptor.size
            assert not store.collect().skipped
            assert os.listdir(tmp_path / "s/scratch") == []
            json.loads((tmp_path / "s/index.json").read_bytes())


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from builder.image.reference import Reference\n"
        "from builder.stores.layout import LayoutStore\n"
        "with LayoutStore(sys.argv[1]) as store:\n"
        "    for number in range(10):\n"
        "        blob = store.put([sys.argv[2].encode(), b'%d' % number])\n"
        "        store.tag(Reference.parse(f'image{sys.argv[2]}:{number}'), blob)\n"
    )
    writers = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path / "s", str(number)]) for number in range(4)
    ]

    assert [writer.wait() for writer in writers] == [0, 0, 0, 0]
    with opened(tmp_path / "s") as store:
        assert len(store.tags()) == len(index_names(tmp_path / "s")) == 40


def test_nothing_is_collected_while_this_process_holds_a_lease(tmp_path):
    with LayoutStore(str(tmp_path)) as store:
        garbage = store.put([b"nobody refers to it"])
        with store.lease():
            assert store.collect().skipped
            assert store.find(garbage.digest) == garbage

        assert store.collect().blobs == 1


def rewritten(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path / "layerlab.sqlite")) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


@pytest.mark.parametrize(
    "statements",
    [
        ("PRAGMA user_version=1", "DROP TABLE seen", "DROP TABLE summary"),
        ("PRAGMA user_version=2", "DROP TABLE used", "CREATE TABLE used (x)"),
        ("PRAGMA user_version=0", "DELETE FROM tag"),
        ("PRAGMA user_version=-1",),
    ],
)
def test_a_store_of_an_earlier_version_keeps_its_images_and_forgets_what_was_cached(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    with opened(tmp_path) as store:
        manifest = store.put([b"{}"])
        store.tag(WEB, manifest)
        store.remember("step", {"layer": manifest.digest})
    rewritten(tmp_path, *statements)

    with opened(tmp_path) as store:
        assert store.resolve(WEB) == manifest
        assert store.recall("step") is None
        store.remember("step", {"layer": manifest.digest})
    assert index_names(tmp_path) == ["web:1.0"]
    with opened(tmp_path) as store:
        assert store.recall("step") == {"layer": manifest.digest}


def test_a_store_of_a_later_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    opened(tmp_path).close()
    rewritten(tmp_path, "PRAGMA user_version=99")
    before = (tmp_path / "index.json").read_bytes()

    with pytest.raises(StoreError, match="newer layerlab"):
        opened(tmp_path)

    assert (tmp_path / "index.json").read_bytes() == before


def test_whoever_is_killed_while_learning_the_names_leaves_them_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as store:
        manifest = store.put([b"{}"])
        store.tag(WEB, manifest)
    (tmp_path / "layerlab.sqlite").unlink()

    def killed(_: LayoutStore) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LayoutStore, "_write_index", killed)
        with pytest.raises(KeyboardInterrupt):
            opened(tmp_path)

    with opened(tmp_path) as store:
        assert store.tags() == {WEB: manifest}
