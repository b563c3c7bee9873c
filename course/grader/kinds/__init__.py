"""The kinds of exercises: one module each, loaded when an exercise of the kind is asked for."""
