"""Ways to build: which snapshotter meets which runner, and what each would hold in its hands.

A strategy changes how an image is built, never what is built. One module defines one strategy.
"""
