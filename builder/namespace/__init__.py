"""Everything that happens inside a namespace of its own: mounts that nobody else sees."""
