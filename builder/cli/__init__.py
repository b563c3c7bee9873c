"""One module a word of the command line; each has a ``command``."""
