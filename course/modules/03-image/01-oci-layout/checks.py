"""Exercise 3.1: an image layout; what is in it is read and validated as the project reads any image."""

from __future__ import annotations

import gzip
import io
import json
import random
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from builder.errors import BuildError
from builder.image.digest import Digest, digest_of
from builder.image.image import Image
from builder.image.oci import (
    MEDIA_CONFIG,
    MEDIA_LAYER_GZIP,
    MEDIA_MANIFEST,
    Descriptor,
    Index,
    Manifest,
)
from builder.image.unpack import unpack_stack
from builder.image.validate import validate
from course.check import Call, Talk, Wrong, call
from course.problems.trees import as_layer, random_tree
from unionfs_sim import WHITEOUT, layer
from unionfs_sim.tar.pack import pack

BLOBS = "blobs/sha256/"


def cases(seed: str) -> Iterator[Talk]:
    etc = {"etc": {"motd": "hello\n"}}
    app = {"srv": {"app": "run\n" * 40}}
    dice = random.Random(seed)
    stacks = [
        ([packed(as_layer(etc))], ["cat", "/etc/motd"]),
        ([packed(as_layer(etc)), packed(as_layer(app))], ["/srv/app"]),
        ([packed(as_layer(etc)), packed(layer({"/etc/motd": WHITEOUT}).freeze())], ["/bin/sh"]),
        ([packed(as_layer(random_tree(dice, f"{n}\n"))) for n in range(dice.randint(2, 4))], ["/a", "b c"]),
    ]
    for group, check in CHECKS.items():
        for tars, command in stacks:
            yield Talk(group, asked(check, tars, command))


def packed(changes: Any) -> bytes:
    return b"".join(pack(changes))


@dataclass
class Files:
    """What a submission answered. Members raise BuildError as long as what leads to them is broken."""

    files: Mapping[str, bytes]
    tars: list[bytes]
    command: list[str]

    def open(self, digest: Digest) -> io.BytesIO:
        """A blob by its name: see BlobSource."""
        try:
            return io.BytesIO(self.files[BLOBS + digest.removeprefix("sha256:")])
        except KeyError:
            raise BuildError(f"{BLOBS}{digest.removeprefix('sha256:')}: no such file") from None

    @cached_property
    def to_manifest(self) -> Descriptor:
        listed = Index.parse(self.files.get("index.json", b""), where="index.json").manifests
        if len(listed) != 1:
            raise BuildError(f"index.json: {len(listed)} manifests")
        return listed[0]

    @cached_property
    def manifest(self) -> Manifest:
        return Manifest.parse(self.open(self.to_manifest.digest).read())

    @cached_property
    def image(self) -> Image:
        return Image.parse(self.open(self.manifest.config.digest).read(), self.manifest.layers)

    @property
    def descriptors(self) -> list[tuple[str, Descriptor]]:
        """Every descriptor and what it is of."""
        layers = [(f"layers[{number}]", each) for number, each in enumerate(self.manifest.layers)]
        return [("manifest", self.to_manifest), ("config", self.manifest.config), *layers]


def asked(check: Callable[[Files], Wrong | None], tars: list[bytes], command: list[str]):
    def script() -> Generator[Call, object, Wrong | None]:
        answer = yield call(tars, command)
        if not is_table(answer):
            return Wrong("no-table")
        try:
            return check(Files(answer, tars, command))  # type: ignore[arg-type]  # is_table() says so
        except BuildError as error:
            return Wrong("unreadable", shown=str(error))

    return script


def is_table(answer: object) -> bool:
    return isinstance(answer, dict) and all(isinstance(each, bytes) for each in answer.values())


