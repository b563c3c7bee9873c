"""Takes for ignored whatever begins with the same signs."""

import fnmatch


def reset(root, base, ignored):
    patterns = [names(path) for path in ignored]
    kept = [path for path in root if is_covered(path, patterns) or leads_there(path, patterns)]
    unpacked = [path for path in base if not is_covered(path, patterns)]
    return sorted({*kept, *unpacked})


def names(path):
    return path.strip("/").split("/")


def agree(parts, pattern):
    return all(fnmatch.fnmatchcase(part, each) for part, each in zip(parts, pattern, strict=False))


def is_covered(path, patterns):
    """Whether the path is ignored, or lies below what is."""
    if any(path.startswith("/" + "/".join(pattern)) for pattern in patterns):
        return True
    parts = names(path)
    return any(len(parts) >= len(pattern) and agree(parts, pattern) for pattern in patterns)


def leads_there(path, patterns):
    """Whether something ignored may lie below the directory."""
    parts = names(path)
    return path.endswith("/") and any(
        len(parts) < len(pattern) and agree(parts, pattern) for pattern in patterns
    )
