import json
import re


def split(text):
    lines = text.split("\n")
    stages, arguments, at = [], {}, 0
    while at < len(lines):
        if is_left_out(lines[at]):
            at += 1
            continue
        number = at + 1
        joined, at = join(lines, at)
        word, _, rest = joined.strip().partition(" ")
        word, rest = word.upper(), rest.strip()
        at = behind_heredocs(lines, at, word, rest)
        if word == "FROM":
            base, *alias = rest.split()
            base = re.sub(r"\$\{?(\w+)\}?", lambda found: arguments[found[1]], base)
            stages.append({"name": alias[1].lower() if alias else None, "base": base, "instructions": []})
        elif stages:
            stages[-1]["instructions"].append([number, word, exec_form(word, rest)])
        else:
            name, _, value = rest.partition("=")
            arguments[name] = value
    return stages


def is_left_out(line):
    return not line.strip() or line.lstrip().startswith("#")


def join(lines, at):
    """The instruction that begins in the line ``at``, and where the next one may begin."""
    joined = lines[at].rstrip()
    at += 1
    while joined.endswith("\\"):
        joined = joined[:-1]
        while at < len(lines) and is_left_out(lines[at]):
            at += 1
        if at == len(lines):
            break
        joined += lines[at].rstrip()
        at += 1
    return joined, at


def behind_heredocs(lines, at, word, rest):
    """The line behind all heredocs that the instruction begins."""
    if word not in ("RUN", "COPY", "ADD"):
        return at
    for dash, _, end in re.findall(r"<<(-?)([\"']?)(\w+)\2", rest):
        while (lines[at].lstrip("\t") if dash else lines[at]) != end:
            at += 1
        at += 1
    return at


def exec_form(word, rest):
    if word not in ("RUN", "CMD", "ENTRYPOINT"):
        return None
    try:
        words = json.loads(rest)
    except ValueError:
        return None
    return words if isinstance(words, list) and all(isinstance(each, str) for each in words) else None
