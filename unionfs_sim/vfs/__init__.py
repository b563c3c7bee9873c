"""The verbs of ``os`` as the kernel does them: path walk, permissions, open files; written once."""
