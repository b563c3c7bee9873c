"""What every test shares: skips that say why, and a hypothesis profile that is the same everywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

# A shell starts what runs in its background with SIGINT ignored, which every program of a test would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest.register_assert_rewrite("runner_laws", "snapshotter_laws", "store_laws")

settings.register_profile(
    "layerlab", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("layerlab")

EXPECTED = frozenset(filter(None, os.environ.get("LAYERLAB_EXPECT", "").split(",")))
"""Markers that this machine must be able to run: a skip of one of them is a failure."""


@cache
def _can_mount_overlay() -> str | None:
    script = (
        "mount -t tmpfs t /mnt && mkdir /mnt/l /mnt/u /mnt/w /mnt/m && "
        "mount -t overlay o -o lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w /mnt/m"
    )
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("unshare") is None:
        return "needs unshare(1)"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, check=False)
    return None if done.returncode == 0 else "the kernel refuses an overlay mount"


@cache
def _can_unshare() -> str | None:
    if shutil.which("unshare") is None:
        return "needs unshare(1)"
    done = subprocess.run(["unshare", "-Urm", "true"], capture_output=True, check=False)
    return None if done.returncode == 0 else "user namespaces are not available"


@cache
def _can_fuse() -> str | None:
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError as error:
        return f"/dev/fuse cannot be opened: {error.strerror}"
    return None


@cache
def _lacks(tools: tuple[str, ...]) -> str | None:
    missing = [tool for tool in tools if shutil.which(tool) is None]
    return f"needs {', '.join(missing)}" if missing else None


def _reason(mark: pytest.Mark) -> str | None:
    match mark.name:
        case "kernel":
            return _can_mount_overlay()
        case "rootless":
            return _can_unshare()
        case "fuse":
            return _can_fuse()
        case "tools":
            return _lacks(mark.args)
        case "docker":
            return "needs root" if os.geteuid() != 0 else _lacks(("dockerd", "docker"))
        case "browser":
            return _lacks(("chromium", "chromedriver"))
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, with the reason; fail instead where it was promised."""
    for mark in item.iter_markers():
        reason = _reason(mark)
        if reason is None:
            continue
        if mark.name in EXPECTED:
            pytest.fail(f"{mark.name} was promised on this machine: {reason}", pytrace=False)
        pytest.skip(f"{mark.name}: {reason}")
