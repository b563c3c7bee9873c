"""Takes an opaque directory for a deleted one: it is removed, and not made again."""


def answer(question, right):
    made_again = {line.removeprefix("rm -r ") for line in right if line.startswith("rm -r ")}
    return [line for line in right if not any(path in line for path in made_again) or line.startswith("rm")]
