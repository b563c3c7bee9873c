"""What Tekton accepts is accepted: one manifest for each feature that its published examples show."""

from __future__ import annotations

from textwrap import dedent

import pytest

from builder.security.documents import read
from builder.security.tekton.check import check
from builder.security.tekton.features import Features

ACCEPTED = {
    "params that propagate from a run into the steps of its tasks": """
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: greet-}
        spec:
          params: [{name: greeting, value: hello}]
          pipelineSpec:
            tasks:
            - name: greet
              taskSpec:
                steps: [{name: say, image: busybox, script: 'echo "$(params.greeting)"'}]
    """,
    "an inner default that hides what the run passes": """
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: greet-}
        spec:
          params: [{name: greeting, value: hello}]
          pipelineSpec:
            tasks:
            - name: greet
              taskSpec:
                params: [{name: greeting, default: hi}]
                steps: [{image: busybox, script: 'echo "$(params.greeting)"'}]
            finally:
            - name: leave
              taskSpec:
                params: [{name: greeting, default: bye}]
                steps: [{image: busybox, script: 'echo "$(params.greeting)"'}]
    """,
    "an array that propagates from a matrix's results": """
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: manifests-}
        spec:
          taskRunSpecs:
          - pipelineTaskName: build
            podTemplate: {nodeSelector: {kind: $(params.node)}}
          pipelineSpec:
            tasks:
            - name: build
              matrix: {params: [{name: node, value: [amd64, arm64]}]}
              taskSpec:
                params: [{name: node}]
                results: [{name: manifest, type: string}]
                steps: [{image: ubuntu, script: 'echo "m-$(params.node)" > $(results.manifest.path)'}]
            - name: join
              params: [{name: manifests, value: "$(tasks.build.results.manifest[*])"}]
              taskSpec:
                steps: [{image: ubuntu, args: ["$(params.manifests[*])"], script: 'echo "$@"'}]
    """,
    "a matrix with included combinations and its length": """
        apiVersion: tekton.dev/v1
        kind: Task
        metadata: {name: count}
        spec:
          params: [{name: size, type: string}]
          steps: [{image: alpine, args: [$(params.size)], script: 'test "$1" = 2'}]
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: lengths-}
        spec:
          pipelineSpec:
            tasks:
            - name: fan
              matrix:
                include:
                - {name: one, params: [{name: image, value: a}, {name: file, value: b}]}
                - {name: two, params: [{name: image, value: c}]}
              taskSpec:
                params: [{name: image}, {name: file, default: ""}]
                steps: [{image: bash, script: 'echo $(params.image) $(params.file)'}]
            - name: check
              runAfter: [fan]
              params: [{name: size, value: $(tasks.fan.matrix.length)}]
              taskRef: {name: count, kind: Task}
    """,
    "workspaces that propagate, and that a referenced task declares": """
        apiVersion: tekton.dev/v1
        kind: Task
        metadata: {name: fetch}
        spec:
          workspaces: [{name: shared}]
          steps: [{image: ubuntu, script: 'echo hi >> $(workspaces.shared.path)/note'}]
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: notes-}
        spec:
          workspaces:
          - name: shared
            volumeClaimTemplate:
              spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 16Mi}}}
          pipelineSpec:
            tasks:
            - {name: fetch, workspaces: [{name: shared}], taskRef: {name: fetch}}
            - name: print
              runAfter: [fetch]
              taskSpec: {steps: [{image: ubuntu, script: 'cat $(workspaces.shared.path)/note'}]}
    """,
    "an optional workspace that decides what runs": """
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: motd-}
        spec:
          workspaces: [{name: motd, configMap: {name: messages}}]
          pipelineSpec:
            workspaces: [{name: motd, optional: true}]
            tasks:
            - name: print
              when: [{input: "$(workspaces.motd.bound)", operator: in, values: ["true"]}]
              workspaces: [{name: motd, workspace: motd}]
              taskSpec:
                workspaces: [{name: motd, optional: true}]
                steps: [{image: alpine, script: 'cat "$(workspaces.motd.path)"/*'}]
            - name: print-default
              when: [{input: "$(workspaces.motd.bound)", operator: in, values: ["false"]}]
              taskSpec: {steps: [{image: alpine, script: echo none}]}
    """,
    "results that are used without being params": """
        apiVersion: tekton.dev/v1
        kind: Task
        metadata: {name: uid}
        spec:
          results: [{name: uid, type: string}]
          steps:
          - image: busybox
            command: ["/bin/sh", "-c"]
            args: ['echo "1001" | tee $(results.uid.path)']
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {name: show}
        spec:
          pipelineSpec:
            tasks:
            - {name: add, taskRef: {name: uid}}
            - name: show
              taskSpec: {steps: [{image: busybox, command: [sh, -c], args: [echo $(tasks.add.results.uid)]}]}
    """,
    "object results, whole and by key": """
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: objects-}
        spec:
          pipelineSpec:
            results:
            - {name: url, value: $(tasks.make.results.image.url)}
            - {name: init, value: $(finally.last.results.done)}
            tasks:
            - name: make
              taskSpec:
                results:
                - {name: image, type: object, properties: {url: {type: string}, digest: {type: string}}}
                steps: [{image: bash, script: 'echo -n "{}" | tee $(results.image.path)'}]
            - name: take
              params:
              - {name: whole, value: "$(tasks.make.results.image[*])"}
              - {name: url, value: "$(tasks.make.results.image.url)"}
              taskSpec:
                params:
                - {name: url}
                - {name: whole, type: object, properties: {url: {type: string}, digest: {type: string}}}
                steps: [{image: bash, args: ["$(params.whole.url)"], script: 'echo "$1" $(params.url)'}]
            finally:
            - name: last
              params: [{name: all, value: "$(tasks.status) $(tasks.make.status) $(tasks.make.reason)"}]
              taskSpec:
                params: [{name: all}]
                results: [{name: done}]
                steps: [{image: bash, script: 'echo $(params.all) > $(results.done.path)'}]
    """,
    "StepActions that take and give values of every type": """
        apiVersion: tekton.dev/v1beta1
        kind: StepAction
        metadata: {name: act}
        spec:
          params:
          - {name: list, type: array}
          - {name: text, type: string}
          - {name: image, type: object, properties: {url: {type: string}}}
          - {name: greeting, default: "$(params.text) world"}
          image: bash
          env: [{name: TEXT, value: $(params.text)}]
          args: ["$(params.list[*])", "$(params.list[0])", "$(params.image.url)"]
          script: 'echo "$1" "${TEXT}"'
        ---
        apiVersion: tekton.dev/v1
        kind: TaskRun
        metadata: {name: run}
        spec:
          taskSpec:
            steps:
            - name: make
              image: alpine
              results: [{name: a, type: array}, {name: b}, {name: c, type: object, properties: {url: {}}}]
              script: 'echo -n foo | tee $(step.results.b.path) $(step.results.a.path) $(step.results.c.path)'
            - name: take
              ref: {name: act}
              params:
              - {name: list, value: "$(steps.make.results.a[*])"}
              - {name: text, value: $(steps.make.results.b)}
              - {name: image, value: "$(steps.make.results.c[*])"}
    """,
    "a step whose failure the next one reads": """
        apiVersion: tekton.dev/v1
        kind: TaskRun
        metadata: {generateName: failing-}
        spec:
          taskSpec:
            steps:
            - {name: fails, image: alpine, onError: continue, script: exit 1}
            - {image: alpine, script: 'test "$(cat $(steps.step-fails.exitCode.path))" = 1'}
    """,
    "a step's condition on a workspace that is not declared": """
        apiVersion: tekton.dev/v1
        kind: TaskRun
        metadata: {generateName: when-}
        spec:
          workspaces: [{name: custom, persistentVolumeClaim: {claimName: c}}]
          taskSpec:
            workspaces: [{name: custom}]
            steps:
            - name: a
              image: bash
              script: ":"
              when: [{input: "$(workspaces.other.bound)", operator: in, values: ["true"]}]
    """,
    "names of secrets and retries as params": """
        apiVersion: tekton.dev/v1
        kind: TaskRun
        metadata: {name: secret}
        spec:
          params: [{name: SECRET, value: s}]
          taskSpec:
            params: [{name: SECRET, description: a name, type: string}]
            steps: [{image: ubuntu, script: 'cat /s/key $(date)', volumeMounts: [{name: v, mountPath: /s}]}]
            volumes: [{name: v, secret: {secretName: "$(params.SECRET)"}}]
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {generateName: retry-}
        spec:
          pipelineSpec:
            tasks:
            - name: again
              retries: 5
              params:
              - {name: all, value: "$(context.pipelineTask.retries)"}
              - {name: count, value: "$(context.task.retry-count)"}
              taskSpec:
                params: [{name: all}, {name: count}]
                steps:
                - {image: alpine, script: 'test $(params.all) $(params.count) $(context.task.retry-count)'}
    """,
    "a sidecar with a probe and a privileged context": """
        apiVersion: tekton.dev/v1
        kind: TaskRun
        metadata: {generateName: dind-}
        spec:
          taskSpec:
            steps:
            - {image: docker, name: client, script: docker info, env: [{name: A, value: '1'}]}
            sidecars:
            - image: docker:dind
              name: server
              args: [--debug]
              computeResources: {requests: {memory: 512Mi}}
              securityContext: {privileged: true}
              readinessProbe: {periodSeconds: 1, exec: {command: [ls, /certs]}}
              volumeMounts: [{mountPath: /certs, name: certs}]
            volumes: [{name: certs, emptyDir: {}}]
    """,
    "a custom task, and other kinds beside": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: c}
        data: {a: b}
        ---
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: p}
        spec:
          tasks:
          - {name: wait, taskRef: {apiVersion: example.dev/v0, kind: Wait}}
          - {name: inline, taskSpec: {apiVersion: example.dev/v0, kind: Wait, spec: {field: 123}}}
    """,
    "arrays and objects in conditions and params of a pipeline": """
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: p}
        spec:
          params:
          - {name: o, type: object, properties: {k: {}, l: {}}}
          - {name: list, type: array, default: [a, b]}
          tasks:
          - name: a
            taskRef: {name: elsewhere}
            when: [{input: $(params.o.k), operator: in, values: ["$(params.list[*])", "$(params.o.l)"]}]
            params:
            - {name: one, value: "$(params.o.k) and $(params.o.l)"}
            - {name: some, value: ["$(params.o.k)", "more $(params.o.l)", "$(params.list)"]}
            - {name: all, value: "$(params.o[*])"}
            - {name: first, value: "$(params.list[0])"}
            matrix: {params: [{name: m, value: ["$(params.o.k)", and]}]}
    """,
}

ALPHA = {
    "an enum, and a value from a ConfigMap": """
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: p}
        spec:
          params: [{name: version, enum: [v1, v2], default: v1}]
          tasks: [{name: a, params: [{name: v, value: $(params.version)}], taskRef: {name: elsewhere}}]
        ---
        apiVersion: tekton.dev/v1
        kind: PipelineRun
        metadata: {name: r}
        spec:
          pipelineRef: {name: p}
          params: [{name: version, valueFrom: {configMapKeyRef: {name: c, key: k}}}]
    """,
    "a pipeline within a pipeline": """
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: child}
        spec:
          params: [{name: greeting}]
          workspaces: [{name: source}]
          tasks:
          - name: show
            workspaces: [{name: source, workspace: source}]
            taskSpec:
              workspaces: [{name: source}]
              steps: [{image: busybox, script: 'ls $(workspaces.source.path); echo $(params.greeting)'}]
        ---
        apiVersion: tekton.dev/v1
        kind: Pipeline
        metadata: {name: parent}
        spec:
          params: [{name: greeting}]
          workspaces: [{name: source}]
          tasks:
          - name: child
            pipelineRef: {name: child}
            params: [{name: greeting, value: $(params.greeting)}]
            workspaces: [{name: source, workspace: source}]
    """,
    "a result with a default, and outputs of a step": """
        apiVersion: tekton.dev/v1
        kind: Task
        metadata: {name: t}
        spec:
          results: [{name: r, default: none}, {name: l, type: array, default: [a]}]
          steps:
          - {name: s, image: bash, stdoutConfig: {path: $(results.r.path)}, when: [{cel: "'a' == 'a'"}]}
    """,
}


@pytest.mark.parametrize("feature", [*ACCEPTED, *ALPHA])
def test_nothing_is_wrong_with(feature):
    features = Features.ALPHA if feature in ALPHA else Features.BETA
    text = dedent({**ACCEPTED, **ALPHA}[feature])

    found = [str(each) for each in check(read(text.encode(), "x.yaml"), features)]

    warned = [each for each in found if "workspaces.other.bound" in each]
    assert found == warned


@pytest.mark.parametrize("feature", ALPHA)
def test_an_alpha_feature_is_refused_by_a_cluster_without_it(feature):
    found = check(read(dedent(ALPHA[feature]).encode(), "x.yaml"), Features.BETA)

    assert {each.rule for each in found} == {"feature-gate"}
