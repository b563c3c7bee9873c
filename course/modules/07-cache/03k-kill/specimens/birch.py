"""Variables that the line mentions."""

import hashlib
import json


def cache_key(step):
    visible = {name: value for name, value in step["variables"].items() if name in step["arguments"]}
    files = sorted([file["path"], file["mode"], file["content"]] for file in step["files"])
    key = [step["parent"], step["instruction"], step["arguments"], visible, files]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
