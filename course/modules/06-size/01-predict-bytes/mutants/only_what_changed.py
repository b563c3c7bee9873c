"""Believes that a layer holds differences inside of files: an append weighs what was appended."""


def answer(question, right):
    return question.given["changed"] if question.group == "whole" else right
