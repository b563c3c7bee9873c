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
from builder.stores.leaving import Named, export
from builder.stores.memory import MemoryStore
from builder.stores.output import Output
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
        "from builder.stores.leaving import Named, export\n"
        "from builder.stores.output import Output\n"
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
