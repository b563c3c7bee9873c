"""F7: how the documents of an image name each other by digests: index, manifest, configuration, layers."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from builder.image.digest import ChainID, chained, digest_of, short
from builder.image.image import Image
from builder.image.oci import Descriptor, Index
from course.figures import mpl, svg
from course.figures.manifest_anatomy_layout import lay_out
from course.figures.picture import Picture
from course.figures.scene import Scene
from course.figures.stage_graph_layout import bytes_text
from course.figures.words import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Spec: TypeAlias = Mapping[str, Any]


def of(image: Image, reference: str) -> Picture:
    """The figure of an image as it is stored under ``reference``; see ``spec``."""
    return Picture(sys.modules[__name__], spec(image, reference))


def spec(image: Image, reference: str) -> dict[str, Any]:
    """The facts of the figure: each document with its digest, bytes and media type.

    A layer has three names: the digest of the bytes as they are stored, the diff_id of its uncompressed tar,
    and the chain_id of the stack that ends with it (OCI image-spec config.md).
    """
    manifest = image.manifest()
    raw = manifest.to_bytes()
    described = Descriptor(manifest.media_type, digest_of(raw), len(raw), platform=image.platform)
    index = Index((described,))
    listed = index.to_bytes()
    layers = []
    made_by = [entry.created_by for entry in image.history if not entry.empty_layer]
    below: ChainID | None = None
    for number, layer in enumerate(image.layers):
        below = chained(below, layer.diff_id)
        layers.append(
            {
                "text": made_by[number] if number < len(made_by) else "",
                "digest": layer.descriptor.digest,
                "bytes": layer.descriptor.size,
                "media": layer.descriptor.media_type,
                "diff_id": layer.diff_id,
                "chain_id": below,
            }
        )
    return {
        "figure": "manifest-anatomy",
        "reference": reference,
        "index": {"digest": digest_of(listed), "bytes": len(listed), "media": index.media_type},
        "manifest": {"digest": described.digest, "bytes": described.size, "media": described.media_type},
        "config": {
            "digest": manifest.config.digest,
            "bytes": manifest.config.size,
            "media": manifest.config.media_type,
        },
        "layers": layers,
    }


def draw(spec: Spec, *, ax: Axes | None = None) -> Axes:
    """The figure on matplotlib axes (new ones if ``ax`` is None)."""
    return mpl.render(scene(spec), ax=ax)


def as_svg(spec: Spec, *, prefix: str = "f7") -> str:
    """The figure as an SVG element."""
    return svg.render(scene(spec), prefix=prefix)


def as_text(spec: Spec) -> str:
    """The figure as lines: who names whom, and the three names of every layer."""
    say = words(spec)
    made = [f"{spec['reference']} → {say('figures.anatomy.index')} {_told(spec['index'])}"]
    made.append(f"  → {say('figures.anatomy.manifest')} {_told(spec['manifest'])}")
    made.append(f"    → {say('figures.anatomy.config')} {_told(spec['config'])}")
    for layer in spec["layers"]:
        made.append(f"    → {say('figures.anatomy.layer')} {_told(layer)}  {layer['text']}")
        made.append(f"        diff_id  {short(layer['diff_id'])}{_same(layer, say)}")
        made.append(f"        chain_id {short(layer['chain_id'])}")
    return "\n".join(made)


def _told(document: Mapping[str, Any]) -> str:
    return f"{short(document['digest'])}, {bytes_text(document['bytes'])}"


def _same(layer: Mapping[str, Any], say: Any) -> str:
    told = " " + str(say("figures.anatomy.same"))
    return told if layer["diff_id"] == layer["digest"] else ""


def as_mermaid(spec: Spec) -> str:
    """The figure as a Mermaid flowchart: an arrow is a digest that is written down."""
    say = words(spec)
    made = ["flowchart LR", f'  r(["{spec["reference"]}"]) --> i']
    for name, letter in (("index", "i"), ("manifest", "m"), ("config", "c")):
        made.append(f'  {letter}["{say(f"figures.anatomy.{name}")}<br/>{_told(spec[name])}"]')
    made += ["  i --> m", "  m --> c"]
    for number, layer in enumerate(spec["layers"]):
        made.append(f'  l{number}["{say("figures.anatomy.layer")} {number}<br/>{_told(layer)}"]')
        made.append(f"  m --> l{number}")
        made.append(f'  c -. "diff_id {short(layer["diff_id"])}" .-> l{number}')
    return "\n".join(made) + "\n"


def scene(spec: Spec) -> Scene:
    """The figure laid out."""
    return lay_out(spec, as_text(spec))
