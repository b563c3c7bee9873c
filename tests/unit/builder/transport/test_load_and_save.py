from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.errors import BuildError, ImageFormatError, StoreError
from builder.image.compression import Limits
from builder.image.digest import DiffID, digest_of
from builder.image.image import History, Image, ImageConfig, LayerBlob
from builder.image.oci import MEDIA_INDEX, MEDIA_LAYER, Descriptor, Index, Platform
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.image.validate import validate
from builder.stores.layout import LayoutStore
from builder.stores.memory import MemoryStore
from builder.transport.load import load, opened
from builder.transport.output import Output, OutputFormatError, OutputKind
from builder.transport.save import Named, export
from unionfs_sim import WHITEOUT, Dir, Layer, layer
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack

WEB = Reference.parse("web:1.0")


def put_image(store: Any, *layers: Layer | bytes, platform: Platform | None = None) -> Descriptor:
    image = Image(ImageConfig(cmd=("sh",)), platform=platform or Platform())
    for each in layers:
        stored = store.put([each] if isinstance(each, bytes) else pack(each))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(created_by="RUN true"))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    return Descriptor(manifest.media_type, stored.digest, stored.size, platform=image.platform)


def saved(
    path: Path, *layers: Layer | bytes, kind: str = "docker", names: tuple[str, ...] = ("web:1.0",)
) -> Path:
    store: Any = MemoryStore()
    named = Named(put_image(store, *layers), tuple(map(Reference.parse, names)))
    export(store, [named], Output.parse(f"type={kind},dest={path}"))
    return path


def loaded(path: Path, **options: Any) -> list[Any]:
    store: Any = MemoryStore()
    with opened(str(path)) as source:
        found = load(store, source, **options)
    for each in found:
        assert validate(store, each.manifest) == []
        assert all(store.resolve(name) == each.manifest for name in each.references)
    return found


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as out:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            out.addfile(member, io.BytesIO(content))
    return path


def docker_archive(path: Path, layer_tar: bytes, *, diff_id: str | None = None, **changes: Any) -> Path:
    config = {
        "os": "linux",
        "architecture": "amd64",
        "rootfs": {"diff_ids": [diff_id or digest_of(layer_tar)]},
    }
    listed = {"Config": "config.json", "RepoTags": ["web:1.0"], "Layers": ["a/layer.tar"]} | changes
    files = {"manifest.json": json.dumps([listed]), "config.json": json.dumps(config)}
    return archive(path, {name: text.encode() for name, text in files.items()} | {"a/layer.tar": layer_tar})


@pytest.mark.parametrize("kind", ["oci", "docker"])
def test_what_was_saved_is_loaded_as_the_same_image(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path / "a.tar", layer({"/a": "1", "/b": "2"}), layer({"/a": WHITEOUT}), kind=kind)

    (found,) = loaded(path)

    assert [name.familiar for name in found.references] == ["web:1.0"]
    assert found.image.config.cmd == ("sh",)


def test_a_compressed_archive_is_loaded_as_well(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tar", layer({"/a": "1"}))
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(path.read_bytes()))

    assert len(loaded(tmp_path / "a.tar.gz")) == 1


