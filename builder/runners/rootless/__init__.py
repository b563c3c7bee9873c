"""Runs commands as real processes, each in namespaces of its own, without root."""
