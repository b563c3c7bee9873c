"""One module for each object of the API: which paths it answers, and what."""