def test_several_images_are_loaded_each_with_its_names(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    one, two = put_image(store, layer({"/a": "1"})), put_image(store, layer({"/a": "1"}), layer({"/b": ""}))
    export(
        store,
        [Named(one, (WEB, Reference.parse("other"))), Named(two, (Reference.parse("web:2"),))],
        Output.parse(f"type=oci,dest={tmp_path}/a.tar"),
    )

    found = loaded(tmp_path / "a.tar")

    assert [[name.familiar for name in each.references] for each in found] == [
        ["web:1.0", "other:latest"],
        ["web:2"],
    ]


def test_an_image_without_a_name_is_named_after_what_it_came_in(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.tar", layer({"/a": "1"}), names=())

    (found,) = loaded(path, called="a")

    assert found.references == (Reference.parse(f"a:{found.image.id[7:19]}"),)


def test_an_old_docker_archive_with_shared_layers_as_symlinks_is_loaded(tmp_path: Path) -> None:
    tar = b"".join(pack(layer({"/a": "1"})))
    path = docker_archive(tmp_path / "a.tar", tar, Layers=["b/layer.tar"])
    with tarfile.open(path, "a") as out:
        link = tarfile.TarInfo("b/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../a/layer.tar"
        out.addfile(link)

    assert len(loaded(path)) == 1


def test_of_several_platforms_the_asked_one_is_taken(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    platforms = (Platform(), Platform("linux", "arm64"))
    manifests = tuple(put_image(store, layer({"/a": str(each)}), platform=each) for each in platforms)
    export(store, [Named(each) for each in manifests], Output.parse(f"type=oci,tar=false,dest={tmp_path}/l"))

    (found,) = loaded(tmp_path / "l", platform=Platform("linux", "arm64"))

    assert found.image.platform.architecture == "arm64"
    with pytest.raises(ImageFormatError, match="linux/amd64, linux/arm64"):
        loaded(tmp_path / "l", platform=Platform("linux", "riscv64"))


def test_a_nested_index_is_followed(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    inner = put_image(store, layer({"/a": "1"}))
    export(store, [Named(inner)], Output.parse(f"type=oci,tar=false,dest={tmp_path}/l"))
    index = (tmp_path / "l/index.json").read_bytes()
    (tmp_path / "l/blobs/sha256" / digest_of(index)[7:]).write_bytes(index)
    outer = Index((Descriptor(MEDIA_INDEX, digest_of(index), len(index)),))
    (tmp_path / "l/index.json").write_bytes(outer.to_bytes())

    assert len(loaded(tmp_path / "l")) == 1


def test_nothing_is_named_when_anything_is_broken(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "a.tar", b"not a tar at all" * 100)
    with LayoutStore(str(tmp_path / "state")) as store:
        with opened(str(path)) as source, pytest.raises(ImageFormatError):
            load(store, source)

        assert store.tags() == {}
        store.collect()
        assert os.listdir(tmp_path / "state/blobs/sha256") == []


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "neither"),
        ({"readme": b""}, "neither"),
        ({"manifest.json": b"{"}, "not JSON"),
        ({"manifest.json": b"{}"}, "array"),
        ({"manifest.json": b"[1]"}, "Config"),
        ({"manifest.json": b'[{"Config":"../../etc/passwd","Layers":[]}]'}, "no such file"),
        ({"manifest.json": b'[{"Config":"manifest.json","Layers":[]}]'}, "object"),
        ({"manifest.json": b'[{"Config":"c","Layers":["x"]}]', "c": b"{}"}, "diff_ids"),
        ({"index.json": b"[]"}, "object"),
        ({"index.json": b'{"schemaVersion":2,"manifests":[{"digest":"sha256:../../x","size":1}]}'}, "digest"),
        ({"index.json": b'{"schemaVersion":2,"manifests":{}}'}, "list"),
        ({"index.json": b"[" * 5_000_000}, "larger"),
    ],
)
def test_a_broken_archive_is_one_clear_error(tmp_path: Path, files: dict[str, bytes], reason: str) -> None:
    with pytest.raises(ImageFormatError, match=reason):
        loaded(archive(tmp_path / "a.tar", files))


def test_an_archive_that_is_none_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"\x7fELF" + bytes(range(256)) * 10)

    with pytest.raises(ImageFormatError, match="archive"):
        loaded(tmp_path / "a.tar")


def test_a_file_that_is_not_there_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        loaded(tmp_path / "none.tar")


def test_a_blob_with_other_bytes_than_its_digest_is_refused(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    named = Named(put_image(store, layer({"/a": "1"})), (WEB,))
    export(store, [named], Output.parse(f"type=oci,tar=false,dest={tmp_path}/l"))
    manifest = (
        tmp_path
        / "l/blobs/sha256"
        / json.loads((tmp_path / "l/index.json").read_bytes())["manifests"][0]["digest"].removeprefix(
            "sha256:"
        )
    )
    manifest.write_bytes(manifest.read_bytes().replace(b"schemaVersion", b"SchemaVersion"))

    with pytest.raises(StoreError, match="damaged"):
        loaded(tmp_path / "l")


def test_a_blob_that_is_a_symlink_out_of_the_layout_is_not_followed(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    export(
        store,
        [Named(put_image(store, layer({"/a": "1"})), (WEB,))],
        Output.parse(f"type=oci,tar=false,dest={tmp_path}/l"),
    )
    victim = min((tmp_path / "l/blobs/sha256").iterdir())
    (tmp_path / "outside").write_bytes(victim.read_bytes())
    victim.unlink()
    victim.symlink_to(tmp_path / "outside")

    with pytest.raises(ImageFormatError, match="not there"):
        loaded(tmp_path / "l")


def test_a_layer_with_another_diff_id_than_the_config_says_is_refused(tmp_path: Path) -> None:
    path = docker_archive(
        tmp_path / "a.tar", b"".join(pack(layer({"/a": "1"}))), diff_id="sha256:" + "0" * 64
    )

    with pytest.raises(ImageFormatError, match="DiffID"):
        loaded(path)


def test_a_layer_that_unpacks_to_more_than_allowed_is_refused_early(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(50_000_000))

    with pytest.raises(ImageFormatError, match="more than 1000000 bytes"):
        loaded(docker_archive(tmp_path / "a.tar", bomb), limits=Limits(1_000_000))


def test_a_hostile_layer_is_refused_with_the_name_of_its_entry(tmp_path: Path) -> None:
    evil = io.BytesIO()
    with tarfile.open(fileobj=evil, mode="w") as out:
        out.addfile(tarfile.TarInfo("../../root/.ssh/authorized_keys"))

    with pytest.raises(ImageFormatError, match="authorized_keys"):
        loaded(docker_archive(tmp_path / "a.tar", evil.getvalue()))


@settings(max_examples=60)
@given(data=st.data())
def test_a_damaged_archive_is_refused_or_loaded_but_never_crashes(
    tmp_path_factory: Any, data: st.DataObject
) -> None:
    path = saved(tmp_path_factory.mktemp("x") / "a.tar", layer({"/a": "1", "/d/b": "2"}))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    path.write_bytes(content)

    try:
        loaded(path)
    except BuildError as error:
        assert str(error)


def test_an_existing_file_that_is_no_archive_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").write_text("mine")

    with pytest.raises(StoreError, match="no image archive"):
        saved(tmp_path / "thesis", layer({}))

    assert (tmp_path / "thesis").read_text() == "mine"


def test_an_archive_of_ours_is_replaced(tmp_path: Path) -> None:
    saved(tmp_path / "a.tar", layer({"/a": "1"}))
    saved(tmp_path / "a.tar", layer({"/b": "1"}))

    assert len(loaded(tmp_path / "a.tar")) == 1


@pytest.mark.parametrize("output", ["type=local,dest={}", "type=oci,tar=false,dest={}"])
def test_a_directory_with_something_in_it_is_not_written_to(tmp_path: Path, output: str) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/thesis").write_text("mine")
    store: Any = MemoryStore()

    with pytest.raises(StoreError, match="not empty"):
        export(
            store, [Named(put_image(store, layer({"/a": ""})))], Output.parse(output.format(tmp_path / "d"))
        )

    assert os.listdir(tmp_path / "d") == ["thesis"]
    assert os.listdir(tmp_path) == ["d"]


def test_a_second_image_is_added_to_a_layout_and_the_same_name_replaced(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    output = Output.parse(f"type=oci,tar=false,dest={tmp_path}/l")
    export(store, [Named(put_image(store, layer({"/a": "1"})), (WEB,))], output)
    export(store, [Named(put_image(store, layer({"/a": "2"})), (Reference.parse("web:2"),))], output)
    last = put_image(store, layer({"/a": "3"}))
    export(store, [Named(last, (WEB,))], output)

    found = {each.references[0].familiar: each.image.diff_ids for each in loaded(tmp_path / "l")}

    assert found.keys() == {"web:1.0", "web:2"}
    assert found["web:1.0"] == Image.load(store, last).diff_ids


def test_an_export_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    named = Named(put_image(store, b"no tar" * 1000))
    for kind in ("local", "tar"):
        with pytest.raises(ImageFormatError):
            export(store, [named], Output.parse(f"type={kind},dest={tmp_path}/{kind}"))

    assert os.listdir(tmp_path) == []


def test_a_missing_blob_ends_an_export_and_leaves_nothing(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    named = Named(put_image(store, layer({"/a": "1"})))
    other: Any = MemoryStore()
    with store.open(named.manifest.digest) as stream:
        other.put([stream.read()])

    for output in (f"type=oci,dest={tmp_path}/a.tar", f"type=oci,tar=false,dest={tmp_path}/l"):
        with pytest.raises(StoreError):
            export(other, [named], Output.parse(output))

    assert os.listdir(tmp_path) == []


def test_a_local_export_has_no_trace_of_layers(tmp_path: Path) -> None:
    store: Any = MemoryStore()
    layers = (
        layer({"/d/a": "1", "/gone": ""}),
        layer({"/d": Dir(opaque=True), "/d/b": "2", "/gone": WHITEOUT}),
    )

    export(store, [Named(put_image(store, *layers))], Output.parse(str(tmp_path / "out")))

    assert sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*")) == [
        "d",
        "d/b",
    ]


def test_layers_are_unpacked_with_what_lies_below_them() -> None:
    store: Any = MemoryStore()
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as out:
        out.addfile(tarfile.TarInfo("d/x"))
    manifest = put_image(store, layer({"/d": Dir(mode=0o1777)}), tar.getvalue())

    layers = unpack_stack(store, Image.load(store, manifest).layers)

    assert merged(layers).lstat("/d").st_mode == 0o41777


@pytest.mark.parametrize(
    ("written", "output"),
    [
        ("type=oci,dest=a.tar", Output(OutputKind.OCI, "a.tar")),
        ("type=oci,tar=false,dest=d", Output(OutputKind.OCI, "d", as_directory=True)),
        ("dest=-,type=docker", Output(OutputKind.DOCKER, "-")),
        ("out", Output(OutputKind.LOCAL, "out", as_directory=True)),
        ("-", Output(OutputKind.TAR, "-")),
        ('type=local,"dest=a,b"', Output(OutputKind.LOCAL, "a,b", as_directory=True)),
    ],
)
def test_outputs_are_written_as_buildx_has_them(written: str, output: Output) -> None:
    assert Output.parse(written) == output


@pytest.mark.parametrize(
    "written",
    [
        "",
        "type=oci",
        "type=zip,dest=x",
        "dest=x",
        "type=oci,dest=x,tar=1",
        "type=oci,dest=x,y",
        "type=oci,dest=x,z=1",
        "type=local,dest=-",
    ],
)
def test_an_output_that_cannot_be_understood_is_one_clear_error(written: str) -> None:
    with pytest.raises(OutputFormatError):
        Output.parse(written)


def with_index(path: Path, edit: Any) -> Path:
    """What docker 25 and later save, a manifest.json beside an index; ``edit`` changes the index."""
    files = {}
    with tarfile.open(path) as saved_as:
        for member in saved_as:
            body = saved_as.extractfile(member)
            if body is not None:
                files[member.name] = body.read()
    assert {"index.json", "manifest.json"} <= files.keys()
    index = json.loads(files["index.json"])
    edit(index)
    files["index.json"] = json.dumps(index).encode()
    return archive(path, files)


def no_list(index: Any) -> None:
    index["manifests"] = None


def empty_list(index: Any) -> None:
    index["manifests"] = []


def wrong_size(index: Any) -> None:
    index["manifests"][0]["size"] += 1


def missing_blob(index: Any) -> None:
    index["manifests"][0]["digest"] = f"sha256:{'0' * 64}"


@pytest.mark.parametrize("damage", [no_list, empty_list, wrong_size, missing_blob])
def test_a_broken_index_beside_a_sound_manifest_json_is_passed_over(tmp_path: Path, damage: Any) -> None:
    path = with_index(saved(tmp_path / "a.tar", layer({"/a": "1"})), damage)

    (found,) = loaded(path)

    assert [name.familiar for name in found.references] == ["web:1.0"]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [(no_list, "lists no image"), (empty_list, "lists no image"), (wrong_size, "its descriptor says")],
)
def test_a_layout_whose_index_lies_is_refused_where_nothing_else_lists_its_images(
    tmp_path: Path, damage: Any, reason: str
) -> None:
    path = saved(tmp_path / "a.tar", layer({"/a": "1"}), kind="oci")
    with tarfile.open(path) as archived:
        # Debian 12's Python 3.11.2 has no filters yet, and later ones warn without.
        chosen = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        archived.extractall(tmp_path / "layout", **chosen)  # type: ignore[arg-type]
    index = json.loads((tmp_path / "layout/index.json").read_bytes())
    damage(index)
    (tmp_path / "layout/index.json").write_text(json.dumps(index))

    with pytest.raises(ImageFormatError, match=reason):
        loaded(tmp_path / "layout")
