"""Runs a submission in another process and scores what it answers.

worker.py is the other process, sandbox.py the walls around it, wire.py the talk between the two, grade.py
the score, report.py how it is told.
"""
