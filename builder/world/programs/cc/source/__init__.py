"""C text before it is compiled: tokens and the preprocessor."""
