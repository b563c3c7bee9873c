"""find: the files of a tree that an expression is true for."""
