"""sed: a script, applied to lines."""
