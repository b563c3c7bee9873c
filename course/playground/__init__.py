"""``layerlab fs``: a shell on a union of layers, which says after each line what changed and what it cost."""
