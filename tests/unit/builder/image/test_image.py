from __future__ import annotations

import json

import pytest

from builder.errors import ImageFormatError
from builder.image.digest import DiffID, chain_id, digest_of, parse_digest
from builder.image.image import Healthcheck, History, Image, ImageConfig, LayerBlob, choose, rfc3339
from builder.image.oci import (
    MEDIA_INDEX,
    MEDIA_LAYER,
    MEDIA_MANIFEST,
    Descriptor,
    Index,
    Manifest,
    Platform,
)
from builder.stores.memory import MemoryStore

A, B = DiffID("sha256:" + "a" * 64), DiffID("sha256:" + "b" * 64)


def blob(diff_id: DiffID) -> LayerBlob:
    return LayerBlob(Descriptor(MEDIA_LAYER, parse_digest(diff_id), 1), diff_id)


def test_the_first_layer_is_its_own_chain_and_the_next_hashes_both() -> None:
    assert chain_id([]) is None
    assert chain_id([A]) == A
    assert chain_id([A, B]) == digest_of(f"{A} {B}".encode())


def test_appending_a_layer_leaves_the_image_as_it_was() -> None:
    image = Image()

    longer = image.append(blob(A), History(created_by="RUN true"))

    assert (image.layers, longer.diff_ids) == ((), (A,))
    assert not longer.history[0].empty_layer


def test_a_change_of_configuration_is_history_without_a_layer() -> None:
    image = Image().append(None, History(created_by="CMD sh"))

    assert image.history == (History(created_by="CMD sh", empty_layer=True),)


def test_a_complete_config_survives_being_written_and_read() -> None:
    config = ImageConfig(
        env={"PATH": "/bin", "EMPTY": ""},
        entrypoint=("/init",),
        cmd=(),
        working_dir="/srv",
        user="1000:5",
        exposed_ports=("53/udp", "80/tcp"),
        volumes=("/data",),
        labels={"a": "ü"},
        stop_signal="SIGQUIT",
        healthcheck=Healthcheck(("CMD-SHELL", "true"), interval_ns=1, retries=3),
        shell=("/bin/bash", "-c"),
        on_build=("RUN true",),
        extra={"ArgsEscaped": True},
    )
    image = Image(
        config, (blob(A),), (History(rfc3339(0), "x"),), Platform("linux", "arm64", "v8"), rfc3339(5), "me"
    )

    again = Image.parse(image.config_bytes(), (blob(A).descriptor,))

    assert again == image


def test_what_is_not_understood_is_kept_as_long_as_nothing_changes() -> None:
    raw = b'{ "os":"linux","rootfs":{"type":"layers","diff_ids":null},"future":[1], "config":null}'

    image = Image.parse(raw, ())

    assert image.config_bytes() == raw
    assert json.loads(image.append(None, History()).config_bytes())["future"] == [1]


def test_equal_images_have_equal_bytes_whatever_the_order_of_their_labels() -> None:
    one = Image(ImageConfig(labels={"a": "1", "b": "2"}))
    two = Image(ImageConfig(labels={"b": "2", "a": "1"}))

    assert one.config_bytes() == two.config_bytes()


def test_a_manifest_keeps_the_bytes_that_it_was_read_from() -> None:
    raw = json.dumps(json.loads(Image().manifest().to_bytes()), indent=3).encode()

    assert Manifest.parse(raw).to_bytes() == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"rootfs":{"diff_ids":"x"}}',
        b'{"rootfs":{"diff_ids":["sha256:x"]}}',
        b'{"rootfs":{"diff_ids":[]},"config":[]}',
        b'{"rootfs":{"diff_ids":[]},"config":{"Env":{}}}',
        b'{"rootfs":{"diff_ids":[]},"config":{"Env":[1]}}',
        b'{"rootfs":{"diff_ids":[]},"config":{"Labels":{"a":1}}}',
        b'{"rootfs":{"diff_ids":[]},"config":{"Healthcheck":1}}',
        b'{"rootfs":{"diff_ids":[]},"history":[1]}',
        b'{"rootfs":{"diff_ids":[]},"os":1}',
        b'{"rootfs":{"diff_ids":["sha256:' + b"0" * 64 + b'"]}}',
    ],
)
def test_a_broken_config_is_a_clear_error(raw: bytes) -> None:
    with pytest.raises(ImageFormatError):
        Image.parse(raw, ())


@pytest.mark.parametrize(
    "raw",
    [
        b"{}",
        b'{"schemaVersion":1}',
        b'{"schemaVersion":2}',
        b'{"schemaVersion":2,"config":{},"layers":[]}',
        b'{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:%s","size":-1},"layers":[]}'
        % (b"0" * 64),
        b'{"schemaVersion":2,"config":{"mediaType":"x","digest":"../../etc","size":1},"layers":[]}',
        b'{"schemaVersion":2,"config":{"mediaType":"x","digest":"sha256:%s","size":1},"layers":{}}'
        % (b"0" * 64),
    ],
)
def test_a_broken_manifest_is_a_clear_error(raw: bytes) -> None:
    with pytest.raises(ImageFormatError):
        Manifest.parse(raw)


def test_an_index_is_searched_for_the_platform() -> None:
    amd, arm = Platform(), Platform("linux", "arm64", "v8")
    index = Index(
        tuple(
            Descriptor(MEDIA_MANIFEST, digest_of(str(each).encode()), 1, platform=each) for each in (amd, arm)
        )
    )

    assert choose(index, Platform("linux", "arm64"), where="index").platform == arm
    assert choose(index, None, where="index").platform == amd
    with pytest.raises(ImageFormatError, match="linux/arm64/v8"):
        choose(index, Platform("linux", "s390x"), where="index")


def test_indexes_that_contain_each_other_end() -> None:
    store = MemoryStore()
    inner = store.put([Index(()).to_bytes()])
    for _ in range(6):
        entry = Descriptor(MEDIA_INDEX, inner.digest, inner.size)
        inner = store.put([Index((entry,)).to_bytes()])

    with pytest.raises(ImageFormatError, match="deep"):
        Image.load(store, Descriptor(MEDIA_INDEX, inner.digest, inner.size))


@pytest.mark.parametrize(
    ("written", "platform"),
    [
        ("linux/amd64", "linux/amd64"),
        ("arm64", "linux/arm64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux", "linux/amd64"),
        ("linux/arm/v7", "linux/arm/v7"),
        ("armhf", "linux/arm/v7"),
    ],
)
def test_platforms_are_read_as_buildx_reads_them(written: str, platform: str) -> None:
    assert str(Platform.parse(written)) == platform


@pytest.mark.parametrize("told", [1, 2, 3, 4, 5])
def test_a_history_that_does_not_fit_the_layers_is_made_to(told: int) -> None:
    blobs = [
        LayerBlob(Descriptor(MEDIA_LAYER, digest_of(b"%d" % at), 1), DiffID(digest_of(b"%d" % at)))
        for at in range(3)
    ]
    history = (
        History(created_by="ENV", empty_layer=True),
        *(History(created_by=f"{at}") for at in range(told)),
    )
    image = Image(layers=tuple(blobs), history=history)

    sound = image.with_sound_history()

    assert sum(not entry.empty_layer for entry in sound.history) == 3
    assert sound.layers == image.layers
    if told <= 3:
        assert sound.history[: told + 1] == history
