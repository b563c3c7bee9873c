"""The pods that tasks become, and where what they break is written."""

from __future__ import annotations

from builder.security.documents import read
from builder.security.pss import Level, judge
from builder.security.tekton.pods import task_pods

TASK = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: build}
spec:
  workspaces: [{name: source}, {name: dockerconfig, mountPath: /creds}]
  stepTemplate:
    image: base
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
  steps:
  - name: clone
    workspaces: [{name: source}]
  - name: build
    image: kaniko
    securityContext:
      runAsUser: 0
      capabilities: {add: [CHOWN]}
    workspaces: [{name: source}, {name: dockerconfig}]
  volumes: [{name: host, hostPath: {path: /var/run}}]
"""
RUN = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: r}
spec:
  workspaces: [{name: shared, emptyDir: {}}, {name: push, secret: {secretName: s}}]
  taskRunTemplate: {podTemplate: {hostNetwork: true}, serviceAccountName: builder}
  taskRunSpecs:
  - pipelineTaskName: two
    podTemplate: {hostUsers: false, automountServiceAccountToken: false}
  pipelineSpec:
    tasks:
    - name: one
      taskRef: {name: build}
      workspaces: [{name: source, workspace: shared}, {name: dockerconfig, workspace: push}]
    - name: two
      taskSpec: {steps: [{image: a}]}
"""


def test_a_task_alone_is_a_pod_with_a_container_for_each_step():
    (found,) = task_pods(read(TASK.encode(), "task.yaml"))

    clone, build = found.pod.containers
    assert (clone.name, clone.image, clone.security.dropped) == ("clone", "base", ("ALL",))
    assert (build.image, build.security.added, build.security.dropped) == ("kaniko", ("CHOWN",), ("ALL",))
    assert build.security.allow_privilege_escalation is False
    assert [mount.path for mount in clone.mounts] == ["/workspace/source"]
    assert [mount.path for mount in build.mounts] == ["/workspace/source", "/creds"]
    assert {each.name: each.holds_secret for each in found.pod.volumes} == {
        "host": False,
        "workspace-source": False,
        "workspace-dockerconfig": True,
    }


def test_a_run_adds_its_template_and_binds_workspaces():
    documents = [*read(TASK.encode(), "task.yaml"), *read(RUN.encode(), "run.yaml")]

    one, two = task_pods(documents)

    assert (one.pod.name, two.pod.name) == ("r/one", "r/two")
    assert one.pod.host_network
    assert not two.pod.host_network
    assert one.pod.service_account == "builder"
    assert (one.pod.host_users, two.pod.host_users) == (True, False)
    assert not two.pod.automounts_token
    volumes = {each.name: (each.source, each.holds_secret) for each in one.pod.volumes}
    assert volumes["workspace-source"] == ("emptyDir", False)
    assert volumes["workspace-dockerconfig"] == ("secret", True)


def test_what_a_pod_breaks_is_placed_in_the_file_that_wrote_it():
    documents = [*read(TASK.encode(), "task.yaml"), *read(RUN.encode(), "run.yaml")]
    one = task_pods(documents)[0]

    verdict = judge(one.pod)

    assert verdict.level is Level.PRIVILEGED
    places = {each.check: one.at(each) for each in verdict.violations}
    assert places["hostNamespaces"] == ("run.yaml", 6, "spec.taskRunTemplate.podTemplate.hostNetwork")
    assert places["hostPathVolumes"] == ("task.yaml", 18, "spec.volumes[0].hostPath")
    assert places["capabilities_restricted"] == (
        "task.yaml",
        16,
        "spec.steps[1].securityContext.capabilities.add[0]",
    )


def test_steps_of_a_step_action_have_what_the_action_says():
    text = """\
apiVersion: tekton.dev/v1beta1
kind: StepAction
metadata: {name: act}
spec: {image: tool, securityContext: {privileged: true}}
---
apiVersion: tekton.dev/v1
kind: TaskRun
metadata: {name: r}
spec: {taskSpec: {steps: [{name: s, ref: {name: act}}]}}
"""
    (found,) = task_pods(read(text.encode(), "x.yaml"))

    assert found.pod.containers[0].image == "tool"
    assert found.pod.containers[0].security.privileged


def test_images_and_arguments_have_the_values_that_are_passed():
    task = """\
apiVersion: tekton.dev/v1
kind: Task
metadata: {name: t}
spec:
  params: [{name: image, default: kaniko}, {name: flags, type: array, default: []}, {name: at}]
  steps:
  - {name: s, image: $(params.image), command: [run], args: ["$(params.flags[*])", "--at=$(params.at)"]}
"""
    run = """\
apiVersion: tekton.dev/v1
kind: PipelineRun
metadata: {name: r}
spec:
  params: [{name: place, value: here}]
  pipelineSpec:
    params: [{name: place}, {name: more, type: array, default: [-a, -b]}]
    tasks:
    - name: one
      taskRef: {name: t}
      params: [{name: flags, value: ["$(params.more[*])"]}, {name: at, value: $(params.place)}]
"""

    (alone,) = task_pods(read(task.encode(), "t.yaml"))
    (in_run,) = task_pods([*read(task.encode(), "t.yaml"), *read(run.encode(), "r.yaml")])

    assert alone.pod.containers[0].image == "kaniko"
    assert alone.pod.containers[0].args == ("--at=$(params.at)",)
    assert in_run.pod.containers[0].args == ("-a", "-b", "--at=here")
