"""Package repositories: packages described in text, and the databases of what is installed."""
