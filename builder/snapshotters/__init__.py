"""Stacks of layers to root file systems, and changed roots to layers."""
