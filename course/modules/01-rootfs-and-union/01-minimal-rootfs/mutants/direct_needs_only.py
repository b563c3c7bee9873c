"""Reads what the program needs, and not what its libraries need in turn."""


def answer(question, right):
    files = question.given["machine"].files
    direct = {}
    for program, paths in right.items():
        own = {soname for path in paths if "/lib" not in path for soname in files[path].needs}
        targets = {files[path].link for path in paths if path.rpartition("/")[2] in own}
        direct[program] = [
            path
            for path in paths
            if "/lib" not in path or "ld-linux" in path or path.rpartition("/")[2] in own or path in targets
        ]
    return direct
