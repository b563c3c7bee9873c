"""The wheel holds all data that the package reads and no answers, and works where it cannot write."""

import gzip
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
import zlib
from pathlib import Path

import click
import pytest
from isal import isal_zlib

ROOT = Path(__file__).parents[2]
MAX_BYTES = 2_500_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The wheel unpacked where Python finds it before the working tree."""
    folder = wheel.parent / "site"
    zipfile.ZipFile(wheel).extractall(folder)
    return folder


def layerlab(
    installed: Path, cwd: Path, *words: str, first: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command; ``first``: where Python looks for modules before all else."""
    env = {
        "PATH": os.defpath,
        "PYTHONPATH": os.pathsep.join(map(str, filter(None, (first, installed)))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LAYERLAB_HOME": str(cwd / "state"),
        "LANG": "C.UTF-8",
    }
    return subprocess.run(
        [sys.executable, "-m", "course", *words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < MAX_BYTES


def test_every_data_file_of_the_packages_is_in_the_wheel(wheel: Path) -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "unionfs_sim", "builder", "course"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode != 0:
        pytest.skip("tools: needs a git checkout")
    answers = ("/mutants/", "/reference.")
    wanted = {
        name
        for name in tracked.stdout.splitlines()
        if not (name.startswith("course/modules/") and any(answer in name for answer in answers))
    }

    assert wanted - set(zipfile.ZipFile(wheel).namelist()) == set()


def test_no_answer_of_an_exercise_is_in_the_wheel(wheel: Path) -> None:
    inside = [name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("course/modules/")]

    assert any(name.endswith("/starter.py") for name in inside)
    assert [name for name in inside if "/mutants/" in name or "/reference." in name] == []


def test_only_the_three_packages_are_in_the_wheel(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"unionfs_sim", "builder", "course"}


def test_an_installed_layerlab_builds_runs_and_teaches_without_writing_where_it_lies(
    installed: Path, tmp_path: Path
) -> None:
    before = sorted(path.relative_to(installed) for path in installed.rglob("*"))
    (tmp_path / "Dockerfile").write_text("FROM alpine:3.19\nRUN apk add --no-cache nginx\nCMD echo served\n")

    built = layerlab(installed, tmp_path, "build", "-t", "here", ".")
    ran = layerlab(installed, tmp_path, "run", "here")
    page = layerlab(installed, tmp_path, "open", "here", "-o", "page.html")
    listed = layerlab(installed, tmp_path, "learn", "list")
    verified = layerlab(installed, tmp_path, "learn", "verify", "1.3")

    assert built.returncode == 0, built.stderr
    assert ran.stdout == "served\n"
    assert page.returncode == 0, page.stderr
    assert "1.3" in listed.stdout
    assert verified.returncode == 1
    assert "Traceback" not in verified.stderr
    assert sorted(path.relative_to(installed) for path in installed.rglob("*")) == before


def test_the_extra_fast_is_named_by_the_wheel_and_really_compresses(
    wheel: Path, installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY text /\n")
    (tmp_path / "text").write_text("layers " * 20_000)
    (named,) = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA")]
    metadata = zipfile.ZipFile(wheel).read(named).decode()
    tree = ("-o", "type=oci,tar=false,compression={},dest={}", ".")

    blobs = {}
    for method in ("fast", "gzip"):
        words = [word.format(method, tmp_path / method) for word in tree]
        built = layerlab(installed, tmp_path, "build", "-q", *words)
        assert built.returncode == 0, built.stderr
        (index,) = json.loads((tmp_path / method / "index.json").read_text())["manifests"]
        manifest = json.loads((tmp_path / method / "blobs/sha256" / index["digest"][7:]).read_text())
        blobs[method] = (
            tmp_path / method / "blobs/sha256" / manifest["layers"][0]["digest"][7:]
        ).read_bytes()

    assert "Provides-Extra: fast\n" in metadata
    assert "Requires-Dist: isal>=1.7; extra == 'fast'\n" in metadata
    assert gzip.decompress(blobs["fast"]) == gzip.decompress(blobs["gzip"])
    whole = gzip.decompress(blobs["fast"])
    first = isal_zlib.compressobj(2, isal_zlib.DEFLATED, -zlib.MAX_WBITS)
    assert first.compress(whole) + first.flush(isal_zlib.Z_SYNC_FLUSH) == blobs["fast"][10:-10]
    assert blobs["fast"] != blobs["gzip"]


def test_without_the_extra_fast_its_installation_is_advised(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    (tmp_path / "isal.py").write_text("raise ImportError\n")

    built = layerlab(
        installed, tmp_path, "build", "-o", "type=oci,dest=x.tar,compression=fast", ".", first=tmp_path
    )

    assert built.returncode == 1
    assert "the compression 'fast' needs ISA-L" in built.stderr
    assert "pip install 'layerlab[fast]'" in built.stderr
    assert not (tmp_path / "x.tar").exists()


CHEAT = """
import site, sys, sysconfig

def resolve(path, layers):
    sys.path += [*site.getsitepackages(), sysconfig.get_path("purelib")]
    from course.exercise import Course
    return Course().find("1.3").checks.oracle(path, layers)
"""


def test_a_submission_cannot_import_the_checks_from_the_interpreters_own_prefix(
    wheel: Path, tmp_path: Path
) -> None:
    """As in docker's python image, pyenv and conda: layerlab lies beside the standard library."""
    prefix = tmp_path / "prefix"
    library = Path(sysconfig.get_path("stdlib"))
    kept = prefix / "lib" / library.name
    unneeded = shutil.ignore_patterns("site-packages", "dist-packages", "test", "tests", "__pycache__", "*.a")
    shutil.copytree(library, kept, ignore=unneeded, symlinks=True)
    python = prefix / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    python.parent.mkdir()
    shutil.copy2(os.path.realpath(sys.executable), python)
    for shared in Path(sysconfig.get_config_var("LIBDIR")).glob("libpython*.so*"):
        shutil.copy2(shared, prefix / "lib")
    packages = kept / "site-packages"
    zipfile.ZipFile(wheel).extractall(packages)
    shutil.copytree(Path(click.__file__).parent, packages / "click")
    (tmp_path / "cheat.py").write_text(CHEAT)
    env = {
        "PATH": os.defpath,
        "LD_LIBRARY_PATH": str(prefix / "lib"),
        "LAYERLAB_HOME": str(tmp_path / "state"),
    }
    words = ["learn", "check", "1.3", "cheat.py", "--json", "--seed", "secret"]

    graded = subprocess.run(
        [python, "-m", "course", *words], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )

    assert graded.stdout, graded.stderr
    result = json.loads(graded.stdout)
    if result["isolation"] != "bubblewrap":
        pytest.skip("bubblewrap is not installed or does not work here")
    assert result["points"] == 0
    assert "ModuleNotFoundError: No module named 'course'" in result["tests"][0]["message"]
