"""Bad input, places, and what is passed over."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builder.errors import ManifestError
from builder.security.documents import Document, Mapping, Sequence, read
from builder.security.tekton.check import VERSIONS, check, checked
from builder.security.tekton.features import Features
from builder.security.tekton.pods import task_pods
from builder.security.tekton.schema import table

TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: t}\n"


def found(text: str) -> list[str]:
    return [str(each) for each in check(read(text.encode(), "x.yaml"))]


def test_a_version_that_is_not_served_is_one_message():
    assert found("apiVersion: tekton.dev/v1beta1\nkind: Pipeline\nspec: {resources: []}\n") == [
        "x.yaml:1: apiVersion: Pipeline is checked as tekton.dev/v1, and this is tekton.dev/v1beta1 "
        "(apiVersion: tekton.dev/v1)"
    ]
    assert found("apiVersion: tekton.dev/v1\nkind: ClusterTask\n") == [
        "x.yaml:2: kind: no kind 'ClusterTask' is known of tekton.dev/v1 "
        "(there are: Pipeline, PipelineRun, StepAction, Task, TaskRun)"
    ]
    assert found("apiVersion: v1\nkind: Pipeline\n") == [
        "x.yaml:1: apiVersion: Pipeline is of tekton.dev, and the apiVersion is 'v1' (tekton.dev/v1)"
    ]


def test_objects_without_kind_or_version_say_which_is_missing():
    assert found("kind: Task\n") == ["x.yaml:1: 'apiVersion' is missing in a Task"]
    assert found("- a\n") == ["x.yaml:1: a manifest is a mapping, not a list"]


def test_other_kinds_are_passed_over():
    documents = read(b"apiVersion: v1\nkind: Secret\nstringData: {a: b}\n", "x.yaml")

    assert [(each.kind, each.problems) for each in checked(documents)] == [("", ())]


def test_a_finding_names_the_line_of_its_field():
    text = f"{TASK}spec:\n  steps:\n  - image: a\n    args:\n    - x\n    - 5\n"

    assert found(text) == [
        'x.yaml:9: spec.steps[0].args[1]: args[1] must be a string, not the number 5 (put it in quotes: "…")'
    ]


def test_references_are_followed_among_all_files():
    task = read(f"{TASK}spec: {{params: [{{name: p}}], steps: [{{image: a}}]}}\n".encode(), "t.yaml")
    run = read(TASK.replace("Task", "TaskRun").encode() + b"spec: {taskRef: {name: t}}\n", "r.yaml")

    (problem,) = check([*run, *task])

    assert (problem.file, problem.line, problem.rule) == ("r.yaml", 4, "missing-param")
    assert check(run) == []


ANCHORS = zip("abcdefghi", "bcdefghij", strict=True)
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join(['*' + before] * 9)}]\n" for before, name in ANCHORS
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "values"),
        ("a: &a [*a]\n", "inside what it names"),
        ("kind: Task\nkind: Task\n", "given before"),
        ("spec:\n\tsteps: []\n", "tab"),
        ("spec: [\n", "not YAML"),
        ("a: !!python/object:os.system x\n", "tag"),
        ("x" * (9 * 1024 * 1024), "MiB"),
    ],
)
def test_a_hostile_file_is_one_clear_error_and_quickly(text, said):
    before = time.process_time()

    with pytest.raises(ManifestError) as raised:
        check(read(text.encode(), "x.yaml"))

    assert said in str(raised.value)
    assert str(raised.value).startswith("x.yaml")
    assert time.process_time() - before < 20  # no measurement: a bomb would take hours


def test_a_large_manifest_is_checked_to_its_end():
    steps = "".join(
        f"  - {{name: s{index}, image: a, script: 'echo $(params.p)'}}\n" for index in range(3000)
    )
    text = f"apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {{name: t}}\nspec:\n  steps:\n{steps}"

    problems = check(read(text.encode(), "x.yaml"))

    assert len(problems) == 3000
    assert problems[-1].line == 3005


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(allow_nan=False),
    st.sampled_from(
        ["", "a", "$(params.a)", "$(tasks.a.results.b[*])", "$(context.task.name)", "$(steps..x)", "v1"]
    ),
)
KEYS = sorted({each.rstrip("!") for fields in table().values() for each in fields} | {"a", "name"})


def located(value):
    """A value as the reader makes it: mappings and lists know their lines."""
    if isinstance(value, dict):
        mapping = Mapping({key: located(item) for key, item in value.items()})
        mapping.line, mapping.lines = 1, dict.fromkeys(value, 1)
        return mapping
    if isinstance(value, list):
        sequence = Sequence(located(item) for item in value)
        sequence.line, sequence.lines = 1, [1] * len(value)
        return sequence
    return value


TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=25,
)
SHAPED = st.fixed_dictionaries(
    {},
    optional={
        key: st.one_of(TREES, st.lists(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=5), max_size=3))
        for key in (
            "params",
            "steps",
            "tasks",
            "finally",
            "results",
            "workspaces",
            "volumes",
            "sidecars",
            "taskSpec",
        )
    },
)


@given(
    kind=st.sampled_from(sorted(VERSIONS)), spec=st.one_of(TREES, SHAPED), features=st.sampled_from(Features)
)
def test_no_tree_of_values_breaks_the_checker(kind, spec, features):
    root = located({"apiVersion": VERSIONS[kind][0], "kind": kind, "metadata": {"name": "x"}, "spec": spec})
    document = Document("x.yaml", root, 1)

    first = checked([document], features)

    assert first == checked([document], features)
    from builder.security.tekton.check import is_sound

    task_pods(each.document for each in first if is_sound(each))
