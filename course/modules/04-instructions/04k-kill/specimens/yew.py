"""A name is a name, wherever it stands."""

import re


def ignored(text, path):
    out = False
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            pattern = line.strip().removeprefix("!").strip().strip("/")
            regex = re.escape(pattern)
            for sign, meaning in ((r"\*\*/", "(.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
                regex = regex.replace(sign, meaning)
            above = "" if "/" in pattern else "(.*/)?"
            if re.fullmatch(f"{above}{regex}(/.*)?", path):
                out = not line.strip().startswith("!")
    return out
