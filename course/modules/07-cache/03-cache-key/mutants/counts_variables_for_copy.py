"""Lets every build argument spoil every step after it, whether it can see it or not."""

import hashlib
import json


def cache_key(step):
    key = {
        "parent": step["parent"],
        "instruction": step["instruction"],
        "arguments": step["arguments"],
        "variables": step["variables"],
        "files": sorted([file["path"], file["mode"], file["content"]] for file in step["files"]),
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
