"""What is mounted in a pod that is played: volumes and workspaces as trees in memory."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.errors import BuildError
from builder.pipeline.order import Part
from builder.security.tekton.reading import Manifest, items, mapping, text
from builder.world.machine.attachments import Attachment
from unionfs_sim.layers.layer import Layer

_CREDENTIALS: Final = b'{"auths": {}}\n'
_SHARED: Final = ("persistentVolumeClaim", "volumeClaimTemplate")
_SIMULATED: Final = (*_SHARED, "emptyDir", "secret", "configMap")


def empty_tree() -> Layer:
    """A new volume, where everybody may write."""
    found = Layer()
    found.chmod("/", 0o777)
    return found


def make_directories(tree: Layer, path: str) -> None:
    """A directory with its parents, where everybody may write."""
    made = ""
    for name in path.strip("/").split("/"):
        made += f"/{name}"
        if name and not tree.exists(made):
            tree.mkdir(made, 0o777)
            tree.chmod(made, 0o777)


@dataclass(frozen=True, slots=True)
class Volume:
    """A tree and the directory of it that is meant."""

    tree: Layer
    path: str = "/"
    read_only: bool = False

    def at(self, target: str, sub_path: str, *, read_only: bool) -> Attachment:
        """The volume as it stands at ``target``; BuildError for a place that the kubelet refuses."""
        target = posixpath.normpath(f"/{target.lstrip('/')}")
        if ".." in sub_path.split("/") or ".." in self.path.split("/"):
            raise BuildError(f"the subPath of what is mounted at {target} leads out of its volume")
        path = "/" + "/".join(part for part in (self.path.strip("/"), sub_path.strip("/")) if part)
        make_directories(self.tree, path)
        return Attachment(target, self.tree, path, read_only or self.read_only)


@dataclass(slots=True)
class Volumes:
    """The volumes of one run. A claim is one volume for all tasks, an emptyDir another one for each.

    ``files``: kind and name of ConfigMaps and Secrets → what they hold.
    """

    files: Mapping[tuple[str, str], Mapping[str, bytes]] = field(default_factory=dict)
    _claims: dict[str, Layer] = field(default_factory=dict)

    def bound(self, name: str, binding: Manifest) -> Volume:
        """What a workspace is bound to, for one task."""
        tree = self._tree(name, binding)
        return Volume(tree, text(binding, "subPath") or "/", "secret" in binding or "configMap" in binding)

    def of_task(self, part: Part, index: int) -> Volume:
        """A volume that a task lists."""
        written = part.value["volumes"][index]
        source = next((key for key in written if key != "name"), "emptyDir")
        if source not in _SIMULATED:
            raise part.refused(f"volumes of kind {source}", "volumes", index, source)
        return Volume(self._tree(text(written, "name"), written), "/", source in ("secret", "configMap"))

    def _tree(self, name: str, binding: Manifest) -> Layer:
        if any(each in binding for each in _SHARED):
            claim = text(mapping(binding, "persistentVolumeClaim"), "claimName") or f"of {name}"
            return self._claims.setdefault(claim, empty_tree())
        if "secret" in binding:
            written = mapping(binding, "secret")
            known = self.files.get(("Secret", text(written, "secretName")))
            # Of a Secret that no file has: what looks like a registry's credentials, and opens nothing.
            usual = dict.fromkeys((".dockerconfigjson", "config.json"), _CREDENTIALS)
            return _projected(written, usual if known is None else known)
        if "configMap" in binding:
            written = mapping(binding, "configMap")
            return _projected(written, self.files.get(("ConfigMap", text(written, "name")), {}))
        return empty_tree()


def _projected(written: Manifest, held: Mapping[str, bytes]) -> Layer:
    """A volume of a ConfigMap or Secret: every key a file, or those that are listed, under other names."""
    tree = empty_tree()
    listed = {text(each, "path"): text(each, "key") for _, each in items(written, "items")}
    for path, key in (listed or {key: key for key in held}).items():
        make_directories(tree, path.rpartition("/")[0])
        tree.write_bytes(f"/{path}", held.get(key, _CREDENTIALS), 0o644)
    tree.chmod("/", 0o755)
    return tree
