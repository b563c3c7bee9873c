"""Believes that a line that did not change is a line that need not run."""


def cache_key(step):
    variables = sorted(step["variables"].items()) if step["instruction"] == "RUN" else []
    return f"{step['parent']} {step['instruction']} {step['arguments']} {variables}"
