"""Takes what `ldd` prints for the list: neither the program nor the files behind links are in it."""


def answer(question, right):
    files = question.given["machine"].files
    hidden = {entry.link for entry in files.values() if entry.link} | set(right)
    return {program: [path for path in paths if path not in hidden] for program, paths in right.items()}
