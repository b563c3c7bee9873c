"""The standard library has a module for patterns."""

import fnmatch


def ignored(text, path):
    out = False
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pattern = line.strip().removeprefix("!").strip().strip("/")
            short = pattern.replace("**/", "")
            if any(fnmatch.fnmatchcase(path, each + end) for each in (pattern, short) for end in ("", "/*")):
                out = not line.strip().startswith("!")
    return out
