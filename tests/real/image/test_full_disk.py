"""What happens when the disk is full, on a disk that is: a tmpfs of a few hundred kilobytes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from builder.image.digest import DiffID
from builder.image.image import History, Image, LayerBlob
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore
from builder.transport.output import Output
from builder.transport.save import Named, export
from unionfs_sim import layer
from unionfs_sim.tar.pack import pack

pytestmark = pytest.mark.kernel

NOISE = b"".join(bytes([(number * number) % 251]) for number in range(1000)) * 700


def image_in(store: LayoutStore | MemoryStore) -> Named:
    stored = store.put(pack(layer({"/noise": NOISE})))
    blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
    image = Image().append(blob, History())
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    return Named(Descriptor(manifest.media_type, stored.digest, stored.size), (Reference.parse("web"),))


def on_a_small_disk(script: str, *arguments: object, size: str = "200k") -> subprocess.CompletedProcess[str]:
    """Run a shell script where /mnt is small; then say its status and what is left there."""
    lines = [f"mount -t tmpfs -o size={size} t /mnt", script, 'echo "status $?"']
    lines.append('find /mnt -mindepth 1 -not -name "lock*"')
    text = "\n".join(lines).replace("layerlab", f"{sys.executable} -m course")
    command = ["unshare", "-m", "--propagation", "private", "sh", "-c", text, "sh", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


@pytest.mark.parametrize("output", ["type=tar,dest=/mnt/a.tar", "type=local,dest=/mnt/d"])
def test_an_export_to_a_full_disk_leaves_nothing(tmp_path: Path, output: str) -> None:
    with LayoutStore(str(tmp_path / "s")) as store:
        store.tag(Reference.parse("web"), image_in(store).manifest)
    script = (
        "import sys\n"
        "from builder.errors import StoreError\n"
        "from builder.image.reference import Reference\n"
        "from builder.stores.layout import LayoutStore\n"
        "from builder.transport.save import Named, export\n"
        "from builder.transport.output import Output\n"
        "with LayoutStore(sys.argv[1]) as store:\n"
        "    try:\n"
        "        export(store, [Named(store.resolve(Reference.parse('web')))], Output.parse(sys.argv[2]))\n"
        "    except StoreError as error:\n"
        "        sys.exit(str(error))\n"
    )

    done = on_a_small_disk(f'{sys.executable} -c "$1" "$2" "$3"', script, tmp_path / "s", output)

    assert done.stdout == "status 1\n"
    assert "No space left on device" in done.stderr
    assert "make room" in done.stderr


def test_loading_into_a_full_store_is_one_message_and_the_store_stays_usable(tmp_path: Path) -> None:
    store = MemoryStore()
    export(store, [image_in(store)], Output.parse(f"type=oci,dest={tmp_path}/a.tar"))

    done = on_a_small_disk(
        'layerlab --state /mnt/s load -i "$1"; echo "load $?"; layerlab --state /mnt/s images',
        tmp_path / "a.tar",
        size="400k",
    )

    assert done.stdout.startswith("load 1\nREPOSITORY")
    assert "status 0" in done.stdout
    assert "/mnt/s/blobs/sha256/" not in done.stdout
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["rmi web", "image prune --cache"])
def test_a_full_store_can_be_emptied(tmp_path: Path, word: str) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY noise /noise\n")
    (tmp_path / "noise").write_bytes(NOISE)
    script = (
        'layerlab --state /mnt/s build -q -t web "$1" >/dev/null || exit 9\n'
        'test "$2" = "rmi web" || layerlab --state /mnt/s rmi web\n'
        "dd if=/dev/zero of=/mnt/filler bs=1k 2>/dev/null\n"
        "layerlab --state /mnt/s tag web other 2>/dev/null && echo there is room\n"
        f"layerlab --state /mnt/s {word}; echo emptied $?\n"
        "layerlab --state /mnt/s image prune --cache >/dev/null; echo pruned $?\n"
        "layerlab --state /mnt/s images >/dev/null"
    )

    done = on_a_small_disk(script, tmp_path, word, size="2M")

    assert "there is room" not in done.stdout, done.stderr
    assert "emptied 0\n" in done.stdout, done.stderr
    assert "pruned 0\n" in done.stdout, done.stderr
    assert "status 0\n" in done.stdout, done.stderr
    left = [line for line in done.stdout.splitlines() if line.startswith("/mnt/s/blobs/sha256/")]
    assert left == []
    assert "/mnt/s/reserve" in done.stdout


def test_a_read_only_store_answers_what_only_reads(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text('FROM busybox\nCOPY Dockerfile /d\nCMD ["cat", "/d"]\n')
    script = (
        'layerlab --state /mnt/s build -q -t web "$1" >/dev/null\n'
        "mount -o remount,ro /mnt\n"
        "for word in images 'history web' 'inspect web' 'image tree web' 'image validate web' 'run web' \\\n"
        "  'image check'; do layerlab --state /mnt/s $word >/dev/null; echo $word $?; done\n"
        'layerlab --state /mnt/s save web -o "$1/web.tar"; echo save $?\n'
        'layerlab --state /mnt/s explain "$1/Dockerfile:2" >/dev/null; echo explain $?\n'
        "layerlab --state /mnt/s rmi web; echo refused $?\n"
        "mount -o remount,rw /mnt"
    )

    done = on_a_small_disk(script, tmp_path, size="20M")

    words = ["images", "history web", "inspect web", "image tree web", "image validate web", "run web"]
    words += ["image check", "save", "explain"]
    assert [line for line in done.stdout.splitlines() if line.endswith(" 0")][:-1] == [
        f"{word} 0" for word in words
    ], done.stderr
    assert "refused 1\n" in done.stdout
    assert "the store is read-only" in done.stderr
    assert "Traceback" not in done.stderr
