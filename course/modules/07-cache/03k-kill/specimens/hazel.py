"""All that is in scope."""

import hashlib
import json


def cache_key(step):
    files = sorted([file["path"], file["mode"], file["content"]] for file in step["files"])
    key = [step["parent"], step["instruction"], step["arguments"], step["variables"], files]
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
