"""Utilities that work on the words of their command line."""
