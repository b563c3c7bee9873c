"""Plays Tekton pipelines: tasks in order, steps in the simulated world, images in the store."""
