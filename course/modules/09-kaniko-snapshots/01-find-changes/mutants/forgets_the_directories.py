"""Names only what changed itself."""


def changes(before, after):
    found = set()
    for path, entry in after.items():
        if before.get(path) != entry:
            found.add(name(path, entry))
    for path in before:
        parent = path.rpartition("/")[0]
        if path in after or (parent and parent not in after):
            continue  # still there, or gone with its directory
        if parent and after[parent]["kind"] != "dir":
            continue  # nothing can lie in it any more
        found.add(mark(path))
    return sorted(found)


def name(path, entry):
    return path[1:] + ("/" if entry["kind"] == "dir" else "")


def mark(path):
    parent, _, last = path.rpartition("/")
    return f"{parent}/.wh.{last}"[1:]


def above(path):
    """The directories that lead to the path, without the root."""
    parts = path.split("/")[1:-1]
    return ["/".join(parts[: number + 1]) + "/" for number in range(len(parts))]
