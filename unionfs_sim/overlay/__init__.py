"""The union itself, one module for each thing that overlayfs does."""
