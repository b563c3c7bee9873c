"""Words with variables, quotes and escapes: how they are cut and what they become."""
