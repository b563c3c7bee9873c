"""Pipelines that are played: order, params, results, workspaces, when, finally, and what is refused."""

from __future__ import annotations

import textwrap

import pytest

from builder.errors import BuildError, NotSupportedError
from builder.pipeline.events import Printed, TaskSkipped
from builder.pipeline.order import order_from
from builder.pipeline.play import play
from builder.pipeline.tools.site import Site
from builder.security.documents import read
from builder.stores.memory import MemoryStore

PIPELINE = """\
apiVersion: tekton.dev/v1
kind: Pipeline
metadata: {name: p}
spec:
"""
TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
"""


class Played:
    """A run that was played, with all that its steps printed."""

    def __init__(self, text, tmp_path, params=None, name=""):
        self.events = []
        documents = read(text.encode(), "p.yaml")
        site = Site(MemoryStore(), tmp_path, self.events.append)
        self.outcome = play(order_from(documents, name, params or {}), site)
        self.tasks = {each.name: each for each in self.outcome.tasks}

    @property
    def printed(self):
        return b"".join(each.data for each in self.events if isinstance(each, Printed)).decode()

    @property
    def states(self):
        return {name: each.state for name, each in self.tasks.items()}


@pytest.fixture
def played(tmp_path):
    def go(head, body, **options):
        return Played(head + textwrap.indent(textwrap.dedent(body), "  "), tmp_path, **options)

    return go


def test_a_tasks_steps_run_in_order_and_see_one_workspace(played):
    run = played(
        TASK,
        """\
        workspaces: [{name: w}]
        results: [{name: said}]
        steps:
        - {image: alpine, script: "echo -n hello > $(workspaces.w.path)/file"}
        - {image: busybox, script: "cat /workspace/w/file > $(results.said.path); id -u"}
        """,
    )

    assert run.outcome.state == "Succeeded"
    assert run.outcome.results == {"said": "hello"}
    assert run.printed == "0\n"


def test_a_script_without_shebang_ends_at_the_first_failure(played):
    run = played(
        TASK, 'steps: [{image: alpine, script: "false\\necho after"}, {image: alpine, script: "true"}]\n'
    )

    assert run.outcome.state == "Failed"
    assert run.printed == ""
    assert [step.status for step in run.tasks["t"].steps] == [1, None]
    assert run.tasks["t"].why == "step unnamed-0 ended with 1"


def test_on_error_continue_goes_on_and_keeps_the_exit_code(played):
    run = played(
        TASK,
        """\
        steps:
        - {name: a, image: alpine, onError: continue, script: exit 3}
        - {name: b, image: alpine, script: cat $(steps.step-a.exitCode.path)}
        """,
    )

    assert run.outcome.state == "Succeeded"
    assert run.printed == "3"


def test_params_of_each_type_reach_arguments_scripts_and_variables(played):
    run = played(
        TASK,
        """\
        params:
        - {name: s, default: text}
        - {name: a, type: array, default: [x, y z]}
        - {name: o, type: object, properties: {k: {type: string}}, default: {k: v}}
        steps:
        - image: alpine
          env: [{name: S, value: $(params.s)}, {name: T, value: "$(S)-$$(S)"}]
          command: [/bin/sh, -c, 'echo "$#" "$@" $S $T $(params.o.k) $(params.a[1])', sh]
          args: ["$(params.a[*])", "$(S)"]
        """,
        params={"s": "given"},
    )

    assert run.printed == "3 x y z given given given-$(S) v y z\n"


def test_results_order_tasks_and_carry_strings_arrays_and_objects(played):
    run = played(
        PIPELINE,
        """\
        tasks:
        - name: second
          params:
          - {name: one, value: $(tasks.first.results.text)}
          - {name: all, value: ["$(tasks.first.results.list[*])"]}
          - {name: key, value: $(tasks.first.results.map.k)}
          taskSpec:
            params: [{name: one}, {name: all, type: array}, {name: key}]
            steps:
            - {image: alpine, command: [echo], args: ["$(params.one)", "$(params.all[*])", "$(params.key)"]}
        - name: first
          taskSpec:
            results: [{name: text}, {name: list, type: array}, {name: map, type: object, properties: {k: {}}}]
            steps:
            - image: alpine
              script: |
                printf hi > $(results.text.path)
                printf '["a","b"]' > $(results.list.path)
                printf '{"k": "v"}' > $(results.map.path)
        results: [{name: out, value: "$(tasks.first.results.text)!"}]
        """,
    )

    assert run.printed == "hi a b v\n"
    assert list(run.tasks) == ["first", "second"]
    assert run.outcome.results == {"out": "hi!"}


def test_when_skips_a_task_what_needs_its_results_and_not_what_only_waits(played):
    run = played(
        PIPELINE,
        """\
        params: [{name: env, default: dev}]
        tasks:
        - name: skipped
          when: [{input: $(params.env), operator: in, values: [prod]}]
          taskSpec: {results: [{name: r}], steps: [{image: alpine, script: "true"}]}
        - name: after
          runAfter: [skipped]
          taskSpec: {steps: [{image: alpine, script: "true"}]}
        - name: needs
          params: [{name: p, value: $(tasks.skipped.results.r)}]
          taskSpec: {params: [{name: p}], steps: [{image: alpine, script: "true"}]}
        - name: behind
          runAfter: [needs]
          taskSpec: {steps: [{image: alpine, script: "true"}]}
        """,
    )

    assert run.states == {"skipped": "None", "after": "Succeeded", "needs": "None", "behind": "None"}
    assert [run.tasks[name].reason for name in ("skipped", "needs", "behind")] == [
        "WhenExpressionsEvaluatedToFalse",
        "MissingResultsSkip",
        "ParentTasksSkipped",
    ]
    assert run.outcome.state == "Completed"
    assert TaskSkipped("skipped", "its when is false") in run.events


def test_a_failure_stops_the_rest_and_finally_runs_with_the_states(played):
    run = played(
        PIPELINE,
        """\
        tasks:
        - {name: bad, taskSpec: {steps: [{image: alpine, script: exit 2}]}}
        - {name: next, runAfter: [bad], taskSpec: {steps: [{image: alpine, script: "true"}]}}
        finally:
        - name: report
          params: [{name: bad, value: $(tasks.bad.status)}, {name: all, value: $(tasks.status)}]
          taskSpec:
            params: [{name: bad}, {name: all}]
            steps: [{image: alpine, script: "echo $(params.bad) $(params.all) $(context.pipelineRun.name)"}]
        - name: never
          when: [{input: $(tasks.status), operator: notin, values: [Failed]}]
          taskSpec: {steps: [{image: alpine, script: "true"}]}
        """,
    )

    assert run.states == {"bad": "Failed", "next": "None", "report": "Succeeded", "never": "None"}
    assert run.printed == "Failed Failed p-simulated\n"
    assert run.outcome.state == "Failed"


def test_an_empty_dir_is_a_new_volume_for_each_task_and_a_claim_is_not(played):
    body = """\
        workspaces: [{{name: shared, {binding}}}]
        pipelineSpec:
          workspaces: [{{name: shared}}]
          tasks:
          - name: write
            workspaces: [{{name: w, workspace: shared}}]
            taskSpec:
              workspaces: [{{name: w}}]
              steps: [{{image: alpine, script: "touch $(workspaces.w.path)/there"}}]
          - name: look
            runAfter: [write]
            workspaces: [{{name: w, workspace: shared}}]
            taskSpec:
              workspaces: [{{name: w}}]
              steps: [{{image: alpine, script: "ls $(workspaces.w.path)"}}]
        """
    head = "apiVersion: tekton.dev/v1\nkind: PipelineRun\nmetadata: {name: r}\nspec:\n"

    assert played(head, body.format(binding="emptyDir: {}")).printed == ""
    assert played(head, body.format(binding="persistentVolumeClaim: {claimName: c}")).printed == "there\n"


def test_a_step_that_asks_for_a_workspace_has_it_alone(played):
    run = played(
        TASK,
        """\
        workspaces: [{name: credentials, mountPath: /creds}]
        steps:
        - {image: alpine, script: "ls /creds", workspaces: [{name: credentials}]}
        - {image: alpine, script: "ls /creds || echo nothing"}
        """,
    )

    assert "config.json\n" in run.printed
    assert run.printed.endswith("nothing\n")


def test_security_contexts_hold(played):
    run = played(
        TASK,
        """\
        steps:
        - image: alpine
          script: id -u; touch /file
          securityContext: {runAsUser: 65532, runAsGroup: 65532, readOnlyRootFilesystem: true}
        """,
    )

    assert run.printed.startswith("65532\n")
    assert "Read-only file system" in run.printed
    assert run.outcome.state == "Failed"


def test_a_step_action_gives_a_step_and_its_results(tmp_path):
    text = """\
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: greet}
spec:
  params: [{name: who, default: nobody}]
  results: [{name: said}]
  image: alpine
  env: [{name: WHO, value: $(params.who)}]
  script: |
    printf "hello %s" "$WHO" > $(step.results.said.path)
