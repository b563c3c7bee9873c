"""Real directories, in the kernel's spelling of layers."""
