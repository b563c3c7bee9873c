"""The simulated C compiler, linker and loader: a subset of C, executed honestly or refused by name."""
