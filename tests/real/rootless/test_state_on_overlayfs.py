"""A state directory that lies on overlayfs itself, as in a container without a volume."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from builder.stores.layout import LayoutStore

pytestmark = [
    pytest.mark.rootless,
    pytest.mark.kernel,
    pytest.mark.tools("busybox", "unshare"),
]

DOCKERFILE = """
FROM base AS one
RUN --mount=type=cache,target=/c echo 1 >> /c/n; cp /c/n /n; rm -r /srv; mkdir -p /a/b && chown 33:44 /a/b
COPY given /a/b/given
FROM base
COPY --from=one / /all
RUN ls -ln /all/a && cat /all/n && ! ls /all/srv
"""


def on_overlayfs(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """layerlab where ``place/merged`` is an overlay that nobody else sees."""
    options = f"lowerdir={place}/lower,upperdir={place}/upper,workdir={place}/work"
    script = f'mount -t overlay overlay -o {options} {place}/merged; exec "$@"'
    layerlab = [sys.executable, "-m", "course", "--state", f"{place}/merged/state", *words]
    return subprocess.run(
        ["unshare", "-m", "sh", "-ec", script, "sh", *layerlab],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def place(tmp_path: Path, add_image: Any) -> Path:
    for name in ("lower", "upper", "work", "merged", "context"):
        (tmp_path / name).mkdir()
    with LayoutStore(str(tmp_path / "layout")) as store:
        add_image(store, "any:base")
    (tmp_path / "context/Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "context/given").write_text("given")
    return tmp_path


def build(place: Path, *more: str) -> subprocess.CompletedProcess[str]:
    named = f"base=oci-layout://{place}/layout:base"
    words = ("build", "--strategy", "rootless", "--build-context", named, "-t", "web")
    return on_overlayfs(place, *words, *more, str(place / "context"))


def test_layers_are_unpacked_into_memory_and_one_is_told_so(place: Path) -> None:
    done = build(place)

    assert done.returncode == 0, done.stderr
    assert done.stderr.count("unpacked into memory") == 1
    assert "33       44" in done.stderr
    assert not list(place.glob("merged/state/trees/*/layers/*"))


def test_the_layers_are_those_that_are_made_elsewhere(place: Path) -> None:
    words = [sys.executable, "-m", "course", "--state", str(place / "elsewhere"), "build", "-q"]
    named = f"base=oci-layout://{place}/layout:base"
    more = ["--strategy", "rootless", "--build-context", named, str(place / "context")]
    there = subprocess.run([*words, *more], capture_output=True, text=True, check=True, timeout=120)

    assert build(place, "-q").stdout == there.stdout


def test_caches_outlive_the_build_and_doctor_says_why(place: Path) -> None:
    build(place)
    second = build(place, "--no-cache")
    doctor = on_overlayfs(place, "doctor")

    assert "| 1\n" in second.stderr
    assert second.stderr.count("| 1\n") == 2
    assert doctor.returncode == 0
    assert "lies on overlay" in doctor.stdout
    assert os.sep in doctor.stdout
