"""The structure of manifests, held against a JSON Schema of the same table by fastjsonschema."""

from __future__ import annotations

from typing import Any

import fastjsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.security.tekton.schema import kinds, table, violations
from builder.security.tekton.write import Builder, Project, write

PLAIN: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "duration": {"type": "string"},
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "int|string": {"type": ["integer", "string"]},
    "quantity": {"type": ["string", "number"]},
    "value": {},
    "any": {},
}


def as_json_schema(kind: str) -> dict[str, Any]:
    """The table as JSON Schema has it; null is allowed where a field need not be there."""

    def type_(each: Any) -> dict[str, Any]:
        if isinstance(each, list):
            return {"type": "array", "items": type_(each[0])}
        if isinstance(each, dict):
            return {"type": "object", "additionalProperties": type_(each["*"])}
        return PLAIN.get(each, {"$ref": f"#/definitions/{each}"})

    def entry(fields: dict[str, Any]) -> dict[str, Any]:
        properties = {
            name.rstrip("!"): type_(each)
            if name.endswith("!")
            else {"anyOf": [{"type": "null"}, type_(each)]}
            for name, each in fields.items()
        }
        required = [name[:-1] for name in fields if name.endswith("!")]
        return {
            "type": "object",
            "additionalProperties": False,
            "required": required,
            "properties": properties,
        }

    definitions = {name: entry(dict(fields)) for name, fields in table().items()}
    return {"$ref": f"#/definitions/{kind}", "definitions": definitions}


@pytest.fixture(scope="module")
def allows():
    validate = fastjsonschema.compile(as_json_schema("Task"), use_default=False)

    def answer(document: Any) -> bool:
        try:
            validate(document)
        except fastjsonschema.JsonSchemaException:
            return False
        return True

    return answer


def test_every_type_that_the_table_names_is_in_it():
    names = {each.rstrip("!") for fields in table().values() for each in fields}
    used: list[Any] = [each for fields in table().values() for each in fields.values()]
    flat = [
        each[0] if isinstance(each, list) else each["*"] if isinstance(each, dict) else each for each in used
    ]

    assert set(flat) <= set(table()) | set(PLAIN)
    assert "steps" in names
    assert kinds() == ("Task", "Pipeline", "TaskRun", "PipelineRun", "StepAction")


MANIFEST: dict[str, Any] = {
    "apiVersion": "tekton.dev/v1",
    "kind": "Task",
    "metadata": {"name": "t", "labels": {"a": "b"}},
    "spec": {
        "params": [{"name": "p", "type": "array", "default": ["x"]}],
        "steps": [
            {
                "name": "s",
                "image": "i",
                "args": ["a"],
                "env": [{"name": "E", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "securityContext": {"runAsUser": 0, "capabilities": {"drop": ["ALL"]}},
                "computeResources": {"limits": {"cpu": 1, "memory": "1Gi"}},
            }
        ],
        "sidecars": [{"name": "c", "readinessProbe": {"httpGet": {"port": "web"}}}],
        "volumes": [{"name": "v", "emptyDir": {}}],
    },
}

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(0.1, 2.9), st.text("ab:", max_size=3)
)
VALUES = st.one_of(
    LEAVES, st.lists(LEAVES, max_size=2), st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2)
)
FIELDS = sorted({each.rstrip("!") for fields in table().values() for each in fields})


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """The manifest with one to three of its values replaced, taken away or joined by another field."""
    import copy

    document = copy.deepcopy(MANIFEST)
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = document
        while True:
            children = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            inner = [key for key in children if isinstance(holder[key], dict | list) and holder[key]]
            if not inner or draw(st.booleans()):
                break
            holder = holder[draw(st.sampled_from(inner))]
        action = draw(st.sampled_from(("replace", "take away", "add")))
        if action == "add" and isinstance(holder, dict):
            holder[draw(st.sampled_from(FIELDS))] = draw(VALUES)
        elif children and action == "take away":
            del holder[draw(st.sampled_from(children))]
        elif children:
            holder[draw(st.sampled_from(children))] = draw(VALUES)
    return document


@given(document=damaged())
def test_a_manifest_is_allowed_as_a_json_schema_allows_it(allows, document):
    refused = [each for each in violations("Task", document) if each.rule != "empty-field"]

    assert (not refused) == allows(document), refused


@pytest.mark.parametrize("builder", Builder)
def test_what_is_written_has_the_structure_of_its_kind(allows, builder):
    from builder.security.documents import read

    text = write(Project(name="web"), builder)["task.yaml"]

    assert allows(read(text.encode(), "task.yaml")[0].root)


def test_a_misspelt_field_is_told_with_the_right_one():
    (found,) = violations("Task", MANIFEST | {"spec": {"stepz": []}})

    assert found.path == ("spec", "stepz")
    assert found.fix == "did you mean 'steps'?"
