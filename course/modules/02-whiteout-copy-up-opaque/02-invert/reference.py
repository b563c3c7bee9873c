"""Reads an upper from the top down: what each entry says was done."""

from course.problems.listing import entries


def answer(question):
    upper = entries(question.given["upper"])
    lower = {path: kind for layer in question.given["lowers"] for path, kind in entries(layer).items()}
    lines = []
    for path, kind in upper.items():
        if kind == "whiteout":
            lines.append(f"rm -r {path}")
        elif kind == "opaque dir":
            lines += [f"rm -r {path}", f"mkdir {path}"]
        elif kind == "dir" and path not in lower:
            lines.append(f"mkdir {path}")
        elif kind == "file":
            fresh = path not in lower or any(
                path.startswith(above + "/") for above, mark in upper.items() if mark == "opaque dir"
            )
            lines.append(f"echo text > {path}" if fresh else f"chmod 640 {path}")
    # Directories come up with the first change below them: one more is needed if there is none.
    for path, kind in upper.items():
        if kind == "dir" and path in lower and not any(other.startswith(path + "/") for other in upper):
            lines.append(f"chmod 750 {path}")
    return lines
