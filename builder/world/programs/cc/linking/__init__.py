"""Objects and archives put together, and what else is done with them."""
