"""Takes for the size what the layer takes on disk once it is unpacked."""

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

    layers = [stored(gzip.compress(tar, mtime=0), LAYER) | {"size": len(tar)} for tar in tars]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": command},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in tars]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": stored(json.dumps(config).encode(), CONFIG),
        "layers": layers,
    }
    index = {"schemaVersion": 2, "manifests": [stored(json.dumps(manifest).encode(), MANIFEST)]}
    files["index.json"] = json.dumps(index).encode()
    files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
    return files
