"""The notebooks' texts, one file a lesson and language, and their keys, one module a lesson.

A module has ``check()``: a ``Sealed`` answer for every question, worked out by building and running.
"""
