"""Upper → layer tar → umoci → the same tree, for random stacks with awkward names and deletions."""

from __future__ import annotations

import io
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builder.image.digest import DiffID
from builder.image.image import History, Image, ImageConfig, LayerBlob, rfc3339
from builder.image.oci import MEDIA_LAYER, Descriptor
from builder.image.reference import Reference
from builder.stores.memory import MemoryStore
from builder.transport.output import Output
from builder.transport.save import Named, export
from unionfs_sim import WHITEOUT, Dir, File, Hardlink, Layer, Profile, Symlink, layer, mount
from unionfs_sim.host.layer import read_directory
from unionfs_sim.layers.merge import merged
from unionfs_sim.tar.pack import pack, read_layer

pytestmark = [pytest.mark.kernel, pytest.mark.tools("umoci")]

AWKWARD = ("a", "new\nline", "\udcff\udcfe", "n" * 255, "-", " ")
"""Names that tools stumble over; the longest cannot be deleted, for a marker is longer by four bytes."""


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """One layer of two levels."""
    found: dict[str, object] = {}
    for name in draw(st.lists(st.sampled_from(AWKWARD), unique=True, max_size=4)):
        deletable = [WHITEOUT] if len(name) <= 251 else []
        kind = draw(st.sampled_from(["file", "directory", "symlink", *("whiteout" for _ in deletable)]))
        if kind == "directory":
            found[f"/{name}"] = Dir(mode=draw(st.sampled_from([0o755, 0o700])), opaque=draw(st.booleans()))
            for inner in draw(st.lists(st.sampled_from(AWKWARD), unique=True, max_size=2)):
                found[f"/{name}/{inner}"] = File(draw(st.binary(max_size=3)), mode=0o640, uid=7)
        else:
            found[f"/{name}"] = {"file": File(name), "symlink": Symlink("a"), "whiteout": WHITEOUT}[kind]
    files = [path for path, value in found.items() if isinstance(value, File)]
    if files and draw(st.booleans()):
        found["/link"] = Hardlink(draw(st.sampled_from(files)))
    made = layer(found)
    if draw(st.integers(0, 5)) == 0:
        made.setxattr("/", "trusted.overlay.opaque", b"y")
    return made


def unpacked(stack: list[Layer], folder: Path) -> Layer:
    """What umoci makes of an image of these layers."""
    store = MemoryStore()
    image = Image(ImageConfig(), created=rfc3339(0))
    for each in stack:
        stored = store.put(pack(each, latest_ns=0))
        blob = LayerBlob(Descriptor(MEDIA_LAYER, stored.digest, stored.size), DiffID(stored.digest))
        image = image.append(blob, History(rfc3339(0), "RUN"))
    store.put([image.config_bytes()])
    manifest = image.manifest()
    stored = store.put([manifest.to_bytes()])
    named = Named(
        Descriptor(manifest.media_type, stored.digest, stored.size), (Reference.parse("localhost/x:1"),)
    )
    export(store, [named], Output.parse(f"type=oci,tar=false,dest={folder}/oci"))
    subprocess.run(
        ["umoci", "unpack", "--image", f"{folder}/oci:1", f"{folder}/bundle"], check=True, capture_output=True
    )
    return read_directory(f"{folder}/bundle/rootfs")


@settings(max_examples=25)
@given(st.lists(layers(), min_size=1, max_size=3))
def test_umoci_makes_of_the_tars_what_the_unpacking_profile_shows(stack: list[Layer]) -> None:
    below: list[Layer] = []
    for each in stack:
        below.append(read_layer(io.BytesIO(b"".join(pack(each, latest_ns=0))), below=merged(below)))
    union = mount(below, profile=Profile.OCI_UNPACK)
    with tempfile.TemporaryDirectory() as folder:
        tree = unpacked(stack, Path(folder))

    assert union.upper == tree
