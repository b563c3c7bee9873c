"""What every test shares: skips that say why, and a hypothesis profile that is the same everywhere."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from functools import cache

import oracles
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


def _reason(mark: pytest.Mark) -> str | None:
    match mark.name:
        case "kernel":
            return oracles.kernel()
        case "rootless":
            return _can_unshare()
        case "fuse":
            return _can_fuse()
        case "tools":
            return oracles.lacks(*mark.args)
        case "docker":
            return oracles.docker()
        case "browser":
            return oracles.lacks("chromium", "chromedriver")
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot run, with the reason; fail instead where it was promised."""
    for mark in item.iter_markers():
        reason = _reason(mark)
        if reason is None:
            continue
        if mark.name in oracles.EXPECTED:
            pytest.fail(f"{mark.name} was promised on this machine: {reason}", pytrace=False)
        pytest.skip(f"{mark.name}: {reason}")
