"""Programs that make and remove users and groups."""
