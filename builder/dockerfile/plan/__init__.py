"""Instructions → stages: what a target needs, from which images it starts, which variables are seen where."""