---
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  results: [{name: all, value: $(steps.one.results.said)}]
  steps:
  - {name: one, ref: {name: greet}, params: [{name: who, value: world}]}
  - {name: two, image: alpine, script: "echo $(steps.one.results.said)"}
"""
    run = Played(text, tmp_path)

    assert run.printed == "hello world\n"
    assert run.outcome.results == {"all": "hello world"}


def test_results_have_a_bound_and_their_declared_type(played):
    big = played(
        TASK,
        """\
        results: [{name: r}]
        steps: [{image: alpine, script: "head -c 5000 /dev/zero > $(results.r.path)"}]
        """,
    )
    wrong = played(
        TASK,
        """\
        results: [{name: r, type: array}]
        steps: [{image: alpine, script: "echo no > $(results.r.path)"}]
        """,
    )

    assert big.tasks["t"].why == "its results have 5000 bytes, and Tekton keeps 4096"
    assert wrong.tasks["t"].why == "the result r is no JSON array of strings: 'no\\n'"


def test_a_timeout_ends_a_step(played):
    run = played(
        TASK, 'steps: [{name: s, image: alpine, timeout: 200ms, script: "while true; do :; done"}]\n'
    )

    assert run.tasks["t"].why == "step s ended with 124: not over within 200ms"


def test_an_image_that_nobody_has_fails_its_step(played):
    run = played(TASK, "steps: [{name: s, image: example.com/none:1, script: id}]\n")

    assert run.tasks["t"].why == "step s ended with 126: no image 'example.com/none:1' here"


@pytest.mark.parametrize(
    ("head", "body", "what"),
    [
        (
            PIPELINE,
            "tasks:\n- {name: a, retries: 2, taskSpec: {steps: [{image: a, script: id}]}}\n",
            "p.yaml:6: spec.tasks[0].retries: the simulation does not play retries",
        ),
        (
            PIPELINE,
            "tasks:\n- name: a\n  matrix: {params: [{name: p, value: [x]}]}\n  taskRef: {name: t}\n",
            "p.yaml:7: spec.tasks[0].matrix: the simulation does not play a matrix",
        ),
        (
            PIPELINE,
            "tasks:\n- {name: a, taskRef: {resolver: git}}\n",
            "p.yaml:6: spec.tasks[0].taskRef.resolver: the simulation does not play references",
        ),
        (
            TASK,
            "steps: [{image: alpine, script: id}]\nsidecars: [{name: s, image: alpine}]\n",
            "p.yaml:6: spec.sidecars[0]: the simulation does not play sidecars",
        ),
        (
            TASK,
            "steps: [{image: alpine, script: id}]\nvolumes: [{name: v, hostPath: {path: /}}]\n",
            "p.yaml:6: spec.volumes[0].hostPath: the simulation does not play volumes of kind hostPath",
        ),
    ],
)
def test_what_is_not_played_is_refused_by_name(played, head, body, what):
    with pytest.raises(NotSupportedError) as caught:
        played(head, body)

    assert str(caught.value).startswith(what)


@pytest.mark.parametrize(
    ("params", "name", "what"),
    [
        ({}, "", "the param 'p' has no value"),
        ({"q": "1", "p": "1"}, "", "there is no param 'q'"),
        ({}, "other", "nothing called 'other' can be played"),
    ],
)
def test_what_is_asked_for_must_be_there(played, params, name, what):
    with pytest.raises(BuildError, match=what):
        played(TASK, "params: [{name: p}]\nsteps: [{image: alpine, script: id}]\n", params=params, name=name)


RUN_OF_CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: words}
data: {greeting: hello}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data: {key: c2VjcmV0}
---
apiVersion: tekton.dev/v1
kind: TaskRun
metadata: {name: r}
spec:
  workspaces:
  - {name: words, configMap: {name: words}}
  - {name: key, secret: {secretName: key, items: [{key: key, path: other}]}}
  taskSpec:
    workspaces: [{name: words}, {name: key}]
    steps: [{image: alpine, script: "cat /workspace/words/greeting /workspace/key/other"}]
"""


