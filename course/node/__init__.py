"""A node to play with: attacks of the graph, step by step, on a host that is files in memory."""
