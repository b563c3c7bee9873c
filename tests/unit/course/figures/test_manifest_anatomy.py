"""F7: the names in the picture are those that the documents and the bytes have."""

from __future__ import annotations

import gzip
import hashlib
import json

from builder.image.compressor import Compression, Method
from builder.image.image import Image
from course.figures import manifest_anatomy
from course.laboratory import Laboratory

DOCKERFILE = "FROM scratch\nCOPY a /a\nCOPY b /b\n"


def sha256(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def test_every_digest_is_that_of_the_bytes_it_names() -> None:
    laboratory = Laboratory()
    built = laboratory.build(DOCKERFILE, {"a": "1", "b": "2"})
    image = laboratory.stored(built)
    spec = manifest_anatomy.spec(image, "web:latest")

    manifest = image.manifest().to_bytes()
    assert spec["manifest"]["digest"] == sha256(manifest)
    assert spec["config"]["digest"] == sha256(image.config_bytes())
    assert [layer["digest"] for layer in spec["layers"]] == [
        layer["digest"] for layer in json.loads(manifest)["layers"]
    ]
    diff_ids = json.loads(image.config_bytes())["rootfs"]["diff_ids"]
    assert [layer["diff_id"] for layer in spec["layers"]] == diff_ids
    assert [layer["chain_id"] for layer in spec["layers"]] == [
        diff_ids[0],
        sha256(f"{diff_ids[0]} {diff_ids[1]}".encode()),
    ]


def test_a_compressed_layer_has_two_digests_and_a_plain_one_has_one() -> None:
    laboratory = Laboratory()
    built = laboratory.build(DOCKERFILE, {"a": "1", "b": "2"})

    pressed = manifest_anatomy.as_text(manifest_anatomy.spec(laboratory.stored(built), "web"))
    plain = manifest_anatomy.as_text(
        manifest_anatomy.spec(laboratory.stored(built, Compression(Method.NONE)), "web")
    )

    assert "the same" not in pressed
    assert plain.count("(the same: it is not compressed)") == 2


def test_what_is_stored_is_the_layer() -> None:
    laboratory = Laboratory()
    built = laboratory.build(DOCKERFILE, {"a": "1", "b": "2"})
    (layer, _) = laboratory.stored(built).layers

    from builder.image.compression import pieces
    from builder.image.compressor import compress

    with laboratory.store.open(built.image.layers[0].descriptor.digest) as tar:
        raw = b"".join(compress(pieces(tar)))
    assert layer.descriptor.digest == sha256(raw)
    assert sha256(gzip.decompress(raw)) == layer.diff_id


def test_mermaid_has_an_arrow_for_every_digest_that_is_written_down() -> None:
    laboratory = Laboratory()
    image = laboratory.stored(laboratory.build(DOCKERFILE, {"a": "1", "b": "2"}))
    text = manifest_anatomy.as_mermaid(manifest_anatomy.spec(image, "web:latest"))

    assert text.count("-->") == 5  # name, index, manifest; two layers
    assert text.count(".->") == 2


def test_an_image_without_layers_is_a_picture_too() -> None:
    assert "no layer" in manifest_anatomy.as_svg(manifest_anatomy.spec(Image(), "empty"))
