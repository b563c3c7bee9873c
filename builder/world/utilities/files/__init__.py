"""Utilities that make, move, show and remove files."""
