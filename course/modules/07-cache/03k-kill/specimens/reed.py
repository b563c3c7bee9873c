"""Names and contents."""

import hashlib
import json


def cache_key(step):
    visible = step["variables"] if step["instruction"] == "RUN" else None
    files = sorted([file["path"], file["content"]] for file in step["files"])
    key = [step["parent"], step["instruction"], step["arguments"], visible, files]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
