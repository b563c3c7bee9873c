"""Hashes a document, and then writes it more nicely: digests are of bytes, not of values."""

import gzip
import hashlib
import json

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def layout(tars, command):
    files = {}

    def stored(content, media_type):
        files["blobs/sha256/" + hashlib.sha256(content).hexdigest()] = content
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    def nicely(document, media_type):
        descriptor = stored(json.dumps(document).encode(), media_type)
        name = descriptor["digest"].removeprefix("sha256:")
        files["blobs/sha256/" + name] = json.dumps(document, indent=2).encode()
        return descriptor | {"size": len(files["blobs/sha256/" + name])}

    layers = [stored(gzip.compress(tar, mtime=0), LAYER) for tar in tars]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in tars]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": nicely(config, CONFIG),
        "layers": layers,
    }
    index = {"schemaVersion": 2, "manifests": [stored(json.dumps(manifest).encode(), MANIFEST)]}
    files["index.json"] = json.dumps(index).encode()
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return files
