"""Each refusal of the kernel is explained by its cause, with what lifts it."""

from __future__ import annotations

import errno

import pytest

from builder.namespace.doctor import REPLACEABLE, Examination, Facts, Finding, Step, explain
from builder.namespace.idmap import Caller, IdMap, Row

IDS = IdMap(Caller.SINGLE, (Row(0, 1000, 1),), (Row(0, 1000, 1),))


@pytest.mark.parametrize(
    ("step", "number", "facts", "cause", "remedy"),
    [
        (Step.NAMESPACES, errno.ENOSPC, Facts(), "max_user_namespaces", "sysctl -w user.max_user_namespaces"),
        (Step.NAMESPACES, errno.EPERM, Facts(max_user_namespaces="0"), "switched off", "sysctl"),
        (Step.NAMESPACES, errno.EPERM, Facts(debian_switch="0"), "Debian", "unprivileged_userns_clone=1"),
        (Step.NAMESPACES, errno.EPERM, Facts(seccomp_mode="2"), "seccomp", "seccomp=unconfined"),
        (Step.NAMESPACES, errno.EPERM, Facts(seccomp_mode="0"), "chroot", "outside"),
        (Step.MOUNTS, errno.EACCES, Facts(apparmor_switch="1"), "AppArmor", "apparmor_restrict"),
        (Step.OVERLAY, errno.EINVAL, Facts(state_kind="overlay"), "state directory", "--state"),
        (Step.OVERLAY, errno.ENODEV, Facts(state_kind="ext4"), "refuses an overlay", "modprobe overlay"),
        (Step.PROC, errno.EPERM, Facts(), "covered", "systempaths=unconfined"),
        (Step.TMPFS, errno.ENOSYS, Facts(), "by descriptor", "newer kernel"),
        (Step.ROOT, errno.EPERM, Facts(), "another root", "dmesg"),
    ],
)
def test_a_refusal_has_a_cause_and_what_lifts_it(step, number, facts, cause: str, remedy: str) -> None:
    said = explain(step, number, facts)

    assert cause in said[0]
    assert remedy in said[1]


def test_what_can_be_replaced_hinders_no_build() -> None:
    replaced = Examination(IDS, tuple(Finding(step, errno.EPERM, "c", "r") for step in REPLACEABLE))
    refused = Examination(IDS, (Finding(Step.OVERLAY, errno.EINVAL), Finding(Step.PROCESSES, errno.EPERM)))

    assert replaced.refusal is None
    assert not replaced.can_stack
    assert refused.refusal is not None
    assert refused.refusal.step is Step.PROCESSES
