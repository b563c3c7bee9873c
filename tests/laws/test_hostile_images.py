"""An image that lies or reaches out is refused by every way in, and leaves neither a name nor a file behind.

The ways: a pull from a registry, a load of an OCI layout directory and of an archive of one.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from registry_stub import OPENED, Reply, registries, stub

from builder.errors import BuildError
from builder.image.compression import Limits
from builder.image.compressor import Compression, compress
from builder.image.digest import digest_of, hex_of
from builder.image.oci import (
    MEDIA_CONFIG,
    MEDIA_INDEX,
    MEDIA_LAYER_GZIP,
    MEDIA_MANIFEST,
    Platform,
    canonical_json,
)
from builder.image.reference import Reference
from builder.image.unpack import unpack_stack
from builder.image.validate import validate
from builder.stores.memory import MemoryStore
from builder.transport.load import load, opened
from builder.transport.registry.pull import pull
from unionfs_sim.layers.merge import merged

LIMIT = 3_000_000


@dataclass
class Member:
    """An entry of a tar, as Python's ``tarfile`` writes it: no name is too odd for it."""

    name: str
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    content: bytes = b"x"
    device: tuple[int, int] = (0, 0)


def tar(*members: Member) -> bytes:
    """A tar of the members, in their order."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as out:
        for member in members:
            header = tarfile.TarInfo(member.name)
            header.type, header.linkname = member.kind, member.link
            header.devmajor, header.devminor = member.device
            header.mode = 0o755
            is_file = member.kind == tarfile.REGTYPE
            header.size = len(member.content) if is_file else 0
            out.addfile(header, io.BytesIO(member.content) if is_file else None)
    return buffer.getvalue()


def gz(content: bytes) -> bytes:
    return b"".join(compress([content]))


@dataclass
class Offer:
    """An image on offer: blobs by digest, and what names it. A case makes it what it should not be."""

    layer: bytes = field(default_factory=lambda: tar(Member("etc/motd")))
    packed: bytes | None = None
    config: dict[str, Any] = field(default_factory=dict)
    manifest: dict[str, Any] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)

    def make(self) -> Offer:
        """Write what follows from the layer."""
        packed = gz(self.layer) if self.packed is None else self.packed
        self.config = {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(self.layer)]},
        }
        self.manifest = {
            "schemaVersion": 2,
            "mediaType": MEDIA_MANIFEST,
            "config": {},
            "layers": [self.add(packed, MEDIA_LAYER_GZIP)],
        }
        return self.tie()

    def add(self, content: bytes, media_type: str) -> dict[str, Any]:
        """Offer a blob; its descriptor."""
        digest = digest_of(content)
        self.blobs[digest] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content)}

    def tie(self, **config: Any) -> Offer:
        """Let config and manifest be what they say now."""
        self.manifest["config"] = {**self.add(canonical_json(self.config), MEDIA_CONFIG), **config}
        return self.name()

    def name(self) -> Offer:
        """Let the manifest be what it says now."""
        self.entry = self.add(canonical_json(self.manifest), str(self.manifest["mediaType"]))
        return self

    @property
    def first(self) -> dict[str, Any]:
        layer: dict[str, Any] = self.manifest["layers"][0]
        return layer


Way = Callable[[Offer, Path], tuple[MemoryStore, Any]]


def by_pull(offer: Offer, place: Path) -> tuple[MemoryStore, Any]:
    store = MemoryStore()
    with stub() as registry:
        for digest, content in offer.blobs.items():
            registry.table[f"/v2/web/blobs/{digest}"] = Reply(body=content)
            try:
                kind = json.loads(content)["mediaType"]
            except (ValueError, KeyError, TypeError):
                continue
            registry.table[f"/v2/web/manifests/{digest}"] = Reply(
                body=content, headers={"Content-Type": kind}
            )
        index = canonical_json({"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": [offer.entry]})
        registry.table["/v2/web/manifests/1"] = Reply(body=index, headers={"Content-Type": MEDIA_INDEX})
        reference = Reference.parse(f"{registry.host}/web:1")
        pulled = pull(store, registries(), reference, Platform(), limits=Limits(LIMIT))
        return store, pulled.manifest


def layout_of(offer: Offer, place: Path) -> Path:
    blobs = place / "layout/blobs/sha256"
    blobs.mkdir(parents=True)
    for digest, content in offer.blobs.items():
        (blobs / hex_of(digest)).write_bytes(content)
    (place / "layout/oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    entry = {**offer.entry, "annotations": {"org.opencontainers.image.ref.name": "web:1"}}
    (place / "layout/index.json").write_bytes(canonical_json({"schemaVersion": 2, "manifests": [entry]}))
    return place / "layout"


def by_layout(offer: Offer, place: Path) -> tuple[MemoryStore, Any]:
    return loaded(layout_of(offer, place))


def by_archive(offer: Offer, place: Path) -> tuple[MemoryStore, Any]:
    layout = layout_of(offer, place)
    with tarfile.open(place / "archive.tar", "w") as out:
        out.add(layout, ".")
    return loaded(place / "archive.tar")


def loaded(path: Path) -> tuple[MemoryStore, Any]:
    store = MemoryStore()
    with opened(str(path)) as source:
        (found,) = load(store, source, limits=Limits(LIMIT))
    return store, found.manifest


@pytest.fixture(params=[by_pull, by_layout, by_archive], ids=["pull", "layout", "archive"])
def way(request: pytest.FixtureRequest) -> Iterator[Way]:
    yield request.param
    while OPENED:
        OPENED.pop().http.close()


# ---- documents that lie ----


def other_bytes(offer: Offer) -> None:
    offer.blobs[offer.first["digest"]] = gz(tar(Member("etc/evil")))


def no_layer(offer: Offer) -> None:
    del offer.blobs[offer.first["digest"]]


def no_config(offer: Offer) -> None:
    del offer.blobs[offer.manifest["config"]["digest"]]


def no_manifest(offer: Offer) -> None:
    del offer.blobs[offer.entry["digest"]]


def larger_layer(offer: Offer) -> None:
    offer.first["size"] += 1
    offer.name()


def smaller_layer(offer: Offer) -> None:
    offer.first["size"] -= 1
    offer.name()


def other_config_size(offer: Offer) -> None:
    offer.manifest["config"]["size"] += 1
    offer.name()


def other_manifest_size(offer: Offer) -> None:
    offer.entry["size"] += 1


def other_diff_id(offer: Offer) -> None:
    offer.config["rootfs"]["diff_ids"] = [digest_of(b"else")]
    offer.tie()


def more_diff_ids(offer: Offer) -> None:
    offer.config["rootfs"]["diff_ids"] *= 2
    offer.tie()


def no_diff_ids(offer: Offer) -> None:
    offer.config["rootfs"]["diff_ids"] = []
    offer.tie()


def unknown_layer_type(offer: Offer) -> None:
    offer.first["mediaType"] = "application/x-squashfs"
    offer.name()


def layer_that_is_a_manifest(offer: Offer) -> None:
    offer.first["mediaType"] = MEDIA_MANIFEST
    offer.name()


def both_at_once(offer: Offer) -> None:
    offer.manifest["manifests"] = []
    offer.name()


def nested(offer: Offer) -> None:
    for _ in range(9):
        offer.manifest = {"schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": [offer.entry]}
        offer.name()


def index_of_itself_by_type(offer: Offer) -> None:
    offer.entry["mediaType"] = MEDIA_INDEX


def digest_that_is_a_path(offer: Offer) -> None:
    offer.first["digest"] = "sha256:../../../../etc/passwd"
    offer.name()


def digest_of_another_kind(offer: Offer) -> None:
    offer.first["digest"] = "md5:" + "0" * 32
    offer.name()


def truncated(offer: Offer) -> None:
    packed = gz(offer.layer)[:-9]
    offer.manifest["layers"] = [offer.add(packed, MEDIA_LAYER_GZIP)]
    offer.name()


def bomb(offer: Offer) -> None:
    big = bytes(LIMIT * 2)
    offer.config["rootfs"]["diff_ids"] = [digest_of(big)]
    offer.manifest["layers"] = [offer.add(gz(big), MEDIA_LAYER_GZIP)]
    offer.tie()


def zstd_bomb(offer: Offer) -> None:
    big = bytes(LIMIT * 2)
    packed = b"".join(compress([big], Compression.parse("zstd")))
    offer.config["rootfs"]["diff_ids"] = [digest_of(big)]
    offer.manifest["layers"] = [offer.add(packed, "application/vnd.oci.image.layer.v1.tar+zstd")]
    offer.tie()


LIES = [
    other_bytes,
    no_layer,
    no_config,
    no_manifest,
    larger_layer,
    smaller_layer,
    other_config_size,
    other_manifest_size,
    other_diff_id,
    more_diff_ids,
    no_diff_ids,
    unknown_layer_type,
    layer_that_is_a_manifest,
    both_at_once,
    nested,
    index_of_itself_by_type,
    digest_that_is_a_path,
    digest_of_another_kind,
    truncated,
    bomb,
    zstd_bomb,
]


def refuses(way: Way, offer: Offer, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way in raises a BuildError, gives no name, and writes nothing but what the test itself wrote."""
    tagged: list[object] = []
    monkeypatch.setattr(MemoryStore, "tag", lambda *named: tagged.append(named))
    (place / "work").mkdir()
    monkeypatch.chdir(place / "work")
    with pytest.raises(BuildError) as caught:
        way(offer, place)
    assert tagged == []
    assert str(caught.value).strip()
    assert os.listdir(place / "work") == []
    assert not {"evil", "outside"} & set(os.listdir(place))