def test_config_maps_and_secrets_of_the_files_are_mounted(tmp_path):
    assert Played(RUN_OF_CONFIG, tmp_path).printed == "hellosecret"


def test_a_result_that_a_task_should_have_written_fails_what_uses_it(played):
    run = played(
        PIPELINE,
        """\
        tasks:
        - name: forgets
          taskSpec: {results: [{name: r}], steps: [{image: alpine, script: "true"}]}
        - name: needs
          params: [{name: p, value: $(tasks.forgets.results.r)}]
          taskSpec: {params: [{name: p}], steps: [{image: alpine, script: "true"}]}
        """,
    )

    assert run.states == {"forgets": "Succeeded", "needs": "Failed"}
    assert run.tasks["needs"].reason == "InvalidTaskResultReference"
    assert run.outcome.state == "Failed"


def test_a_pipelines_result_that_a_task_should_have_written_fails_the_run(played):
    run = played(
        PIPELINE,
        """\
        tasks:
        - {name: a, taskSpec: {results: [{name: r}], steps: [{image: alpine, script: "true"}]}}
        results: [{name: out, value: $(tasks.a.results.r)}]
        """,
    )

    assert (run.outcome.state, run.outcome.results) == ("Failed", {})
    assert run.outcome.why == "the result out: $(tasks.a.results.r) does not exist"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("script: id, volumeMounts: [{name: v, mountPath: /a, subPath: ../x}]", "leads out of its volume"),
        ("script: id, volumeMounts: [{name: other, mountPath: /a}]", "the task has no volume 'other'"),
        ("script: id, workingDir: /etc/passwd", "is no directory"),
        ("script: mkdir $(results.r.path)", "the result r cannot be read: Is a directory"),
        ("script: id, securityContext: {runAsUser: 99999999999}", "is too large for a uid"),
        ("script: id, securityContext: {runAsNonRoot: true}", "the image runs as root"),
        ("command: [/none]", "ended with 127"),
        ("script: '#!/usr/bin/env python3'", "ended with 127"),
    ],
)
def test_what_cannot_be_started_or_read_fails_its_task(played, step, why):
    run = played(
        TASK,
        f"""\
        results: [{{name: r}}]
        volumes: [{{name: v, emptyDir: {{}}}}]
        steps: [{{image: alpine, {step}}}]
        """,
    )

    assert why in run.tasks["t"].why