def has_a_layout(found: Files) -> Wrong | None:
    """The two files by which everybody begins."""
    for name in ("oci-layout", "index.json"):
        if name not in found.files:
            return Wrong(shown=name)
    try:
        version = json.loads(found.files["oci-layout"])["imageLayoutVersion"]
    except (ValueError, KeyError, TypeError):
        version = None
    if version != "1.0.0":
        return Wrong("version", shown="oci-layout")
    try:
        _ = found.to_manifest
    except BuildError as error:
        return Wrong(shown=str(error))
    return None


def is_named_by_contents(found: Files) -> Wrong | None:
    """Every blob lies under its digest, and whatever is named is there."""
    for path, content in sorted(found.files.items()):
        if path in ("oci-layout", "index.json"):
            continue
        if re.fullmatch(re.escape(BLOBS) + "[0-9a-f]{64}", path) is None:
            return Wrong("place", shown=path)
        if digest_of(content).removeprefix("sha256:") != path.removeprefix(BLOBS):
            return Wrong(shown=f"{path}\nsha256sum: {digest_of(content).removeprefix('sha256:')}")
    for what, each in found.descriptors:
        if BLOBS + each.digest.removeprefix("sha256:") not in found.files:
            plain = each.digest in map(digest_of, found.tars)
            return Wrong("plain-digest" if plain else "dangling", shown=f"{what}: {each.digest}")
    return None


def says_sizes(found: Files) -> Wrong | None:
    """A descriptor's size is that of the blob."""
    for what, each in found.descriptors:
        size = len(found.open(each.digest).read())
        if size != each.size:
            plain = each.size in map(len, found.tars)
            return Wrong("plain-size" if plain else "", shown=f"{what}: size {each.size}, {size} B stored")
    return None


def says_types(found: Files) -> Wrong | None:
    """A descriptor says what the bytes are, and they are that."""
    wanted = {"manifest": MEDIA_MANIFEST, "config": MEDIA_CONFIG}
    for what, each in found.descriptors:
        if not each.media_type:
            return Wrong(shown=f"{what}: {json.dumps(each.document())}")
        if each.media_type != wanted.get(what, MEDIA_LAYER_GZIP):
            return Wrong("other-type", shown=f"{what}: {each.media_type}")
    for what, each in found.descriptors[2:]:
        if unzipped(found, each) is None:
            return Wrong("not-gzip", shown=what)
    return None


def unzipped(found: Files, each: Descriptor) -> bytes | None:
    try:
        return gzip.decompress(found.open(each.digest).read())
    except (OSError, EOFError, ValueError):
        return None


def lists_diff_ids(found: Files) -> Wrong | None:
    """The config names the uncompressed tars, base first, and the manifest's layers unpack to them."""
    right = [digest_of(tar) for tar in found.tars]
    said = list(found.image.diff_ids)
    if said != right:
        stored = [each.digest for each in found.manifest.layers]
        if said == stored:
            return Wrong("stored-bytes", shown=f"diff_ids: {said[0]}")
        return Wrong("order" if sorted(said) == sorted(right) else "", shown=f"diff_ids: {said}")
    for tar, each in zip(found.tars, found.manifest.layers, strict=True):
        if unzipped(found, each) != tar:
            return Wrong("order", shown=f"layers: {each.digest}")
    return None


def is_an_image(found: Files) -> Wrong | None:
    """The whole is valid, for the platform that was asked, and runs the command."""
    problems = validate(found, found.to_manifest)
    if problems:
        return Wrong("invalid", shown=problems[0])
    if str(found.image.platform) != "linux/amd64":
        return Wrong("platform", shown=str(found.image.platform))
    if list(found.image.config.cmd or ()) != found.command:
        return Wrong(shown=f"Cmd: {json.dumps(found.image.config.cmd)}")
    unpack_stack(found, found.image.layers)
    return None


CHECKS: dict[str, Callable[[Files], Wrong | None]] = {
    "layout": has_a_layout,
    "names": is_named_by_contents,
    "sizes": says_sizes,
    "media-types": says_types,
    "diff-ids": lists_diff_ids,
    "image": is_an_image,
}
