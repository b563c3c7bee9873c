"""What exercises are made of: stacks and operations from a seed, and how they are written and replayed.

The same generator makes the problem and its key; the key is what the machine did.
"""
