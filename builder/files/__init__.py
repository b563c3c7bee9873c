"""Files that several processes write: locks, and names that a file has only when it is whole."""
