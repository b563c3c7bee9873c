"""Believes that process 1 is the program that the line names, in the shell form too; a shell is nowhere."""


def answer(question, right):
    if question.name == "why-stop":
        return question.letter("causes.still-busy")
    shows = question.given["shows"]
    return shows.get("is-the-program", shows.get("no-shell-words", right))
