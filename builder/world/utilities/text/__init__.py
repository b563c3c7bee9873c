"""Utilities that read text and print it."""
