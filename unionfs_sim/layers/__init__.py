"""Layers: what one changed, how a deletion is spelt in it, and what a stack of them shows."""
