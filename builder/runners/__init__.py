"""How a command is run in a root file system."""
