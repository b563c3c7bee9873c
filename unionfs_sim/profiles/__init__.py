"""Unions that are not the kernel's: what fuse-overlayfs does, and unpacking without a union."""
