"""Believes that only contents count: a chmod is lost."""

import hashlib
import json


def cache_key(step):
    key = {
        "parent": step["parent"],
        "instruction": step["instruction"],
        "arguments": step["arguments"],
        # RUN sees every build argument in scope as a variable; COPY was expanded before.
        "variables": step["variables"] if step["instruction"] == "RUN" else {},
        "files": sorted([file["path"], file["content"]] for file in step["files"]),
    }
    return hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
