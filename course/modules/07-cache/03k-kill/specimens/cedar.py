"""One text of everything."""

import hashlib


def cache_key(step):
    text = step["parent"] + step["instruction"] + step["arguments"]
    if step["instruction"] == "RUN":
        text += "".join(name + value for name, value in sorted(step["variables"].items()))
    for file in sorted(step["files"], key=lambda file: file["path"]):
        text += oct(file["mode"]) + file["path"] + file["content"]
    return hashlib.sha256(text.encode()).hexdigest()
