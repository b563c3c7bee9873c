"""Containers: what was asked of one, what it prints, its life, and all of them by name."""
