"""Believes that the first line that matches decides, as in a firewall."""

import re


def ignored(text, path):
    out = False
    for line in text.split("\n"):
        pattern = line.strip()
        if not pattern or line.startswith("#"):
            continue
        is_exception = pattern.startswith("!")
        if matches(pattern.removeprefix("!").strip().strip("/"), path):
            return not is_exception
    return out


def matches(pattern, path):
    """Whether the pattern matches the path, or a directory above it."""
    return re.fullmatch(translated(pattern) + "(/.*)?", path) is not None


def translated(pattern):
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            names = re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
            parts.append(names + "/")
    whole = "".join(parts)
    # `a/**` is all that lies below a, and not a itself; elsewhere the last slash is one too many.
    return whole.removesuffix("(?:[^/]+/)*") + ".+" if pattern.endswith("**") else whole.removesuffix("/")
