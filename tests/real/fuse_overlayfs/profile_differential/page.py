"""The page docs/profiles.md."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from differential.page import table

from .facts import FACTS

if TYPE_CHECKING:
    from .run import Compared

_IN_TREE: Final = re.compile(r"/\S*:(f|d|l|p|s|c|b|wh)$|empty$")
INTRODUCTION: Final = """# Three ways to show layers as one tree

`mount(…, profile=Profile.KERNEL)` is overlayfs of Linux (docs/fidelity.md). Two others stand beside it, for
the same layers: `Profile.FUSE_OVERLAYFS` is fuse-overlayfs 1.10, which rootless podman and buildah can mount;
`Profile.OCI_UNPACK` is no union at all: every layer is applied to one plain tree, as image tools unpack an
image. `layerlab fs shell --profile fuse-overlayfs` plays with one.

This page is written by `python tests/real/fuse_overlayfs/profiles.py --write` (as root, with /dev/fuse).

- Without root, fuse-overlayfs writes what it writes with root, but for the attribute of opaque directories:
  `user.fuseoverlayfs.opaque` instead of `trusted.overlay.opaque` (mount with `Options(userxattr=True)`).
  Whiteouts are devices 0:0 there too, since Linux 5.8 lets everybody make those.
- Where no device can be made (older kernels, some file systems), a deletion is a file `.wh.NAME`:
  `Profile.FUSE_OVERLAYFS_NODEV`. Observed by a preloaded `mknodat` that fails with EPERM.
- `index`, `metacopy` and `xino` are ignored, `redirect_dir=on` is refused.
- Unpacking leaves no upper, so the table shows only what the calls answer there; layers are taken as they
  are (an importer has read `.wh.` before). What changed later can only be found by comparing two trees.
"""


def page(answers: Mapping[str, Sequence[str]], rows: Sequence[tuple[str, Compared]], seed: int) -> str:
    """The whole page."""
    return "\n".join(
        [
            INTRODUCTION,
            "## The same layers, the same calls",
            "",
            "An answer is the value or errno of each call, then what the upper holds: f a file, d a "
            "directory, l a symlink, wh a whiteout, marks in braces.",
            "",
            *_facts(answers),
            "",
            "## Random calls against fuse-overlayfs",
            "",
            *_rates(rows, seed),
            "",
        ]
    )


def _facts(answers: Mapping[str, Sequence[str]]) -> list[str]:
    rows = []
    for number, fact in enumerate(FACTS):
        real, without_root = answers["fuse-overlayfs"][number], answers["rootless"][number]
        same = real if without_root == real else f"{_code(real)}; without root {_code(without_root)}"
        model = answers["model:fuse-overlayfs"][number]
        followed = "yes" if model == real else "no" if not fact.is_followed else f"**no**: {_code(model)}"
        kernel = answers["kernel"][number]
        unpacked = answers["model:oci-unpack"][number]
        rows.append(
            (
                fact.sentence,
                _code(kernel),
                _code(same) if same == real else same,
                followed,
                _code(" ".join(word for word in unpacked.split(" ") if not _IN_TREE.match(word))),
            )
        )
    return table(("what is done", "kernel", "fuse-overlayfs 1.10", "model alike", "oci-unpack"), rows)


def _code(text: str) -> str:
    if text.startswith("cannot be asked"):
        return "cannot be asked"
    return f"`{text}`" if text.strip() else "ok"


def _rates(rows: Sequence[tuple[str, Compared]], seed: int) -> list[str]:
    listed = []
    for name, found in rows:
        kinds = sorted(found.kinds.items(), key=lambda item: -item[1])[:5]
        words = ", ".join(f"{kind} {count}" for kind, count in kinds)
        listed.append((name, found.calls, found.stacks, found.divergences, round(found.rate), words))
    return [
        f"Seed {seed}. Each stack is played on fuse-overlayfs (mounted with `timeout=0`) and on the model "
        "until they differ or it ends; a difference counts once, and the next stack begins.",
        "",
        *table(("model", "calls", "stacks", "differences", "per 100,000 calls", "most in"), listed),
        "",
        "Left out for both: inode and device numbers, link counts of files, access times, blocks; names "
        "longer than 251 bytes (a copy-up of such a lower file crashes fuse-overlayfs), names that begin "
        "with `.wh.`, devices, statvfs, seeking in directories, listing attributes as another than root "
        "(fuse-overlayfs lists `trusted.` to everybody), setuid bits of mknod.",
        "",
        "What remains, in short: whether a rename leaves a whiteout (it depends on what the program has "
        "cached since it was mounted), setuid bits over copy-up and write, hard links in lower layers (which "
        "name is copied up depends on what was looked up before), opening with O_APPEND for reading (copies "
        "up), symlinks of a lower layer below a directory of a higher one (they are followed), and fifos (a "
        "copy-up makes regular files of them).",
    ]