def test_a_working_directory_is_made_where_a_workspace_is(played):
    run = played(
        TASK,
        "workspaces: [{name: w}]\n"
        "steps: [{image: alpine, workingDir: $(workspaces.w.path)/a/b, script: pwd}]\n",
    )

    assert run.printed == "/workspace/w/a/b\n"


HELD = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {mode: fast, port: "80"}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {token: abc}
---
"""


def test_variables_come_from_config_maps_and_secrets(played):
    run = played(
        HELD + TASK,
        """\
        steps:
          - name: s
            image: alpine
            envFrom: [{prefix: APP_, configMapRef: {name: settings}}, {secretRef: {name: key}}]
            env:
              - {name: MODE, valueFrom: {configMapKeyRef: {name: settings, key: mode}}}
              - {name: TOKEN, valueFrom: {secretKeyRef: {name: key, key: token}}}
              - {name: NONE, valueFrom: {configMapKeyRef: {name: settings, key: gone, optional: true}}}
              - {name: WHERE, value: $(MODE)-$(APP_port)}
            script: 'echo "$APP_mode $APP_port $MODE $TOKEN $token ${NONE-unset} $WHERE"'
        """,
    )

    assert run.printed == "fast 80 fast abc abc unset fast-80\n"


@pytest.mark.parametrize(
    ("variables", "why"),
    [
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: settings, key: gone}}}]",
            "'settings' has no key 'gone'",
        ),
        ("env: [{name: A, valueFrom: {secretKeyRef: {name: key, key: gone}}}]", "'key' has no key 'gone'"),
        ("envFrom: [{configMapRef: {name: gone}}]", "no ConfigMap 'gone'"),
    ],
)
def test_a_variable_without_a_source_keeps_its_step_from_starting(played, variables, why):
    run = played(HELD + TASK, f"steps: [{{name: s, image: alpine, script: id, {variables}}}]\n")

    assert why in run.tasks["t"].why


def test_steps_in_the_image_of_bash_find_it(played):
    script = "#!/usr/bin/env bash\\n[[ abc == a* ]] && echo yes\\n"

    run = played(TASK, f'steps: [{{name: s, image: "bash:5.2", script: "{script}"}}]\n')

    assert run.printed == "yes\n"


LOOP = '{name: s, image: alpine, script: "while true; do :; done"}'
QUICK = "{name: s, image: alpine, script: echo quick}"


def test_the_time_of_a_pipelines_task_is_its_own(played):
    run = played(
        PIPELINE,
        f"""\
        tasks:
          - {{name: a, timeout: 200ms, taskSpec: {{steps: [{LOOP}]}}}}
        """,
    )

    assert "not over within 200ms" in run.tasks["a"].why


def test_what_the_pipeline_has_left_decides_for_its_tasks_and_finally_still_runs(played):
    run = played(
        """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: r}
spec:
""",
        f"""\
        timeouts: {{pipeline: 1h, tasks: 300ms}}
        pipelineSpec:
          tasks:
            - {{name: a, onError: continue, taskSpec: {{steps: [{LOOP}]}}}}
            - {{name: b, runAfter: [a], taskSpec: {{steps: [{QUICK}]}}}}
          finally:
            - {{name: c, taskSpec: {{steps: [{QUICK}]}}}}
        """,
    )

    assert run.states == {"a": "Failed", "b": "None", "c": "Succeeded"}
    assert "the tasks of the pipeline got 0.3 s" in run.outcome.why
    assert run.outcome.state == "Failed"
