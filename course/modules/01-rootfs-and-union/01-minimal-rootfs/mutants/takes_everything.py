"""Takes the whole machine, to be safe."""


def answer(question, right):
    return {program: sorted(question.given["machine"].files) for program in right}
