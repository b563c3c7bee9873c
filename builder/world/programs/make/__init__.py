"""make(1) for ordinary small makefiles."""
