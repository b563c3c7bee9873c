"""Runs one random sequence of file-system calls on the kernel's overlayfs and on the model, and compares."""
