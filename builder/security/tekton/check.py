"""Checks manifests of Tekton: structure, references, and (``pods``) what the pods may do.

>>> from builder.security.documents import read
>>> written = b"apiVersion: tekton.dev/v1\\nkind: Task\\nmetadata: {name: t}\\nspec: {stepz: []}\\n"
>>> for each in check(read(written, "t.yaml")):
...     print(each)
t.yaml:4: spec.stepz: 'stepz' is no field of spec (did you mean 'steps'?)
t.yaml:4: spec: a task needs at least one step
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from builder.security.documents import Document, spelt
from builder.security.fields import line_of
from builder.security.tekton import names, schema
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Finding, Path, Severity, beneath
from builder.security.tekton.library import GROUP, Library, library
from builder.security.tekton.pipeline import findings_of_pipeline
from builder.security.tekton.reading import Manifest, mapping, text
from builder.security.tekton.rules import RULES
from builder.security.tekton.runs import findings_of_pipeline_run, findings_of_task_run
from builder.security.tekton.task import ALONE, Surroundings, findings_of_task, step_action

VERSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "Task": ("tekton.dev/v1",),
    "Pipeline": ("tekton.dev/v1",),
    "TaskRun": ("tekton.dev/v1",),
    "PipelineRun": ("tekton.dev/v1",),
    "StepAction": ("tekton.dev/v1beta1", "tekton.dev/v1alpha1"),
}
"""The kinds that are checked, and the versions of each that are."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in its place. ``line``: from 1; ``field``: the field's path."""

    file: str
    line: int
    field: str
    rule: str
    severity: Severity
    message: str
    fix: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " + (f"{self.field}: " if self.field else "")
        return f"{place}{self.message}" + (f" ({self.fix})" if self.fix else "")


@dataclass(frozen=True, slots=True)
class Checked:
    """One document that was looked at. ``kind``: empty if it is none of Tekton's."""

    document: Document
    kind: str
    name: str
    problems: tuple[Problem, ...] = field(default=())


_STRUCTURE: Final = ("wrong-type", "missing-field", "volume-source", "unknown-version")
"""The rules whose breach leaves nothing that could become a pod."""


def is_sound(checked: Checked) -> bool:
    """Whether a document is one of Tekton's with a structure from which pods can be read."""
    return bool(checked.kind) and not any(each.rule in _STRUCTURE for each in checked.problems)


def check(documents: Iterable[Document], features: Features = Features.BETA) -> list[Problem]:
    """Everything that is wrong with ``documents``, in their order; references are followed among them."""
    return [problem for each in checked(documents, features) for problem in each.problems]


def checked(documents: Iterable[Document], features: Features = Features.BETA) -> list[Checked]:
    """Each of ``documents`` with what is wrong with it; other kinds than Tekton's are passed over."""
    documents = list(documents)
    known = library(documents)
    return [_checked(document, features, known) for document in documents]


def _checked(document: Document, features: Features, known: Library) -> Checked:
    root = document.root
    if not isinstance(root, dict):
        finding = Finding("wrong-type", (), f"a manifest is a mapping, not {schema.shown(root)}")
        return Checked(document, "", "", (_placed(finding, document),))
    kind, version = text(root, "kind"), text(root, "apiVersion")
    name = text(mapping(root, "metadata"), "name") or text(mapping(root, "metadata"), "generateName")
    versions = VERSIONS.get(kind)
    if not kind or not version:
        findings = schema.violations("Task", {key: root.get(key) for key in ("apiVersion", "kind")})
        findings = [each for each in findings if each.path == () and each.rule == "missing-field"]
        findings = [each for each in findings if "apiVersion" in each.message or "'kind'" in each.message]
        return Checked(document, "", name, tuple(_placed(each, document) for each in findings))
    if not version.startswith(f"{GROUP}/"):
        if versions and kind != "Task":
            what = f"{kind} is of {GROUP}, and the apiVersion is {version!r}"
            return _unknown(document, name, ("apiVersion",), what, versions[0])
        return Checked(document, "", name)
    if versions is None:
        what = f"no kind {kind!r} is known of {version}"
        return _unknown(document, name, ("kind",), what, schema.suggestion(kind, list(VERSIONS)))
    if version not in versions:
        what = f"{kind} is checked as {versions[0]}, and this is {version}"
        return _unknown(document, name, ("apiVersion",), what, f"apiVersion: {versions[0]}")
    findings = schema.violations(kind, root) + _metadata(root)
    findings += beneath(("spec",), _findings(kind, mapping(root, "spec"), features, known))
    problems = sorted((_placed(each, document) for each in findings), key=lambda each: each.line)
    return Checked(document, kind, name, tuple(dict.fromkeys(problems)))


def _findings(kind: str, spec: Manifest, features: Features, known: Library) -> list[Finding]:
    match kind:
        case "Task":
            around = Surroundings(step_actions=known.step_actions) if known.step_actions else ALONE
            return findings_of_task(spec, features, around)
        case "Pipeline":
            return findings_of_pipeline(spec, features, known)
        case "TaskRun":
            return findings_of_task_run(spec, features, known)
        case "PipelineRun":
            return findings_of_pipeline_run(spec, features, known)
        case _:
            return step_action(spec, features)


def _metadata(root: Manifest) -> list[Finding]:
    metadata = mapping(root, "metadata")
    name = text(metadata, "name")
    if not name:
        if text(metadata, "generateName"):
            return []
        return [Finding("object-name", ("metadata",), "the object has no name", "metadata: {name: NAME}")]
    if len(name) > names.LONGEST:
        what = f"the name has {len(name)} letters, and {names.LONGEST} are allowed"
        return [Finding("object-name", ("metadata", "name"), what)]
    if not names.is_subdomain(name):
        fix = "lower case letters, digits, dashes and dots"
        return [Finding("object-name", ("metadata", "name"), f"nothing can be called {name!r}", fix)]
    return []


def _unknown(document: Document, name: str, path: Path, what: str, fix: str) -> Checked:
    finding = Finding("unknown-version", path, what, fix)
    return Checked(document, "", name, (_placed(finding, document),))


def _placed(finding: Finding, document: Document) -> Problem:
    return Problem(
        document.name,
        line_of(document, finding.path),
        spelt(finding.path),
        finding.rule,
        RULES[finding.rule].severity,
        finding.message,
        finding.fix,
    )
