"""The conditions under which a task or step runs (Tekton, docs/pipelines.md, "when")."""

from __future__ import annotations

from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path
from builder.security.tekton.reading import Manifest, items, text


def conditions(holder: Manifest, features: Features) -> list[Finding]:
    """What is wrong with ``holder``'s ``when``, but for the variables in it."""
    found: list[Finding] = []
    for index, expression in items(holder, "when"):
        path: Path = ("when", index)
        if text(expression, "cel"):
            found += features.lacking(Features.ALPHA, "cel in when", (*path, "cel"))
            if any(expression.get(key) for key in ("input", "operator", "values")):
                found.append(Finding("when", path, "cel stands alone: without input, operator and values"))
            continue
        operator = expression.get("operator")
        if operator not in ("in", "notin"):
            fix = "write input, operator: in (or notin) and values"
            what = "the condition has no operator" if operator is None else f"the operator is {operator!r}"
            found.append(Finding("when", (*path, "operator") if operator is not None else path, what, fix))
        elif not expression.get("values"):
            found.append(Finding("when", path, "the condition has no values to compare with"))
    return found
