"""Begins a second stage, and goes on where the first one ended."""


def answer(question, right):
    lines = question.given["lines"]
    return [*lines[:5], lines[8], *lines[6:8]]