def test_an_honest_image_comes_in(way: Way, tmp_path: Path) -> None:
    store, manifest = way(Offer().make(), tmp_path)

    assert validate(store, manifest) == []


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_a_document_that_lies_is_refused(
    way: Way, lie: Callable[[Offer], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer = Offer().make()
    lie(offer)

    refuses(way, offer, tmp_path, monkeypatch)


# ---- tars that reach out ----

SYM, HARD, DIR, CHAR = tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE

REACHING_OUT = {
    "upwards": [Member("../outside")],
    "upwards inside": [Member("a/../../outside")],
    "upwards from the root": [Member("/../outside")],
    "a directory upwards": [Member("..", DIR)],
    "through an absolute link": [Member("l", SYM, "/tmp"), Member("l/evil")],
    "through a relative link": [Member("l", SYM, ".."), Member("l/evil")],
    "through a link to a link": [Member("a", SYM, "b"), Member("b", SYM, "/"), Member("a/evil")],
    "through dev that is a link": [Member("dev", SYM, "/tmp"), Member("dev/evil")],
    "through etc that is a link": [Member("etc", SYM, "."), Member("etc/passwd")],
    "a hard link upwards": [Member("h", HARD, "../../etc/passwd")],
    "a hard link to what is not there": [Member("h", HARD, "/etc/passwd")],
    "a hard link through a link": [Member("l", SYM, "/etc"), Member("h", HARD, "l/passwd")],
    "a hard link relative to the working directory": [Member("h", HARD, "archive.tar")],
    "a hard link to a directory": [Member("d", DIR), Member("h", HARD, "d")],
    "a deletion upwards": [Member("../.wh.outside", content=b"")],
    "a deletion of the directory above": [Member(".wh...", content=b"")],
    "a deletion of nothing": [Member(".wh.", content=b"")],
    "an opaque marker through a link": [Member("l", SYM, "/"), Member("l/.wh..wh..opq", content=b"")],
    "below a file": [Member("f"), Member("f/evil")],
    "a name that is too long": [Member("n" * 256)],
    "a path that is too long": [Member("d/" * 2500 + "f")],
    "a device that means a deletion": [Member("gone", CHAR)],
    "a root that is no directory": [Member(".")],
}


@pytest.mark.parametrize("members", REACHING_OUT.values(), ids=REACHING_OUT)
def test_a_tar_that_reaches_out_is_refused(
    way: Way, members: list[Member], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses(way, Offer(layer=tar(*members)).make(), tmp_path, monkeypatch)


HARMLESS = {
    "an absolute name": ([Member("/etc/motd")], "/etc/motd"),
    "a name with dots": ([Member("./etc/./motd")], "/etc/motd"),
    "a link that points outside": ([Member("l", SYM, "/etc/passwd")], "/l"),
    "a device": ([Member("dev/null", CHAR, device=(1, 3))], "/dev/null"),
    "a hard link inside": ([Member("a/b"), Member("h", HARD, "a/b")], "/h"),
    "a deletion through a link": ([Member("l", SYM, "/"), Member("l/.wh.etc", content=b"")], "/l"),
    "dev that is a link": ([Member("dev", SYM, "/tmp")], "/dev"),
}


@pytest.mark.parametrize(("members", "path"), HARMLESS.values(), ids=HARMLESS)
def test_what_only_looks_dangerous_lands_inside(
    way: Way, members: list[Member], path: str, tmp_path: Path
) -> None:
    store, manifest = way(Offer(layer=tar(*members)).make(), tmp_path)

    from builder.image.image import Image

    merged(unpack_stack(store, Image.load(store, manifest).layers)).lstat(path)
