"""The line, what it stands on, and which files it takes."""

import hashlib
import json


def cache_key(step):
    visible = step["variables"] if step["instruction"] == "RUN" else None
    names = sorted([file["path"], file["mode"], len(file["content"])] for file in step["files"])
    key = [step["parent"], step["instruction"], step["arguments"], visible, names]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
