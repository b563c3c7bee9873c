"""Layers as tar archives: an upper → the entries of a layer, and back."""
