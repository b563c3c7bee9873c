"""What leaves the store is read by the tools of the trade, and what they write is read by it."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob, rfc3339
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore
from builder.transport.load import load, opened
from builder.transport.output import Output
from builder.transport.save import Named, export
from course.exercise import Course
from course.grader.authoring import required
from unionfs_sim import WHITEOUT, Dir, Fifo, File, Hardlink, Layer, Symlink, layer
from unionfs_sim.host.layer import read_directory
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

SOURCES = ["oci-archive:{}/oci.tar:1.0", "oci:{}/oci:1.0", "docker-archive:{}/docker.tar"]
TARGETS = ["oci-archive:{}/back.tar:x", "oci:{}/back.tar:x", "docker-archive:{}/back.tar:demo:2"]
REFERENCE = Reference.parse("localhost/demo:1.0")
CAPABILITY = bytes.fromhex("0100000200200000000000000000000000000000")
LAYERS = (
    layer(
        {
            "/bin/busybox": File("x" * 100_000, mode=0o755),
            "/bin/sh": Hardlink("/bin/busybox"),
            "/etc/motd": "hello",
            "/etc/" + "long" * 30: "1",
            "/etc/ü": "1",
            "/gone": "x",
            "/lib": Symlink("usr/lib"),
            "/opt/app/old/file": "x",
            "/tmp": Dir(mode=0o1777),
            "/usr/lib/libc.so": "so",
            "/var/cache/a": "1",
        }
    ),
    layer(
        {
            "/etc/motd": File("changed", uid=1000, gid=5, mode=0o600),
            "/gone": WHITEOUT,
            "/opt/app/old": WHITEOUT,
            "/usr/bin/ping": File("ping", mode=0o4755, xattrs={"security.capability": CAPABILITY}),
            "/usr/run": Fifo(mode=0o620),
            "/var/cache": Dir(mode=0o700, uid=33, opaque=True),
            "/var/cache/b": "2",
        }
    ),
)


def example(store: Any) -> Named:
    config = ImageConfig(
        env={"PATH": "/bin"}, cmd=("sh",), exposed_ports=("80/tcp",), labels={"a": "b"}, working_dir="/srv"
    )
    image = Image(config, created=rfc3339(0))
    for number, each in enumerate(LAYERS):
        stored = store.put(pack(each, latest_ns=0))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(rfc3339(0), f"RUN step {number}"))
    image = image.append(None, History(rfc3339(0), "CMD sh"))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    return Named(Descriptor(manifest.media_type, stored.digest, stored.size), (REFERENCE,))


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    store = MemoryStore()
    named = example(store)
    for written in (
        f"type=oci,dest={tmp_path}/oci.tar",
        f"type=oci,tar=false,dest={tmp_path}/oci",
        f"type=docker,dest={tmp_path}/docker.tar",
        f"type=local,dest={tmp_path}/local",
        f"type=tar,dest={tmp_path}/tree.tar",
    ):
        export(store, [named], Output.parse(written))
    return tmp_path


def original() -> tuple[Image, Layer]:
    store = MemoryStore()
    named = example(store)
    image = Image.load(store, named.manifest)
    return image, merged(unpack_stack(store, image.layers))


def run(*argv: object, **options: Any) -> str:
    done = subprocess.run(list(map(str, argv)), capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(path: Path) -> tuple[Image, Layer]:
    store = MemoryStore()
    with opened(str(path)) as source:
        (found,) = load(store, source)
    return found.image, merged(unpack_stack(store, found.image.layers))


@pytest.mark.tools("skopeo")
@pytest.mark.parametrize("transport", SOURCES)
def test_skopeo_sees_the_same_config_and_diff_ids(exported: Path, transport: str) -> None:
    image, _ = original()

    config = json.loads(run("skopeo", "inspect", "--config", transport.format(exported)))

    assert config["rootfs"]["diff_ids"] == list(image.diff_ids)
    assert config["config"] == json.loads(image.config_bytes())["config"]
    assert [entry["created_by"] for entry in config["history"]] == ["RUN step 0", "RUN step 1", "CMD sh"]


@pytest.mark.tools("skopeo")
@pytest.mark.parametrize("source", SOURCES[1:])
@pytest.mark.parametrize("target", TARGETS)
def test_what_skopeo_copies_comes_back_the_same(exported: Path, source: str, target: str) -> None:
    run("skopeo", "copy", "--insecure-policy", source.format(exported), target.format(exported))

    image, tree = loaded(exported / "back.tar")

    assert image.diff_ids == original()[0].diff_ids
    assert image.config == original()[0].config
    assert tree == original()[1]


@pytest.mark.tools("skopeo")
def test_the_store_itself_is_a_layout_that_skopeo_reads(tmp_path: Path) -> None:
    with LayoutStore(str(tmp_path / "state")) as store:
        named = example(store)
        store.tag(REFERENCE, named.manifest)

        described = json.loads(
            run("skopeo", "inspect", "--config", f"oci:{tmp_path}/state:localhost/demo:1.0")
        )

    assert described["rootfs"]["diff_ids"] == list(original()[0].diff_ids)


@pytest.mark.kernel
@pytest.mark.tools("umoci")
def test_umoci_unpacks_the_tree_that_the_layers_show(exported: Path) -> None:
    run("umoci", "unpack", "--keep-dirlinks", "--image", exported / "oci:1.0", exported / "bundle")

    tree = read_directory(exported / "bundle/rootfs")

    assert tree == original()[1]


@pytest.mark.kernel
@pytest.mark.tools("umoci")
def test_layers_that_umoci_writes_without_an_end_are_read(exported: Path) -> None:
    run("umoci", "unpack", "--image", exported / "oci:1.0", exported / "bundle")
    (exported / "bundle/rootfs/etc/motd").unlink()
    (exported / "bundle/rootfs/new").write_bytes(b"y" * 777)
    run("umoci", "repack", "--image", exported / "oci:2", exported / "bundle")
    run("umoci", "rm", "--image", exported / "oci:1.0")

    image, tree = loaded(exported / "oci")

    assert len(image.layers) == 3
    assert tree.read_bytes("/new") == b"y" * 777
    assert not tree.exists("/etc/motd")


@pytest.mark.kernel
@pytest.mark.tools("podman")
@pytest.mark.parametrize("archive", ["docker.tar", "oci.tar"])
def test_podman_loads_it_and_says_the_same(exported: Path, archive: str) -> None:
    with tempfile.TemporaryDirectory(prefix="p") as short:  # podman refuses a runroot of over 50 characters
        podman = ("podman", "--root", exported / "root", "--runroot", short, "--storage-driver", "vfs")

        said = run(*podman, "load", "-i", exported / archive)

        name = said.strip().rpartition("Loaded image: ")[2].split()[-1]
        (described,) = json.loads(run(*podman, "image", "inspect", name))
    assert described["RootFS"]["Layers"] == list(original()[0].diff_ids)
    assert described["Config"]["Cmd"] == ["sh"]


@pytest.mark.kernel
def test_a_local_export_is_the_tree_with_its_modes(exported: Path) -> None:
    assert (exported / "local/etc/motd").read_text() == "changed"
    assert os.readlink(exported / "local/lib") == "usr/lib"
    assert os.stat(exported / "local/bin/sh").st_ino == os.stat(exported / "local/bin/busybox").st_ino
    assert oct(os.stat(exported / "local/tmp").st_mode) == "0o41777"
    assert not os.path.exists(exported / "local/gone")
    assert sorted(os.listdir(exported / "local/var/cache")) == ["b"]


@pytest.mark.tools("tar")
def test_gnu_tar_lists_the_exported_tree(exported: Path) -> None:
    listed = run("tar", "tf", exported / "tree.tar").split()

    assert "usr/bin/ping" in listed
    assert not any(".wh." in name for name in listed)


def test_the_same_image_is_exported_as_the_same_bytes(exported: Path, tmp_path: Path) -> None:
    again = tmp_path / "again"
    again.mkdir()
    store = MemoryStore()
    named = example(store)

    for name, kind in (("oci.tar", "oci"), ("docker.tar", "docker"), ("tree.tar", "tar")):
        export(store, [named], Output.parse(f"type={kind},dest={again}/{name}"))
        assert (again / name).read_bytes() == (exported / name).read_bytes()


def test_skopeo_reads_the_layout_that_the_exercise_about_it_asks_for(tmp_path: Path) -> None:
    exercise = Course().find("3.1")
    reference = exercise.module_of(required(exercise, "reference"))

    for name, content in reference.layout(
        [b"".join(pack(each)) for each in LAYERS], ["cat", "/etc/motd"]
    ).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    said = json.loads(run("skopeo", "inspect", "--config", f"oci:{tmp_path}"))
    assert said["config"]["Cmd"] == ["cat", "/etc/motd"]
    assert len(said["rootfs"]["diff_ids"]) == len(LAYERS)
