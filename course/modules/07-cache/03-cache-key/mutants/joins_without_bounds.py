"""Strings everything together: where one value ends and the next begins is lost."""

import hashlib


def cache_key(step):
    words = [step["parent"], step["instruction"], step["arguments"]]
    if step["instruction"] == "RUN":
        words += [f"{name}={value}" for name, value in sorted(step["variables"].items())]
    for file in sorted(step["files"], key=lambda file: file["path"]):
        words += [oct(file["mode"]), file["path"], file["content"]]
    return hashlib.sha256("".join(words).encode()).hexdigest()
