"""Believes that a time tells of every change: whatever changes gets a new one."""


def answer(question, right):
    return question.given["shows"].get("time-sees-it", right)
