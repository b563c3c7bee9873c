"""The command line in this process, with a state directory of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from course.cli import run


@dataclass(frozen=True)
class Said:
    """What one command line came to."""

    status: int
    out: str
    err: str


@pytest.fixture
def layerlab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary) -> Callable[..., Said]:
    monkeypatch.setenv("LAYERLAB_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)

    def call(*argv: str | Path) -> Said:
        capfdbinary.readouterr()
        try:
            status = run([str(word) for word in argv])
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = capfdbinary.readouterr()
        return Said(status, said.out.decode("utf-8", "replace"), said.err.decode("utf-8", "replace"))

    return call


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Writes a directory with a Dockerfile and other files."""

    def make(dockerfile: str | bytes | None = None, **files: str) -> Path:
        path = tmp_path / "project"
        path.mkdir(exist_ok=True)
        if dockerfile is not None:
            raw = dockerfile.encode() if isinstance(dockerfile, str) else dockerfile
            (path / "Dockerfile").write_bytes(raw)
        for name, text in files.items():
            (path / name).write_text(text)
        return path

    return make
