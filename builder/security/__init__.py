"""Which powers each way of building holds."""
