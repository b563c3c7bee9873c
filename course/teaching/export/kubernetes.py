"""Kubernetes: an Indexed Job whose pods grade a shard each, under the restricted Pod Security Standard.

https://kubernetes.io/docs/tasks/job/indexed-parallel-processing-static/
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Final

import yaml

from course.exercise import Exercise
from course.teaching.export import Wishes, only
from course.teaching.results import Graded

_NOBODY: Final = 65534
_SHARED: Final = "/class"


class _Kubernetes:
    def package(self, exercise: Exercise, wishes: Wishes) -> Mapping[str, bytes]:
        return {"job.yaml": yaml.safe_dump(job(exercise, wishes), sort_keys=False).encode()}

    def marks(self, exercise: Exercise, results: Sequence[Graded]) -> Mapping[str, bytes]:
        raise only("kubernetes", "a package")


platform: Final = _Kubernetes()


def job(exercise: Exercise, wishes: Wishes) -> dict[str, object]:
    """The Job: as many pods as shards. The claim ``class`` holds ``handed-in/`` and gets ``results/``.

    Bubblewrap is forbidden in such a pod, Landlock is not: it holds the submissions.
    """
    grade = f"layerlab learn grade {shlex.quote(exercise.id)} {_SHARED}/handed-in -o {_SHARED}/results"
    grade += f' --seed "$LAYERLAB_SEED" --shard "$JOB_COMPLETION_INDEX/{wishes.shards}" --jobs 2'
    name = re.sub(r"[^a-z0-9]+", "-", f"grade-{exercise.id}-{exercise.slug}".lower()).strip("-")[:63]
    seed = {"secretKeyRef": {"name": "layerlab", "key": "seed"}}
    container = {
        "name": "grade",
        "image": wishes.image,
        "command": ["sh", "-c", grade],
        "env": [
            {"name": "LAYERLAB_SEED", "valueFrom": seed},
            {"name": "LAYERLAB_HOME", "value": "/tmp/layerlab"},
        ],
        "resources": {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "class", "mountPath": _SHARED}, {"name": "scratch", "mountPath": "/tmp"}],
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NOBODY,
            "runAsGroup": _NOBODY,
            "fsGroup": _NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "class", "persistentVolumeClaim": {"claimName": "class"}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}},
        ],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "completionMode": "Indexed",
            "completions": wishes.shards,
            "parallelism": wishes.shards,
            "backoffLimitPerIndex": 2,
            "template": {"spec": pod},
        },
    }
