"""What a word of the command line may load: the promise is kept on ``sys.modules``, not with a clock."""

import subprocess
import sys
from pathlib import Path

HEAVY = ("numpy", "matplotlib", "networkx", "rich", "urllib3", "http.client", "pyfakefs", "IPython")


def loaded_by(code: str) -> set[str]:
    probe = f"{code}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_union_loads_nothing_but_the_standard_library() -> None:
    third_party = {"click", *HEAVY} & loaded_by("import unionfs_sim")

    assert third_party == set()


def test_help_loads_no_heavy_library() -> None:
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): "
    code = "from course.cli import run\n" + quiet + "run(['--help'])"

    assert set(HEAVY) & loaded_by(code) == set()


def test_a_build_that_is_known_loads_no_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM alpine\nCOPY Dockerfile /\n")
    line = ["--state", str(tmp_path / "state"), "build", "--progress", "plain", str(tmp_path)]
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): "
    build = f"from course.cli import run\n{quiet}assert run({line!r}) == 0"

    loaded_by(build)

    assert set(HEAVY) & loaded_by(build) == set()


def test_judging_and_deriving_load_no_heavy_library() -> None:
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n    "
    words = ("['security', 'pss', '--approach', 'kaniko']", "['security', 'reach', '--approach', 'kaniko']")
    code = "from course.cli import run\n" + quiet + "\n    ".join(f"run({each})" for each in words)

    assert set(HEAVY) & loaded_by(code) == set()


def test_a_build_that_is_known_loads_neither_world_nor_union_nor_tools(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(
        "FROM alpine AS one\nRUN echo a > /a\nFROM busybox\nWORKDIR /w\n"
        "COPY Dockerfile /\nCOPY --from=one /a /\nRUN true\nADD Dockerfile /d/\n"
    )
    line = ["--state", str(tmp_path / "state"), "build", "--progress", "plain", "-t", "web", str(tmp_path)]
    quiet = "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()): "
    build = f"from course.cli import run\n{quiet}assert run({line!r}) == 0"
    loaded_by(build)

    loaded = loaded_by(build)

    needless = (
        "builder.world.",
        "builder.runners.",
        "builder.snapshotters.memory",
        "builder.snapshotters.scan",
        "builder.snapshotters.overlayfs",
        "builder.namespace.zygote",
        "unionfs_sim.overlay",
        "unionfs_sim.layers.layer",
        "unionfs_sim.vfs",
        "concurrent",
        "dataclasses",
        "fractions",
        "lzma",
        "tarfile",
        "tempfile",
        "csv",
    )
    found = {name for name in loaded if name.startswith(needless)}
    tables = {
        "builder.world.machine",
        "builder.world.machine.limits",
        "unionfs_sim.vfs",
        "unionfs_sim.vfs.flags",
    }
    assert found == tables, "only constants are loaded"
