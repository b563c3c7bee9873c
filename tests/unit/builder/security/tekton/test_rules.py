"""Every rule with a manifest that breaks it and one that does not."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from builder.security.documents import read
from builder.security.tekton.check import check
from builder.security.tekton.features import Features
from builder.security.tekton.finding import Severity
from builder.security.tekton.rules import RULES

STEP = "steps: [{name: s, image: alpine}]"


def manifest(kind: str, spec: str, version: str = "tekton.dev/v1", name: str = "x") -> str:
    body = indent(dedent(spec).strip("\n"), "  ")
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{body}\n"


def task(spec: str) -> str:
    return manifest("Task", spec)


def script(text: str, more: str = "") -> str:
    return task(f"{dedent(more)}\nsteps:\n- image: alpine\n  script: |\n    {text}\n")


def pipeline(spec: str) -> str:
    return manifest("Pipeline", spec)


def tasks(text: str, more: str = "") -> str:
    return pipeline(f"{dedent(more)}\ntasks:\n{dedent(text)}")


def action(spec: str) -> str:
    return manifest("StepAction", spec, "tekton.dev/v1beta1")


def task_run(spec: str) -> str:
    return manifest("TaskRun", spec)


def pipeline_run(spec: str) -> str:
    return manifest("PipelineRun", spec)


MAKES = "- name: makes\n  taskSpec: {results: [{name: r}, {name: list, type: array}], steps: [{image: a}]}\n"
TAKES = "- name: takes\n  taskSpec: {params: [{name: p}], steps: [{image: a, script: '$(params.p)'}]}\n"

CASES: dict[str, tuple[str, str]] = {
    "unknown-field": (task("step: []\n" + STEP), task(STEP)),
    "missing-field": (task("params: [{type: string}]\n" + STEP), task("params: [{name: p}]\n" + STEP)),
    "wrong-type": (
        task("steps: [{image: a, args: one}]"),
        task("steps: [{image: a, args: [one]}]"),
    ),
    "empty-field": (task(STEP + "\nvolumes:\n"), task(STEP + "\nvolumes: []")),
    "unknown-version": (manifest("Task", STEP, "tekton.dev/v1beta1"), task(STEP)),
    "object-name": (manifest("Task", STEP, name="Build_It"), manifest("Task", STEP, name="build-it")),
    "feature-gate": (
        task("steps: [{image: a, stdoutConfig: {path: /out}}]"),
        task("steps: [{image: a, workspaces: [{name: w}]}]\nworkspaces: [{name: w}]"),
    ),
    "reference": (
        tasks("- {name: a, taskRef: {name: b, resolver: git}}"),
        tasks("- {name: a, taskRef: {resolver: git, params: [{name: url, value: u}]}}"),
    ),
    "shut-hub": (
        tasks("- {name: a, taskRef: {resolver: hub, params: [{name: type, value: tekton}]}}"),
        tasks("- {name: a, taskRef: {resolver: hub, params: [{name: type, value: artifact}]}}"),
    ),
    "deprecated-task": (
        tasks("- {name: a, taskRef: {resolver: hub, params: [{name: name, value: git-clone}]}}"),
        tasks("- {name: a, taskRef: {resolver: hub, params: [{name: name, value: golang-test}]}}"),
    ),
    "param-name": (task("params: [{name: 1st}]\n" + STEP), task("params: [{name: _1st.b-c}]\n" + STEP)),
    "param-type": (
        task("params: [{name: p, type: int}]\n" + STEP),
        task("params: [{name: p, type: array}]\n" + STEP),
    ),
    "default-type": (
        task("params: [{name: p, type: array, default: a}]\n" + STEP),
        task("params: [{name: p, type: array, default: [a]}]\n" + STEP),
    ),
    "property-type": (
        task("params: [{name: p, type: object, properties: {k: {type: array}}}]\n" + STEP),
        task("params: [{name: p, type: object, properties: {k: {type: string}}}]\n" + STEP),
    ),
    "object-properties": (
        task("params: [{name: p, type: object}]\n" + STEP),
        task("params: [{name: p, properties: {k: {}}}]\n" + STEP),
    ),
    "duplicate-param": (
        task("params: [{name: p}, {name: p}]\n" + STEP),
        task("params: [{name: p}, {name: q}]\n" + STEP),
    ),
    "param-value": (
        tasks("- {name: a, taskRef: {name: b}, params: [{name: p}]}"),
        tasks("- {name: a, taskRef: {name: b}, params: [{name: p, value: ''}]}"),
    ),
    "value-not-string": (
        tasks("- {name: a, taskRef: {name: b}, params: [{name: p, value: 1.10}]}"),
        tasks("- {name: a, taskRef: {name: b}, params: [{name: p, value: '1.10'}]}"),
    ),
    "param-mismatch": (
        tasks("- {name: a, params: [{name: p, value: [x]}], taskSpec: {params: [{name: p}], " + STEP + "}}"),
        tasks("- {name: a, params: [{name: p, value: x}], taskSpec: {params: [{name: p}], " + STEP + "}}"),
    ),
    "missing-param": (
        tasks("- {name: a, taskSpec: {params: [{name: p}], " + STEP + "}}"),
        tasks("- {name: a, taskSpec: {params: [{name: p, default: ''}], " + STEP + "}}"),
    ),
    "extra-param": (
        tasks("- {name: a, params: [{name: q, value: x}], taskSpec: {" + STEP + "}}"),
        tasks("- {name: a, params: [{name: q, value: x}], taskSpec: {params: [{name: q}], " + STEP + "}}"),
    ),
    "object-keys": (
        tasks(
            "- name: a\n  params: [{name: o, value: {k: v}}]\n"
            "  taskSpec: {params: [{name: o, properties: {k: {}, l: {}}}], " + STEP + "}"
        ),
        tasks(
            "- name: a\n  params: [{name: o, value: {k: v, l: w}}]\n"
            "  taskSpec: {params: [{name: o, properties: {k: {}, l: {}}}], " + STEP + "}"
        ),
    ),
    "unknown-param": (
        script("echo $(params.versoin)", "params: [{name: version}]"),
        script("echo $(params.version) $(params['version']) $(date)", "params: [{name: version}]"),
    ),
    "unknown-key": (
        script("echo $(params.o.z)", "params: [{name: o, properties: {k: {}}}]"),
        script("echo $(params.o.k)", "params: [{name: o, properties: {k: {}}}]"),
    ),
    "array-use": (
        task("params: [{name: p, type: array}]\nsteps: [{image: a, args: ['--x=$(params.p[*])']}]"),
        task(
            "params: [{name: p, type: array}]\n"
            "steps: [{image: a, args: ['$(params.p[*])', '$(params.p[0])']}]"
        ),
    ),
    "object-use": (
        script("echo $(params.o[*])", "params: [{name: o, properties: {k: {}}}]"),
        tasks(
            "- name: a\n  params: [{name: o, value: '$(params.o[*])'}]\n"
            "  taskSpec: {params: [{name: o, properties: {k: {}}}], " + STEP + "}",
            "params: [{name: o, properties: {k: {}}}]",
        ),
    ),
    "unknown-context": (script("echo $(context.taskRun.nam)"), script("echo $(context.taskRun.name)")),
    "scope": (script("echo $(tasks.a.results.b)"), script("echo $(context.task.name)")),
    "misspelt-variable": (
        script("echo $(param.p)", "params: [{name: p}]"),
        script("echo $(params.p)", "params: [{name: p}]"),
    ),
    "unsubstituted": (
        task(STEP + "\nsidecars: [{name: c, image: '$(params.version)'}]"),
        task(STEP + "\nparams: [{name: version}]\nsidecars: [{name: c, image: '$(params.version)'}]"),
    ),
    "result-name": (task("results: [{name: -r}]\n" + STEP), task("results: [{name: R_1.x-y}]\n" + STEP)),
    "duplicate-result": (
        task("results: [{name: r}, {name: r}]\n" + STEP),
        task("results: [{name: r}, {name: s}]\n" + STEP),
    ),
    "unknown-result": (
        script("date > $(results.when.path)", "results: [{name: then}]"),
        script("date > $(results.then.path)", "results: [{name: then}]"),
    ),
    "result-use": (
        tasks(MAKES + TAKES + "  params: [{name: p, value: '$(tasks.makes.results.r[0])'}]"),
        tasks(MAKES + TAKES + "  params: [{name: p, value: '$(tasks.makes.results.list[0])'}]"),
    ),
    "result-of-finally": (
        pipeline(
            "tasks: [{name: a, taskRef: {name: t}}]\nfinally:\n- {name: f, taskRef: {name: t}}\n"
            "- {name: g, taskRef: {name: t}, params: [{name: p, value: $(tasks.f.results.r)}]}"
        ),
        pipeline(
            "tasks: [{name: a, taskRef: {name: t}}]\nfinally:\n- {name: f, taskRef: {name: t}}\n"
            "- {name: g, taskRef: {name: t}, params: [{name: p, value: $(tasks.a.results.r)}]}"
        ),
    ),
    "pipeline-result": (
        tasks("- {name: a, taskRef: {name: t}}", "results: [{name: r, value: fixed}]"),
        tasks("- {name: a, taskRef: {name: t}}", "results: [{name: r, value: $(tasks.a.results.r)}]"),
    ),
    "no-steps": (task("description: nothing"), task(STEP)),
    "step-name": (task("steps: [{name: Build, image: a}]"), task("steps: [{image: a}]")),
    "duplicate-step": (
        task("steps: [{name: s, image: a}, {name: s, image: a}]"),
        task("steps: [{name: s, image: a}, {image: a}, {image: a}]"),
    ),
    "no-image": (task("steps: [{script: x}]"), task("stepTemplate: {image: a}\nsteps: [{script: x}]")),
    "script-and-command": (
        task("steps: [{image: a, script: x, command: [z]}]"),
        task("steps: [{image: a, script: x, args: [z]}]"),
    ),
    "params-without-ref": (
        task("steps: [{image: a, params: [{name: p, value: v}]}]"),
        task("steps: [{ref: {name: act}, params: [{name: p, value: v}]}]"),
    ),
    "not-with-ref": (
        task("steps: [{ref: {name: act}, script: x}]"),
        task("steps: [{ref: {name: act}, workingDir: /w}]"),
    ),
    "param-in-script": (
        action("image: a\nparams: [{name: p}]\nscript: echo $(params.p)"),
        action("image: a\nparams: [{name: p}]\nenv: [{name: P, value: $(params.p)}]\nscript: echo $P"),
    ),
    "action-volume": (
        action("image: a\nvolumeMounts: [{name: cache, mountPath: /c}]"),
        action("image: a\nparams: [{name: v}]\nvolumeMounts: [{name: $(params.v), mountPath: /c}]"),
    ),
    "unknown-step": (
        task("steps: [{image: a, script: cat $(steps.step-made.exitCode.path)}]"),
        task("steps: [{name: made, image: a}, {image: a, script: cat $(steps.step-made.exitCode.path)}]"),
    ),
    "on-error": (
        task("steps: [{image: a, onError: ignore}]"),
        task("steps: [{image: a, onError: continue}]"),
    ),
    "duration": (
        task("steps: [{image: a, timeout: 1 day}]"),
        task("steps: [{image: a, timeout: 24h}]"),
    ),
    "tekton-mount": (
        task(
            "volumes: [{name: v, emptyDir: {}}]\n"
            "steps: [{image: a, volumeMounts: [{name: v, mountPath: /tekton/x}]}]"
        ),
        task(
            "volumes: [{name: v, emptyDir: {}}]\n"
            "steps: [{image: a, volumeMounts: [{name: v, mountPath: /tekton/home}]}]"
        ),
    ),
    "mount-path": (
        task("workspaces: [{name: a}, {name: b, mountPath: /workspace/a/}]\n" + STEP),
        task("workspaces: [{name: a}, {name: b}]\n" + STEP),
    ),
    "duplicate-volume": (
        task("volumes: [{name: v, emptyDir: {}}, {name: v, emptyDir: {}}]\n" + STEP),
        task("volumes: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}]\n" + STEP),
    ),
    "volume-source": (
        task("volumes: [{name: v, emptyDir: {}, secret: {secretName: s}}]\n" + STEP),
        task("volumes: [{name: v, secret: {secretName: s}}]\n" + STEP),
    ),
    "unknown-volume": (
        task("steps: [{image: a, volumeMounts: [{name: v, mountPath: /v}]}]"),
        task(
            "volumes: [{name: v, emptyDir: {}}]\n"
            "steps: [{image: a, volumeMounts: [{name: v, mountPath: /v}]}]"
        ),
    ),
    "sidecar-name": (
        task(STEP + "\nsidecars: [{name: tekton-log-results, image: a}]"),
        task(STEP + "\nsidecars: [{name: registry, image: a}]"),
    ),
    "workspace-name": (
        tasks("- {name: a, taskRef: {name: t}}", "workspaces: [{name: ''}]"),
        tasks("- {name: a, taskRef: {name: t}}", "workspaces: [{name: w}]"),
    ),
    "duplicate-workspace": (
        task("workspaces: [{name: w}, {name: w, mountPath: /v}]\n" + STEP),
        task("workspaces: [{name: w}, {name: v}]\n" + STEP),
    ),
    "unknown-workspace": (
        tasks(
            "- {name: a, taskRef: {name: t}, workspaces: [{name: w, workspace: shard}]}",
            "workspaces: [{name: shared}]",
        ),
        tasks(
            "- {name: a, taskRef: {name: t}, workspaces: [{name: w, workspace: shared}]}",
            "workspaces: [{name: shared}]",
        ),
    ),
    "missing-workspace": (
        tasks("- {name: a, taskSpec: {workspaces: [{name: w}], " + STEP + "}}"),
        tasks("- {name: a, taskSpec: {workspaces: [{name: w, optional: true}], " + STEP + "}}"),
    ),
    "optional-workspace": (
        tasks(
            "- {name: a, workspaces: [{name: w}], taskSpec: {workspaces: [{name: w}], " + STEP + "}}",
            "workspaces: [{name: w, optional: true}]",
        ),
        tasks(
            "- {name: a, workspaces: [{name: w}], taskSpec: {workspaces: [{name: w, optional: true}], "
            + STEP
            + "}}",
            "workspaces: [{name: w, optional: true}]",
        ),
    ),
    "binding": (
        task_run("taskRef: {name: t}\nworkspaces: [{name: w}]"),
        task_run("taskRef: {name: t}\nworkspaces: [{name: w, emptyDir: {}}]"),
    ),
    "no-tasks": (
        pipeline("finally: [{name: f, taskRef: {name: t}}]"),
        pipeline("tasks: [{name: a, taskRef: {name: t}}]\nfinally: [{name: f, taskRef: {name: t}}]"),
    ),
    "empty-pipeline": (pipeline("description: none yet"), tasks("- {name: a, taskRef: {name: t}}")),
    "task-name": (tasks("- {name: A b, taskRef: {name: t}}"), tasks("- {name: a-b, taskRef: {name: t}}")),
    "duplicate-task": (
        pipeline("tasks: [{name: a, taskRef: {name: t}}]\nfinally: [{name: a, taskRef: {name: t}}]"),
        pipeline("tasks: [{name: a, taskRef: {name: t}}]\nfinally: [{name: b, taskRef: {name: t}}]"),
    ),
    "one-definition": (
        tasks("- {name: a, taskRef: {name: t}, taskSpec: {" + STEP + "}}"),
        tasks("- {name: a, taskSpec: {" + STEP + "}}"),
    ),
    "custom-task": (
        tasks("- {name: a, taskRef: {name: t, kind: Wait}}"),
        tasks("- {name: a, taskRef: {name: t, kind: Wait, apiVersion: example.dev/v1}}"),
    ),
    "unknown-task": (
        tasks("- {name: a, taskRef: {name: t}}\n- {name: b, taskRef: {name: t}, runAfter: [aa]}"),
        tasks("- {name: a, taskRef: {name: t}}\n- {name: b, taskRef: {name: t}, runAfter: [a]}"),
    ),
    "cycle": (
        tasks(
            "- {name: a, taskRef: {name: t}, params: [{name: p, value: $(tasks.b.results.r)}]}\n"
            "- {name: b, taskRef: {name: t}, runAfter: [a]}"
        ),
        tasks(
            "- {name: a, taskRef: {name: t}}\n"
            "- {name: b, taskRef: {name: t}, runAfter: [a],\n"
            "   when: [{input: $(tasks.a.results.r), operator: in, values: [x]}]}"
        ),
    ),
    "finally-order": (
        pipeline(
            "tasks: [{name: a, taskRef: {name: t}}]\nfinally: [{name: f, taskRef: {name: t}, runAfter: [a]}]"
        ),
        pipeline("tasks: [{name: a, taskRef: {name: t}}]\nfinally: [{name: f, taskRef: {name: t}}]"),
    ),
    "status-scope": (
        tasks(
            "- {name: a, taskRef: {name: t}}\n"
            "- {name: b, taskRef: {name: t}, runAfter: [a], params: [{name: p, value: $(tasks.a.status)}]}"
        ),
        pipeline(
            "tasks: [{name: a, taskRef: {name: t}}]\nfinally:\n"
            "- {name: f, taskRef: {name: t}, params: [{name: p, value: '$(tasks.a.status) $(tasks.status)'}]}"
        ),
    ),
    "when": (
        tasks("- {name: a, taskRef: {name: t}, when: [{input: x, operator: exists, values: [x]}]}"),
        tasks("- {name: a, taskRef: {name: t}, when: [{input: x, operator: notin, values: [x]}]}"),
    ),
    "matrix-param": (
        tasks("- {name: a, taskRef: {name: t}, matrix: {params: [{name: os, value: linux}]}}"),
        tasks("- {name: a, taskRef: {name: t}, matrix: {params: [{name: os, value: [linux, mac]}]}}"),
    ),
    "matrix-size": (
        tasks("- {name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [" + "x," * 257 + "]}]}}"),
        tasks("- {name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [" + "x," * 256 + "]}]}}"),
    ),
    "matrix-result": (
        tasks(
            MAKES + "  matrix: {params: [{name: os, value: [a, b]}]}\n"
            "- {name: b, taskRef: {name: t}, params: [{name: p, value: $(tasks.makes.results.r)}]}"
        ),
        tasks(
            MAKES + "  matrix: {params: [{name: os, value: [a, b]}]}\n"
            "- {name: b, taskRef: {name: t}, params: [{name: p, value: '$(tasks.makes.results.r[*])'}]}"
        ),
    ),
    "run-status": (
        pipeline_run("pipelineRef: {name: p}\nstatus: Stopped"),
        pipeline_run("pipelineRef: {name: p}\nstatus: StoppedRunFinally"),
    ),
    "step-spec": (
        task_run(
            "taskRef: {name: t}\n"
            "stepSpecs: [{name: s, computeResources: {}}, {name: s, computeResources: {}}]"
        ),
        task_run("taskRef: {name: t}\nstepSpecs: [{name: s, computeResources: {requests: {cpu: 1}}}]"),
    ),
    "timeouts": (
        pipeline_run("pipelineRef: {name: p}\ntimeouts: {pipeline: 1h, tasks: 50m, finally: 20m}"),
        pipeline_run("pipelineRef: {name: p}\ntimeouts: {pipeline: 1h, tasks: 40m, finally: 20m}"),
    ),
}

ALPHA_CASES: dict[str, tuple[str, str]] = {
    "param-enum": (
        task("params: [{name: p, enum: [a, b], default: c}]\n" + STEP),
        task("params: [{name: p, enum: [a, b], default: b}]\n" + STEP),
    ),
}


def test_every_rule_has_a_wrong_and_a_right_example() -> None:
    assert set(CASES) | set(ALPHA_CASES) == set(RULES)


@pytest.mark.parametrize("rule", [*CASES, *ALPHA_CASES])
def test_the_wrong_example_breaks_its_rule(rule: str) -> None:
    features = Features.ALPHA if rule in ALPHA_CASES else Features.BETA
    wrong, _ = CASES.get(rule) or ALPHA_CASES[rule]

    found = check(read(wrong.encode(), "wrong.yaml"), features)

    assert rule in {each.rule for each in found}, wrong
    first = next(each for each in found if each.rule == rule)
    assert first.line >= 1
    assert first.severity is RULES[rule].severity
    assert str(first).startswith(f"wrong.yaml:{first.line}: ")


@pytest.mark.parametrize("rule", [*CASES, *ALPHA_CASES])
def test_the_right_example_breaks_no_rule(rule: str) -> None:
    features = Features.ALPHA if rule in ALPHA_CASES else Features.BETA
    _, right = CASES.get(rule) or ALPHA_CASES[rule]

    assert [str(each) for each in check(read(right.encode(), "right.yaml"), features)] == [], right


@pytest.mark.parametrize("rule", [rule for rule in CASES if rule not in ("unknown-version",)])
def test_the_wrong_example_breaks_hardly_another_rule(rule: str) -> None:
    wrong, _ = CASES[rule]

    others = {each.rule for each in check(read(wrong.encode(), "wrong.yaml")) if each.rule != rule}

    assert len(others) <= 1, others


def test_rules_that_tekton_does_not_refuse_are_warnings() -> None:
    warnings = {key for key, rule in RULES.items() if rule.severity is Severity.WARNING}

    assert warnings == {
        "empty-field",
        "deprecated-task",
        "value-not-string",
        "extra-param",
        "misspelt-variable",
        "unsubstituted",
        "unknown-volume",
        "empty-pipeline",
    }
