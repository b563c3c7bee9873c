"""``docker load`` and ``docker save`` against a daemon that the test starts itself."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob, rfc3339
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.stores.memory import MemoryStore
from builder.transport.load import load, opened
from builder.transport.output import Output
from builder.transport.save import Named, export
from unionfs_sim import WHITEOUT, Dir, File, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def docker() -> Iterator[tuple[str, ...]]:
    """The client's first words. The daemon's directory is short: a socket's name has 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="d", ignore_cleanup_errors=True) as root:
        host = f"unix://{root}/s"
        isolated = ["--bridge=none", "--iptables=false", "--storage-driver=vfs", f"--pidfile={root}/pid"]
        places = [f"--data-root={root}/data", f"--exec-root={root}/exec", "-H", host]
        with open(f"{root}/log", "wb") as log:
            daemon = subprocess.Popen(["dockerd", *isolated, *places], stdout=log, stderr=log)
        client = ("docker", "-H", host)
        for _ in range(300):
            if subprocess.run([*client, "version"], capture_output=True, check=False).returncode == 0:
                break
            if daemon.poll() is not None:
                pytest.skip(f"docker: dockerd does not start: {Path(root, 'log').read_text()[-300:]}")
            time.sleep(0.1)
        yield client
        daemon.terminate()
        daemon.wait()


def run(*argv: object) -> str:
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def image_in(store: MemoryStore) -> tuple[Image, Named]:
    config = ImageConfig(cmd=("sh",), env={"A": "1"}, volumes=("/data",), on_build=("RUN true",))
    image = Image(config, created=rfc3339(0))
    for each in (
        layer({"/etc/motd": "hello", "/gone": "x", "/d/a": "1"}),
        layer({"/etc/motd": File("new", mode=0o600), "/gone": WHITEOUT, "/d": Dir(opaque=True), "/d/b": "2"}),
    ):
        stored = store.put(pack(each, latest_ns=0))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(rfc3339(0), "RUN step"))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    return image, Named(
        Descriptor(manifest.media_type, stored.digest, stored.size), (Reference.parse("demo:1"),)
    )


def test_docker_load_and_save_keep_the_image_what_it_is(docker: tuple[str, ...], tmp_path: Path) -> None:
    store: Any = MemoryStore()
    image, named = image_in(store)
    export(store, [named], Output.parse(f"type=docker,dest={tmp_path}/demo.tar"))

    said = run(*docker, "load", "-i", tmp_path / "demo.tar")

    assert "Loaded image: demo:1" in said
    (described,) = json.loads(run(*docker, "image", "inspect", "demo:1"))
    assert described["Id"] == image.id
    assert described["RootFS"]["Layers"] == list(image.diff_ids)
    assert described["Config"]["OnBuild"] == ["RUN true"]

    run(*docker, "save", "-o", tmp_path / "saved.tar", "demo:1")
    back: Any = MemoryStore()
    with opened(str(tmp_path / "saved.tar")) as source:
        (found,) = load(back, source)
    assert [name.familiar for name in found.references] == ["demo:1"]
    assert found.image == image
    assert merged(unpack_stack(back, found.image.layers)) == merged(unpack_stack(store, image.layers))
