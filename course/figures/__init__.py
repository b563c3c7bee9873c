"""Pictures of layers and builds: each figure is data first (``spec()``), then drawn."""
