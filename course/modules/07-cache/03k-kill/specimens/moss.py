"""Everything that a file has."""

import hashlib
import json


def cache_key(step):
    visible = step["variables"] if step["instruction"] == "RUN" else None
    files = sorted(sorted(file.items()) for file in step["files"])
    key = [step["parent"], step["instruction"], step["arguments"], visible, files]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
