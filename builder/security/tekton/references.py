"""References to tasks, pipelines and StepActions: by name in the cluster, or by a resolver from elsewhere."""

from __future__ import annotations

from typing import Final

from builder.security.tekton import names, params
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding
from builder.security.tekton.reading import Manifest, text

SHUT_HUB: Final = "hub.tekton.dev"
DEPRECATED: Final = ("git-clone", "kaniko")
"""Tasks of the catalogue that carry ``tekton.dev/deprecated`` (kaniko 0.7; git-clone since June 2026)."""


def reference(ref: Manifest, features: Features, to: str) -> list[Finding]:
    """What is wrong with the reference ``ref``; ``to``: what it should lead to."""
    name, resolver = text(ref, "name"), text(ref, "resolver")
    has_params = ref.get("params") is not None
    if resolver or has_params:
        return _remote(ref, name, resolver, features, has_params=has_params)
    if not name:
        return [Finding("reference", (), f"the reference to {to} has no name", "name: NAME")]
    if names.is_url(name):
        return [
            Finding(
                "reference",
                ("name",),
                f"{name!r} is an address",
                "resolver: http, with params: [{name: url, …}]",
            )
        ]
    if not names.is_qualified(name):
        return [Finding("reference", ("name",), f"{to} cannot be called {name!r}")]
    return []


def _remote(
    ref: Manifest, name: str, resolver: str, features: Features, *, has_params: bool
) -> list[Finding]:
    found: list[Finding] = []
    if has_params:
        found += params.values(ref, features)
        if name:
            found.append(
                Finding("reference", ("name",), "a reference has a name or params for a resolver, not both")
            )
        if not resolver:
            found.append(Finding("reference", (), "params of a reference need a resolver"))
    if resolver:
        found += features.lacking(Features.BETA, "a resolver", ("resolver",))
        if name and not names.is_url(name):
            found.append(Finding("reference", ("name",), "a reference has a name or a resolver, not both"))
        elif name:
            found += features.lacking(Features.ALPHA, "an address as the name of a reference", ("name",))
    return found + _shut(ref, resolver)


def _shut(ref: Manifest, resolver: str) -> list[Finding]:
    """What still resolves to the closed hub or to tasks that nobody maintains."""
    given = params.passed(ref)
    found: list[Finding] = []
    if resolver == "hub" and given.get("type") == "tekton":
        what = f"the hub resolver's type tekton asks {SHUT_HUB}, which is shut"
        found.append(
            Finding("shut-hub", ("params",), what, "type: artifact, or the git resolver with a commit")
        )
    for key, value in given.items():
        if isinstance(value, str) and SHUT_HUB in value:
            found.append(
                Finding("shut-hub", ("params",), f"the param {key!r} names {SHUT_HUB}, which is shut")
            )
    if resolver == "hub" and given.get("name") in DEPRECATED:
        what = f"the catalogue's task {given['name']!r} is deprecated"
        found.append(
            Finding("deprecated-task", ("params",), what, "layerlab pipeline write makes one without it")
        )
    return found
