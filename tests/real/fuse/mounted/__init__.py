"""The differential test once more, with the model behind a FUSE mount; calls go through the kernel's VFS."""
