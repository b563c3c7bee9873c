"""Tekton Pipelines 1.15 offline: what its API server and its webhook would say, and the pods it would make.

``check`` is the door; ``write`` makes the pipeline of a project. Imports nothing of the builder but errors.
"""
